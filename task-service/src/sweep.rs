//! Purging what is kept for a time only: deleted tasks and lists after 30 days,
//! request ids after 24 hours. Late is harmless; several replicas may do it at
//! once.

use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    clock::Clock,
    database::{Database, Lease, Repeat},
};
use uuid::Uuid;

use crate::error::Error;

/// How often it is done.
const INTERVAL: TimeDelta = TimeDelta::hours(1);
/// Users per call, so that no call takes long.
const USERS: i64 = 500;
/// Rows per call, and a little more.
const ROWS: i64 = 2000;

/// How much was purged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Deleted tasks and lists.
    pub tombstones: i64,
    /// Request ids.
    pub requests: i64,
}

/// Purges once an hour, until it is dropped.
pub async fn run(database: &Database, clock: &dyn Clock) {
    loop {
        let now = clock.now();
        match sweep(database, now).await {
            Ok(Purged { tombstones, requests }) => {
                tracing::debug!(tombstones, requests, "Purged what is kept for a time only.");
            }
            Err(error) => tracing::warn!(%error, "Purging failed; the next hour tries again."),
        }
        clock.sleep_until(now + INTERVAL).await;
    }
}

/// Purges everything that is due at `now`.
///
/// # Errors
/// `Database`. What was purged until then stays purged.
pub async fn sweep(database: &Database, now: DateTime<Utc>) -> Result<Purged, Error> {
    let mut purged = Purged::default();
    let mut after: Option<Uuid> = None;
    loop {
        let call = |mut connection: Lease| async move {
            sqlx::query!(
                r#"select last_user, tombstones as "tombstones!", requests as "requests!"
                   from api.sweep($1, $2, $3, $4)"#,
                now,
                after,
                USERS,
                ROWS,
            )
            .fetch_one(&mut *connection)
            .await
        };
        let swept = database.call(Repeat::Safe, call).await?;
        purged.tombstones += swept.tombstones;
        purged.requests += swept.requests;
        if swept.last_user.is_none() {
            return Ok(purged);
        }
        after = swept.last_user;
    }
}
