//! The keys that a verifier trusts, and the background task that keeps them
//! fresh: a fetch at start, one per refresh interval, and one when a token
//! names a key that is not known, at most every ten seconds for all callers
//! together. Keys outlive an outage of their source, and a restart of the
//! verifier during it, for as long as `max_staleness` says.

use std::{
    collections::HashMap,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use proto::auth::v1::{GetJsonWebKeySetRequest, token_service_client::TokenServiceClient};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tonic::{service::interceptor::InterceptedService, transport::Channel};

use crate::{
    call::Propagate,
    clock::SharedClock,
    jwk::{Jwk, JwkSet},
};

/// How long a fetch of the keys may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// The shortest time between two fetches that unknown keys asked for.
const WANTED_INTERVAL: TimeDelta = TimeDelta::seconds(10);
/// How many failures in a row are told to the operator, once.
const LOUD_AFTER: u32 = 3;
/// Pauses after a failed fetch: the first, and the longest that they grow to.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(2));

/// The keys that are trusted at the moment. Cheap to clone; clones share them.
#[derive(Clone)]
pub struct Trust(Arc<Inner>);

struct Inner {
    keys: ArcSwapOption<Keys>,
    wanted: Notify,
    max_staleness: TimeDelta,
}

/// A set of keys, as it was at one time.
pub struct Keys {
    by_kid: HashMap<String, VerifyingKey>,
    fetched_at: DateTime<Utc>,
}

/// A key, ready to verify with.
pub struct VerifyingKey {
    /// The only algorithm it is good for.
    pub algorithm: Algorithm,
    /// The key itself.
    pub decoding: DecodingKey,
}

impl Trust {
    /// No keys yet. Keys older than `max_staleness` are not trusted.
    #[must_use]
    pub fn new(max_staleness: Duration) -> Self {
        Self(Arc::new(Inner {
            keys: ArcSwapOption::empty(),
            wanted: Notify::new(),
            max_staleness: TimeDelta::from_std(max_staleness).unwrap_or(TimeDelta::MAX),
        }))
    }

    /// Trusts these keys, and no others, as of `fetched_at`.
    pub fn set(&self, keys: &[Jwk], fetched_at: DateTime<Utc>) {
        let verifying = keys.iter().filter_map(|key| {
            let (algorithm, decoding) = key.verifying()?;
            Some((key.kid.clone(), VerifyingKey { algorithm, decoding }))
        });
        self.0.keys.store(Some(Arc::new(Keys { by_kid: verifying.collect(), fetched_at })));
    }

    /// The keys to trust at `now`, if there are any that are not too old.
    #[must_use]
    pub fn keys(&self, now: DateTime<Utc>) -> Option<Arc<Keys>> {
        let keys = self.0.keys.load_full()?;
        (now - keys.fetched_at <= self.0.max_staleness).then_some(keys)
    }

    /// Asks for the keys to be fetched again soon. Never waits.
    pub fn want(&self) {
        self.0.wanted.notify_one();
    }
}

impl Keys {
    /// The key with this id.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.by_kid.get(kid)
    }

    /// Whether there is a key with this id.
    #[must_use]
    pub fn contains(&self, kid: &str) -> bool {
        self.by_kid.contains_key(kid)
    }
}

/// Where keys come from.
pub trait KeySource: Send + Sync + 'static {
    /// The keys as they are now.
    fn fetch(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Vec<Jwk>>> + Send + '_>>;
}

/// Keys of the auth service, over gRPC.
pub struct GrpcKeys(TokenServiceClient<InterceptedService<Channel, Propagate>>);

impl GrpcKeys {
    /// Keys from the service at `channel`.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        let propagate = Propagate { most: FETCH_TIMEOUT };
        Self(TokenServiceClient::with_interceptor(channel, propagate))
    }
}

impl KeySource for GrpcKeys {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Vec<Jwk>>> + Send + '_>> {
        let mut client = self.0.clone();
        Box::pin(async move {
            let answer = client.get_json_web_key_set(GetJsonWebKeySetRequest {}).await?;
            Ok(answer.into_inner().keys.into_iter().map(Jwk::from).collect())
        })
    }
}

/// Keys of any issuer, from the address of its key set (RFC 7517).
pub struct UrlKeys {
    client: reqwest::Client,
    url: String,
}

impl UrlKeys {
    /// Keys from `url`.
    ///
    /// # Errors
    /// If the HTTP client cannot be made.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(FETCH_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, url: url.to_owned() })
    }
}

impl KeySource for UrlKeys {
    fn fetch(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Vec<Jwk>>> + Send + '_>> {
        const LONGEST: u64 = 64 * 1024;
        Box::pin(async move {
            let answer = self.client.get(&self.url).send().await?.error_for_status()?;
            anyhow::ensure!(
                answer.content_length().is_none_or(|length| length <= LONGEST),
                "the key set is larger than 64 KiB"
            );
            let set: JwkSet = serde_json::from_slice(&answer.bytes().await?)?;
            Ok(set.keys)
        })
    }
}

/// Keeps a `Trust` fresh.
pub struct Keeper {
    /// What to keep fresh.
    pub trust: Trust,
    /// Where the keys come from.
    pub source: Box<dyn KeySource>,
    /// How often they are fetched.
    pub refresh: Duration,
    /// A file that remembers them over a restart. They are no secrets.
    pub cache: Option<PathBuf>,
    /// By which time.
    pub clock: SharedClock,
}

/// What the cache file holds.
#[derive(Serialize, Deserialize)]
struct Remembered {
    fetched_at: DateTime<Utc>,
    keys: Vec<Jwk>,
}

impl Keeper {
    /// Keeps the trust fresh until it is dropped.
    pub async fn run(self) {
        if let Some(path) = &self.cache {
            self.recall(path);
        }
        let mut failures = 0;
        loop {
            let asked_at = self.clock.now();
            match self.source.fetch().await.and_then(|keys| self.take(&keys)) {
                Ok(()) => {
                    if failures > 0 {
                        tracing::info!(failures, "The signing keys can be fetched again.");
                    }
                    failures = 0;
                    self.wait(asked_at).await;
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    // At the start of the pair auth-service may be the slower one,
                    // and an outage needs no line for every attempt.
                    if failures == LOUD_AFTER {
                        tracing::warn!(error, "The signing keys cannot be fetched; trying again.");
                    } else {
                        tracing::debug!(error, "The signing keys cannot be fetched.");
                    }
                    tokio::time::sleep((PAUSES.0 * 2_u32.pow(failures.min(8))).min(PAUSES.1)).await;
                    failures = failures.saturating_add(1);
                }
            }
        }
    }

    fn take(&self, keys: &[Jwk]) -> anyhow::Result<()> {
        anyhow::ensure!(
            keys.iter().any(|key| key.verifying().is_some()),
            "the key set has no key that can be used"
        );
        let fetched_at = self.clock.now();
        self.trust.set(keys, fetched_at);
        if let Some(path) = &self.cache
            && let Err(error) = remember(path, &Remembered { fetched_at, keys: keys.to_vec() })
        {
            let error = format!("{error:#}");
            tracing::warn!(error, "The signing keys cannot be remembered for a restart.");
        }
        Ok(())
    }

    /// Waits for the next fetch to be due, by the interval or by being wanted.
    async fn wait(&self, asked_at: DateTime<Utc>) {
        let refresh = TimeDelta::from_std(self.refresh).unwrap_or(TimeDelta::MAX);
        let wanted = async {
            self.trust.0.wanted.notified().await;
            self.clock.sleep_until(asked_at + WANTED_INTERVAL).await;
        };
        tokio::select! {
            () = self.clock.sleep_until(asked_at + refresh) => {}
            () = wanted => {}
        }
    }

    fn recall(&self, path: &Path) {
        let read =
            || -> anyhow::Result<Remembered> { Ok(serde_json::from_slice(&std::fs::read(path)?)?) };
        match read() {
            Ok(Remembered { fetched_at, keys }) => {
                // A file from the future would be trusted for too long.
                self.trust.set(&keys, fetched_at.min(self.clock.now()));
            }
            Err(error) => tracing::debug!(%error, "No signing keys are remembered."),
        }
    }
}

fn remember(path: &Path, remembered: &Remembered) -> anyhow::Result<()> {
    let temporary = path.with_extension("new");
    std::fs::write(&temporary, serde_json::to_vec(remembered)?)
        .with_context(|| format!("cannot write {}", temporary.display()))?;
    std::fs::rename(&temporary, path)?;
    Ok(())
}
