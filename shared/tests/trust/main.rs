//! How a verifier keeps its keys: fresh by the clock, asked for on demand but
//! not more often than agreed, kept through an outage and a restart.
#![cfg(test)]

mod delegated;
mod erasing;
mod feed;
mod independent;
mod mutation;
mod services;

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use shared::{
    clock::Clock as _,
    jwk::Jwk,
    program, rng,
    testing::{ManualClock, TestIssuer, eventually},
    trust::{Keeper, KeySource, Trust, UrlKeys},
    verify::{Refusal, Rules, Verifier},
};

const REFRESH: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// A source that counts, and can be cut off.
#[derive(Clone)]
struct Source {
    keys: Arc<std::sync::Mutex<Vec<Jwk>>>,
    asked: Arc<AtomicUsize>,
    away: Arc<AtomicBool>,
}

impl KeySource for Source {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Vec<Jwk>>> + Send + '_>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            anyhow::ensure!(!self.away.load(Ordering::SeqCst), "away");
            Ok(self.keys.lock().unwrap().clone())
        })
    }
}

struct Setup {
    clock: ManualClock,
    issuer: TestIssuer,
    source: Source,
    trust: Trust,
    verifier: Verifier,
    cache: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        Self::by(TestIssuer::new())
    }

    fn by(issuer: TestIssuer) -> Self {
        program::install_cryptography();
        let clock = ManualClock::new();
        let source = Source {
            keys: Arc::new(vec![issuer.jwk().clone()].into()),
            asked: Arc::default(),
            away: Arc::default(),
        };
        let cache = tempfile::tempdir().unwrap();
        let (trust, verifier) = verifier(&clock, &issuer);
        Self { clock, issuer, source, trust, verifier, cache }
    }

    fn keep(&self) -> tokio::task::AbortHandle {
        let keeper = Keeper {
            trust: self.trust.clone(),
            source: Box::new(self.source.clone()),
            refresh: REFRESH,
            cache: Some(self.cache.path().join("keys.json")),
            clock: self.clock.shared(),
        };
        tokio::spawn(keeper.run()).abort_handle()
    }

    fn token(&self) -> String {
        self.issuer.token(&self.issuer.claims(rng::uuid_v4(), "test", self.clock.now()))
    }

    async fn asked(&self, times: usize) {
        let what = format!("asked {times} times");
        eventually(&what, async || self.source.asked.load(Ordering::SeqCst) == times).await;
    }
}

fn verifier(clock: &ManualClock, issuer: &TestIssuer) -> (Trust, Verifier) {
    let trust = Trust::new(DAY);
    let rules = Rules {
        issuer: issuer.name().to_owned(),
        audience: "test".to_owned(),
        max_lifetime: Duration::from_secs(3600),
    };
    (trust.clone(), Verifier::new(rules, trust, clock.shared()))
}

#[tokio::test]
async fn keys_are_fetched_at_start_and_by_the_interval() {
    let setup = Setup::new();
    assert_eq!(setup.verifier.verify(&setup.token()), Err(Refusal::NoKeys));
    let _keeper = setup.keep();
    eventually("there are keys", async || setup.verifier.verify(&setup.token()).is_ok()).await;
    setup.asked(1).await;
    setup.clock.advance(REFRESH);
    setup.asked(2).await;
}

/// An attacker who makes up keys costs one fetch in ten seconds.
#[tokio::test]
async fn an_unknown_key_is_asked_for_once_in_ten_seconds() {
    let setup = Setup::new();
    let _keeper = setup.keep();
    eventually("there are keys", async || setup.verifier.verify(&setup.token()).is_ok()).await;
    let stranger = TestIssuer::new();
    let claims = stranger.claims(rng::uuid_v4(), "test", setup.clock.now());
    for _ in 0..100 {
        let refused = setup.verifier.verify(&stranger.token(&claims));
        assert_eq!(refused, Err(Refusal::Invalid("unknown kid")));
    }
    setup.clock.advance(Duration::from_secs(9));
    tokio::task::yield_now().await;
    assert_eq!(setup.source.asked.load(Ordering::SeqCst), 1);
    // The key turns out to be good: it is known after the next fetch.
    setup.source.keys.lock().unwrap().push(stranger.jwk().clone());
    setup.clock.advance(Duration::from_secs(1));
    setup.asked(2).await;
    eventually("the new key", async || setup.verifier.verify(&stranger.token(&claims)).is_ok())
        .await;
    // A key that is withdrawn is refused at once, whatever verified before.
    setup.source.keys.lock().unwrap().remove(0);
    setup.clock.advance(REFRESH);
    setup.asked(3).await;
    let unknown = Err(Refusal::Invalid("unknown kid"));
    eventually("the old key goes", async || setup.verifier.verify(&setup.token()) == unknown).await;
}

/// Keys outlive an outage, and a restart in the middle of it, for a day.
#[tokio::test]
async fn keys_outlive_an_outage_for_a_day() {
    let setup = Setup::new();
    let keeper = setup.keep();
    eventually("there are keys", async || setup.verifier.verify(&setup.token()).is_ok()).await;
    setup.source.away.store(true, Ordering::SeqCst);
    setup.clock.advance(REFRESH);
    eventually("it was noticed", async || setup.source.asked.load(Ordering::SeqCst) > 1).await;
    assert!(setup.verifier.verify(&setup.token()).is_ok());
    keeper.abort();

    let (trust, verifier) = verifier(&setup.clock, &setup.issuer);
    let restarted = Setup { trust, verifier, ..setup };
    let _keeper = restarted.keep();
    eventually("keys are remembered", async || {
        restarted.verifier.verify(&restarted.token()).is_ok()
    })
    .await;
    restarted.clock.advance(DAY - REFRESH);
    assert!(restarted.verifier.verify(&restarted.token()).is_ok());
    restarted.clock.advance(Duration::from_secs(1));
    assert_eq!(restarted.verifier.verify(&restarted.token()), Err(Refusal::NoKeys));
    restarted.source.away.store(false, Ordering::SeqCst);
    eventually("it is back", async || restarted.verifier.verify(&restarted.token()).is_ok()).await;
}

/// RFC 7517: the key set of any issuer, by URL.
#[tokio::test]
async fn a_key_set_is_fetched_by_url() {
    let setup = Setup::new();
    let keys = shared::jwk::JwkSet { keys: vec![setup.issuer.jwk().clone()] };
    let body = serde_json::to_string(&keys).unwrap();
    let router = axum::Router::new()
        .route("/keys", axum::routing::get(move || async move { body }))
        .route("/moved", axum::routing::get(async || axum::response::Redirect::to("/keys")))
        .route("/huge", axum::routing::get(async || "x".repeat(100_000)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = shared::server::Server::new(shared::server::Limits::default()).http(router);
    tokio::spawn(server.serve(listener, std::future::pending()));
    let fetch =
        async |path: &str| UrlKeys::new(&format!("http://{address}/{path}")).unwrap().fetch().await;
    assert_eq!(fetch("keys").await.unwrap(), keys.keys);
    for bad in ["moved", "huge", "nothing"] {
        assert!(fetch(bad).await.is_err(), "{bad}");
    }
}
