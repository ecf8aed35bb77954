//! The echo: a service that does nothing, bare as tonic serves it, and behind
//! the whole of `shared::server` for callers with a token.
//!
//! Invariant: handler, messages and requests (token included) are the same for
//! every kind, so what differs between them is what surrounds the handler.

use std::time::Duration;

use clap::ValueEnum;
use shared::{
    clock::SystemClock,
    server::{Limits, Server},
    trust::{GrpcKeys, Keeper, Trust},
    verify::{Rules, Verifier},
};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    transport::{Endpoint, server::TcpIncoming},
};

/// The generated messages, client and server.
#[expect(
    unreachable_pub,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub(crate) mod v1 {
    tonic::include_proto!("echo.v1");
}

use v1::{
    EchoRequest, EchoResponse,
    echo_service_server::{EchoService, EchoServiceServer},
};

/// The echo in the `aud` of tokens.
pub(crate) const AUDIENCE: &str = "echo";

const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
const KEYS_REFRESH: Duration = Duration::from_secs(60);
const MAX_STALENESS: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// What surrounds the echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Nothing: tonic's own server, no layer.
    Bare,
    /// The server stack and the interceptor; nobody logs or counts.
    Quiet,
    /// The same with a JSON log line and metrics for every call.
    Whole,
}

struct Echo;

#[tonic::async_trait]
impl EchoService for Echo {
    async fn echo(&self, request: Request<EchoRequest>) -> Result<Response<EchoResponse>, Status> {
        Ok(Response::new(EchoResponse { text: request.into_inner().text }))
    }
}

/// Serves the echo bare.
pub(crate) async fn serve_bare(
    listener: TcpListener,
    until: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tonic::transport::Server::builder()
        .add_service(EchoServiceServer::new(Echo))
        .serve_with_incoming_shutdown(incoming, until)
        .await?;
    Ok(())
}

/// Serves the echo to callers with a token of the auth-service at `auth_url`.
pub(crate) async fn serve_stacked(
    auth_url: String,
    issuer: String,
    listener: TcpListener,
    until: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let (clock, trust) = (SystemClock::shared(), Trust::new(MAX_STALENESS));
    let rules = Rules { issuer, audience: AUDIENCE.to_owned(), max_lifetime: MAX_LIFETIME };
    let verifier = Verifier::new(rules, trust.clone(), clock.clone());
    let source = Box::new(GrpcKeys::new(Endpoint::from_shared(auth_url)?.connect_lazy()));
    let keeper = Keeper { trust, source, refresh: KEYS_REFRESH, cache: None, clock };
    let server = Server::new(Limits::default())
        .descriptors(DESCRIPTORS)
        .authenticated(EchoServiceServer::new(Echo), &verifier);
    tokio::select! {
        served = server.serve(listener, until) => served,
        () = keeper.run() => Ok(()),
    }
}
