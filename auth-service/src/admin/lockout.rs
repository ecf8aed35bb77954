//! People who cannot sign in any more, because their second factor is gone or is a
//! thief's, and whom whoever may call this service's database lets in again.
//!
//! Invariant: the owner is told by mail, and the account's log says so.

use anyhow::bail;
use chrono::{DateTime, Utc};
use shared::database::{Database, Repeat};

use crate::{
    client::Client,
    email::Email,
    error::Error,
    mail::{Draft, Mail},
};

/// What became of the second factors of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// They are gone, and the sessions are over.
    Done,
    /// There were none.
    None,
}

/// Removes every second factor of the account with this e-mail, and ends its
/// sessions.
///
/// # Errors
/// In words for the operator: there is no such account.
pub async fn drop_factors(
    database: &Database,
    email: &Email,
    now: DateTime<Utc>,
) -> anyhow::Result<Dropped> {
    let notice = Draft::notice(now, Mail::FactorRemoved { device: String::new() });
    let (canonical, client) = (&email.canonical(), &Client::current().telling(&notice).json());
    let outcome = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.drop_factors_of($1, $2, $3) as "outcome!""#,
            canonical,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    match outcome.await?.as_str() {
        "dropped" => Ok(Dropped::Done),
        "none" => Ok(Dropped::None),
        "missing" => bail!("there is no account with this address"),
        other => Err(Error::Impossible(format!("the outcome {other} for second factors")).into()),
    }
}
