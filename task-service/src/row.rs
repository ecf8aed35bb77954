//! Rows as the functions of the database return them, and what they mean. A
//! combination of columns that cannot be is an error, never a guess.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::{
    due::{Columns, Due},
    error::Error,
    task::{Priority, Recurrence, Status, Task},
};

/// A query for what a function returns, with a column `task` of the type of the
/// table of tasks among it, and for more columns before those of the task:
/// `task_query!("outcome," "api.get_task($1, $2)", user, id)`. `row!` takes the
/// columns of the task out of its records.
macro_rules! task_query {
    ($more:literal $function:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query!(
            "select " + $more + r#"
                    (task).id, (task).title, (task).notes, (task).completed_at, (task).cancelled,
                    (task).due_date, (task).due_minute, (task).due_zone, (task).list_id,
                    (task).parent_id, (task).priority, (task).labels,
                    (task).position::text as position, (task).rrule, (task).rrule_after,
                    (task).rrule_start, (task).rrule_number, (task).series_id,
                    (task).created_at, (task).updated_at, (task).deleted_at, (task).rev
               from "# + $function
            $(, $argument)*
        )
    };
}
pub(crate) use task_query;

/// The columns of the task out of a record of `task_query!`.
macro_rules! row {
    ($record:expr) => {
        $crate::row::Row {
            id: $record.id,
            title: $record.title,
            notes: $record.notes,
            completed_at: $record.completed_at,
            cancelled: $record.cancelled,
            due_date: $record.due_date,
            due_minute: $record.due_minute,
            due_zone: $record.due_zone,
            list_id: $record.list_id,
            parent_id: $record.parent_id,
            priority: $record.priority,
            labels: $record.labels,
            position: $record.position,
            rrule: $record.rrule,
            rrule_after: $record.rrule_after,
            rrule_start: $record.rrule_start,
            rrule_number: $record.rrule_number,
            series_id: $record.series_id,
            created_at: $record.created_at,
            updated_at: $record.updated_at,
            deleted_at: $record.deleted_at,
            rev: $record.rev,
        }
    };
}
pub(crate) use row;

/// The columns of a task; all of them are null where there is none.
pub(crate) struct Row {
    pub(crate) id: Option<Uuid>,
    pub(crate) title: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) completed_at: Option<DateTime<Utc>>,
    pub(crate) cancelled: Option<bool>,
    pub(crate) due_date: Option<NaiveDate>,
    pub(crate) due_minute: Option<i64>,
    pub(crate) due_zone: Option<String>,
    pub(crate) list_id: Option<Uuid>,
    pub(crate) parent_id: Option<Uuid>,
    pub(crate) priority: Option<i64>,
    pub(crate) labels: Option<Vec<String>>,
    pub(crate) position: Option<String>,
    pub(crate) rrule: Option<String>,
    pub(crate) rrule_after: Option<bool>,
    pub(crate) rrule_start: Option<NaiveDate>,
    pub(crate) rrule_number: Option<i64>,
    pub(crate) series_id: Option<Uuid>,
    pub(crate) created_at: Option<DateTime<Utc>>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
    pub(crate) deleted_at: Option<DateTime<Utc>>,
    pub(crate) rev: Option<i64>,
}

impl Row {
    /// The task in the columns, if there is one.
    pub(crate) fn task(self) -> Result<Option<Task>, Error> {
        if self.id.is_none() { Ok(None) } else { self.try_into().map(Some) }
    }
}

impl TryFrom<Row> for Task {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let missing = Error::Impossible("a task with some of its columns missing");
        let due =
            Columns { date: row.due_date, minute: row.due_minute, zone: row.due_zone.as_deref() };
        let due = Due::from_columns(due).map_err(Error::Impossible)?;
        let status = status(row.completed_at, row.cancelled)?;
        let recurrence = recurrence(
            row.rrule,
            row.rrule_after,
            row.rrule_start,
            row.rrule_number,
            row.series_id,
        )?;
        let whole = (|| {
            Some(Self {
                id: row.id?,
                title: row.title?,
                notes: row.notes?,
                status,
                due,
                list: row.list_id?,
                parent: row.parent_id,
                priority: Priority::from_number(row.priority?)?,
                labels: row.labels?,
                position: row.position?,
                recurrence,
                created_at: row.created_at?,
                updated_at: row.updated_at?,
                deleted_at: row.deleted_at,
                revision: row.rev?,
            })
        })();
        whole.ok_or(missing)
    }
}

fn status(at: Option<DateTime<Utc>>, cancelled: Option<bool>) -> Result<Status, Error> {
    match (at, cancelled) {
        (None, Some(false)) => Ok(Status::Open),
        (Some(at), Some(false)) => Ok(Status::Done { at }),
        (Some(at), Some(true)) => Ok(Status::Cancelled { at }),
        _ => Err(Error::Impossible("a status that cannot be")),
    }
}

fn recurrence(
    rule: Option<String>,
    after: Option<bool>,
    start: Option<NaiveDate>,
    number: Option<i64>,
    series: Option<Uuid>,
) -> Result<Option<Recurrence>, Error> {
    match (rule, after, start, number, series) {
        (None, None, None, None, _) => Ok(None),
        (Some(rule), Some(after_completion), Some(start), Some(number), Some(series)) => {
            Ok(Some(Recurrence { rule, after_completion, start, number, series }))
        }
        _ => Err(Error::Impossible("half a recurrence")),
    }
}
