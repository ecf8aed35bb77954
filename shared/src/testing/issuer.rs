//! An issuer of access tokens whose key the test holds: for good tokens, and
//! for all the bad ones that no honest issuer would make.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    jwk::Jwk,
    rng,
    verify::{Actor, Claims, DelegatedClaims, ServiceClaims},
};

/// The issuer's name.
const ISSUER: &str = "https://issuer.test";
/// How long its tokens are good, in seconds.
const LIFETIME: i64 = 300;

/// An issuer with one key.
pub struct TestIssuer {
    key: Pair,
    jwk: Jwk,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl TestIssuer {
    /// An issuer with a new Ed25519 key.
    ///
    /// # Panics
    /// If the system gives no random bytes.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "every issuer has another key")]
    pub fn new() -> Self {
        Self::of_seed(&rng::bytes())
    }

    /// The issuer with the Ed25519 key of this seed: it signs the same in the
    /// same way whenever it is made.
    ///
    /// # Panics
    /// Never: 32 bytes are a seed.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test may fail like this")]
    pub fn of_seed(seed: &[u8; 32]) -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(seed).expect("a seed");
        let public = key.public_key().as_ref().try_into().expect("32 bytes");
        Self { jwk: Jwk::ed25519(public), key: Pair::Ed25519(key) }
    }

    /// An issuer with a new P-256 key.
    ///
    /// # Panics
    /// If the system gives no random bytes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test may fail like this")]
    pub fn es256() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let point = key.public_key().as_ref();
        let coordinate = |at: usize| point[at..at + 32].try_into().expect("32 bytes");
        Self { jwk: Jwk::p256(&coordinate(1), &coordinate(33)), key: Pair::P256(key) }
    }

    /// The issuer's name, as verifiers must know it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        ISSUER
    }

    /// The public key.
    #[must_use]
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The private key in PKCS #8, for a service that is to have this one.
    ///
    /// # Panics
    /// Never: a key that was made can be written.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test may fail like this")]
    pub fn private_key(&self) -> Vec<u8> {
        let document = match &self.key {
            Pair::Ed25519(key) => key.to_pkcs8v1(),
            Pair::P256(key) => key.to_pkcs8v1(),
        };
        document.expect("a document").as_ref().to_vec()
    }

    /// What a good token for `user` says at `now`.
    #[must_use]
    pub fn claims(&self, user: Uuid, audience: &str, now: DateTime<Utc>) -> Claims {
        let now = now.timestamp();
        Claims {
            iss: ISSUER.to_owned(),
            sub: user,
            aud: vec![audience.to_owned()],
            exp: now + LIFETIME,
            iat: now,
            nbf: now,
            jti: rng::uuid_v4(),
            sid: rng::uuid_v4(),
            auth_time: now,
            amr: vec!["pwd".to_owned()],
            email: format!("{user}@example.org"),
            email_verified: false,
            scope: String::new(),
        }
    }

    /// What a good token for a service says at `now`.
    #[must_use]
    pub fn service_claims(
        &self,
        account: Uuid,
        scopes: &[&str],
        audience: &str,
        now: DateTime<Utc>,
    ) -> ServiceClaims {
        let now = now.timestamp();
        ServiceClaims {
            iss: ISSUER.to_owned(),
            sub: account,
            aud: vec![audience.to_owned()],
            exp: now + LIFETIME,
            iat: now,
            nbf: now,
            jti: rng::uuid_v4(),
            client_id: account.to_string(),
            scope: scopes.join(" "),
            act: None,
        }
    }

    /// What a good token says at `now` with which the service `actor` acts for
    /// `user`.
    #[must_use]
    pub fn delegated_claims(
        &self,
        user: Uuid,
        actor: Uuid,
        scopes: &[&str],
        audience: &str,
        now: DateTime<Utc>,
    ) -> DelegatedClaims {
        let now = now.timestamp();
        DelegatedClaims {
            iss: ISSUER.to_owned(),
            sub: user,
            aud: vec![audience.to_owned()],
            exp: now + LIFETIME,
            iat: now,
            nbf: now,
            jti: rng::uuid_v4(),
            sid: rng::uuid_v4(),
            act: Actor { sub: actor, client_id: actor.to_string(), act: None },
            scope: scopes.join(" "),
        }
    }

    /// The header of a good token.
    #[must_use]
    pub fn header(&self) -> Value {
        json!({ "alg": self.jwk.alg, "typ": "at+jwt", "kid": self.jwk.kid })
    }

    /// A good token that says `claims`, of a user or of a service.
    #[must_use]
    pub fn token(&self, claims: &impl Serialize) -> String {
        self.sign(&self.header(), &json!(claims))
    }

    /// A rightly signed token with whatever header and payload.
    #[must_use]
    pub fn sign(&self, header: &Value, payload: &Value) -> String {
        self.sign_text(&header.to_string(), &payload.to_string())
    }

    /// The same from texts, which need not even be JSON.
    #[must_use]
    pub fn sign_text(&self, header: &str, payload: &str) -> String {
        let encode = |part: &str| URL_SAFE_NO_PAD.encode(part);
        self.sign_encoded(&format!("{}.{}", encode(header), encode(payload)))
    }

    /// The same from what is signed, which need not even be encoded.
    #[must_use]
    pub fn sign_encoded(&self, signed: &str) -> String {
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.signature(signed.as_bytes())))
    }

    /// What the key signs these bytes with.
    ///
    /// # Panics
    /// If the system gives no random bytes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test may fail like this")]
    pub fn signature(&self, signed: &[u8]) -> Vec<u8> {
        match &self.key {
            Pair::Ed25519(key) => key.sign(signed).as_ref().to_vec(),
            Pair::P256(key) => {
                let signature = key.sign(&SystemRandom::new(), signed);
                signature.expect("a signature").as_ref().to_vec()
            }
        }
    }
}
