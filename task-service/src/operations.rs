//! Changes of tasks as the database takes them: a list of steps whose
//! operations do not need each other, so that each step is made at once.
//!
//! Invariant: operations come to the same end as one by one in their order.

mod record;

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use self::record::Record;
use crate::{
    due::Due,
    recurrence::{Following, following},
    task::{Priority, Recurrence},
    text::{Labels, Notes, Title},
};

/// One change of one task.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Which task; for a new one its id.
    pub id: Uuid,
    /// The revision that it must still have.
    pub etag: Option<i64>,
    /// What is to become of it.
    pub change: Change,
}

/// What is to become of a task.
#[derive(Clone, Debug)]
pub enum Change {
    /// It is made.
    Create(NewTask),
    /// Fields of it are written.
    Update(Changes),
    /// It is closed.
    Complete(Completion),
    /// It is opened again.
    Reopen,
    /// It goes elsewhere.
    Move(Destination),
    /// It goes to the bin.
    Delete,
    /// It comes back from there.
    Undelete,
}

/// A task to be made.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Its title.
    pub title: Title,
    /// Its notes.
    pub notes: Notes,
    /// When it is due.
    pub due: Option<Due>,
    /// The list it is in; None for that of its parent, else the inbox.
    pub list: Option<Uuid>,
    /// The task it is a step of.
    pub parent: Option<Uuid>,
    /// How much it matters.
    pub priority: Priority,
    /// Its labels.
    pub labels: Labels,
    /// How it comes back.
    pub repeat: Option<Repetition>,
}

/// How a task is to come back.
#[derive(Clone, Debug)]
pub struct Repetition {
    /// A rule that `recurrence::Rule` accepted.
    pub rule: String,
    /// Whether the next occurrence is counted from completion.
    pub after_completion: bool,
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
    /// How much it matters.
    pub priority: Option<Priority>,
    /// The labels.
    pub labels: Option<Labels>,
    /// How it comes back, `Some(None)` for not at all.
    pub repeat: Option<Option<Repetition>>,
}

/// How a task is closed.
#[derive(Clone, Debug)]
pub struct Completion {
    /// Whether its open subtasks are closed with it.
    pub force: bool,
    /// Whether it is cancelled instead of done.
    pub cancel: bool,
    /// When it was; None for now.
    pub at: Option<DateTime<Utc>>,
    /// The zone that tells which day that is; None for that of its due time.
    pub zone: Option<Tz>,
}

/// Where a task goes.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The list; None for that of its new parent, else the one it is in.
    pub list: Option<Uuid>,
    /// The parent, `Some(None)` for none; None for the one it has.
    pub parent: Option<Option<Uuid>>,
    /// The place among the tasks there.
    pub place: Place,
}

/// A place in the manual order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before all others.
    First,
    /// Right after this one.
    After(Uuid),
    /// Right before this one.
    Before(Uuid),
}

/// What the database says of a task that recurs and is to be closed; it is told
/// the next occurrence together with what that was worked out from.
#[derive(Clone, Debug, Deserialize)]
pub struct Recurring {
    /// The operation.
    pub op: usize,
    /// The due date.
    pub due: NaiveDate,
    /// The zone of the due time.
    pub zone: Option<String>,
    rule: String,
    after_completion: bool,
    start: NaiveDate,
    number: i64,
    series: Uuid,
}

/// The next occurrence of a task that is to be closed.
#[derive(Clone, Debug)]
pub struct Next {
    known: Value,
    following: Option<Following>,
}

/// Operations that are made at once.
#[derive(Debug, Serialize)]
struct Step<'a> {
    kind: &'static str,
    ops: Vec<Record<'a>>,
    /// Whether nothing else may be made with it.
    #[serde(skip)]
    alone: bool,
    /// Whether its moves have neighbours.
    #[serde(skip)]
    beside: bool,
    /// The tasks that it changes.
    #[serde(skip)]
    targets: HashSet<Uuid>,
}

impl Operation {
    /// What is asked for, for telling one request from another. An id that the
    /// client did not choose is no part of it.
    #[must_use]
    pub fn asked(&self, chosen: bool) -> Vec<u8> {
        let mut record = self.record(0, None);
        record.id = record.id.filter(|_| chosen);
        json!([self.change.kind(), record]).to_string().into_bytes()
    }

    /// The other tasks that it is about.
    fn others(&self) -> impl Iterator<Item = Uuid> {
        let (parent, neighbour) = match &self.change {
            Change::Create(new) => (new.parent, None),
            Change::Move(Destination { parent, place, .. }) => {
                let neighbour = match *place {
                    Place::First => None,
                    Place::After(other) | Place::Before(other) => Some(other),
                };
                (parent.flatten(), neighbour)
            }
            _ => (None, None),
        };
        parent.into_iter().chain(neighbour)
    }

    /// Whether it may not be made together with others of its kind: two tasks
    /// that move below each other's subtasks would make a circle, and one that
    /// moves to another list, or comes back from the bin, may take another along.
    fn is_alone(&self, entangled: bool) -> bool {
        match &self.change {
            Change::Move(Destination { list, parent, .. }) => {
                parent.is_some() || (entangled && list.is_some())
            }
            Change::Undelete => entangled,
            _ => false,
        }
    }

    fn is_beside(&self) -> bool {
        matches!(&self.change, Change::Move(to) if to.place != Place::First)
    }
}

impl Change {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Update(_) => "update",
            Self::Complete(_) => "complete",
            Self::Reopen => "reopen",
            Self::Move(_) => "move",
            Self::Delete => "delete",
            Self::Undelete => "undelete",
        }
    }
}

impl Completion {
    /// The occurrence after one that is closed like this.
    #[must_use]
    pub fn next(&self, recurring: Recurring, now: DateTime<Utc>) -> Next {
        let Recurring { op: _, due, zone, rule, after_completion, start, number, series } =
            recurring;
        let known = json!({
            "rule": rule, "after_completion": after_completion, "start": start,
            "number": number, "series": series, "due": due, "zone": zone,
        });
        let zone = self.zone.or_else(|| zone?.parse().ok()).unwrap_or(Tz::UTC);
        let day = self.at.unwrap_or(now).with_timezone(&zone).date_naive();
        let recurrence = Recurrence { rule, after_completion, start, number, series };
        Next { known, following: following(&recurrence, due, day) }
    }
}

/// The operations in as few steps as keep their meaning. `next` has the next
/// occurrences that are known, by the place of the operation; `entangled` says
/// that tasks which move to another list, or come back, may lie below each other.
#[must_use]
pub fn steps(operations: &[Operation], next: &[Option<Next>], entangled: bool) -> Value {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for (op, operation) in operations.iter().enumerate() {
        let kind = operation.change.kind();
        let record = operation.record(op, next.get(op).and_then(Option::as_ref));
        let (alone, beside) = (operation.is_alone(entangled), operation.is_beside());
        let fits = |step: &&mut Step<'_>| {
            step.kind == kind
                && step.beside == beside
                && !(alone || step.alone)
                && !step.targets.contains(&operation.id)
                && !operation.others().any(|other| step.targets.contains(&other))
                // Nor may one move whom an earlier one stands beside.
                && (!beside || !step.ops.iter().any(|earlier| {
                    earlier.after.or(earlier.before) == Some(operation.id)
                }))
        };
        match steps.last_mut().filter(fits) {
            Some(step) => {
                step.targets.insert(operation.id);
                step.ops.push(record);
            }
            None => {
                let targets = HashSet::from([operation.id]);
                steps.push(Step { kind, ops: vec![record], alone, beside, targets });
            }
        }
    }
    json!(steps)
}
