//! Who gets a token as a service, and whether what tokens of services live with
//! is still there.
//!
//! Invariant: whatever a caller shows that is not good is refused alike, and a
//! refusal is in the audit log at most once a minute for each account.

use chrono::{DateTime, Utc};
use shared::{
    database::{Database, Repeat},
    jwk::Jwk,
    verify::{Actor, Token},
};
use uuid::Uuid;

use super::{
    assertion::{Assertion, Proven},
    impossible,
    secret::ServiceSecret,
};
use crate::{client::Client, error::Error};

/// A service account that proved which one it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When its token is issued.
    pub issued_at: DateTime<Utc>,
}

struct AdmittedRow {
    account_id: Option<Uuid>,
    name: Option<String>,
    scopes: Option<Vec<String>>,
    issued_at: Option<DateTime<Utc>>,
    noted: bool,
}

impl AdmittedRow {
    fn admitted(self, name: &str) -> Result<Admitted, Error> {
        if self.noted {
            tracing::warn!(service.account = name, "A service account was refused.");
        }
        let admitted = || {
            Some(Admitted {
                id: self.account_id?,
                name: self.name?,
                scopes: self.scopes?,
                issued_at: self.issued_at?,
            })
        };
        admitted().ok_or(Error::WrongCredentials)
    }
}

/// The account whose secret this is.
///
/// # Errors
/// `WrongCredentials`.
pub async fn admit_by_secret(
    database: &Database,
    secret: &ServiceSecret,
    now: DateTime<Utc>,
) -> Result<Admitted, Error> {
    let (name, hash) = (secret.account().as_str(), secret.hash());
    let (hash, client) = (hash.as_slice(), &Client::current().json());
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            AdmittedRow,
            r#"select account_id, name, scopes, issued_at, noted as "noted!"
            from api.admit_service_by_secret($1, $2, $3, $4)"#,
            name,
            hash,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    row.await?.admitted(name)
}

/// The account that signed this assertion, which is used by that. Two
/// statements, whatever comes of it: between them the signature is checked.
///
/// # Errors
/// `WrongCredentials`.
pub async fn admit_by_assertion(
    database: &Database,
    assertion: &Assertion<'_>,
    issuer: &str,
    now: DateTime<Utc>,
) -> Result<Admitted, Error> {
    let name = assertion.account().as_str();
    let keys = keys_of(database, name).await?;
    let proven = assertion.check(&keys, issuer, now).map_err(|check| {
        tracing::debug!(check, "An assertion was refused.");
    });
    let Proven { kid, jti, expires_at } = &proven.unwrap_or_default();
    let client = &Client::current().json();
    // If the answer is lost, the assertion may have been used.
    let row = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_as!(
            AdmittedRow,
            r#"select account_id, name, scopes, issued_at, noted as "noted!"
            from api.admit_service_by_assertion($1, $2, $3, $4, $5, $6)"#,
            name,
            kid.as_deref(),
            jti.as_deref(),
            *expires_at,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    row.await?.admitted(name)
}

async fn keys_of(database: &Database, name: &str) -> Result<Vec<Jwk>, Error> {
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(r#"select public_key as "public_key!" from api.service_keys($1)"#, name)
            .fetch_all(&mut *connection)
            .await
    });
    let keys = rows.await?.into_iter().map(serde_json::from_value).collect::<Result<_, _>>();
    keys.map_err(impossible)
}

/// Whether everything lives that this token lives with: session and accounts.
///
/// # Errors
/// Those of the database.
pub async fn token_lives(
    database: &Database,
    token: &Token,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let Living { user, session, accounts, issued_at } = &Living::of(token);
    let lives = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.token_lives($1, $2, $3, $4, $5) as "lives!""#,
            *user,
            *session,
            accounts,
            issued_at,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(lives.await?)
}

/// The service that may act with its token `actor` for the subject of the token
/// `subject`, and everything that it may do by its account.
///
/// # Errors
/// `SubjectOver`, `ActorOver`: what the token lives with is gone.
pub async fn actor_for(
    database: &Database,
    subject: &Token,
    actor: &Token,
    now: DateTime<Utc>,
) -> Result<(Actor, Vec<String>), Error> {
    let Living { user, session, accounts, issued_at } = &Living::of(subject);
    let (id, actor_issued_at) = (actor.subject(), Living::of(actor).issued_at);
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            r#"select subject_lives as "subject_lives!", actor_name, actor_scopes
            from api.exchange_token($1, $2, $3, $4, $5, $6, $7)"#,
            *user,
            *session,
            accounts,
            issued_at,
            id,
            actor_issued_at,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    let row = row.await?;
    let (Some(name), Some(scopes)) = (row.actor_name, row.actor_scopes) else {
        return Err(Error::ActorOver);
    };
    if !row.subject_lives {
        return Err(Error::SubjectOver);
    }
    Ok((Actor { sub: id, client_id: name, act: None }, scopes))
}

/// What a token lives with.
struct Living {
    user: Option<Uuid>,
    session: Option<Uuid>,
    accounts: Vec<Uuid>,
    issued_at: DateTime<Utc>,
}

impl Living {
    fn of(token: &Token) -> Self {
        let (user, session) = token.session().unzip();
        let issued_at = DateTime::from_timestamp(token.issued_at(), 0).unwrap_or_default();
        Self { user, session, accounts: token.service_accounts().collect(), issued_at }
    }
}
