//! Signing keys and their rotation. Each key has a generation and a time from
//! which on it signs; everything else follows from the clock, so that replicas
//! agree without a leader:
//!
//! PENDING (published, not signing yet) → ACTIVE (the youngest whose time has
//! come) → RETIRING (its last tokens still live) → gone.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use shared::{
    clock::SharedClock,
    database::{Database, Repeat},
    jwk::Jwk,
    trust::Trust,
    verify::LEEWAY_SECONDS,
};
use zeroize::Zeroizing;

use crate::sealing::Sealer;

/// How often the keys are read again; a replica learns of a new key by that.
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
    /// How long the tokens live that it signs.
    pub token_lifetime: TimeDelta,
}

/// A key that signs.
pub struct SigningKey {
    generation: i64,
    jwk: Jwk,
    header: Header,
    encoding: EncodingKey,
    activates_at: DateTime<Utc>,
}

/// The keys of this service, kept up to date by `keep`.
pub struct KeyRing {
    rotation: Rotation,
    database: Database,
    sealer: Arc<Sealer>,
    clock: SharedClock,
    trust: Trust,
    keys: ArcSwap<Vec<Arc<SigningKey>>>,
}

struct Row {
    generation: i64,
    algorithm: String,
    public_key: serde_json::Value,
    sealed_private_key: Vec<u8>,
    activates_at: DateTime<Utc>,
}

impl SigningKey {
    /// Signs what a token says.
    ///
    /// # Errors
    /// If the cryptography refuses.
    pub fn sign(&self, claims: &impl Serialize) -> anyhow::Result<String> {
        Ok(jsonwebtoken::encode(&self.header, claims, &self.encoding)?)
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
        let ring =
            Self { rotation, database, sealer, clock, trust, keys: ArcSwap::from_pointee(vec![]) };
        ring.refresh().await?;
        Ok(ring)
    }

    /// The key that signs now.
    ///
    /// # Errors
    /// If there is none, which only a clock that went back can cause.
    pub fn active(&self) -> anyhow::Result<Arc<SigningKey>> {
        let now = self.clock.now();
        let keys = self.keys.load();
        let active = keys.iter().rfind(|key| key.activates_at <= now).or(keys.first());
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

    async fn refresh(&self) -> anyhow::Result<()> {
        let mut keys = self.load().await?;
        let now = self.clock.now();
        if let Some((generation, activates_at)) = due(&keys, &self.rotation, now) {
            let key = NewKey::generate(self.rotation.algorithm)?;
            self.store(generation, &key, activates_at, now).await?;
            // Another replica may have been first; its key counts then.
            keys = self.load().await?;
        }
        let gone = gone(&keys, &self.rotation, now);
        if gone > 0 {
            self.remove_before(keys[gone].generation).await?;
        }
        self.keys.store(Arc::new(keys));
        self.trust.set(&self.published(), now);
        Ok(())
    }

    async fn load(&self) -> anyhow::Result<Vec<Arc<SigningKey>>> {
        let rows = self.database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query_as!(
                Row,
                r#"select generation as "generation!", algorithm as "algorithm!",
                    public_key as "public_key!", sealed_private_key as "sealed_private_key!",
                    activates_at as "activates_at!"
                from api.signing_keys()"#
            )
            .fetch_all(&mut *connection)
            .await
        });
        rows.await?.into_iter().map(|row| self.open_row(row).map(Arc::new)).collect()
    }

    fn open_row(&self, row: Row) -> anyhow::Result<SigningKey> {
        let Row { generation, algorithm, public_key, sealed_private_key, activates_at } = row;
        let jwk: Jwk = serde_json::from_value(public_key)?;
        let private = self.sealer.open(&jwk.kid, &sealed_private_key).context(
            "the stored signing keys were sealed under another key-encryption key; \
             start with that one as AUTH_PREVIOUS_KEY_ENCRYPTION_KEY",
        )?;
        let (algorithm, encoding) = match algorithm.as_str() {
            "EdDSA" => (Algorithm::EdDSA, EncodingKey::from_ed_der(&private)),
            "ES256" => (Algorithm::ES256, EncodingKey::from_ec_der(&private)),
            other => anyhow::bail!("a stored signing key has the unknown algorithm {other}"),
        };
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some(jwk.kid.clone()),
            ..Header::new(algorithm)
        };
        Ok(SigningKey { generation, jwk, header, encoding, activates_at })
    }

    async fn store(
        &self,
        generation: i64,
        key: &NewKey,
        activates_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        let NewKey { jwk, private } = key;
        let public = serde_json::to_value(jwk)?;
        let sealed = self.sealer.seal(&jwk.kid, private);
        let (public, sealed) = (&public, &sealed);
        let stored = self.database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query_scalar!(
                r#"select api.add_signing_key($1, $2, $3, $4, $5, $6, $7) as "stored!""#,
                generation,
                jwk.kid,
                jwk.alg,
                public,
                sealed,
                activates_at,
                now
            )
            .fetch_one(&mut *connection)
            .await
        });
        if stored.await? {
            tracing::info!(key.id = jwk.kid, key.activates_at = %activates_at, "A signing key was made.");
        }
        Ok(())
    }

    async fn remove_before(&self, generation: i64) -> anyhow::Result<()> {
        let removed = self.database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query_scalar!(r#"select api.remove_signing_keys($1) as "removed!""#, generation)
                .fetch_one(&mut *connection)
                .await
        });
        let removed = removed.await?;
        tracing::info!(keys.removed = removed, "Signing keys were retired for good.");
        Ok(())
    }
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

struct NewKey {
    jwk: Jwk,
    private: Zeroizing<Vec<u8>>,
}

impl NewKey {
    fn generate(algorithm: Algorithm) -> anyhow::Result<Self> {
        let refused = |_| anyhow::anyhow!("the cryptography library cannot make a key");
        Ok(match algorithm {
            Algorithm::ES256 => {
                let pair =
                    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(refused)?;
                let private = Zeroizing::new(pair.to_pkcs8v1().map_err(refused)?.as_ref().to_vec());
                let point = pair.public_key().as_ref();
                let (x, y) = (point[1..33].try_into()?, point[33..65].try_into()?);
                Self { jwk: Jwk::p256(x, y), private }
            }
            _ => {
                let pair = Ed25519KeyPair::generate().map_err(refused)?;
                let private = Zeroizing::new(pair.to_pkcs8v1().map_err(refused)?.as_ref().to_vec());
                Self { jwk: Jwk::ed25519(pair.public_key().as_ref().try_into()?), private }
            }
        })
    }
}
