//! Removing what is left of deleted users, share by share: what was more than the
//! deletion itself removed, and what calls wrote that ran beside it.
//!
//! Invariant: each share is a statement of its own, so that none takes long, and
//! one user's fault keeps no other from being forgotten.

use chrono::{DateTime, Utc};
use shared::database::{Database, Repeat};
use uuid::Uuid;

use crate::error::Error;

/// How many rows of a table one statement removes.
const ROWS: i64 = 1000;
/// How many users are read at once.
const USERS: i64 = 100;

/// Goes on with a deletion that was too large for one statement.
pub(super) async fn go_on(database: &Database, user: Uuid, now: DateTime<Utc>) {
    if let Err(error) = forget(database, user, now).await {
        tracing::warn!(%error, "A deleted account is not forgotten yet; the sweep goes on with it.");
    }
}

/// Forgets all users of whom something is left.
pub(super) async fn all(database: &Database, now: DateTime<Utc>) -> Result<(), Error> {
    let (mut after, mut failed) = (None, None);
    loop {
        let users = unforgotten(database, after).await?;
        let Some(last) = users.last() else { break };
        after = Some(*last);
        for user in users {
            if let Err(error) = forget(database, user, now).await {
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn forget(database: &Database, user: Uuid, now: DateTime<Utc>) -> Result<(), Error> {
    loop {
        let removed = database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query_scalar!(
                r#"select api.forget_user($1, $2, $3) as "removed!""#,
                user,
                ROWS,
                now
            )
            .fetch_one(&mut *connection)
            .await
        });
        if removed.await? == 0 {
            return Ok(());
        }
    }
}

async fn unforgotten(database: &Database, after: Option<Uuid>) -> Result<Vec<Uuid>, Error> {
    let users = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select user_id as "user_id!" from api.unforgotten_users($1, $2)"#,
            after,
            USERS
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(users.await?)
}
