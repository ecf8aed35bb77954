//! The calls that make, read and change tasks. One call is one statement; the
//! statements themselves stand in `functions/`.
//!
//! Invariant: a call names the user whose tasks it is about, and reaches no
//! other's.

use chrono::{DateTime, Utc};
use shared::database::{Database, Lease, Repeat};
use uuid::Uuid;

use crate::{
    error::Error,
    request::RequestId,
    row::{row, task_query},
    task::Task,
};

/// Who writes, when, and under which request id.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    /// Whose tasks.
    pub user: Uuid,
    /// The present time.
    pub now: DateTime<Utc>,
    /// Makes the write repeatable.
    pub request: Option<RequestId>,
}

/// Reads a task, one in the bin too, if there is one.
///
/// # Errors
/// `Database`.
pub async fn get(database: &Database, user: Uuid, id: Uuid) -> Result<Option<Task>, Error> {
    let call = |mut connection: Lease| async move {
        task_query!("outcome as ignored," "api.get_task($1, $2)", user, id)
            .fetch_one(&mut *connection)
            .await
    };
    let record = database.call(Repeat::Safe, call).await?;
    row!(record).task()
}
