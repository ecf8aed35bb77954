//! The rules of access tokens (RFC 9068, RFC 8725): what must hold before
//! anything that one says is believed. No I/O, no waiting.
//!
//! Invariant: nobody but the operator's log learns which check refused a token.

mod claims;

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use quick_cache::sync::Cache;

use self::claims::Common;
pub use self::claims::{Actor, Claims, DelegatedClaims, MAX_ACTORS, ServiceClaims, Token};
use crate::{clock::SharedClock, jws::Jws, trust::Trust};

/// The types of token that are believed (RFC 9068, section 4), in lower case.
const TYPES: [&str; 2] = ["at+jwt", "application/at+jwt"];

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// How far the clocks of issuer and verifier may be apart, in seconds.
pub const LEEWAY_SECONDS: i64 = 5;

const CACHED_TOKENS: usize = 16_384;

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Everything about it is good but its age.
    Expired,
    /// It is not good. The text says which check failed, for the log only.
    Invalid(&'static str),
    /// It was good, and its session or all that its user had was revoked since; at
    /// the end of a stream also: its key was withdrawn.
    Revoked,
    /// No keys are at hand that may be trusted.
    NoKeys,
}

/// Whom a verifier believes, and about what.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The only issuer that is believed.
    pub issuer: String,
    /// The name of this service in `aud`.
    pub audience: String,
    /// The longest lifetime that is believed.
    pub max_lifetime: Duration,
}

/// Verifies access tokens. Cheap to clone; clones share one cache.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    rules: Rules,
    trust: Trust,
    clock: SharedClock,
    /// Tokens that verified, by the hash of the whole token.
    verified: Cache<[u8; 32], Verified>,
}

/// A token that verified, and the key that it is signed with.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(crate) kid: Arc<str>,
    pub(crate) token: Arc<Token>,
}

impl Verifier {
    /// A verifier that believes what `rules` say, by the keys of `trust`.
    #[must_use]
    pub fn new(rules: Rules, trust: Trust, clock: SharedClock) -> Self {
        Self(Arc::new(Inner { rules, trust, clock, verified: Cache::new(CACHED_TOKENS) }))
    }

    /// What the token says, if it may be believed now.
    ///
    /// # Errors
    /// See `Refusal`.
    pub fn verify(&self, token: &str) -> Result<Arc<Token>, Refusal> {
        self.check(token).map(|verified| verified.token)
    }

    /// The token, if it may be believed now, and what it is signed with.
    ///
    /// # Errors
    /// See `Refusal`.
    pub fn check(&self, token: &str) -> Result<Verified, Refusal> {
        self.examine(token, Some(&self.0.rules.audience))
    }

    /// As `verify`, whichever services the token is for: for an issuer that is
    /// asked about tokens that it gave out for others.
    ///
    /// # Errors
    /// See `Refusal`.
    pub fn introspect(&self, token: &str) -> Result<Arc<Token>, Refusal> {
        self.examine(token, None).map(|verified| verified.token)
    }

    fn examine(&self, token: &str, audience: Option<&String>) -> Result<Verified, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::Invalid("longer than 4 KiB"));
        }
        let now = self.0.clock.now();
        let keys = self.0.trust.keys(now).ok_or(Refusal::NoKeys)?;
        let hash = sha256(token.as_bytes());
        if let Some(verified) = self.0.verified.get(&hash)
            && keys.contains(&verified.kid)
        {
            check_audience(&verified.token, audience)?;
            check_times(&verified.token, now.timestamp())?;
            return self.unless_revoked(verified, now);
        }

        let jws = Jws::read(token).map_err(Refusal::Invalid)?;
        if !jws.typ().is_some_and(|typ| TYPES.contains(&typ.as_str())) {
            return Err(Refusal::Invalid("not an access token by its typ"));
        }
        let kid = jws.kid().ok_or(Refusal::Invalid("header"))?;
        let Some(key) = keys.get(kid) else {
            self.0.trust.want();
            return Err(Refusal::Invalid("unknown kid"));
        };
        if jws.algorithm() != key.algorithm {
            return Err(Refusal::Invalid("not the key's algorithm"));
        }
        if !jws.is_signed_with(key.algorithm, &key.decoding) {
            return Err(Refusal::Invalid("signature"));
        }
        let token = jws.payload().and_then(|payload| Token::read(&payload));
        let token = Arc::new(token.ok_or(Refusal::Invalid("claims"))?);
        self.check_claims(&token, audience, now.timestamp())?;
        let verified = Verified { kid: kid.into(), token };
        // What was found good for others is not good for us: a hit is looked at again.
        self.0.verified.insert(hash, verified.clone());
        self.unless_revoked(verified, now)
    }

    fn unless_revoked(&self, verified: Verified, now: DateTime<Utc>) -> Result<Verified, Refusal> {
        self.0.trust.refuses(&verified.token, now).map_or(Ok(verified), Err)
    }

    fn check_claims(
        &self,
        token: &Token,
        for_service: Option<&String>,
        now: i64,
    ) -> Result<(), Refusal> {
        let rules = &self.0.rules;
        let longest = i64::try_from(rules.max_lifetime.as_secs()).unwrap_or(i64::MAX);
        let Common { issuer, expires, issued, begins, .. } = token.common();
        if issuer != rules.issuer {
            return Err(Refusal::Invalid("issuer"));
        }
        check_audience(token, for_service)?;
        let lifetime = expires.checked_sub(issued);
        let is_known = [expires, issued, begins].iter().all(|time| *time >= 0);
        if !is_known || !lifetime.is_some_and(|lifetime| (1..=longest).contains(&lifetime)) {
            return Err(Refusal::Invalid("lifetime"));
        }
        check_times(token, now)
    }
}

fn check_audience(token: &Token, for_service: Option<&String>) -> Result<(), Refusal> {
    let audience = token.common().audience;
    match for_service.is_none_or(|service| audience.contains(service)) {
        true => Ok(()),
        false => Err(Refusal::Invalid("audience")),
    }
}

fn check_times(token: &Token, now: i64) -> Result<(), Refusal> {
    let Common { expires, issued, begins, .. } = token.common();
    if issued > now.saturating_add(LEEWAY_SECONDS) {
        return Err(Refusal::Invalid("issued in the future"));
    }
    if begins > now.saturating_add(LEEWAY_SECONDS) {
        return Err(Refusal::Invalid("not good yet"));
    }
    if expires <= now.saturating_sub(LEEWAY_SECONDS) {
        return Err(Refusal::Expired);
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
