//! Deletions of accounts: their types, their rules, and their calls to the
//! database. What services confirm comes in here from the trust feed.
//!
//! Invariant: once `delete` has returned, nobody can sign in, and of the account
//! itself nothing is stored but `Deletion` and what `forgetting` says is on its way
//! out. What mentions it elsewhere is listed in SECURITY.md.

mod forgetting;
pub mod open;
pub mod receipt;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use shared::database::{Database, Repeat};
use uuid::Uuid;

use self::receipt::ReceiptToken;
use crate::{email::Email, error::Error, sessions::Caller};

/// How long a deletion is remembered.
const REMEMBERED: TimeDelta = TimeDelta::days(366);
/// How many deletions one statement looks at.
const SWEPT_AT_ONCE: i64 = 200;
/// After this time an erasure that is not confirmed is late.
const LATE: TimeDelta = TimeDelta::days(1);
/// How many erasures are told at once.
const TOLD_AT_ONCE: i64 = 500;

/// A wish to delete an account.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The address of the account, typed in again.
    pub email: Email,
    /// What the client calls the request.
    pub request: Uuid,
    /// With what its course can be asked for.
    pub receipt: ReceiptToken,
    /// The services that have to erase what they have, by the names of their
    /// accounts.
    pub services: Vec<String>,
    /// What the owner is told by mail, as `data.send_mail` takes it.
    pub mail: Option<Value>,
}

/// How far a deletion has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Whose account it was.
    pub user: Uuid,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// The services that have to erase what they have, by their names.
    pub erasures: Vec<Erasure>,
}

/// What one service has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The name of its account.
    pub service: String,
    /// When it confirmed that it has nothing any more.
    pub erased_at: Option<DateTime<Utc>>,
    /// When an operator said that nobody waits for it any more.
    pub closed_at: Option<DateTime<Utc>>,
}

/// Deletes the caller's account. The same wish once more changes nothing. What is
/// more than one statement removes goes right after it, or with the next sweep.
///
/// # Errors
/// `SessionOver`, `EmailMismatch`.
pub async fn delete(database: &Database, caller: &Caller, wish: &Wish) -> Result<(), Error> {
    let &Caller { user, session, now, .. } = caller;
    let Wish { email, request, receipt, services, mail } = wish;
    let (canonical, hash, mail) = (&email.canonical(), &receipt.hash(), mail.as_ref());
    let outcome = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.delete_user($1, $2, $3, $4, $5, $6, $7, $8) as "outcome!""#,
            user,
            session,
            canonical,
            request,
            hash,
            services,
            mail,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    match outcome.await?.as_str() {
        "deleted" => Ok(()),
        "left" => {
            let database = database.clone();
            tokio::spawn(async move { forgetting::go_on(&database, user, now).await });
            Ok(())
        }
        "wrong_email" => Err(Error::EmailMismatch),
        other => Err(Error::Impossible(format!("a deletion with the outcome {other}"))),
    }
}

/// How far the deletion with this receipt has come.
///
/// # Errors
/// `ReceiptNotFound`.
pub async fn read(
    database: &Database,
    receipt: &ReceiptToken,
    now: DateTime<Utc>,
) -> Result<Deletion, Error> {
    let (user, hash) = (receipt.user(), &receipt.hash());
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            r#"select requested_at as "requested_at!", service, erased_at, closed_at
            from api.deletion($1, $2, $3)"#,
            user,
            hash,
            now
        )
        .fetch_all(&mut *connection)
        .await
    });
    let rows = rows.await?;
    let requested_at = rows.first().ok_or(Error::ReceiptNotFound)?.requested_at;
    let erasures = rows.into_iter().filter_map(|row| {
        let (erased_at, closed_at) = (row.erased_at, row.closed_at);
        Some(Erasure { service: row.service?, erased_at, closed_at })
    });
    Ok(Deletion { user, requested_at, erasures: erasures.collect() })
}

/// The users of whom a service has not confirmed yet that it erased everything,
/// in the order of their ids, from the one after `after` on.
///
/// # Errors
/// Those of the database.
pub async fn pending(
    database: &Database,
    service: Uuid,
    after: Option<Uuid>,
) -> Result<Vec<Uuid>, Error> {
    let users = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select user_id as "user_id!" from api.pending_erasures($1, $2, $3)"#,
            service,
            after,
            TOLD_AT_ONCE
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(users.await?)
}

/// Notes that a service has nothing of a user any more. False if it was not
/// asked to erase this one.
///
/// # Errors
/// Those of the database.
pub async fn confirm(
    database: &Database,
    user: Uuid,
    service: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let confirmed = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.confirm_erasure($1, $2, $3) as "confirmed!""#,
            user,
            service,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    let confirmed = confirmed.await?;
    if confirmed {
        tracing::info!(service.id = %service, "A service has erased a user.");
    }
    Ok(confirmed)
}

/// Removes what is left of deleted accounts, and deletions of long ago for which
/// nobody is waited.
///
/// # Errors
/// Those of the database.
pub async fn sweep(database: &Database, now: DateTime<Utc>) -> Result<(), Error> {
    forgetting::all(database, now).await?;
    let (before, late_before) = (now - REMEMBERED, now - LATE);
    let (mut after, mut late): (Option<Uuid>, i64) = (None, 0);
    loop {
        let swept = database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query!(
                r#"select last_user, late as "late!" from api.sweep_deletions($1, $2, $3, $4)"#,
                before,
                late_before,
                after,
                SWEPT_AT_ONCE
            )
            .fetch_one(&mut *connection)
            .await
        });
        let swept = swept.await?;
        late += swept.late;
        after = swept.last_user;
        if after.is_none() {
            break;
        }
    }
    if late > 0 {
        tracing::warn!(
            deletions.late = late,
            "Services have not erased what they have of users who were deleted more than a day \
             ago: see `auth-service erasures list`."
        );
    }
    Ok(())
}

impl Deletion {
    /// Whether nobody is waited for: every service has confirmed, or an operator
    /// has closed what it did not.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.erasures.iter().all(|it| it.erased_at.is_some() || it.closed_at.is_some())
    }
}
