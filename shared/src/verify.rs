//! The rules of access tokens (RFC 9068, RFC 8725): what a token says, and what
//! must hold before anything it says is believed. No I/O, no waiting.
//!
//! Invariant: nobody but the operator's log learns which check refused a token.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, crypto};
use quick_cache::sync::Cache;
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};
use uuid::Uuid;

use crate::{clock::SharedClock, trust::Trust};

/// The types of token that are believed (RFC 9068, section 4), in lower case.
const TYPES: [&str; 2] = ["at+jwt", "application/at+jwt"];

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN_BYTES: usize = 4096;

/// How far the clocks of issuer and verifier may be apart, in seconds.
pub const LEEWAY_SECONDS: i64 = 5;

const CACHED_TOKENS: usize = 16_384;

/// What an access token says: whose it is decides what there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A user's, who has a session.
    User(Claims),
    /// A service's, which acts for others.
    Service(ServiceClaims),
}

/// What the access token of a user says. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// The user's id.
    #[serde(deserialize_with = "strict_uuid")]
    pub sub: Uuid,
    /// The services that the token is for.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// When it stops being good.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// From when on it is good.
    pub nbf: i64,
    /// Its own id.
    #[serde(deserialize_with = "strict_uuid")]
    pub jti: Uuid,
    /// The session's id.
    #[serde(deserialize_with = "strict_uuid")]
    pub sid: Uuid,
    /// When the user last proved who they are.
    pub auth_time: i64,
    /// How they did (RFC 8176).
    pub amr: Vec<String>,
    /// The user's e-mail address.
    pub email: String,
    /// Whether the address is known to be the user's.
    pub email_verified: bool,
    /// Scopes, separated by blanks (RFC 8693).
    pub scope: String,
}

/// What the access token of a service says (RFC 9068, section 2.2): no session
/// and no person. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceClaims {
    /// Issuer.
    pub iss: String,
    /// The service account's id.
    #[serde(deserialize_with = "strict_uuid")]
    pub sub: Uuid,
    /// The services that the token is for.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// When it stops being good.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// From when on it is good.
    pub nbf: i64,
    /// Its own id.
    #[serde(deserialize_with = "strict_uuid")]
    pub jti: Uuid,
    /// The client that the issuer gave it to.
    pub client_id: String,
    /// Scopes, separated by blanks (RFC 8693).
    pub scope: String,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Everything about it is good but its age.
    Expired,
    /// It is not good. The text says which check failed, for the log only.
    Invalid(&'static str),
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

#[derive(Clone)]
struct Verified {
    kid: Arc<str>,
    token: Arc<Token>,
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
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::Invalid("longer than 4 KiB"));
        }
        let now = self.0.clock.now();
        let keys = self.0.trust.keys(now).ok_or(Refusal::NoKeys)?;
        let hash = sha256(token.as_bytes());
        if let Some(Verified { kid, token }) = self.0.verified.get(&hash)
            && keys.contains(&kid)
        {
            return check_times(&token, now.timestamp()).map(|()| token);
        }

        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Invalid("not a JWS"))?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Invalid("not a JWS"))?;
        let header = Header::check(header)?;
        let Some(key) = keys.get(&header.kid) else {
            self.0.trust.want();
            return Err(Refusal::Invalid("unknown kid"));
        };
        if header.alg != key.algorithm {
            return Err(Refusal::Invalid("not the key's algorithm"));
        }
        let good = crypto::verify(signature, signed.as_bytes(), &key.decoding, key.algorithm);
        if !good.unwrap_or(false) {
            return Err(Refusal::Invalid("signature"));
        }
        let token = Token::read(payload).ok_or(Refusal::Invalid("claims"))?;
        self.check_claims(&token, now.timestamp())?;
        let token = Arc::new(token);
        self.0.verified.insert(hash, Verified { kid: header.kid.into(), token: token.clone() });
        Ok(token)
    }

    fn check_claims(&self, token: &Token, now: i64) -> Result<(), Refusal> {
        let rules = &self.0.rules;
        let longest = i64::try_from(rules.max_lifetime.as_secs()).unwrap_or(i64::MAX);
        let (issuer, audience) = token.issuer_and_audience();
        if issuer != rules.issuer {
            return Err(Refusal::Invalid("issuer"));
        }
        if !audience.contains(&rules.audience) {
            return Err(Refusal::Invalid("audience"));
        }
        let Times { expires, issued, .. } = token.times();
        let lifetime = expires.checked_sub(issued);
        if !lifetime.is_some_and(|lifetime| (1..=longest).contains(&lifetime)) {
            return Err(Refusal::Invalid("lifetime"));
        }
        check_times(token, now)
    }
}

/// When a token is good.
struct Times {
    expires: i64,
    issued: i64,
    begins: i64,
}

impl Token {
    /// Reads the payload of a token. A `client_id` makes it a service's, and
    /// then it has no session: nothing is both.
    fn read(payload: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Shape {
            #[serde(default)]
            client_id: Present,
            #[serde(default)]
            sid: Present,
        }
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let Shape { client_id, sid } = serde_json::from_slice(&payload).ok()?;
        match (client_id.0, sid.0) {
            (true, true) => None,
            (true, false) => serde_json::from_slice(&payload).ok().map(Self::Service),
            (false, _) => serde_json::from_slice(&payload).ok().map(Self::User),
        }
    }

    /// When it stops being good, in seconds since 1970.
    #[must_use]
    pub const fn expires_at(&self) -> i64 {
        self.times().expires
    }

    /// The id of the user or of the service account.
    #[must_use]
    pub const fn subject(&self) -> Uuid {
        let (Self::User(Claims { sub, .. }) | Self::Service(ServiceClaims { sub, .. })) = self;
        *sub
    }

    /// What it allows. A user's token is not asked for it.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let (Self::User(Claims { scope, .. }) | Self::Service(ServiceClaims { scope, .. })) = self;
        scope.split_ascii_whitespace()
    }

    fn issuer_and_audience(&self) -> (&str, &[String]) {
        let (Self::User(Claims { iss, aud, .. }) | Self::Service(ServiceClaims { iss, aud, .. })) =
            self;
        (iss, aud)
    }

    const fn times(&self) -> Times {
        let (Self::User(Claims { exp, iat, nbf, .. })
        | Self::Service(ServiceClaims { exp, iat, nbf, .. })) = self;
        Times { expires: *exp, issued: *iat, begins: *nbf }
    }
}

fn check_times(token: &Token, now: i64) -> Result<(), Refusal> {
    let Times { expires, issued, begins } = token.times();
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

/// What a token's header says about how to check it.
#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    typ: String,
    kid: String,
    /// Headers that would let a token bring its own key or its own rules.
    #[serde(default)]
    crit: Present,
    #[serde(default)]
    jku: Present,
    #[serde(default)]
    jwk: Present,
    #[serde(default)]
    x5u: Present,
    #[serde(default)]
    x5c: Present,
}

impl Header {
    fn check(encoded: &str) -> Result<Self, Refusal> {
        let header: Self = decode(encoded).ok_or(Refusal::Invalid("header"))?;
        let Self { typ, crit, jku, jwk, x5u, x5c, .. } = &header;
        if [crit, jku, jwk, x5u, x5c].iter().any(|present| present.0) {
            return Err(Refusal::Invalid("a header that is never accepted"));
        }
        if !TYPES.contains(&typ.to_ascii_lowercase().as_str()) {
            return Err(Refusal::Invalid("not an access token by its typ"));
        }
        Ok(header)
    }
}

/// Whether a member is there at all, be it null.
#[derive(Default)]
struct Present(bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

fn decode<T: serde::de::DeserializeOwned>(encoded: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// A UUID in its usual form only, so that one id has one spelling.
fn strict_uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = String::deserialize(deserializer)?;
    let id = Uuid::try_parse(&text).map_err(serde::de::Error::custom)?;
    if id.as_hyphenated().to_string() == text {
        Ok(id)
    } else {
        Err(serde::de::Error::custom("not in the usual form"))
    }
}

/// `aud` is a text or a list of texts (RFC 7519, section 4.1.3).
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Audience::deserialize(deserializer)? {
        Audience::One(one) => vec![one],
        Audience::Many(many) => many,
    })
}
