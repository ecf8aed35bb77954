//! Somebody who issues access tokens that a verifier believes.

use std::time::Duration;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use shared::{
    clock::SystemClock,
    jwk::Jwk,
    rng::uuid_v4,
    trust::Trust,
    verify::{Claims, Rules, Verifier},
};
use uuid::Uuid;

/// An issuer with one key.
pub(crate) struct Issuer {
    signing: EncodingKey,
    published: Jwk,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
        Self {
            signing: EncodingKey::from_ed_der(document.as_ref()),
            published: Jwk::ed25519(pair.public_key().as_ref().try_into().unwrap()),
        }
    }

    /// A verifier that believes this issuer.
    pub(crate) fn verifier(&self) -> Verifier {
        let rules = Rules {
            issuer: "issuer".to_owned(),
            audience: "audience".to_owned(),
            max_lifetime: Duration::from_secs(300),
        };
        let clock = SystemClock::shared();
        let trust = Trust::new(Duration::from_secs(300));
        trust.set(std::slice::from_ref(&self.published), clock.now());
        Verifier::new(rules, trust, clock)
    }

    /// A user and a token of theirs.
    pub(crate) fn token(&self) -> (Uuid, String) {
        let now = SystemClock::shared().now().timestamp();
        let user = uuid_v4();
        let claims = Claims {
            iss: "issuer".to_owned(),
            sub: user,
            aud: vec!["audience".to_owned()],
            exp: now + 300,
            iat: now,
            nbf: now,
            jti: uuid_v4(),
            sid: uuid_v4(),
            auth_time: now,
            amr: vec!["pwd".to_owned()],
            email: "ada@example.com".to_owned(),
            email_verified: false,
            scope: String::new(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.published.kid.clone());
        (user, encode(&header, &claims, &self.signing).unwrap())
    }
}
