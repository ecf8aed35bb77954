//! What a task is.
//!
//! Invariant: a value that cannot be stored, and a row that cannot be meant,
//! has no type here.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use crate::due::Due;

/// How long a deleted task can be brought back.
pub const BIN: TimeDelta = TimeDelta::days(30);

/// The list that every user has. It is no row.
pub const INBOX: Uuid = Uuid::nil();

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
    /// The list it is in; `INBOX` for the inbox.
    pub list: Uuid,
    /// The task it is a step of.
    pub parent: Option<Uuid>,
    /// How much it matters.
    pub priority: Priority,
    /// Sorted, each once.
    pub labels: Vec<String>,
    /// Its place among the tasks of its list, which sort by the bytes of this.
    pub position: String,
    /// How it comes back. There is a due date if it does.
    pub recurrence: Option<Recurrence>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was put into the bin, if it is there.
    pub deleted_at: Option<DateTime<Utc>>,
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
    /// It is not, and will not be.
    Cancelled {
        /// Since when.
        at: DateTime<Utc>,
    },
}

/// How much a task matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// No more and no less than others.
    #[default]
    None,
    /// It can wait.
    Low,
    /// It should not wait long.
    Medium,
    /// It comes first.
    High,
}

/// How a task comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// A rule that `recurrence::Rule` accepted.
    pub rule: String,
    /// Whether the next occurrence is counted from completion instead of from
    /// the day this one is due.
    pub after_completion: bool,
    /// The day the rule is counted from.
    pub start: NaiveDate,
    /// The place of this occurrence in the series, from 1.
    pub number: i64,
    /// The id of the first task of the series.
    pub series: Uuid,
}

impl Priority {
    /// All of them, by their number in the database.
    pub const ALL: [Self; 4] = [Self::None, Self::Low, Self::Medium, Self::High];

    /// Its number in the database.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }

    /// The priority with this number, if there is one.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| priority.number() == number)
    }
}
