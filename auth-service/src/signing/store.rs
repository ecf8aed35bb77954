//! The signing keys as they are stored: the public part in clear, the private
//! one sealed under its id.
//!
//! Invariant: whatever changes them tells verifiers in the same statement.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::Value;
use shared::{
    database::{Database, Repeat},
    jwk::Jwk,
};

use super::{Rotated, SigningKey, new_key::NewKey};
use crate::{error::Error, sealing::Sealer};

struct Row {
    generation: i64,
    algorithm: String,
    public_key: Value,
    sealed_private_key: Vec<u8>,
    activates_at: DateTime<Utc>,
    hurried: bool,
}

/// A key as it goes into the database.
pub(super) struct Sealed {
    kid: String,
    algorithm: String,
    public: Value,
    private: Vec<u8>,
}

impl Sealed {
    pub(super) fn new(key: &NewKey, sealer: &Sealer) -> anyhow::Result<Self> {
        let NewKey { jwk, private } = key;
        let (kid, algorithm) = (jwk.kid.clone(), jwk.alg.clone());
        let private = sealer.seal(&kid, private);
        Ok(Self { kid, algorithm, public: serde_json::to_value(jwk)?, private })
    }

    pub(super) fn kid(&self) -> &str {
        &self.kid
    }
}

/// Reads every key, the oldest first; one that the sealer cannot open, as while
/// the key-encryption key is exchanged, without its private part.
///
/// # Errors
/// In words for the operator.
pub(super) async fn load(database: &Database, sealer: &Sealer) -> anyhow::Result<Vec<SigningKey>> {
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Row,
            r#"select generation as "generation!", algorithm as "algorithm!",
                public_key as "public_key!", sealed_private_key as "sealed_private_key!",
                activates_at as "activates_at!", hurried as "hurried!"
            from api.signing_keys()"#
        )
        .fetch_all(&mut *connection)
        .await
    });
    let rows = rows.await.map_err(Error::from)?;
    rows.into_iter().map(|row| row.open(sealer)).collect()
}

impl Row {
    fn open(self, sealer: &Sealer) -> anyhow::Result<SigningKey> {
        let Self { generation, algorithm, public_key, sealed_private_key, activates_at, hurried } =
            self;
        let jwk: Jwk = serde_json::from_value(public_key)?;
        let private = sealer.open(&jwk.kid, &sealed_private_key);
        let private = private.as_deref();
        let (algorithm, encoding) = match algorithm.as_str() {
            "EdDSA" => (Algorithm::EdDSA, private.map(|key| EncodingKey::from_ed_der(key))),
            "ES256" => (Algorithm::ES256, private.map(|key| EncodingKey::from_ec_der(key))),
            other => anyhow::bail!("a stored signing key has the unknown algorithm {other}"),
        };
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some(jwk.kid.clone()),
            ..Header::new(algorithm)
        };
        Ok(SigningKey { generation, jwk, header, encoding, activates_at, hurried })
    }
}

/// Stores the key of a generation. False if another replica was first.
///
/// # Errors
/// `Database`.
pub(super) async fn add(
    database: &Database,
    generation: i64,
    key: &Sealed,
    activates_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let Sealed { kid, algorithm, public, private } = key;
    let stored = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.add_signing_key($1, $2, $3, $4, $5, $6, $7) as "stored!""#,
            generation,
            kid,
            algorithm,
            public,
            private,
            activates_at,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(stored.await?)
}

/// Removes the keys of generations before this one; tells how many.
///
/// # Errors
/// `Database`.
pub(super) async fn remove_before(
    database: &Database,
    generation: i64,
    now: DateTime<Utc>,
) -> Result<i64, Error> {
    let removed = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.remove_signing_keys($1, $2) as "removed!""#,
            generation,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(removed.await?)
}

/// Makes the next key sign as soon as every watcher knows it: the one that
/// waits already, or this one.
///
/// # Errors
/// `Database`.
pub(super) async fn rotate(
    database: &Database,
    key: &Sealed,
    latest: DateTime<Utc>,
    client: &Value,
    now: DateTime<Utc>,
) -> Result<Rotated, Error> {
    let Sealed { kid, algorithm, public, private } = key;
    let rotated = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Rotated,
            r#"select kid as "kid!", activates_at as "activates_at!"
            from api.rotate_signing_key($1, $2, $3, $4, $5, $6, $7)"#,
            kid,
            algorithm,
            public,
            private,
            latest,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(rotated.await?)
}

/// Removes a key, and has this one sign if no other one waits to. False if there
/// is no such key.
///
/// # Errors
/// `Database`.
pub(super) async fn revoke(
    database: &Database,
    revoked: &str,
    key: &Sealed,
    client: &Value,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let Sealed { kid, algorithm, public, private } = key;
    let found = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.revoke_signing_key($1, $2, $3, $4, $5, $6, $7) as "found!""#,
            revoked,
            kid,
            algorithm,
            public,
            private,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(found.await?)
}
