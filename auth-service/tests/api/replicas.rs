//! Replicas of the service on one database, which can be stopped or killed, and
//! verifiers that live from their trust feed.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use auth_service::{App, SCHEMA};
use proto::auth::v1::{
    Credentials, SignOutRequest, SignUpRequest, WatchTrustRequest, WatchTrustResponse,
    auth_service_client::AuthServiceClient,
    trust_service_client::TrustServiceClient,
    watch_trust_request::{Kind, Start},
    watch_trust_response::Event,
};
use shared::{
    clock::SharedClock,
    database::Database,
    program, rng,
    secret::Secret,
    testing::{TestDatabase, TestIssuer, database},
    trust::{GrpcKeys, Keeper, TokenSource, Trust, TrustWatcher},
    verify::{Rules, ServiceClaims, Verifier},
};
use sqlx::ConnectOptions as _;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tonic::{
    Status, Streaming,
    service::Interceptor as _,
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

use crate::harness::{Bearer, PASSWORD, config, key};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
const ISSUER: &str = "https://auth.test";

/// What replicas have in common.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) clock: SharedClock,
    key: String,
}

/// One running service.
pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    pub(crate) channel: Channel,
    pub(crate) app: Arc<App>,
    clock: SharedClock,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<anyhow::Result<()>>,
}

/// A stream of WatchTrust, and what is said over it.
pub(crate) struct Stream {
    messages: Streaming<WatchTrustResponse>,
    said: mpsc::UnboundedSender<WatchTrustRequest>,
    /// Goes on from here.
    pub(crate) token: String,
}

/// Another service that verifies tokens.
pub(crate) struct Other {
    pub(crate) trust: Trust,
    pub(crate) verifier: Verifier,
    tasks: [JoinHandle<()>; 2],
}

impl World {
    pub(crate) async fn new(clock: SharedClock) -> Self {
        program::install_cryptography();
        Self { database: database(&SCHEMA).await, clock, key: key() }
    }

    pub(crate) async fn replica(&self) -> Replica {
        self.replica_with("127.0.0.1:0", &[]).await
    }

    /// A replica at this address, with these flags.
    pub(crate) async fn replica_with(&self, address: &str, flags: &[&str]) -> Replica {
        let pool = Database::new(self.database.app.clone(), 8);
        let config = config(&self.key, flags);
        let app = Arc::new(App::open(config, pool, self.clock.clone()).await.unwrap());
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = app.clone();
        let running =
            tokio::spawn(
                async move { serving.serve(listener, async { drop(stopped.await) }).await },
            );
        let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
        let (clock, stop) = (self.clock.clone(), Some(stop));
        Replica { address, channel, app, clock, stop, running }
    }

    /// Cuts the connections whose last statement begins with this, and tells how
    /// many have ended.
    pub(crate) async fn cut(&self, statement: &str) -> i64 {
        self.count(
            "select count(*) filter (where pg_terminate_backend(pid, 20000))
             from pg_stat_activity
             where datname = current_database() and usename = 'auth_app'
             and starts_with(lower(query), $1)",
            statement,
        )
        .await
    }

    /// How many replicas listen for hints.
    pub(crate) async fn listeners(&self) -> i64 {
        self.count(
            "select count(*) from pg_stat_activity
             where datname = current_database() and starts_with(lower(query), $1)",
            "listen",
        )
        .await
    }

    /// A number that the superuser reads.
    pub(crate) async fn count(&self, query: &'static str, with: &str) -> i64 {
        let mut superuser = self.database.superuser.connect().await.unwrap();
        sqlx::query_scalar(query).bind(with).fetch_one(&mut superuser).await.unwrap()
    }
}

impl Replica {
    /// A token of a service with these scopes.
    pub(crate) fn service_token(&self, account: Uuid, scopes: &[&str]) -> String {
        service_token(&self.app, &self.clock, account, scopes)
    }

    pub(crate) fn trust_service(&self) -> TrustServiceClient<Channel> {
        TrustServiceClient::new(self.channel.clone())
    }

    /// Watches from `token` on, as a service of its own.
    pub(crate) async fn watch(&self, token: &str) -> Stream {
        let bearer = self.service_token(rng::uuid_v4(), &["trust:watch"]);
        let start = Kind::Start(Start { resume_token: token.to_owned() });
        self.watch_as(&bearer, start).await.unwrap()
    }

    pub(crate) async fn watch_as(&self, bearer: &str, first: Kind) -> Result<Stream, Status> {
        let (said, mut saying) = mpsc::unbounded_channel();
        said.send(WatchTrustRequest { kind: Some(first) }).unwrap();
        let stream = futures_util::stream::poll_fn(move |cx| saying.poll_recv(cx));
        let request = Bearer(bearer.to_owned()).call(tonic::Request::new(())).unwrap();
        let (metadata, extensions, ()) = request.into_parts();
        let request = tonic::Request::from_parts(metadata, extensions, stream);
        let messages = self.trust_service().watch_trust(request).await?.into_inner();
        Ok(Stream { messages, said, token: String::new() })
    }

    /// Another service that watches this replica, and fetches keys from it.
    pub(crate) fn other(&self) -> Other {
        let (trust, clock) = (Trust::new(Duration::from_secs(86_400)), self.clock.clone());
        let rules = Rules {
            issuer: ISSUER.to_owned(),
            audience: "task-service".to_owned(),
            max_lifetime: Duration::from_secs(3600),
        };
        let verifier = Verifier::new(rules, trust.clone(), clock.clone());
        let keeper = Keeper {
            trust: trust.clone(),
            source: Box::new(GrpcKeys::new(self.channel.clone())),
            refresh: Duration::from_secs(60),
            cache: None,
            clock: clock.clone(),
        };
        let tokens = Arc::new(Tokens { app: self.app.clone(), clock: clock.clone() });
        let channel = self.channel.clone();
        let watcher = TrustWatcher { trust: trust.clone(), channel, tokens, clock, eraser: None };
        let watch = tokio::spawn(async move { watcher.run().await });
        Other { trust, verifier, tasks: [tokio::spawn(keeper.run()), watch] }
    }

    pub(crate) async fn sign_up(&self, name: &str) -> Credentials {
        let request = SignUpRequest {
            email: format!("{name}@example.org"),
            password: PASSWORD.to_owned(),
            ..SignUpRequest::default()
        };
        self.auth().sign_up(request).await.unwrap().into_inner().credentials.unwrap()
    }

    pub(crate) async fn sign_out(&self, session: &Credentials) {
        let refresh_token = session.refresh_token.clone();
        self.auth().sign_out(SignOutRequest { refresh_token }).await.unwrap();
    }

    pub(crate) fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channel.clone())
    }

    /// Kills the replica: what is open breaks off.
    pub(crate) async fn kill(self) -> String {
        self.running.abort();
        let _ = self.running.await;
        self.address.to_string()
    }

    /// Tells the replica to shut down, and waits until it did.
    pub(crate) async fn drain(mut self) {
        drop(self.stop.take());
        self.running.await.unwrap().unwrap();
    }
}

impl Stream {
    /// The next message.
    pub(crate) async fn next(&mut self) -> Result<Event, Status> {
        let next = tokio::time::timeout(PATIENCE, self.messages.message()).await;
        let message = next.expect("a message comes")?.expect("a stream ends with a status");
        assert!(!message.resume_token.is_empty(), "every message can be gone on from");
        self.token = message.resume_token;
        Ok(message.event.unwrap())
    }

    /// Reads until everything there was has been told, and tells that.
    pub(crate) async fn until_current(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            match self.next().await.unwrap() {
                Event::Current(_) => return events,
                event => events.push(event),
            }
        }
    }

    /// The status that the stream ends with.
    pub(crate) async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.next().await {
                return status;
            }
        }
    }

    pub(crate) fn say(&self, kind: Kind) {
        self.said.send(WatchTrustRequest { kind: Some(kind) }).unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Tokens as auth-service will issue them.
struct Tokens {
    app: Arc<App>,
    clock: SharedClock,
}

impl TokenSource for Tokens {
    fn token(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Secret>> + Send + '_>> {
        let token = service_token(&self.app, &self.clock, rng::uuid_v4(), &["trust:watch"]);
        Box::pin(std::future::ready(Ok(Secret::from(token))))
    }
}

fn service_token(app: &App, clock: &SharedClock, account: Uuid, scopes: &[&str]) -> String {
    let claims = TestIssuer::new().service_claims(account, scopes, "auth-service", clock.now());
    let claims = ServiceClaims { iss: ISSUER.to_owned(), ..claims };
    app.keys().active().unwrap().sign(&claims).unwrap()
}
