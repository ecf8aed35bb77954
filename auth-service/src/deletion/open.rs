//! Erasures that services owe, for the operator at the machine: a service that is
//! gone for good never confirms, and somebody has to say so.

use chrono::{DateTime, Utc};
use shared::database::{Database, Repeat};
use uuid::Uuid;

use crate::{client::Client, error::Error, service_accounts::AccountName};

/// How many are read at once.
const READ_AT_ONCE: i64 = 500;

/// An erasure that is neither confirmed nor closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Whose account it was.
    pub user: Uuid,
    /// The service that has not confirmed.
    pub service: String,
    /// When the deletion was asked for.
    pub requested_at: DateTime<Utc>,
}

/// A page of them, by user and service, from after `after` on; empty at the end.
///
/// # Errors
/// Those of the database.
pub async fn list(database: &Database, after: Option<&Owed>) -> Result<Vec<Owed>, Error> {
    let (user, service) = after.map(|owed| (owed.user, owed.service.as_str())).unzip();
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Owed,
            r#"select user_id as "user!", service as "service!", requested_at as "requested_at!"
            from api.open_erasures($1, $2, $3)"#,
            user,
            service,
            READ_AT_ONCE
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(rows.await?)
}

/// Has nobody wait for the service any more. The receipt says so, and not that it
/// has erased anything. False if nobody waits for it.
///
/// # Errors
/// Those of the database.
pub async fn close(
    database: &Database,
    user: Uuid,
    service: &AccountName,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let (service, client) = (service.as_str(), &Client::current().json());
    let closed = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.close_erasure($1, $2, $3, $4) as "closed!""#,
            user,
            service,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(closed.await?)
}
