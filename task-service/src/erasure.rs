//! Erasing users whose account is gone, for whoever is told to.
//!
//! Invariant: what is said to be erased is. The mark that nothing is written for
//! the user any more comes first and everything else goes after it, in steps
//! that may be begun anew at any time: after a failure, by another replica.

use std::pin::Pin;

use chrono::{DateTime, Utc};
use shared::{
    clock::SharedClock,
    database::{Database, Lease, Repeat},
    trust::Erase,
};
use uuid::Uuid;

use crate::{error::Error, feed::Feed};

/// Rows per call.
const ROWS: i64 = 1000;

/// What erases. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Eraser {
    database: Database,
    clock: SharedClock,
    feed: Feed,
}

impl Eraser {
    /// One that has those who watch the user told that everything is gone.
    #[must_use]
    pub const fn new(database: Database, clock: SharedClock, feed: Feed) -> Self {
        Self { database, clock, feed }
    }

    /// Erases everything that a user has. When this returns, nothing is left and
    /// nothing more will come; doing it again is no fault.
    ///
    /// # Errors
    /// `Database`; then call it again. What was erased until then is gone.
    pub async fn erase(&self, user: Uuid) -> Result<(), Error> {
        let now = self.clock.now();
        loop {
            let (is_done, head) = step(&self.database, user, now).await?;
            if is_done {
                self.feed.changed(user, head);
                return Ok(());
            }
        }
    }
}

impl Erase for Eraser {
    fn erase(&self, user: Uuid) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + '_>> {
        Box::pin(async move { Ok(self.erase(user).await?) })
    }
}

/// Whether a user was erased.
///
/// # Errors
/// `Database`.
pub(crate) async fn is_erased(database: &Database, user: Uuid) -> Result<bool, Error> {
    let call = |mut connection: Lease| async move {
        sqlx::query_scalar!(r#"select api.is_erased($1) as "is_erased!""#, user)
            .fetch_one(&mut *connection)
            .await
    };
    Ok(database.call(Repeat::Safe, call).await?)
}

async fn step(database: &Database, user: Uuid, now: DateTime<Utc>) -> Result<(bool, i64), Error> {
    let call = |mut connection: Lease| async move {
        sqlx::query!(
            r#"select is_done as "is_done!", head as "head!" from api.erase_user($1, $2, $3)"#,
            user,
            now,
            ROWS,
        )
        .fetch_one(&mut *connection)
        .await
    };
    let row = database.call(Repeat::Safe, call).await?;
    Ok((row.is_done, row.head))
}
