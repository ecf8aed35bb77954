//! The one server stack: gRPC over h2c and TLS, grpc-web over HTTP/1.1 and 2,
//! health, reflection and plain HTTP on one port. The only place where a
//! listener, a layer or a limit is configured.
//!
//! Invariant: a service is mounted `open` or `authenticated`; there is no
//! third way and no list of paths. No rule of any one service stands here.

mod admin;
mod answer;
mod caps;
mod connections;
mod dispatch;
mod first_bytes;
mod forwarded;
mod health;
mod limits;
mod message_limit;
mod method;
mod origin;
mod record;
mod stack;
pub mod tls;

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::{net::TcpListener, sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    codegen::{Service, StdError},
    server::NamedService,
    service::interceptor::InterceptedService,
};
use tonic_health::pb::health_server::HealthServer;
use tower::ServiceExt as _;

pub use self::{
    admin::{answer_probes, serve_admin},
    forwarded::{Network, NotANetwork},
    health::Health,
    limits::Limits,
    origin::{NotAnOrigin, Origin},
    stack::Peer,
};
use self::{
    connections::{Answers, Connections},
    dispatch::Dispatch,
    method::{Methods, Mounted},
    record::Caller,
    stack::Stack,
};
use crate::{interceptor::Authenticate, verify::Verifier};

/// Reflection itself, in both of its versions.
const REFLECTION: [&str; 2] =
    ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// A server being put together.
pub struct Server {
    limits: Limits,
    message_limits: HashMap<&'static str, usize>,
    mounted: Vec<Mounted>,
    descriptors: Vec<&'static [u8]>,
    reflection: bool,
    origins: Vec<Origin>,
    http: axum::Router,
    tls: Option<Arc<ServerConfig>>,
    health: Health,
    draining: CancellationToken,
}

impl Server {
    /// A server with these limits, and health as its only service.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let server = Self {
            limits,
            message_limits: HashMap::new(),
            mounted: Vec::new(),
            descriptors: vec![
                tonic_health::pb::FILE_DESCRIPTOR_SET,
                tonic_types::pb::FILE_DESCRIPTOR_SET,
            ],
            reflection: true,
            origins: Vec::new(),
            http: axum::Router::new()
                .fallback(async || (StatusCode::NOT_FOUND, "There is nothing here.\n")),
            tls: None,
            health: Health::new(),
            draining: CancellationToken::new(),
        };
        let health = HealthServer::new(server.health.clone());
        server.mount(health, true)
    }

    /// Adds an encoded `FileDescriptorSet` that describes mounted services.
    /// Deadlines, metrics and reflection know a method from here.
    #[must_use]
    pub fn descriptors(mut self, encoded: &'static [u8]) -> Self {
        self.descriptors.push(encoded);
        self
    }

    /// Whether anyone may ask which services there are. On unless turned off.
    #[must_use]
    pub fn reflection(mut self, reflection: bool) -> Self {
        self.reflection = reflection;
        self
    }

    /// Lets pages of these origins call. The server's own origin needs no mention.
    #[must_use]
    pub fn allow_origins(mut self, origins: Vec<Origin>) -> Self {
        self.origins.extend(origins);
        self
    }

    /// Mounts a service that anyone may call.
    #[must_use]
    pub fn open<S, B>(self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send>,
        S: NamedService + Clone + Send + Sync + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Send + 'static,
    {
        self.mount(service, false)
    }

    /// Mounts a service for callers that `verifier` believes. Its handlers find
    /// them with `Identity::of`.
    #[must_use]
    pub fn authenticated<S, B>(self, service: S, verifier: &Verifier) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send>,
        S: NamedService + Clone + Send + Sync + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Send + 'static,
    {
        let authenticate = Authenticate::new(verifier.clone(), S::NAME);
        self.mount(InterceptedService::new(Noting(service), authenticate), false)
    }

    /// Lets the request messages of one service have `bytes` bytes, more or
    /// less than `Limits::max_message_bytes`.
    #[must_use]
    pub fn message_limit(mut self, service: &'static str, bytes: usize) -> Self {
        self.message_limits.insert(service, bytes);
        self
    }

    /// Serves plain HTTP beside gRPC. Only gRPC may be POSTed.
    #[must_use]
    pub fn http(mut self, router: axum::Router) -> Self {
        self.http = router;
        self
    }

    /// Speaks TLS and nothing else; see `tls::load`. In clear if None.
    #[must_use]
    pub fn tls(mut self, config: Option<Arc<ServerConfig>>) -> Self {
        self.tls = config;
        self
    }

    /// The health of this server, for whoever knows what readiness depends on.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Cancelled when the server drains: long streams should then end with
    /// SERVER_DRAINING, for nothing else ends them before the hard stop.
    #[must_use]
    pub fn draining(&self) -> CancellationToken {
        self.draining.clone()
    }

    /// Serves until `until` ends, then drains: health says NOT_SERVING, calls
    /// are taken for `drain_delay` longer, streams are told, what is in flight
    /// finishes. After `drain_timeout` it returns all the same. Dropping the
    /// future ends everything at once.
    ///
    /// # Errors
    /// If the services and their descriptors do not fit together.
    pub async fn serve(
        self,
        listener: TcpListener,
        until: impl Future<Output = ()> + Send,
    ) -> anyhow::Result<()> {
        let Self { health, draining, .. } = &self;
        let (health, draining) = (health.clone(), draining.clone());
        let (limits, tls) = (self.limits.clone(), self.tls.clone());
        let connections = Connections::new(self.stack()?, &limits, tls);
        tokio::select! {
            never = connections.accept(&listener) => match never {},
            () = until => {}
        }

        tracing::info!("Draining: calls in flight finish, new ones are turned away.");
        let hard_stop = Instant::now() + limits.drain_timeout;
        health.drain();
        tokio::select! {
            never = connections.accept(&listener) => match never {},
            () = tokio::time::sleep(limits.drain_delay.min(limits.drain_timeout)) => {}
        }
        drop(listener);
        draining.cancel();
        if tokio::time::timeout_at(hard_stop, connections.drain()).await.is_err() {
            tracing::warn!("Some calls did not finish in time and were cut off.");
        }
        Ok(())
    }

    fn mount<S, B>(mut self, service: S, built_in: bool) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send>,
        S: NamedService + Clone + Send + Sync + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Send + 'static,
    {
        let handler = move |request| {
            let answered = service.clone().oneshot(request);
            let answering: method::Answering = Box::pin(async move {
                match answered.await {
                    Ok(response) => response.map(Body::new),
                    Err(never) => match never {},
                }
            });
            answering
        };
        self.health.set_serving(S::NAME, true);
        self.mounted.push(Mounted { name: S::NAME, handler: Arc::new(handler), built_in });
        self
    }

    fn stack(mut self) -> anyhow::Result<Stack> {
        if self.reflection {
            self = self.with_reflection()?;
        }
        let methods =
            Methods::new(self.mounted, &self.descriptors, &self.limits, &self.message_limits)?;
        Ok(Stack {
            dispatch: Dispatch {
                methods,
                in_flight: Semaphore::new(self.limits.in_flight),
                draining: self.draining,
            },
            cors: (!self.origins.is_empty()).then(|| origin::cors(self.origins)),
            http: self.http,
            http_deadline: self.limits.unary_deadline,
            trusted_proxies: self.limits.trusted_proxies,
        })
    }

    fn with_reflection(mut self) -> anyhow::Result<Self> {
        use tonic_reflection::{pb, server::Builder};

        self.descriptors.extend([pb::v1::FILE_DESCRIPTOR_SET, pb::v1alpha::FILE_DESCRIPTOR_SET]);
        let builder = || {
            let mut builder = Builder::configure();
            for encoded in &self.descriptors {
                builder = builder.register_encoded_file_descriptor_set(encoded);
            }
            let mounted = self.mounted.iter().map(|service| service.name);
            mounted.chain(REFLECTION).fold(builder, Builder::with_service_name)
        };
        let (v1, v1alpha) = (builder().build_v1()?, builder().build_v1alpha()?);
        Ok(self.mount(v1, true).mount(v1alpha, true))
    }
}

impl Answers for Stack {
    fn answer(
        &self,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send {
        Stack::answer(self, peer, request)
    }
}

/// Notes for the log who calls, once the interceptor has found out.
#[derive(Clone)]
struct Noting<S>(S);

impl<S: Service<Request<Body>>> Service<Request<Body>> for Noting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> S::Future {
        Caller::note(request.extensions());
        self.0.call(request)
    }
}

impl<S: NamedService> NamedService for Noting<S> {
    const NAME: &'static str = S::NAME;
}
