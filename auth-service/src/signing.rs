//! Signing keys and their rotation. Each key has a generation and a time from
//! which on it signs; everything else follows from the clock, so that replicas
//! agree without a leader:
//!
//! PENDING (published, not signing yet) → ACTIVE (the youngest whose time has
//! come) → RETIRING (its last tokens still live) → gone.
//!
//! A key that somebody ordered hurries: its time comes when every watcher of the
//! trust feed knows it, and at the latest when those who fetch the keys do.

mod new_key;
mod store;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::Value;
use shared::{
    clock::SharedClock, database::Database, jwk::Jwk, trust::Trust, verify::LEEWAY_SECONDS,
};
use tokio::sync::{Mutex, Notify};

use self::{new_key::NewKey, store::Sealed};
use crate::{error::Error, sealing::Sealer};

/// How often it is looked what is due; of what others do a replica learns by
/// the trust feed.
pub const RELOAD: Duration = Duration::from_secs(30);

/// Which keys are made, and when.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// What new keys sign with: EdDSA or ES256.
    pub algorithm: Algorithm,
    /// How long a key is active.
    pub period: TimeDelta,
    /// How long a key is published before it signs: at least twice as long as
    /// verifiers keep the keys they fetched.
    pub lead: TimeDelta,
    /// How often verifiers fetch the keys that do not watch them.
    pub refresh: TimeDelta,
    /// How long the tokens live that it signs.
    pub token_lifetime: TimeDelta,
}

/// A key that signs.
pub struct SigningKey {
    generation: i64,
    jwk: Jwk,
    header: Header,
    /// None for one that another key-encryption key seals: it is published, and
    /// others sign with it.
    encoding: Option<EncodingKey>,
    activates_at: DateTime<Utc>,
    /// It signs as soon as every watcher knows it.
    hurried: bool,
}

/// What became of an order to rotate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key that comes next.
    pub kid: String,
    /// When it signs at the latest.
    pub activates_at: DateTime<Utc>,
}

/// The keys of this service, kept up to date by `keep`.
pub struct KeyRing {
    rotation: Rotation,
    database: Database,
    sealer: Arc<Sealer>,
    clock: SharedClock,
    trust: Trust,
    keys: ArcSwap<Vec<Arc<SigningKey>>>,
    /// What was read later is published later.
    reading: Mutex<()>,
    changed: Notify,
}

impl SigningKey {
    /// Signs what a token says.
    ///
    /// # Errors
    /// If the cryptography refuses.
    pub fn sign(&self, claims: &impl Serialize) -> anyhow::Result<String> {
        self.sign_with(&self.header, claims)
    }

    /// Signs what is no access token and says so by its type.
    ///
    /// # Errors
    /// If the cryptography refuses.
    pub fn sign_as(&self, typ: &str, claims: &impl Serialize) -> anyhow::Result<String> {
        let header = Header { typ: Some(typ.to_owned()), ..self.header.clone() };
        self.sign_with(&header, claims)
    }

    fn sign_with(&self, header: &Header, claims: &impl Serialize) -> anyhow::Result<String> {
        let encoding = self.encoding.as_ref().context("the signing key cannot be opened")?;
        Ok(jsonwebtoken::encode(header, claims, encoding)?)
    }
}

impl KeyRing {
    /// Reads the keys, and makes the first one in a new database. The keys
    /// that are published are put into `trust`.
    ///
    /// # Errors
    /// In words for the operator, if the database fails or the keys were sealed
    /// under another key-encryption key.
    pub async fn open(
        rotation: Rotation,
        database: Database,
        sealer: Arc<Sealer>,
        clock: SharedClock,
        trust: Trust,
    ) -> anyhow::Result<Self> {
        let keys = ArcSwap::from_pointee(vec![]);
        let (reading, changed) = (Mutex::default(), Notify::new());
        let ring = Self { rotation, database, sealer, clock, trust, keys, reading, changed };
        ring.refresh().await?;
        anyhow::ensure!(
            ring.keys.load().iter().all(|key| key.encoding.is_some()),
            "the stored signing keys were sealed under another key-encryption key; start with \
             that one as AUTH_PREVIOUS_KEY_ENCRYPTION_KEY"
        );
        Ok(ring)
    }

    /// The key that signs now.
    ///
    /// # Errors
    /// If there is none that can be opened.
    pub fn active(&self) -> anyhow::Result<Arc<SigningKey>> {
        let now = self.clock.now();
        let keys = self.keys.load();
        let mut open = keys.iter().filter(|key| key.encoding.is_some());
        let active = open.clone().rfind(|key| key.activates_at <= now).or_else(|| open.next());
        active.cloned().context("there is no signing key")
    }

    /// The public keys: of every token that may still live, and of those to come.
    #[must_use]
    pub fn published(&self) -> Vec<Jwk> {
        let now = self.clock.now();
        let keys = self.keys.load();
        keys.iter().skip(gone(&keys, &self.rotation, now)).map(|key| key.jwk.clone()).collect()
    }

    /// Makes, reads and removes keys as the time wants it, for ever.
    pub async fn keep(&self) {
        loop {
            let reload = TimeDelta::from_std(RELOAD).unwrap_or(TimeDelta::MAX);
            self.clock.sleep_until(self.clock.now() + reload).await;
            if let Err(error) = self.refresh().await {
                let error = format!("{error:#}");
                tracing::warn!(error, "The signing keys cannot be kept up to date; trying again.");
            }
        }
    }

    /// Ends when this replica has changed the stored keys.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Whether a key waits for every watcher to know it.
    #[must_use]
    pub fn is_hurried(&self) -> bool {
        let now = self.clock.now();
        self.keys.load().iter().any(|key| key.hurried && key.activates_at > now)
    }

    /// Reads the keys anew.
    ///
    /// # Errors
    /// `Database`; `Impossible` for a key that cannot be read.
    pub async fn reload(&self) -> Result<(), Error> {
        let _in_turn = self.reading.lock().await;
        let keys = self.load().await.map_err(database_error)?;
        self.publish(keys);
        Ok(())
    }

    /// Has a new key sign, as soon as every verifier can know it. While one
    /// waits for that there is no other.
    ///
    /// # Errors
    /// `Database`.
    pub async fn rotate(&self, client: &Value) -> Result<Rotated, Error> {
        let now = self.clock.now();
        let key = self.new_key().map_err(impossible)?;
        let latest = now + self.rotation.refresh * 2;
        let rotated = store::rotate(&self.database, &key, latest, client, now).await?;
        tracing::info!(key.id = rotated.kid, "A signing key was ordered.");
        self.changed.notify_one();
        self.reload().await?;
        Ok(rotated)
    }

    /// Withdraws a key that others may know: it is published no more, and
    /// another one signs at once. False if there is no such key.
    ///
    /// # Errors
    /// `Database`.
    pub async fn revoke(&self, kid: &str, client: &Value) -> Result<bool, Error> {
        let key = self.new_key().map_err(impossible)?;
        let now = self.clock.now();
        let found = store::revoke(&self.database, kid, &key, client, now).await?;
        if found {
            tracing::warn!(key.id = kid, "A signing key was withdrawn.");
            self.changed.notify_one();
            self.reload().await?;
        }
        Ok(found)
    }

    async fn refresh(&self) -> anyhow::Result<()> {
        let _in_turn = self.reading.lock().await;
        let mut keys = self.load().await?;
        let now = self.clock.now();
        // Whoever cannot open all of them has no say in which there are.
        if keys.iter().any(|key| key.encoding.is_none()) {
            self.publish(keys);
            return Ok(());
        }
        if let Some((generation, activates_at)) = due(&keys, &self.rotation, now) {
            let key = self.new_key()?;
            if store::add(&self.database, generation, &key, activates_at, now).await? {
                let kid = key.kid();
                tracing::info!(key.id = kid, key.activates_at = %activates_at, "A signing key was made.");
                self.changed.notify_one();
            }
            // Another replica may have been first; its key counts then.
            keys = self.load().await?;
        }
        let gone = gone(&keys, &self.rotation, now);
        if gone > 0 {
            let before = keys[gone].generation;
            let removed = store::remove_before(&self.database, before, now).await?;
            tracing::info!(keys.removed = removed, "Signing keys were retired for good.");
            self.changed.notify_one();
        }
        self.publish(keys);
        Ok(())
    }

    async fn load(&self) -> anyhow::Result<Vec<Arc<SigningKey>>> {
        let keys = store::load(&self.database, &self.sealer).await?;
        Ok(keys.into_iter().map(Arc::new).collect())
    }

    fn publish(&self, keys: Vec<Arc<SigningKey>>) {
        self.keys.store(Arc::new(keys));
        self.trust.set(&self.published(), self.clock.now());
    }

    fn new_key(&self) -> anyhow::Result<Sealed> {
        Sealed::new(&NewKey::generate(self.rotation.algorithm)?, &self.sealer)
    }
}

/// What the database said, or else what must not be.
fn database_error(error: anyhow::Error) -> Error {
    error.downcast().unwrap_or_else(impossible)
}

fn impossible(error: anyhow::Error) -> Error {
    Error::Impossible(format!("{error:#}"))
}

/// How many of the keys, from the oldest on, have no living token any more.
fn gone(keys: &[Arc<SigningKey>], rotation: &Rotation, now: DateTime<Utc>) -> usize {
    let outlived = rotation.token_lifetime + TimeDelta::seconds(2 * LEEWAY_SECONDS);
    keys.windows(2).take_while(|pair| pair[1].activates_at + outlived < now).count()
}

/// The generation to make now, if any, and when it begins to sign.
fn due(
    keys: &[Arc<SigningKey>],
    rotation: &Rotation,
    now: DateTime<Utc>,
) -> Option<(i64, DateTime<Utc>)> {
    let Some(youngest) = keys.last() else {
        return Some((1, now));
    };
    let successor = youngest.activates_at + rotation.period;
    (successor - rotation.lead <= now)
        .then(|| (youngest.generation + 1, successor.max(now + rotation.lead)))
}
