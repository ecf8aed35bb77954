//! Access tokens as this service issues them (RFC 9068). What verifiers demand
//! of them stands in `shared::verify`.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    error::Failure,
    rng,
    secret::Secret,
    verify::{Claims, ServiceClaims, Token},
};
use uuid::Uuid;

use crate::{
    config::AUDIENCE,
    delegation::{self, Asked},
    service_accounts::admission::Admitted,
    signing::SigningKey,
};

/// The scope of operators.
pub const ADMIN: &str = "admin";

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
    /// Whether the user is an operator of this service.
    pub is_admin: bool,
    /// When the user last proved who they are.
    pub auth_time: DateTime<Utc>,
    /// How they did (RFC 8176).
    pub amr: Vec<String>,
    /// When the session ends by itself; no token outlives it.
    pub session_ends_at: DateTime<Utc>,
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
        let Subject {
            user,
            session,
            email,
            email_verified,
            is_admin,
            auth_time,
            amr,
            session_ends_at,
        } = subject;
        let issued = now.timestamp();
        let expires = (now + TimeDelta::from_std(self.lifetime)?).min(session_ends_at);
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
            scope: if is_admin { ADMIN.to_owned() } else { String::new() },
        };
        Ok((Secret::from(key.sign(&claims)?), expires))
    }

    /// Signs a token for a service, which allows these scopes and is for these
    /// services; tells when it expires.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn issue_to_service(
        &self,
        key: &SigningKey,
        account: Admitted,
        asked: Asked,
    ) -> anyhow::Result<(Secret, DateTime<Utc>)> {
        let Admitted { id, name, scopes: _, issued_at } = account;
        let Asked { audience, scopes } = asked;
        let issued = issued_at.timestamp();
        let expires = issued_at + TimeDelta::from_std(self.lifetime)?;
        let claims = ServiceClaims {
            iss: self.issuer.clone(),
            sub: id,
            aud: audience,
            exp: expires.timestamp(),
            iat: issued,
            nbf: issued,
            jti: rng::uuid_v4(),
            client_id: name,
            scope: scopes.join(" "),
            act: None,
        };
        Ok((Secret::from(key.sign(&claims)?), expires))
    }

    /// Signs a token with which this service itself acts for the user whose
    /// token says `claims`: for calls to one other service, until that token
    /// expires at the latest.
    ///
    /// # Errors
    /// As `delegation::exchange`; INTERNAL if the key cannot sign.
    pub fn act_for(
        &self,
        key: &SigningKey,
        claims: &Claims,
        service: &str,
        scopes: &[&str],
        now: DateTime<Utc>,
    ) -> Result<Secret, Failure> {
        let acting = delegation::issuer_itself(AUDIENCE, scopes, claims.exp);
        let asked = Asked { audience: vec![service.to_owned()], scopes: acting.scopes.clone() };
        let subject = Token::User(claims.clone());
        let token = delegation::exchange(&subject, acting, asked, self.lifetime, now)?;
        key.sign(&token).map(Secret::from).map_err(Failure::internal)
    }
}
