//! Signed tokens as they travel: the compact form of a JWS (RFC 7515), read
//! strictly. What it must be signed with and what it says is for its readers.
//!
//! Invariant: a token never brings its own key or rules, and its signature
//! counts only under the algorithm of the key that it is checked with.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// A signed token, taken apart and not believed yet.
pub struct Jws<'t> {
    header: Header,
    signed: &'t str,
    payload: &'t str,
    signature: &'t str,
}

/// What a token's header says about how to check it.
#[derive(Deserialize)]
struct Header {
    alg: Algorithm,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    kid: Option<String>,
    /// Headers that would let a token bring its own key or its own rules. Those
    /// of encryption and compression belong to other kinds of token.
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
    #[serde(default)]
    x5t: Present,
    #[serde(default, rename = "x5t#S256")]
    x5t_s256: Present,
    #[serde(default)]
    cty: Present,
    #[serde(default)]
    b64: Present,
    #[serde(default)]
    zip: Present,
    #[serde(default)]
    enc: Present,
}

impl<'t> Jws<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// Which check failed, for the log only.
    pub fn read(token: &'t str) -> Result<Self, &'static str> {
        let (signed, signature) = token.rsplit_once('.').ok_or("not a JWS")?;
        let (header, payload) = signed.split_once('.').ok_or("not a JWS")?;
        let header: Header = decode(header)
            .and_then(|header| serde_json::from_slice(&header).ok())
            .ok_or("header")?;
        let Header { crit, jku, jwk, x5u, x5c, x5t, x5t_s256, cty, b64, zip, enc, .. } = &header;
        let never = [crit, jku, jwk, x5u, x5c, x5t, x5t_s256, cty, b64, zip, enc];
        if never.iter().any(|present| present.0) {
            return Err("a header that is never accepted");
        }
        Ok(Self { header, signed, payload, signature })
    }

    /// What kind of token it says that it is, in lower case.
    #[must_use]
    pub fn typ(&self) -> Option<String> {
        self.header.typ.as_ref().map(|typ| typ.to_ascii_lowercase())
    }

    /// The key that it says it is signed with.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// What it says it is signed with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.header.alg
    }

    /// Whether this key, which is good for this algorithm only, signed it.
    #[must_use]
    pub fn is_signed_with(&self, algorithm: Algorithm, key: &DecodingKey) -> bool {
        let verify = || crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm).ok();
        self.header.alg == algorithm && verify() == Some(true)
    }

    /// What it says, as bytes of JSON; to be believed only after the signature.
    #[must_use]
    pub fn payload(&self) -> Option<Vec<u8>> {
        decode(self.payload)
    }
}

/// Whether a member is there at all, be it null.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present(pub bool);

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

/// Reads `aud`, which is a text or a list of texts (RFC 7519, section 4.1.3).
///
/// # Errors
/// If it is anything else.
pub fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
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

fn decode(encoded: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(encoded).ok()
}
