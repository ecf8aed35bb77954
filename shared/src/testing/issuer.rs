//! An issuer of access tokens whose key the test holds: for good tokens, and
//! for all the bad ones that no honest issuer would make.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
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

/// An issuer with one Ed25519 key.
pub struct TestIssuer {
    key: Ed25519KeyPair,
    jwk: Jwk,
}

impl TestIssuer {
    /// An issuer with a new key.
    ///
    /// # Panics
    /// If the system gives no random bytes.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "every issuer has another key")]
    #[expect(clippy::expect_used, reason = "a test may fail like this")]
    pub fn new() -> Self {
        let key = Ed25519KeyPair::generate().expect("a key");
        let public = key.public_key().as_ref().try_into().expect("32 bytes");
        Self { jwk: Jwk::ed25519(public), key }
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
        json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": self.jwk.kid })
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
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}
