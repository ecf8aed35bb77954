//! What a verifier trusts: the keys that tokens may be signed with, and what
//! was revoked since. `Keeper` fetches the keys now and then; a `TrustWatcher`
//! is told both as they change, and while it is, nothing is fetched.
//!
//! Invariant: all of it is in memory. Keys outlive an outage of their source,
//! and a restart of the verifier during it, for as long as `max_staleness` says.

mod erasing;
mod keeper;
mod revocations;
mod source;
mod watcher;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey};
use metrics::gauge;
use tokio::sync::{Notify, broadcast};
use uuid::Uuid;

use self::revocations::Revocations;
pub use self::{
    erasing::Erase,
    keeper::Keeper,
    revocations::{Revocation, Subject},
    source::{GrpcKeys, KeySource, UrlKeys},
    watcher::{TokenSource, TrustWatcher},
};
use crate::{
    clock::Clock,
    jwk::Jwk,
    verify::{Refusal, Token},
};

/// Users whose revocations may wait for a listener; one that falls behind
/// looks after everybody.
const UNHEARD: usize = 1024;
/// How often the ages are measured.
const GAUGED: TimeDelta = TimeDelta::seconds(1);

/// What is trusted at the moment. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Trust(Arc<Inner>);

struct Inner {
    keys: ArcSwapOption<Keys>,
    /// When the keys were last known to be these, in microseconds since 1970.
    as_of: AtomicI64,
    wanted: Notify,
    max_staleness: TimeDelta,
    when_stale: WhenStale,
    revocations: Revocations,
    concerned: broadcast::Sender<Concerned>,
    /// Whether a feed tells the keys at the moment.
    fed: Mutex<bool>,
    /// When the feed last said anything, in microseconds since 1970; `NEVER`.
    heard_at: AtomicI64,
}

const NEVER: i64 = i64::MIN;

/// What becomes of callers while nobody can say whether the keys are still good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum WhenStale {
    /// They are believed by the keys that are known.
    Open,
    /// Nobody is believed.
    #[default]
    Closed,
}

/// Whom a change of what is trusted may concern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concerned {
    /// This user's tokens.
    User(Uuid),
    /// Any token.
    Everybody,
}

/// Tells whom changes concern from now on.
pub struct Concerns(broadcast::Receiver<Concerned>);

/// A set of keys.
pub struct Keys {
    by_kid: HashMap<String, VerifyingKey>,
    published: Vec<Jwk>,
}

/// A key, ready to verify with.
pub struct VerifyingKey {
    /// The only algorithm it is good for.
    pub algorithm: Algorithm,
    /// The key itself.
    pub decoding: DecodingKey,
}

impl Trust {
    /// No keys yet. Keys that were last confirmed longer than `max_staleness`
    /// ago are not trusted.
    #[must_use]
    pub fn new(max_staleness: Duration) -> Self {
        Self::with(max_staleness, WhenStale::Closed)
    }

    /// No keys yet; and what happens when they were last confirmed longer than
    /// `max_staleness` ago.
    #[must_use]
    pub fn with(max_staleness: Duration, when_stale: WhenStale) -> Self {
        Self(Arc::new(Inner {
            keys: ArcSwapOption::empty(),
            as_of: AtomicI64::new(NEVER),
            wanted: Notify::new(),
            max_staleness: TimeDelta::from_std(max_staleness).unwrap_or(TimeDelta::MAX),
            when_stale,
            revocations: Revocations::default(),
            concerned: broadcast::Sender::new(UNHEARD),
            fed: Mutex::new(false),
            heard_at: AtomicI64::new(NEVER),
        }))
    }

    /// Trusts these keys, and no others, as of `as_of`.
    pub fn set(&self, keys: &[Jwk], as_of: DateTime<Utc>) {
        let verifying = keys.iter().filter_map(|key| {
            let (algorithm, decoding) = key.verifying()?;
            Some((key.kid.clone(), VerifyingKey { algorithm, decoding }))
        });
        let keys = Arc::new(Keys { by_kid: verifying.collect(), published: keys.to_vec() });
        let before = self.0.keys.swap(Some(keys.clone()));
        self.0.as_of.store(as_of.timestamp_micros(), Ordering::Release);
        let gone = |before: Arc<Keys>| before.by_kid.keys().any(|kid| !keys.contains(kid));
        if before.is_some_and(gone) {
            self.tell(Concerned::Everybody);
        }
    }

    /// The keys to trust at `now`, if there are any that are not too old.
    #[must_use]
    pub fn keys(&self, now: DateTime<Utc>) -> Option<Arc<Keys>> {
        let keys = self.0.keys.load_full()?;
        let good = match self.0.when_stale {
            WhenStale::Open => true,
            WhenStale::Closed => {
                self.as_of().is_some_and(|as_of| now - as_of <= self.0.max_staleness)
            }
        };
        good.then_some(keys)
    }

    /// Asks for the keys to be fetched again soon. Never waits.
    pub fn want(&self) {
        self.0.wanted.notify_one();
    }

    /// Refuses these tokens from now on.
    pub fn revoke(&self, revoked: impl IntoIterator<Item = Revocation>, now: DateTime<Utc>) {
        for revocation in revoked {
            let concerned = match revocation.subject {
                Subject::Session { user, .. } | Subject::User(user) => Concerned::User(user),
                // It may act for anybody.
                Subject::Service(_) => Concerned::Everybody,
            };
            self.0.revocations.add(revocation, now);
            self.tell(concerned);
        }
    }

    /// Refuses no other tokens than these.
    fn revoke_only(&self, revoked: &[Revocation]) {
        let subjects = revoked.iter().map(|revocation| revocation.subject).collect();
        self.0.revocations.retain(&subjects);
    }

    /// How many revocations are known whose tokens may still live.
    #[must_use]
    pub fn revoked(&self) -> usize {
        self.0.revocations.len()
    }

    /// Why a token is refused that was revoked.
    #[must_use]
    pub fn refuses(&self, token: &Token, now: DateTime<Utc>) -> Option<Refusal> {
        self.0.revocations.refuse(token, now)
    }

    /// Why a token is refused that verified by the key `kid` before, its age
    /// aside.
    #[must_use]
    pub fn refuses_by_now(&self, kid: &str, token: &Token, now: DateTime<Utc>) -> Option<Refusal> {
        match &*self.0.keys.load() {
            Some(keys) if !keys.contains(kid) => Some(Refusal::Invalid("unknown kid")),
            _ => self.refuses(token, now),
        }
    }

    /// Tells whom changes concern from now on.
    #[must_use]
    pub fn concerns(&self) -> Concerns {
        Concerns(self.0.concerned.subscribe())
    }

    /// Whether a feed tells the keys at the moment, so that nothing is fetched.
    #[must_use]
    pub fn is_fed(&self) -> bool {
        *self.fed()
    }

    /// How long the feed has said nothing, at `now`; None if it never did.
    #[must_use]
    pub fn silence(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let at = self.0.heard_at.load(Ordering::Acquire);
        Some(now - DateTime::from_timestamp_micros(at).filter(|_| at != NEVER)?)
    }

    /// Measures, for ever, how long ago the feed last said anything, or since when
    /// it never has (`trust_feed_age_seconds`, if this verifier `watches`), and how
    /// old the keys are (`trust_keys_age_seconds`).
    pub async fn measure(&self, clock: &dyn Clock, watches: bool) {
        let seconds = |age: TimeDelta| age.as_seconds_f64();
        let began = clock.now();
        loop {
            let now = clock.now();
            if watches {
                let silence = self.silence(now).unwrap_or(now - began);
                gauge!("trust_feed_age_seconds").set(seconds(silence));
            }
            if let Some(as_of) = self.as_of() {
                gauge!("trust_keys_age_seconds").set(seconds(now - as_of));
            }
            clock.sleep_until(now + GAUGED).await;
        }
    }

    /// These keys were fetched. False if a feed tells them meanwhile, which
    /// knows better.
    fn fetched(&self, keys: &[Jwk], now: DateTime<Utc>) -> bool {
        let fed = self.fed();
        if !*fed {
            self.set(keys, now);
        }
        !*fed
    }

    /// The feed told the keys: they are these from now on, and are not fetched.
    fn feed(&self, keys: &[Jwk], now: DateTime<Utc>) {
        let mut fed = self.fed();
        *fed = true;
        self.set(keys, now);
    }

    /// The feed said something: the keys are still these, if it told any.
    fn heard(&self, now: DateTime<Utc>) {
        self.0.heard_at.store(now.timestamp_micros(), Ordering::Release);
        self.0.revocations.forget(now);
        if self.is_fed() {
            self.0.as_of.store(now.timestamp_micros(), Ordering::Release);
        }
    }

    /// The feed is cut, and the keys have to be fetched again.
    fn cut_off(&self) {
        if std::mem::take(&mut *self.fed()) {
            self.want();
        }
    }

    /// The keys as they were published, and as of when.
    fn published(&self) -> Option<(Vec<Jwk>, DateTime<Utc>)> {
        let keys = self.0.keys.load_full()?;
        Some((keys.published.clone(), self.as_of()?))
    }

    fn fed(&self) -> MutexGuard<'_, bool> {
        // Nothing panics while it is held.
        self.0.fed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn as_of(&self) -> Option<DateTime<Utc>> {
        let at = self.0.as_of.load(Ordering::Acquire);
        DateTime::from_timestamp_micros(at).filter(|_| at != NEVER)
    }

    fn tell(&self, concerned: Concerned) {
        // Nobody may be listening.
        let _ = self.0.concerned.send(concerned);
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

impl Concerns {
    /// Whom the next change may concern. Never ends while the trust lives.
    pub async fn next(&mut self) -> Concerned {
        match self.0.recv().await {
            Ok(concerned) => concerned,
            Err(broadcast::error::RecvError::Lagged(_)) => Concerned::Everybody,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
