//! What happened to an account, as its owner sees it: the audit log of the user.

use chrono::{DateTime, Utc};
use serde_json::Value;
use shared::database::{Database, Repeat};
use uuid::Uuid;

use crate::{error::Error, sessions::Caller};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Activity {
    /// Its place among all that happened to the user, from 1 on.
    pub sequence: i64,
    /// What it was.
    pub kind: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// The network that it came from.
    pub address_prefix: String,
    /// By what, in words.
    pub device_label: String,
    /// The session that it was about.
    pub session: Option<Uuid>,
    /// What else there is to say.
    pub details: Value,
}

/// What happened to the caller's account, newest first, at most `limit`, from
/// the one after `before` on.
///
/// # Errors
/// `SessionOver`.
pub async fn list(
    database: &Database,
    caller: &Caller,
    before: Option<i64>,
    limit: u16,
) -> Result<Vec<Activity>, Error> {
    let &Caller { user, session, now, .. } = caller;
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Activity,
            r#"select sequence as "sequence!", kind as "kind!", created_at as "created_at!",
                address_prefix as "address_prefix!", device_label as "device_label!",
                session_id as session, details as "details!"
            from api.list_activity($1, $2, $3, $4, $5)"#,
            user,
            session,
            before,
            i64::from(limit),
            now
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(rows.await?)
}
