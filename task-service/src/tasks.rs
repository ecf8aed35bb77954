//! Tasks: what they are and the calls that make, read and change them. One call
//! is one statement; the statements themselves stand in `functions/`.
//!
//! Invariant: a call names the user whose tasks it is about, and reaches no
//! other's.

use chrono::{DateTime, Utc};
use shared::database::{Database, Lease, Repeat};
use uuid::Uuid;

use crate::{
    due::{Columns, Due},
    error::Error,
    page::List,
    request::RequestId,
    row::{Answer, Row},
    text::{Notes, Title},
};

/// A task as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its id among all tasks.
    pub id: Uuid,
    /// One line.
    pub title: String,
    /// Empty for none.
    pub notes: String,
    /// Whether it is done.
    pub status: Status,
    /// When it is due.
    pub due: Option<Due>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// The place of its last change among all changes of its user.
    pub revision: i64,
}

/// Whether a task is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not yet.
    Open,
    /// It is.
    Done {
        /// Since when.
        at: DateTime<Utc>,
    },
}

/// A task to be made.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Its id.
    pub id: Uuid,
    /// Its title.
    pub title: Title,
    /// Its notes.
    pub notes: Notes,
    /// When it is due.
    pub due: Option<Due>,
}

/// The fields to write; those that are None stay as they are.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The title.
    pub title: Option<Title>,
    /// The notes.
    pub notes: Option<Notes>,
    /// When it is due, `Some(None)` for not at all.
    pub due: Option<Option<Due>>,
}

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

/// The task that a write is about.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its id.
    pub id: Uuid,
    /// The revision that it must still have.
    pub etag: Option<i64>,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was done now; the task as it is after it.
    Now(Task),
    /// An earlier write with the same request id did it; the task as it is by
    /// now, if it still is.
    Earlier(Option<Task>),
}

/// Calls a function that answers with an outcome and a task.
macro_rules! call {
    ($function:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            Answer,
            r#"select outcome as "outcome!", (task).id, (task).title, (task).notes,
                      (task).completed_at, (task).due_date, (task).due_minute, (task).due_zone,
                      (task).created_at, (task).updated_at, (task).rev
               from "# + $function
            $(, $argument)*
        )
    };
}

/// Makes a task.
///
/// # Errors
/// `RequestIdReused`, `Database`.
pub async fn create(database: &Database, write: Write, new: &NewTask) -> Result<Written, Error> {
    let Write { user, now, request } = write;
    let NewTask { id, title, notes, due } = new;
    let Columns { date, minute, zone } = due.as_ref().map(Due::columns).unwrap_or_default();
    let call = |mut connection: Lease| async move {
        call!(
            "api.create_task($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            user,
            now,
            request.map(|request| request.id),
            request.as_ref().map(|request| request.payload.as_slice()),
            id,
            title.as_str(),
            notes.as_str(),
            date,
            minute,
            zone,
        )
        .fetch_one(&mut *connection)
        .await
    };
    database.call(repeat(request), call).await?.written()
}

/// Reads a task, if there is one.
///
/// # Errors
/// `Database`.
pub async fn get(database: &Database, user: Uuid, id: Uuid) -> Result<Option<Task>, Error> {
    let call = |mut connection: Lease| async move {
        call!("api.get_task($1, $2)", user, id).fetch_one(&mut *connection).await
    };
    match database.call(Repeat::Safe, call).await?.written() {
        Ok(Written::Now(task)) => Ok(Some(task)),
        Err(Error::NotFound) => Ok(None),
        Ok(Written::Earlier(_)) => Err(Error::Impossible("a read was answered like a write")),
        Err(error) => Err(error),
    }
}

/// Up to `limit` tasks of a list, newest first, those after `before` only.
///
/// # Errors
/// `Database`.
pub async fn list(
    database: &Database,
    list: List,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Task>, Error> {
    let List { user, done } = list;
    let call = |mut connection: Lease| async move {
        sqlx::query_as!(
            Row,
            r#"select id as "id!", title as "title!", notes as "notes!", completed_at,
                      due_date, due_minute, due_zone,
                      created_at as "created_at!", updated_at as "updated_at!", rev as "rev!"
               from api.list_tasks($1, $2, $3, $4)"#,
            user,
            done,
            before,
            limit,
        )
        .fetch_all(&mut *connection)
        .await
    };
    database.call(Repeat::Safe, call).await?.into_iter().map(Task::try_from).collect()
}

/// Writes fields of a task.
///
/// # Errors
/// `NotFound`, `EtagMismatch`, `RequestIdReused`, `Database`.
pub async fn update(
    database: &Database,
    write: Write,
    target: Target,
    changes: &Changes,
) -> Result<Written, Error> {
    let Write { user, now, request } = write;
    let Target { id, etag } = target;
    let Changes { title, notes, due } = changes;
    let set_due = due.is_some();
    let due = due.as_ref().and_then(Option::as_ref);
    let Columns { date, minute, zone } = due.map(Due::columns).unwrap_or_default();
    let call = |mut connection: Lease| async move {
        call!(
            "api.update_task($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            user,
            now,
            request.map(|request| request.id),
            request.as_ref().map(|request| request.payload.as_slice()),
            id,
            etag,
            title.as_ref().map(Title::as_str),
            notes.as_ref().map(Notes::as_str),
            set_due,
            date,
            minute,
            zone,
        )
        .fetch_one(&mut *connection)
        .await
    };
    database.call(repeat(request), call).await?.written()
}

/// Marks a task as done, or as open again.
///
/// # Errors
/// `NotFound`, `EtagMismatch`, `RequestIdReused`, `Database`.
pub async fn set_done(
    database: &Database,
    write: Write,
    target: Target,
    done: bool,
) -> Result<Written, Error> {
    let Write { user, now, request } = write;
    let Target { id, etag } = target;
    let call = |mut connection: Lease| async move {
        call!(
            "api.set_task_done($1, $2, $3, $4, $5, $6, $7)",
            user,
            now,
            request.map(|request| request.id),
            request.as_ref().map(|request| request.payload.as_slice()),
            id,
            etag,
            done,
        )
        .fetch_one(&mut *connection)
        .await
    };
    database.call(repeat(request), call).await?.written()
}

/// Deletes a task. Its contents go at once.
///
/// # Errors
/// `NotFound`, `EtagMismatch`, `RequestIdReused`, `Database`.
pub async fn delete(database: &Database, write: Write, target: Target) -> Result<Written, Error> {
    let Write { user, now, request } = write;
    let Target { id, etag } = target;
    let call = |mut connection: Lease| async move {
        call!(
            "api.delete_task($1, $2, $3, $4, $5, $6)",
            user,
            now,
            request.map(|request| request.id),
            request.as_ref().map(|request| request.payload.as_slice()),
            id,
            etag,
        )
        .fetch_one(&mut *connection)
        .await
    };
    database.call(repeat(request), call).await?.written()
}

/// A write without a request id, done twice, would show.
fn repeat(request: Option<RequestId>) -> Repeat {
    if request.is_some() { Repeat::Safe } else { Repeat::Unsafe }
}
