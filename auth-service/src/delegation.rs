//! The rules by which a token is exchanged for one with which a service acts for
//! its subject (RFC 8693). No I/O: whether subject and actor still live is asked
//! before.
//!
//! Invariant: the new token says less than each that it came from, in every
//! respect, and never outlives them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use shared::{
    error::{Failure, Reason},
    rng,
    verify::{Actor, Claims, DelegatedClaims, MAX_ACTORS, ServiceClaims, Token},
};
use uuid::Uuid;

/// The scope that lets a service exchange tokens.
pub const EXCHANGE: &str = "token:exchange";

/// What a user may do without a scope, and so may have a service do.
const OF_EVERY_USER: [&str; 2] = ["tasks:read", "tasks:write"];

/// Who exchanges: a service, and what its account and its token allow.
#[derive(Clone, Debug)]
pub struct Acting {
    /// The service.
    pub actor: Actor,
    /// What both its account and its token allow.
    pub scopes: Vec<String>,
    /// When its own token expires, in seconds since 1970.
    pub expires_at: i64,
}

/// What the new token is asked to be good for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The services that are called with it.
    pub audience: Vec<String>,
    /// What it allows.
    pub scopes: Vec<String>,
}

/// What the token says that `acting` gets for `subject`.
///
/// # Errors
/// SCOPE_MISSING if it would say more than it may; FIELD_INVALID if too many
/// would act; TOKEN_EXPIRED.
pub fn exchange(
    subject: &Token,
    acting: Acting,
    asked: Asked,
    lifetime: Duration,
    now: DateTime<Utc>,
) -> Result<Token, Failure> {
    let Asked { audience, scopes } = asked;
    if let Some(wide) = audience.iter().find(|service| !subject.audience().contains(service)) {
        return Err(too_much("audience", wide));
    }
    let allowed = |scope: &String| acting.scopes.contains(scope) && may_delegate(subject, scope);
    if let Some(wide) = scopes.iter().find(|scope| !allowed(scope)) {
        return Err(too_much("scope", wide));
    }
    if subject.actors().count() >= MAX_ACTORS {
        let much = format!("At most {MAX_ACTORS} services may act one for the other.");
        return Err(Failure::field(Reason::FieldInvalid, "subject_token", much));
    }
    let iat = now.timestamp();
    let lifetime = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    let exp = iat.saturating_add(lifetime).min(subject.expires_at()).min(acting.expires_at);
    if exp <= iat {
        return Err(Failure::new(Reason::TokenExpired, "The token has expired."));
    }
    let scope = scopes.join(" ");
    let actor = |before: Option<&Actor>| Actor {
        act: before.cloned().map(Box::new),
        ..acting.actor.clone()
    };
    let jti = rng::uuid_v4();
    Ok(match subject {
        Token::User(Claims { iss, sub, sid, .. }) => {
            let (iss, sub, sid, act) = (iss.clone(), *sub, *sid, actor(None));
            let aud = audience;
            let nbf = iat;
            Token::Delegated(DelegatedClaims { iss, sub, aud, exp, iat, nbf, jti, sid, act, scope })
        }
        Token::Delegated(before) => Token::Delegated(DelegatedClaims {
            aud: audience,
            exp,
            iat,
            nbf: iat,
            jti,
            act: actor(Some(&before.act)),
            scope,
            ..before.clone()
        }),
        Token::Service(before) => Token::Service(ServiceClaims {
            aud: audience,
            exp,
            iat,
            nbf: iat,
            jti,
            act: Some(actor(before.act.as_ref())),
            scope,
            ..before.clone()
        }),
    })
}

/// The issuer itself, acting for a user who asked it to.
#[must_use]
pub fn issuer_itself(name: &str, scopes: &[&str], until: i64) -> Acting {
    Acting {
        actor: Actor { sub: Uuid::nil(), client_id: name.to_owned(), act: None },
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        expires_at: until,
    }
}

/// Whether the subject may do it, and so may let others do it.
fn may_delegate(subject: &Token, scope: &str) -> bool {
    let of_every_user = matches!(subject, Token::User(_)) && OF_EVERY_USER.contains(&scope);
    of_every_user || subject.scopes().any(|has| has == scope)
}

/// A refusal to say more than the tokens that were shown.
pub fn too_much(what: &str, wide: &str) -> Failure {
    Failure::new(Reason::ScopeMissing, "A token cannot be made to allow more.").metadata(what, wide)
}
