//! Public keys of access tokens (RFC 7517, RFC 8037): how they are written,
//! named, and turned into something that verifies. Only Ed25519 and P-256, only
//! for signatures; everything else is refused here and never reaches the
//! cryptography.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use proto::auth::v1::JsonWebKey;
use serde::{Deserialize, Serialize};

/// A public key as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// Key type: `OKP` or `EC`.
    pub kty: String,
    /// Key id.
    #[serde(default)]
    pub kid: String,
    /// Algorithm: `EdDSA` or `ES256`.
    #[serde(default)]
    pub alg: String,
    /// Use: `sig`.
    #[serde(default, rename = "use")]
    pub usage: String,
    /// Curve: `Ed25519` or `P-256`.
    #[serde(default)]
    pub crv: String,
    /// First coordinate, base64url.
    #[serde(default)]
    pub x: String,
    /// Second coordinate, base64url; empty for `OKP`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub y: String,
}

/// A set of keys as it is published at `/.well-known/jwks.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl Jwk {
    /// An Ed25519 key, named by its thumbprint.
    #[must_use]
    pub fn ed25519(x: &[u8; 32]) -> Self {
        Self::named("OKP", "EdDSA", "Ed25519", URL_SAFE_NO_PAD.encode(x), String::new())
    }

    /// A P-256 key, named by its thumbprint.
    #[must_use]
    pub fn p256(x: &[u8; 32], y: &[u8; 32]) -> Self {
        Self::named("EC", "ES256", "P-256", URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y))
    }

    /// What verifies with this key, if it is one of ours.
    #[must_use]
    pub fn verifying(&self) -> Option<(Algorithm, DecodingKey)> {
        if self.usage != "sig" || self.kid.is_empty() {
            return None;
        }
        match (self.kty.as_str(), self.alg.as_str(), self.crv.as_str()) {
            ("OKP", "EdDSA", "Ed25519") => {
                coordinate(&self.x)?;
                Some((Algorithm::EdDSA, DecodingKey::from_ed_components(&self.x).ok()?))
            }
            ("EC", "ES256", "P-256") => {
                coordinate(&self.x)?;
                coordinate(&self.y)?;
                Some((Algorithm::ES256, DecodingKey::from_ec_components(&self.x, &self.y).ok()?))
            }
            _ => None,
        }
    }

    /// The same key under its thumbprint, for signatures only, whatever else it
    /// says of itself; none if it is not of our kinds.
    #[must_use]
    pub fn named_by_thumbprint(&self) -> Option<Self> {
        let (x, y) = (coordinate(&self.x)?, || coordinate(&self.y));
        let named = match (self.kty.as_str(), self.crv.as_str()) {
            ("OKP", "Ed25519") => Self::ed25519(&x),
            ("EC", "P-256") => Self::p256(&x, &y()?),
            _ => return None,
        };
        named.verifying().is_some().then_some(named)
    }

    fn named(kty: &str, alg: &str, crv: &str, x: String, y: String) -> Self {
        // RFC 7638: the required members in lexical order, without blanks.
        let members = match kty {
            "OKP" => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}"}}"#),
            _ => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#),
        };
        let kid = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()));
        Self {
            kty: kty.to_owned(),
            kid,
            alg: alg.to_owned(),
            usage: "sig".to_owned(),
            crv: crv.to_owned(),
            x,
            y,
        }
    }
}

impl From<Jwk> for JsonWebKey {
    fn from(key: Jwk) -> Self {
        let Jwk { kty, kid, alg, usage, crv, x, y } = key;
        Self { kty, kid, alg, r#use: usage, crv, x, y }
    }
}

impl From<JsonWebKey> for Jwk {
    fn from(key: JsonWebKey) -> Self {
        let JsonWebKey { kty, kid, alg, r#use: usage, crv, x, y } = key;
        Self { kty, kid, alg, usage, crv, x, y }
    }
}

/// A coordinate must have all of its 32 bytes: libraries differ on shorter ones.
fn coordinate(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.3.
    #[test]
    fn a_key_is_named_by_its_thumbprint() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let key = Jwk::ed25519(&coordinate(x).unwrap());
        assert_eq!(key.x, x);
        assert_eq!(key.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert!(key.verifying().is_some());
    }

    #[test]
    fn only_whole_signature_keys_of_our_kinds_verify() {
        let good = Jwk::ed25519(&[9; 32]);
        let spoil: [fn(&mut Jwk); 7] = [
            |key| key.usage = "enc".to_owned(),
            |key| key.alg = "HS256".to_owned(),
            |key| key.kty = "RSA".to_owned(),
            |key| key.crv = "X25519".to_owned(),
            |key| key.x.truncate(20),
            |key| key.x.clear(),
            |key| key.kid.clear(),
        ];
        for spoil in spoil {
            let mut key = good.clone();
            spoil(&mut key);
            assert!(key.verifying().is_none(), "{key:?}");
        }
    }
}
