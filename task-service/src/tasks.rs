//! The calls that make, read and change tasks. One call is one statement, two
//! where a task that recurs is closed; the statements themselves stand in
//! `functions/`.
//!
//! Invariant: a call names the user whose tasks it is about, and reaches no
//! other's.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use shared::database::{Database, Lease, Repeat};
use uuid::Uuid;

use crate::{
    due::{Columns, Due},
    error::Error,
    operations::{Change, NewTask, Next, Operation, Recurring, steps},
    request::RequestId,
    row::{Row, row, task_query},
    task::Task,
};

/// How often a batch is made again because of what its tasks turned out to be:
/// once, where some recur, however many; once more, where some lie below each
/// other; and whenever somebody changed those that recur meanwhile.
const ATTEMPTS: usize = 16;

/// Who writes, when, and under which request id.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    /// Whose tasks.
    pub user: Uuid,
    /// The present time.
    pub now: DateTime<Utc>,
    /// Makes the write repeatable.
    pub request: Option<RequestId>,
    /// How many tasks the user may have.
    pub quota: u32,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// For each operation its task as it is now, if it still is.
    pub tasks: Vec<Option<Task>>,
    /// The occurrences that were made by closing others, with the place of the
    /// operation.
    pub next: Vec<(usize, Task)>,
    /// Whether an earlier write with the same request id did it.
    pub replay: bool,
    /// The revision of the user's last change.
    pub head: i64,
}

/// Why a write was refused.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub error: Error,
    /// Because of which operation, if it was one.
    pub op: Option<usize>,
}

/// Makes a task: the frequent kind, in the inbox, that does not recur.
///
/// # Errors
/// `RequestIdReused`, `TaskQuota`, `Database`.
pub async fn create(
    database: &Database,
    write: Write,
    id: Uuid,
    new: &NewTask,
) -> Result<Written, Error> {
    let Write { user, now, request, quota } = write;
    let NewTask { title, notes, due, list: _, parent: _, priority, labels, repeat: _ } = new;
    let Columns { date, minute, zone } = due.as_ref().map(Due::columns).unwrap_or_default();
    let call = |mut connection: Lease| async move {
        task_query!(
            "outcome as \"outcome!\","
            "api.create_task($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
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
            priority.number(),
            labels.as_slice(),
            i64::from(quota),
        )
        .fetch_one(&mut *connection)
        .await
    };
    let record = database.call(repeat(request), call).await?;
    let replay = match record.outcome.as_str() {
        "ok" => false,
        "replayed" => true,
        outcome => return Err(refused(outcome, "")),
    };
    let task = row!(record).task()?;
    let head = task.as_ref().map_or(0, |task| task.revision);
    Ok(Written { tasks: vec![task], next: Vec::new(), replay, head })
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

/// Makes changes, all or none. A task that recurs is closed at the second
/// attempt, when it is known what it is like and so when it comes again.
///
/// # Errors
/// See `Refusal`; the errors are those of `refused`, and `Database`.
pub async fn mutate(
    database: &Database,
    write: Write,
    operations: &[Operation],
) -> Result<Written, Refusal> {
    let mut next: Vec<Option<Next>> = vec![None; operations.len()];
    let mut entangled = false;
    for _ in 0..ATTEMPTS {
        match attempt(database, write, operations, &next, entangled).await? {
            Attempt::Written(written) => return Ok(written),
            Attempt::Entangled => entangled = true,
            Attempt::Recurs(tasks) => {
                for task in tasks {
                    let place = task.op;
                    let completion = match operations.get(place).map(|operation| &operation.change)
                    {
                        Some(Change::Complete(completion)) => completion,
                        _ => {
                            return Err(
                                Error::Impossible("a recurrence that nobody asked for").into()
                            );
                        }
                    };
                    next[place] = Some(completion.next(task, write.now));
                }
            }
        }
    }
    Err(Error::Contended.into())
}

/// What came of an attempt.
enum Attempt {
    Written(Written),
    Recurs(Vec<Recurring>),
    Entangled,
}

/// A row of the answer of `api.mutate_tasks`.
struct Answer {
    outcome: String,
    op: Option<i64>,
    note: Option<String>,
    head: Option<i64>,
    row: Row,
}

async fn attempt(
    database: &Database,
    write: Write,
    operations: &[Operation],
    next: &[Option<Next>],
    entangled: bool,
) -> Result<Attempt, Refusal> {
    let Write { user, now, request, quota } = write;
    let steps = &steps(operations, next, entangled);
    let ids: &[Uuid] = &operations.iter().map(|operation| operation.id).collect::<Vec<_>>();
    let call = |mut connection: Lease| async move {
        task_query!(
            "outcome as \"outcome!\", op, note, head,"
            "api.mutate_tasks($1, $2, $3, $4, $5, $6, $7)",
            user,
            now,
            request.map(|request| request.id),
            request.as_ref().map(|request| request.payload.as_slice()),
            ids,
            steps,
            i64::from(quota),
        )
        .fetch_all(&mut *connection)
        .await
    };
    let records = database.call(repeat(request), call).await.map_err(Error::from)?;
    let answers = records.into_iter().map(|record| Answer {
        outcome: record.outcome.clone(),
        op: record.op,
        note: record.note.clone(),
        head: record.head,
        row: row!(record),
    });
    written(answers, operations.len())
}

fn written(answers: impl Iterator<Item = Answer>, operations: usize) -> Result<Attempt, Refusal> {
    let mut written =
        Written { tasks: vec![None; operations], next: Vec::new(), replay: false, head: 0 };
    for Answer { outcome, op, note, head, row } in answers {
        let op = op.and_then(|op| usize::try_from(op).ok());
        let note = note.map_or(Cow::Borrowed(""), Cow::Owned);
        match (outcome.as_str(), op) {
            ("ok" | "replayed", Some(op)) => {
                written.replay = outcome == "replayed";
                written.head = head.unwrap_or_default();
                let task = written.tasks.get_mut(op);
                *task.ok_or(Error::Impossible("a task that nobody asked for"))? = row.task()?;
            }
            ("next", Some(op)) => written.next.extend(row.task()?.map(|task| (op, task))),
            ("entangled", _) => return Ok(Attempt::Entangled),
            ("recurs", _) => {
                let recurring = serde_json::from_str(&note)
                    .map_err(|_| Error::Impossible("a recurrence that cannot be read"))?;
                return Ok(Attempt::Recurs(recurring));
            }
            (outcome, op) => return Err(Refusal { error: refused(outcome, &note), op }),
        }
    }
    Ok(Attempt::Written(written))
}

/// What an outcome means that is a refusal, of tasks and of lists.
pub(crate) fn refused(outcome: &str, note: &str) -> Error {
    match outcome {
        "request_id_reused" => Error::RequestIdReused,
        "task_not_found" => Error::TaskNotFound,
        "list_not_found" => Error::ListNotFound,
        "parent_not_found" => Error::ParentNotFound,
        "task_id_taken" => Error::TaskIdTaken,
        "task_not_deleted" => Error::TaskNotDeleted,
        "task_quota" => Error::TaskQuota,
        "open_subtasks" => Error::OpenSubtasks,
        "parent_cycle" => Error::ParentCycle,
        "too_deep" => Error::TooDeep,
        "list_mismatch" => Error::ListMismatch,
        "place_not_found" => Error::PlaceNotFound,
        "list_id_taken" => Error::ListIdTaken,
        "list_quota" => Error::ListQuota,
        "list_not_empty" => Error::ListNotEmpty,
        "due_missing" => Error::DueMissing,
        "batch_too_large" => Error::BatchTooLarge,
        "etag_mismatch" => match note.parse() {
            Ok(current) => Error::EtagMismatch { current },
            Err(_) => Error::Impossible("a revision that is no number"),
        },
        _ => Error::Impossible("an outcome that is not known"),
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, op: None }
    }
}

/// A write without a request id, done twice, would show.
pub(crate) fn repeat(request: Option<RequestId>) -> Repeat {
    if request.is_some() { Repeat::Safe } else { Repeat::Unsafe }
}
