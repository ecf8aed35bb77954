//! Access tokens as this service issues them (RFC 9068). What verifiers demand
//! of them stands in `shared::verify`.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shared::{rng, secret::Secret, verify::Claims};
use uuid::Uuid;

use crate::signing::SigningKey;

/// What every token of this service says.
#[derive(Clone, Debug)]
pub struct Issuing {
    /// Who issues them.
    pub issuer: String,
    /// The services they are for.
    pub audience: Vec<String>,
    /// How long they are good.
    pub lifetime: Duration,
}

/// Whom a token is about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The user's id.
    pub user: Uuid,
    /// The session's id.
    pub session: Uuid,
    /// The user's e-mail address.
    pub email: String,
    /// Whether the address is known to be the user's.
    pub email_verified: bool,
    /// When the user last proved who they are.
    pub auth_time: DateTime<Utc>,
    /// How they did (RFC 8176).
    pub amr: Vec<String>,
}

impl Issuing {
    /// Signs a token, and tells when it expires.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn issue(
        &self,
        key: &SigningKey,
        subject: Subject,
        now: DateTime<Utc>,
    ) -> anyhow::Result<(Secret, DateTime<Utc>)> {
        let Subject { user, session, email, email_verified, auth_time, amr } = subject;
        let issued = now.timestamp();
        let expires = now + TimeDelta::from_std(self.lifetime)?;
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: user,
            aud: self.audience.clone(),
            exp: expires.timestamp(),
            iat: issued,
            nbf: issued,
            jti: rng::uuid_v4(),
            sid: session,
            auth_time: auth_time.timestamp(),
            amr,
            email,
            email_verified,
            scope: String::new(),
        };
        Ok((Secret::from(key.sign(&claims)?), expires))
    }
}
