//! The first operator, and any other that is made, or made none, by whoever may call
//! this service's database: nobody has to be asked who does.
//!
//! Invariant: an account that somebody made with another's address becomes no
//! operator's by mistake. Either the address is verified, or the operator says
//! that they know.

use anyhow::bail;
use chrono::{DateTime, Utc};
use shared::{
    database::{Database, Repeat},
    rng,
    secret::Secret,
};

use crate::{
    client::Client, config::Config, email::Email, error::Error, hashing::StoredPassword,
    password::Hasher,
};

/// What became of an account that was to be an operator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It was made.
    New,
    /// It was there, and is an operator's now.
    Granted,
    /// It was an operator's already.
    Kept,
}

/// Makes the account with this e-mail an operator's. If there is none, makes
/// one with the password that `password` reads.
///
/// # Errors
/// In words for the operator: the password is not good enough, or the account is
/// there and its address not verified, which `unverified` says is known.
pub async fn make(
    config: &Config,
    database: &Database,
    email: &Email,
    unverified: bool,
    password: impl FnOnce() -> anyhow::Result<Secret>,
    now: DateTime<Utc>,
) -> anyhow::Result<Made> {
    let mut outcome = put(database, email, None, unverified, now).await?;
    if outcome == "missing" {
        let stored = hash(config, email, &password()?).await?;
        outcome = put(database, email, Some(&stored), unverified, now).await?;
    }
    match outcome.as_str() {
        "made" => Ok(Made::New),
        "granted" => Ok(Made::Granted),
        "kept" => Ok(Made::Kept),
        "unverified" => bail!(
            "there is an account with this address, and nobody has shown that the address is \
             theirs; if you know that it is, say --unverified"
        ),
        other => Err(Error::Impossible(format!("the outcome {other} for an operator")).into()),
    }
}

/// What became of an operator who is to be none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The account is no operator's now, and its sessions are over.
    Done,
    /// It was none.
    Kept,
}

/// Makes the account with this e-mail no operator's any more, and ends its sessions.
///
/// # Errors
/// In words for the operator: there is no such account.
pub async fn revoke(
    database: &Database,
    email: &Email,
    now: DateTime<Utc>,
) -> anyhow::Result<Revoked> {
    let (canonical, client) = (&email.canonical(), &Client::current().json());
    let outcome = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.revoke_operator($1, $2, $3) as "outcome!""#,
            canonical,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    match outcome.await?.as_str() {
        "revoked" => Ok(Revoked::Done),
        "none" => Ok(Revoked::Kept),
        "missing" => bail!("there is no account with this address"),
        other => Err(Error::Impossible(format!("the outcome {other} for an operator")).into()),
    }
}

async fn hash(config: &Config, email: &Email, password: &Secret) -> anyhow::Result<StoredPassword> {
    let words = anyhow::Error::msg;
    let hashing = config.passwords.hashing().map_err(words)?;
    let hasher = Hasher::start(hashing, config.passwords.rules(), 1, 2)?;
    hasher.rules().check_length(password.expose()).map_err(words)?;
    let busy = |_| anyhow::anyhow!("the password cannot be hashed");
    let known = vec![email.as_str().to_owned()];
    if let Some(weakness) = hasher.weakness(password, known).await.map_err(busy)? {
        bail!(weakness);
    }
    hasher.hash(password).await.map_err(busy)
}

async fn put(
    database: &Database,
    email: &Email,
    password: Option<&StoredPassword>,
    unverified: bool,
    now: DateTime<Utc>,
) -> Result<String, Error> {
    let (user, canonical, client) = (rng::uuid_v4(), &email.canonical(), &Client::current().json());
    let hash = password.map(|stored| stored.phc.as_str());
    let pepper = password.map(|stored| stored.pepper_id.as_str());
    let outcome = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.make_operator($1, $2, $3, $4, $5, $6, $7, $8) as "outcome!""#,
            user,
            email.as_str(),
            canonical,
            hash,
            pepper,
            unverified,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(outcome.await?)
}
