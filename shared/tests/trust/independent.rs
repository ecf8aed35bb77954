//! Our verifier beside one that somebody else wrote, with other cryptography:
//! whatever ours believes, that one believes, set as strictly as it can be. The
//! tokens are good ones that chance has changed, most of them signed anew.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use jwt_compact::{
    Algorithm, AlgorithmExt as _, Claims, Header, TimeOptions, UntrustedToken,
    alg::{Ed25519, Es256},
    jwk::JsonWebKey,
};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    clock::Clock as _,
    jwk::Jwk,
    testing::{Chance, TestIssuer},
    verify::LEEWAY_SECONDS,
};
use uuid::Uuid;

use crate::{Setup, mutation, services::believing};

/// Changed tokens of each issuer.
const CHANGED: u64 = 6_000;
/// So many of them have to be believed, by both.
const BELIEVED: usize = 600;
/// The longest lifetime, as in `verifier`.
const LONGEST: i64 = 3600;
/// Headers that would be the token's own rules, beside those that have a field.
const NEVER: [&str; 6] = ["crit", "jwk", "x5c", "b64", "zip", "enc"];

/// What the other one makes of a token, beside its times.
#[derive(Deserialize)]
struct Said {
    iss: String,
    sub: Uuid,
    aud: Audience,
    #[expect(dead_code, reason = "it has to be there")]
    jti: Uuid,
    #[expect(dead_code, reason = "it has to be there")]
    scope: String,
    #[serde(default)]
    sid: Option<Uuid>,
    #[serde(default)]
    client_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The other verifier.
struct Other {
    jwk: Jwk,
    issuer: &'static str,
    now: DateTime<Utc>,
}

impl Other {
    fn believes(&self, token: &str) -> Result<(), String> {
        let key: JsonWebKey<'_> = serde_json::from_value(json!(self.jwk)).unwrap();
        match self.jwk.alg.as_str() {
            "EdDSA" => self.checks(&Ed25519, &(&key).try_into().unwrap(), token),
            _ => self.checks(&Es256, &(&key).try_into().unwrap(), token),
        }
    }

    fn checks<A: Algorithm>(
        &self,
        algorithm: &A,
        key: &A::VerifyingKey,
        token: &str,
    ) -> Result<(), String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let token: UntrustedToken<'_, HashMap<String, Value>> =
            token.try_into().map_err(|error| said(&error))?;
        let token =
            algorithm.validator::<Said>(key).validate(&token).map_err(|error| said(&error))?;
        self.check_header(token.header())?;
        let options = TimeOptions::new(TimeDelta::seconds(LEEWAY_SECONDS), || self.now);
        let claims = token.claims();
        claims.validate_expiration(&options).map_err(|error| said(&error))?;
        claims.validate_maturity(&options).map_err(|error| said(&error))?;
        self.check_claims(claims)
    }

    fn check_header(&self, header: &Header<HashMap<String, Value>>) -> Result<(), String> {
        let typ = header.token_type.as_deref().unwrap_or_default().to_lowercase();
        let faults = [
            (!["at+jwt", "application/at+jwt"].contains(&&*typ), "typ"),
            (header.key_id.as_ref() != Some(&self.jwk.kid), "kid"),
            (header.key_set_url.is_some() || header.certificate_url.is_some(), "an address"),
            (header.certificate_sha1_thumbprint.is_some(), "x5t"),
            (header.certificate_thumbprint.is_some(), "x5t#S256"),
            (NEVER.iter().any(|never| header.other_fields.contains_key(*never)), "its own rules"),
        ];
        none_of(&faults)
    }

    fn check_claims(&self, claims: &Claims<Said>) -> Result<(), String> {
        let Said { iss, sub, aud, sid, client_id, .. } = &claims.custom;
        let for_us = match aud {
            Audience::One(one) => one == "test",
            Audience::Many(many) => many.iter().any(|one| one == "test"),
        };
        let lifetime = claims.expiration.zip(claims.issued_at).map(|(ends, begins)| ends - begins);
        let longest = TimeDelta::seconds(LONGEST);
        let latest = self.now + TimeDelta::seconds(LEEWAY_SECONDS);
        let faults = [
            (iss != self.issuer, "iss"),
            (!for_us, "aud"),
            (sub.is_nil(), "sub"),
            (sid.is_some() == client_id.is_some(), "of no kind, or of two"),
            (claims.issued_at.is_none_or(|issued| issued > latest), "iat"),
            (lifetime.is_none_or(|time| time <= TimeDelta::zero() || time > longest), "lifetime"),
        ];
        none_of(&faults)
    }
}

fn none_of(faults: &[(bool, &str)]) -> Result<(), String> {
    let fault = faults.iter().find(|(is_fault, _)| *is_fault);
    fault.map_or(Ok(()), |(_, what)| Err((*what).to_owned()))
}

/// What a token of each kind says: the same whenever it is asked.
fn kinds(setup: &Setup) -> [Value; 3] {
    let issuer = &setup.issuer;
    let (user, service, now) = (Uuid::from_u128(7), Uuid::from_u128(8), setup.clock.now());
    let mut kinds = [
        json!(issuer.claims(user, "test", now)),
        json!(issuer.service_claims(service, &["tasks:read"], "test", now)),
        json!(issuer.delegated_claims(user, service, &["tasks:read"], "test", now)),
    ];
    for kind in &mut kinds {
        kind["jti"] = json!(Uuid::from_u128(9));
        if let Some(session) = kind.get_mut("sid") {
            *session = json!(Uuid::from_u128(10));
        }
    }
    kinds
}

fn compare(setup: &Setup) {
    let issuer = &setup.issuer;
    let other = Other { jwk: issuer.jwk().clone(), issuer: issuer.name(), now: setup.clock.now() };
    let kinds = kinds(setup);
    for kind in &kinds {
        let token = issuer.token(kind);
        assert!(setup.verifier.verify(&token).is_ok(), "{kind}");
        assert_eq!(other.believes(&token), Ok(()), "{kind}");
        // And that one does not believe everything.
        let stranger = TestIssuer::new().sign(&issuer.header(), kind);
        assert!(other.believes(&stranger).is_err());
    }
    let mut believed = 0;
    for seed in 0..CHANGED {
        let mut chance = Chance::of(seed, 0);
        let kind = chance.pick(&kinds).clone();
        let token = mutation::of(&mut chance, issuer, &kind);
        if setup.verifier.verify(&token).is_ok() {
            let alg = &issuer.jwk().alg;
            assert_eq!(other.believes(&token), Ok(()), "seed {seed}, {alg}: {token}");
            believed += 1;
        }
    }
    assert!(believed >= BELIEVED, "only {believed} tokens were good");
}

/// What is believed here is believed there, under an Ed25519 key.
#[test]
fn an_independent_verifier_believes_what_ours_does_by_eddsa() {
    compare(&believing(TestIssuer::of_seed(&[7; 32])));
}

/// And under one of P-256.
#[test]
fn an_independent_verifier_believes_what_ours_does_by_es256() {
    compare(&believing(TestIssuer::es256()));
}
