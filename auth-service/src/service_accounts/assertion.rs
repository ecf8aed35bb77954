//! Assertions: JWTs by which a service account proves with a key of its own
//! which one it is (RFC 7523, section 3), instead of showing a secret.
//!
//! Invariant: an assertion counts for this issuer alone, for at most five
//! minutes, under the algorithm of the account's key, and is never an access
//! token. That it counts once is the database's to say.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use shared::{
    jwk::Jwk,
    jws::{Jws, one_or_many},
    verify::{LEEWAY_SECONDS, MAX_TOKEN_BYTES},
};

use super::AccountName;

/// What an assertion may call itself, in lower case (RFC 7519, section 5.1).
const TYPES: [&str; 2] = ["jwt", "client-authentication+jwt"];
/// The longest that one is good, in seconds.
const MAX_LIFETIME: i64 = 300;
/// The longest id of one, in bytes.
const MAX_ID: usize = 128;

/// An assertion, not believed yet.
pub struct Assertion<'t> {
    jws: Jws<'t>,
    account: AccountName,
    claims: Claims,
}

/// What is known of an assertion that is good; of another one nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proven {
    /// The key that signed it.
    pub kid: Option<String>,
    /// Its id, under which it is used once.
    pub jti: Option<String>,
    /// Until when it has to be remembered.
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    #[serde(deserialize_with = "one_or_many")]
    aud: Vec<String>,
    exp: i64,
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default)]
    nbf: Option<i64>,
    jti: String,
}

impl<'t> Assertion<'t> {
    /// Takes an assertion apart, if it is written as one.
    #[must_use]
    pub fn read(text: &'t str) -> Option<Self> {
        if text.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let jws = Jws::read(text).ok()?;
        let claims: Claims = serde_json::from_slice(&jws.payload()?).ok()?;
        // With or without the collection; `sub` has to be the same.
        let name = &claims.iss;
        let account = AccountName::parse(name).or_else(|_| name.parse()).ok()?;
        Some(Self { jws, account, claims })
    }

    /// Whose it says it is.
    #[must_use]
    pub const fn account(&self) -> &AccountName {
        &self.account
    }

    /// Whether one of these keys, which are the account's, signed it for this
    /// issuer, and it is good now.
    ///
    /// # Errors
    /// Which check failed, for the log only.
    pub fn check(
        &self,
        keys: &[Jwk],
        issuer: &str,
        now: DateTime<Utc>,
    ) -> Result<Proven, &'static str> {
        if self.jws.typ().is_some_and(|typ| !TYPES.contains(&typ.as_str())) {
            return Err("not an assertion by its typ");
        }
        let signed = |key: &&Jwk| {
            let verifying = key.verifying();
            verifying.is_some_and(|(algorithm, key)| self.jws.is_signed_with(algorithm, &key))
        };
        let key = keys.iter().find(signed).ok_or("signature")?;
        let Claims { iss, sub, aud, exp, iat, nbf, jti } = &self.claims;
        let now = now.timestamp();
        let latest = now.saturating_add(LEEWAY_SECONDS);
        if iss != sub {
            return Err("iss and sub differ");
        }
        // One that names others too could be shown to us by them.
        if aud.as_slice() != [issuer] {
            return Err("audience");
        }
        if *exp <= now.saturating_sub(LEEWAY_SECONDS) {
            return Err("expired");
        }
        if *exp > latest.saturating_add(MAX_LIFETIME) {
            return Err("good for too long");
        }
        if iat.is_some_and(|iat| iat > latest || exp.saturating_sub(iat) > MAX_LIFETIME) {
            return Err("issued in the future, or good for too long");
        }
        if nbf.is_some_and(|nbf| nbf > latest) {
            return Err("not good yet");
        }
        if jti.is_empty() || jti.len() > MAX_ID || jti.contains('\0') {
            return Err("id");
        }
        let expires_at = DateTime::from_timestamp(*exp, 0).ok_or("expiry")?;
        Ok(Proven {
            kid: Some(key.kid.clone()),
            jti: Some(jti.clone()),
            expires_at: Some(expires_at + TimeDelta::seconds(2 * LEEWAY_SECONDS)),
        })
    }
}

/// Reads the public key that checks an account's assertions: a JWK (RFC 7517)
/// of Ed25519 or P-256, in JSON.
///
/// # Errors
/// In words for the caller.
pub fn parse_key(json: &str) -> Result<Jwk, String> {
    const WHAT: &str = "The key is a JWK in JSON: Ed25519 (`OKP`) or P-256 (`EC`).";
    const MAX_BYTES: usize = 4096;
    /// A key, and what only a private one has.
    #[derive(Deserialize)]
    struct Given {
        #[serde(default)]
        d: shared::jws::Present,
        #[serde(flatten)]
        key: Jwk,
    }
    if json.len() > MAX_BYTES {
        return Err(WHAT.to_owned());
    }
    let Given { d, key } = serde_json::from_str(json).map_err(|_| WHAT.to_owned())?;
    if d.0 {
        return Err("This is a private key; the public part of it is needed.".to_owned());
    }
    key.named_by_thumbprint().ok_or_else(|| WHAT.to_owned())
}
