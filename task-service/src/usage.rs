//! How much a user has. What is in the bin does not count.
//!
//! Invariant: these are the numbers that quotas are held against.

use shared::database::{Database, Lease, Repeat};
use uuid::Uuid;

use crate::error::Error;

/// How much a user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Tasks, open and closed.
    pub tasks: i64,
    /// Lists besides the inbox, archived ones too.
    pub lists: i64,
    /// Tasks that are open.
    pub open_tasks: i64,
}

/// Reads how much a user has.
///
/// # Errors
/// `Database`.
pub async fn of(database: &Database, user: Uuid) -> Result<Usage, Error> {
    let call = |mut connection: Lease| async move {
        sqlx::query_as!(
            Usage,
            r#"select tasks as "tasks!", lists as "lists!", open_tasks as "open_tasks!"
               from api.get_usage($1)"#,
            user,
        )
        .fetch_one(&mut *connection)
        .await
    };
    Ok(database.call(Repeat::Safe, call).await?)
}
