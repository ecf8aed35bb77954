//! Rows as the functions of the database return them, and what they mean. A
//! combination of columns that cannot be is an error, never a guess.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::{
    due::{Columns, Due},
    error::Error,
    tasks::{Status, Task, Written},
};

/// A task.
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) title: String,
    pub(crate) notes: String,
    pub(crate) completed_at: Option<DateTime<Utc>>,
    pub(crate) due_date: Option<NaiveDate>,
    pub(crate) due_minute: Option<i64>,
    pub(crate) due_zone: Option<String>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) rev: i64,
}

/// An outcome, and a task where the outcome has one.
pub(crate) struct Answer {
    pub(crate) outcome: String,
    pub(crate) id: Option<Uuid>,
    pub(crate) title: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) completed_at: Option<DateTime<Utc>>,
    pub(crate) due_date: Option<NaiveDate>,
    pub(crate) due_minute: Option<i64>,
    pub(crate) due_zone: Option<String>,
    pub(crate) created_at: Option<DateTime<Utc>>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
    pub(crate) rev: Option<i64>,
}

impl Answer {
    /// What became of the call.
    pub(crate) fn written(self) -> Result<Written, Error> {
        let outcome = self.outcome.clone();
        let task = self.row()?.map(Task::try_from).transpose()?;
        match (outcome.as_str(), task) {
            ("ok", Some(task)) => Ok(Written::Now(task)),
            ("replayed", task) => Ok(Written::Earlier(task)),
            ("not_found", None) => Err(Error::NotFound),
            ("etag_mismatch", Some(task)) => Err(Error::EtagMismatch { current: task.revision }),
            ("request_id_reused", None) => Err(Error::RequestIdReused),
            _ => Err(Error::Impossible("an outcome that is not known")),
        }
    }

    fn row(self) -> Result<Option<Row>, Error> {
        let Self { outcome: _, completed_at, due_date, due_minute, due_zone, .. } = self;
        match (self.id, self.title, self.notes, self.created_at, self.updated_at, self.rev) {
            (None, None, None, None, None, None) => Ok(None),
            (Some(id), Some(title), Some(notes), Some(created_at), Some(updated_at), Some(rev)) => {
                Ok(Some(Row {
                    id,
                    title,
                    notes,
                    completed_at,
                    due_date,
                    due_minute,
                    due_zone,
                    created_at,
                    updated_at,
                    rev,
                }))
            }
            _ => Err(Error::Impossible("a task with some of its columns missing")),
        }
    }
}

impl TryFrom<Row> for Task {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let Row {
            id,
            title,
            notes,
            completed_at,
            due_date,
            due_minute,
            due_zone,
            created_at,
            updated_at,
            rev,
        } = row;
        let due = Columns { date: due_date, minute: due_minute, zone: due_zone.as_deref() };
        Ok(Self {
            id,
            title,
            notes,
            status: completed_at.map_or(Status::Open, |at| Status::Done { at }),
            due: Due::from_columns(due).map_err(Error::Impossible)?,
            created_at,
            updated_at,
            revision: rev,
        })
    }
}
