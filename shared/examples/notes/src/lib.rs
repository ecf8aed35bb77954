//! A third service: one method for callers with a token of auth-service. All
//! that it knows of tokens, keys, limits and health is that `shared` does it.

use std::{future::Future, time::Duration};

use shared::{
    clock::SystemClock,
    error::{Failure, domain},
    interceptor::Identity,
    server::{Limits, Server},
    trust::{GrpcKeys, Keeper, Trust},
    verify::{Rules, Verifier},
};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, transport::Channel};

tonic::include_proto!("notes.v1");
use notes_service_server::{NotesService, NotesServiceServer, SERVICE_NAME};

const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[derive(Clone)]
struct Notes;

#[tonic::async_trait]
impl NotesService for Notes {
    async fn echo(&self, request: Request<EchoRequest>) -> Result<Response<EchoResponse>, Status> {
        let status = |failure: Failure| failure.into_status(domain(SERVICE_NAME));
        let caller = Identity::of(&request).map_err(status)?;
        let email = &caller.user().map_err(status)?.email;
        let text = format!("{email}: {}", request.get_ref().text);
        Ok(Response::new(EchoResponse { text }))
    }
}

/// Serves on `listener`, with the keys of the auth service at `auth`.
pub async fn serve(
    rules: Rules,
    auth: Channel,
    listener: TcpListener,
    until: impl Future<Output = ()> + Send,
) -> anyhow::Result<()> {
    let (clock, trust) = (SystemClock::shared(), Trust::new(Duration::from_secs(86_400)));
    let verifier = Verifier::new(rules, trust.clone(), clock.clone());
    let source = Box::new(GrpcKeys::new(auth));
    let keeper = Keeper { trust, source, refresh: Duration::from_secs(60), cache: None, clock };
    let server = Server::new(Limits::default())
        .descriptors(DESCRIPTORS)
        .authenticated(NotesServiceServer::new(Notes), &verifier);
    tokio::select! {
        served = server.serve(listener, until) => served,
        () = keeper.run() => Ok(()),
    }
}
