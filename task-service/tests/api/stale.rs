//! Callers of a service that is cut off from auth-service for longer than keys
//! may be believed: what they are answered is the operator's choice, and once
//! the feed is there again, nobody has to do anything.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt as _, stream};
use proto::{
    auth::v1::{
        JsonWebKey, WatchTrustRequest, WatchTrustResponse,
        trust_service_server::{TrustService, TrustServiceServer},
        watch_trust_response::{Current, Event, Keys},
    },
    task::v1::{ListTasksRequest, ListTasksResponse, task_service_client::TaskServiceClient},
};
use shared::{
    clock::Clock as _,
    database::Database,
    program, rng,
    secret::Secret,
    server::{Limits, Server},
    testing::{ManualClock, TestDatabase, TestIssuer, database, eventually},
    trust::{TokenSource, Trust},
};
use task_service::{App, SCHEMA, config::Config};
use tokio::{net::TcpListener, sync::watch};
use tonic::{
    Code, Request, Response, Status, Streaming,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;

use crate::app::{config, refused};

/// How long the keys are believed without anybody who confirms them.
const AT_MOST: Duration = Duration::from_secs(600);

/// The trust feed of an auth-service that has these keys, and that can be cut.
/// Nobody can fetch the keys there.
#[derive(Clone)]
struct Feed {
    keys: Vec<JsonWebKey>,
    cut: watch::Receiver<bool>,
}

#[tonic::async_trait]
impl TrustService for Feed {
    type WatchTrustStream = Pin<Box<dyn Stream<Item = Result<WatchTrustResponse, Status>> + Send>>;

    async fn watch_trust(
        &self,
        _: Request<Streaming<WatchTrustRequest>>,
    ) -> Result<Response<Self::WatchTrustStream>, Status> {
        let gone = || Status::unavailable("cut");
        if *self.cut.borrow() {
            return Err(gone());
        }
        let told = [Event::Keys(Keys { keys: self.keys.clone() }), Event::Current(Current {})];
        let told = told.map(|event| {
            Ok(WatchTrustResponse { event: Some(event), resume_token: "here".to_owned() })
        });
        let mut cut = self.cut.clone();
        let end = stream::once(async move {
            let _ = cut.wait_for(|cut| *cut).await;
            Err(gone())
        });
        Ok(Response::new(Box::pin(stream::iter(told).chain(end))))
    }
}

struct Tokens;

impl TokenSource for Tokens {
    fn token(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Secret>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(Secret::from("a token".to_owned()))))
    }
}

/// A service that lives from the feed alone.
struct Setup {
    clock: ManualClock,
    issuer: TestIssuer,
    trust: Trust,
    channel: Channel,
    cut: watch::Sender<bool>,
    _database: TestDatabase,
}

impl Setup {
    async fn start(when_stale: &str) -> Self {
        program::install_cryptography();
        let (clock, issuer) = (ManualClock::new(), TestIssuer::new());
        let (cut, feed) = watch::channel(false);
        let feed = Feed { keys: vec![issuer.jwk().clone().into()], cut: feed };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let auth = format!("http://{}", listener.local_addr().expect("an address"));
        let server = Server::new(Limits::default()).descriptors(proto::DESCRIPTORS);
        let server = server.open(TrustServiceServer::new(feed));
        tokio::spawn(server.serve(listener, std::future::pending()));

        let staleness = format!("{}s", AT_MOST.as_secs());
        let config = config(&[
            "--issuer",
            issuer.name(),
            "--trust-max-staleness",
            &staleness,
            "--trust-when-stale",
            when_stale,
        ]);
        let config = Config { auth_url: auth, ..config };
        let database = database(&SCHEMA).await;
        let own = Database::new(database.app.clone(), 4);
        let app = App::open(config, own, clock.shared()).await.expect("it opens");
        let app = app.watching_trust(Arc::new(Tokens));
        let trust = app.trust().clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { app.serve(listener, std::future::pending()).await });
        let channel = Endpoint::from_shared(format!("http://{address}")).expect("a URL");
        let channel = channel.connect_lazy();
        Self { clock, issuer, trust, channel, cut, _database: database }
    }

    /// Somebody calls whose token was issued just now.
    async fn list(&self) -> Result<Response<ListTasksResponse>, Status> {
        let claims = self.issuer.claims(rng::uuid_v4(), "task-service", self.clock.now());
        let header = format!("Bearer {}", self.issuer.token(&claims));
        let mut request = Request::new(ListTasksRequest::default());
        request.metadata_mut().insert("authorization", header.parse().expect("a header"));
        TaskServiceClient::new(self.channel.clone()).list_tasks(request).await
    }

    /// Cuts the feed for as long as the keys are believed, and calls; then for a
    /// moment longer.
    async fn is_cut_too_long(&self) -> Result<Response<ListTasksResponse>, Status> {
        eventually("the keys are told", async || self.list().await.is_ok()).await;
        self.cut.send_replace(true);
        eventually("the feed is cut", async || !self.trust.is_fed()).await;
        self.clock.advance(AT_MOST);
        self.list().await.expect("so long they are believed");
        self.clock.advance(Duration::from_secs(1));
        self.list().await
    }
}

/// Nobody is believed, and everybody is told that it is not their fault.
#[tokio::test]
async fn beyond_the_staleness_nobody_is_believed_until_the_feed_is_back() {
    let setup = Setup::start("closed").await;
    let status = refused(setup.is_cut_too_long().await, Code::Unavailable, "TRUST_STALE");
    let retry = status.get_details_retry_info().expect("when to come back");
    assert!(retry.retry_delay.is_some_and(|delay| !delay.is_zero()), "{retry:?}");
    setup.cut.send_replace(false);
    eventually("everybody is believed again", async || setup.list().await.is_ok()).await;
    assert!(setup.trust.is_fed());
}

/// TASK_TRUST_WHEN_STALE=open: the keys that are known are good enough, and no
/// others.
#[tokio::test]
async fn beyond_the_staleness_calls_go_on_where_the_operator_wants_that() {
    let setup = Setup::start("open").await;
    setup.is_cut_too_long().await.expect("it goes on");
    setup.clock.advance(10 * AT_MOST);
    setup.list().await.expect("however long");
    let stranger = Setup { issuer: TestIssuer::new(), ..setup };
    refused(stranger.list().await, Code::Unauthenticated, "TOKEN_INVALID");
    stranger.cut.send_replace(false);
    eventually("the feed is back", async || stranger.trust.is_fed()).await;
}
