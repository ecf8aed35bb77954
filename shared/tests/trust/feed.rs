//! How a verifier lives from a feed, against one that says what the test wants:
//! what it takes in, what it answers, and what it does when it is cut off.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::Stream;
use prost_types::Timestamp;
use proto::auth::v1::{
    JsonWebKey, WatchTrustRequest, WatchTrustResponse,
    trust_service_server::{TrustService, TrustServiceServer},
    watch_trust_request::Kind,
    watch_trust_response::{
        Current, Event, Heartbeat, Keys, Reset, Revocation, revocation::Subject,
    },
};
use shared::{
    clock::Clock as _,
    name, rng,
    secret::Secret,
    server::{Limits, Server},
    telemetry,
    testing::{TestIssuer, eventually},
    trust::{Erase, TokenSource, Trust, TrustWatcher, WhenStale},
    verify::{Claims, Refusal},
};
use tokio::{net::TcpListener, sync::mpsc};
use tonic::{Request, Response, Status, Streaming, transport::Endpoint};

use crate::{DAY, REFRESH, Setup};

type Item = Result<WatchTrustResponse, Status>;

/// The other end of the feed. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Feed(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    /// What tells the newest stream.
    tell: Option<mpsc::UnboundedSender<Item>>,
    /// Where the streams began.
    started: Vec<String>,
    /// What was acknowledged last.
    acknowledged: String,
    /// Who was said to be erased, in that order.
    erased: Vec<String>,
    /// The last header.
    authorization: String,
    next: u64,
}

#[tonic::async_trait]
impl TrustService for Feed {
    type WatchTrustStream = Pin<Box<dyn Stream<Item = Item> + Send>>;

    async fn watch_trust(
        &self,
        request: Request<Streaming<WatchTrustRequest>>,
    ) -> Result<Response<Self::WatchTrustStream>, Status> {
        let header = request.metadata().get("authorization").unwrap().to_str().unwrap().to_owned();
        let mut heard = request.into_inner();
        let Some(Kind::Start(start)) = heard.message().await?.unwrap().kind else {
            return Err(Status::invalid_argument("start"));
        };
        let (tell, mut told) = mpsc::unbounded_channel();
        {
            let mut said = self.0.lock().unwrap();
            said.started.push(start.resume_token.clone());
            said.authorization = header;
            if start.resume_token == "forgotten" {
                return Err(Status::invalid_argument("not one of ours"));
            }
            said.tell = Some(tell);
        }
        let feed = self.clone();
        tokio::spawn(async move {
            while let Ok(Some(message)) = heard.message().await {
                let mut said = feed.0.lock().unwrap();
                match message.kind {
                    Some(Kind::Acknowledge(ack)) => said.acknowledged = ack.resume_token,
                    Some(Kind::Erased(erased)) => said.erased.push(erased.user),
                    other => panic!("{other:?}"),
                }
            }
        });
        let told = futures_util::stream::poll_fn(move |cx| told.poll_recv(cx));
        Ok(Response::new(Box::pin(told)))
    }
}

impl Feed {
    /// Tells an event, under the next token.
    pub(crate) fn tell(&self, event: Event) -> String {
        let mut said = self.0.lock().unwrap();
        said.next += 1;
        let resume_token = format!("token {}", said.next);
        let message = WatchTrustResponse { event: Some(event), resume_token: resume_token.clone() };
        said.tell.as_ref().unwrap().send(Ok(message)).unwrap();
        resume_token
    }

    pub(crate) fn end(&self, status: Status) {
        self.0.lock().unwrap().tell.take().unwrap().send(Err(status)).unwrap();
    }

    /// Who was said to be erased, in that order.
    pub(crate) fn erased(&self) -> Vec<String> {
        self.0.lock().unwrap().erased.clone()
    }

    fn started(&self) -> Vec<String> {
        self.0.lock().unwrap().started.clone()
    }

    pub(crate) async fn opened(&self, streams: usize) {
        eventually("a stream is opened", async || self.started().len() == streams).await;
        eventually("it can be told", async || self.0.lock().unwrap().tell.is_some()).await;
    }

    pub(crate) async fn acknowledged(&self, token: &str) {
        let said = || self.0.lock().unwrap().acknowledged.clone();
        eventually("it was acknowledged", async || said() == token).await;
    }
}

struct Tokens;

impl TokenSource for Tokens {
    fn token(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Secret>> + Send + '_>> {
        Box::pin(std::future::ready(Ok(Secret::from("a token".to_owned()))))
    }
}

fn keys(issuers: &[&TestIssuer]) -> Event {
    let keys = issuers.iter().map(|issuer| JsonWebKey::from(issuer.jwk().clone())).collect();
    Event::Keys(Keys { keys })
}

/// A verifier that watches a feed.
async fn watching() -> (Setup, Feed) {
    watching_with(None).await
}

/// The same, of a service that has something of users.
pub(crate) async fn watching_with(eraser: Option<Arc<dyn Erase>>) -> (Setup, Feed) {
    let (setup, feed) = (Setup::new(), Feed::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::new(Limits::default()).descriptors(proto::DESCRIPTORS);
    let server = server.open(TrustServiceServer::new(feed.clone()));
    tokio::spawn(server.serve(listener, std::future::pending()));
    let watcher = TrustWatcher {
        trust: setup.trust.clone(),
        channel: Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy(),
        tokens: Arc::new(Tokens),
        clock: setup.clock.shared(),
        eraser,
    };
    tokio::spawn(async move { watcher.run().await });
    feed.opened(1).await;
    (setup, feed)
}

fn revoked(setup: &Setup, subject: Subject) -> Event {
    let now = setup.clock.now().timestamp();
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    Event::Revocation(Revocation {
        subject: Some(subject),
        not_before: at(now),
        expire_time: at(now + 310),
    })
}

fn session(claims: &Claims) -> Subject {
    Subject::Session(name::of_member(claims.sub, "sessions", claims.sid))
}

/// Keys and revocations count as soon as they are told, and each is acknowledged.
#[tokio::test]
async fn what_is_told_counts_and_is_acknowledged() {
    let (setup, feed) = watching().await;
    assert_eq!(feed.0.lock().unwrap().authorization, "Bearer a token");
    assert_eq!(setup.verifier.verify(&setup.token()), Err(Refusal::NoKeys));
    feed.tell(Event::Reset(Reset {}));
    feed.acknowledged(&feed.tell(keys(&[&setup.issuer]))).await;
    let now = setup.clock.now();
    let claims = setup.issuer.claims(rng::uuid_v4(), "test", now);
    let token = setup.issuer.token(&claims);
    setup.verifier.verify(&token).unwrap();
    feed.acknowledged(&feed.tell(Event::Current(Current {}))).await;

    feed.acknowledged(&feed.tell(revoked(&setup, session(&claims)))).await;
    assert_eq!(setup.verifier.verify(&token), Err(Refusal::Revoked));
    let account = rng::uuid_v4();
    let service = setup.issuer.service_claims(account, &[], "test", now);
    let service = setup.issuer.token(&service);
    setup.verifier.verify(&service).unwrap();
    setup.clock.advance(Duration::from_secs(1));
    let account = Subject::ServiceAccount(format!("serviceAccounts/{account}"));
    feed.acknowledged(&feed.tell(revoked(&setup, account))).await;
    assert_eq!(setup.verifier.verify(&service), Err(Refusal::Invalid("revoked")));

    // Of a user, whatever the session, what was issued until then.
    let before = setup.clock.now();
    let user = rng::uuid_v4();
    let older = [0, 1].map(|_| setup.issuer.token(&setup.issuer.claims(user, "test", before)));
    let stranger = setup.token();
    older.iter().for_each(|token| drop(setup.verifier.verify(token).unwrap()));
    setup.clock.advance(Duration::from_secs(1));
    feed.acknowledged(&feed.tell(revoked(&setup, Subject::User(name::of_user(user))))).await;
    for token in &older {
        assert_eq!(setup.verifier.verify(token), Err(Refusal::Revoked));
    }
    setup.verifier.verify(&stranger).unwrap();
    let newer = setup.issuer.claims(user, "test", setup.clock.now());
    setup.verifier.verify(&setup.issuer.token(&newer)).unwrap();

    let second = TestIssuer::new();
    feed.acknowledged(&feed.tell(keys(&[&second]))).await;
    assert_eq!(setup.verifier.verify(&setup.token()), Err(Refusal::Invalid("unknown kid")));
    second_is_good(&setup, &second);
}

fn second_is_good(setup: &Setup, second: &TestIssuer) {
    let claims = second.claims(rng::uuid_v4(), "test", setup.clock.now());
    setup.verifier.verify(&second.token(&claims)).unwrap();
}

/// After a cut the feed goes on where it was; if everything is told anew, what is
/// not among it is forgotten, and not before that.
#[tokio::test]
async fn a_feed_goes_on_and_everything_replaces_what_was() {
    let (setup, feed) = watching().await;
    let now = setup.clock.now();
    let ada = setup.issuer.claims(rng::uuid_v4(), "test", now);
    let bob = setup.issuer.claims(rng::uuid_v4(), "test", now);
    let said = |claims: &Claims| setup.verifier.verify(&setup.issuer.token(claims));
    feed.tell(keys(&[&setup.issuer]));
    feed.tell(revoked(&setup, session(&ada)));
    let last = feed.tell(Event::Current(Current {}));
    feed.acknowledged(&last).await;
    feed.end(Status::unavailable("draining"));
    feed.opened(2).await;
    assert_eq!(feed.started(), [String::new(), last]);
    assert!(!setup.trust.is_fed());
    assert_eq!(said(&ada), Err(Refusal::Revoked));
    said(&bob).unwrap();

    feed.tell(Event::Reset(Reset {}));
    feed.tell(keys(&[&setup.issuer]));
    feed.acknowledged(&feed.tell(revoked(&setup, session(&bob)))).await;
    assert_eq!((said(&ada), said(&bob)), (Err(Refusal::Revoked), Err(Refusal::Revoked)));
    feed.acknowledged(&feed.tell(Event::Current(Current {}))).await;
    assert_eq!(said(&bob), Err(Refusal::Revoked));
    said(&ada).unwrap();
    assert_eq!(setup.trust.revoked(), 1);
}

/// A token that the feed does not know begins anew; so does a silent stream, from
/// where it was.
#[tokio::test]
async fn a_refused_token_is_forgotten_and_a_dead_stream_replaced() {
    let (setup, feed) = watching().await;
    feed.0
        .lock()
        .unwrap()
        .tell
        .as_ref()
        .unwrap()
        .send(Ok(WatchTrustResponse {
            event: Some(Event::Current(Current {})),
            resume_token: "forgotten".to_owned(),
        }))
        .unwrap();
    feed.acknowledged("forgotten").await;
    feed.end(Status::unavailable("draining"));
    feed.opened(3).await;
    assert_eq!(feed.started(), ["", "forgotten", ""]);

    feed.acknowledged(&feed.tell(keys(&[&setup.issuer]))).await;
    setup.clock.advance(Duration::from_secs(14));
    let last = feed.tell(Event::Heartbeat(Heartbeat {}));
    feed.acknowledged(&last).await;
    setup.clock.advance(Duration::from_secs(14));
    assert!(setup.trust.is_fed());
    setup.clock.advance(Duration::from_secs(1));
    feed.opened(4).await;
    assert_eq!(feed.started()[3], last);
    assert!(!setup.trust.is_fed());
}

/// While the feed tells the keys nothing is fetched, and what is fetched does not
/// replace them; it does when the feed is cut, and the file has what it told.
#[tokio::test]
async fn nothing_is_fetched_while_there_is_a_feed() {
    let (setup, feed) = watching().await;
    let second = TestIssuer::new();
    feed.acknowledged(&feed.tell(keys(&[&setup.issuer, &second]))).await;
    let _keeper = setup.keep();
    setup.asked(1).await;
    second_is_good(&setup, &second);
    for _ in 0..3 {
        setup.clock.advance(Duration::from_secs(10));
        feed.acknowledged(&feed.tell(Event::Heartbeat(Heartbeat {}))).await;
        setup.clock.advance(Duration::from_secs(10));
        feed.acknowledged(&feed.tell(Event::Heartbeat(Heartbeat {}))).await;
    }
    let file = setup.cache.path().join("keys.json");
    let kept = || std::fs::read_to_string(&file).unwrap_or_default();
    eventually("the file has both", async || kept().contains(&second.jwk().kid)).await;
    setup.asked(1).await;
    second_is_good(&setup, &second);

    feed.end(Status::unavailable("gone"));
    eventually("the feed is cut", async || !setup.trust.is_fed()).await;
    setup.clock.advance(REFRESH);
    setup.asked(2).await;
    let claims = second.claims(rng::uuid_v4(), "test", setup.clock.now());
    let token = second.token(&claims);
    let unknown = Err(Refusal::Invalid("unknown kid"));
    eventually("what was fetched counts", async || setup.verifier.verify(&token) == unknown).await;
}

/// Beyond the staleness that is allowed nobody is believed, or everybody is; a
/// feed that only says that it lives keeps the keys fresh.
#[tokio::test]
async fn stale_keys_are_a_matter_of_policy() {
    let (setup, feed) = watching().await;
    let open = Trust::with(DAY, WhenStale::Open);
    open.set(std::slice::from_ref(setup.issuer.jwk()), setup.clock.now());
    feed.acknowledged(&feed.tell(keys(&[&setup.issuer]))).await;
    for _ in 0..3 {
        setup.clock.advance(Duration::from_secs(14));
        feed.acknowledged(&feed.tell(Event::Heartbeat(Heartbeat {}))).await;
    }
    setup.clock.advance(DAY);
    assert!(setup.trust.keys(setup.clock.now()).is_some(), "it was confirmed a day ago");
    setup.clock.advance(Duration::from_secs(1));
    assert!(setup.trust.keys(setup.clock.now()).is_none());
    assert!(open.keys(setup.clock.now()).is_some());
    assert_eq!(setup.verifier.verify(&setup.token()), Err(Refusal::NoKeys));
}

/// How long the feed has been silent can be watched.
#[tokio::test]
async fn the_age_of_what_is_known_is_measured() {
    let metrics = telemetry::metrics();
    let (setup, feed) = watching().await;
    let (trust, clock) = (setup.trust.clone(), setup.clock.clone());
    let measuring = tokio::spawn(async move { trust.measure(&clock, true).await });
    feed.acknowledged(&feed.tell(keys(&[&setup.issuer]))).await;
    setup.clock.advance(Duration::from_secs(7));
    for gauge in ["trust_feed_age_seconds 7", "trust_keys_age_seconds 7"] {
        eventually(gauge, async || metrics.render().lines().any(|line| line == gauge)).await;
    }
    measuring.abort();
}
