//! Everything that a file brings, ready to be stored: by one call, all or none.
//!
//! Invariant: what refers to something refers to something in the bundle. Ids
//! are made when it is stored, for the same file may be brought in twice.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;
use shared::{
    database::{Database, Lease, Repeat as Repetition},
    rng,
};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    draft::{Draft, DraftList, Drafts, Repeat},
    report::Report,
    tree,
};
use crate::{
    due::{Columns, Due},
    error::Error,
    task::Status,
    tasks::Write,
};

/// Lists and tasks, in the order that they shall have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    lists: Vec<DraftList>,
    tasks: Vec<Draft>,
    /// The parent of each task, as its place among them.
    parents: Vec<Option<usize>>,
}

/// Who brings a bundle in, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Import {
    /// Who writes, and when.
    pub write: Write,
    /// The list for tasks whose file names none.
    pub list: Uuid,
    /// How many lists the user may have.
    pub list_quota: u32,
    /// Whether to tell only what would become of it.
    pub dry_run: bool,
}

#[derive(Serialize)]
struct ListRow<'a> {
    n: usize,
    id: Uuid,
    title: &'a str,
    archived: bool,
}

#[derive(Serialize)]
struct TaskRow<'a> {
    n: usize,
    id: Uuid,
    title: &'a str,
    notes: &'a str,
    completed_at: Option<DateTime<Utc>>,
    cancelled: bool,
    due_date: Option<NaiveDate>,
    due_minute: Option<i64>,
    due_zone: Option<&'a str>,
    list_id: Uuid,
    parent_id: Option<Uuid>,
    priority: i64,
    labels: &'a [String],
    rrule: Option<&'a str>,
    rrule_after: Option<bool>,
    rrule_start: Option<NaiveDate>,
    rrule_number: Option<i64>,
    series_id: Option<Uuid>,
    created_at: DateTime<Utc>,
}

impl Bundle {
    pub(super) fn of(drafts: Drafts) -> (Self, Report) {
        let Drafts { lists, mut tasks, mut report, .. } = drafts;
        let parents = tree::settle(&mut tasks, &mut report);
        (Self { lists, tasks, parents }, report)
    }

    /// How many tasks there are.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// How many lists there are.
    #[must_use]
    pub fn lists(&self) -> usize {
        self.lists.len()
    }

    fn list_rows<'a>(&'a self, ids: &[Uuid]) -> Vec<ListRow<'a>> {
        let row = |((n, list), &id): ((usize, &'a DraftList), &Uuid)| {
            let DraftList { title, archived } = list;
            ListRow { n, id, title: title.as_str(), archived: *archived }
        };
        (1..).zip(&self.lists).zip(ids).map(row).collect()
    }

    /// The rows of the tasks. `lists` are the ids of the lists, `list` is the
    /// one for tasks that name none.
    fn task_rows(&self, ids: &[Uuid], lists: &[Uuid], list: Uuid) -> Vec<TaskRow<'_>> {
        let places = ids.iter().zip(&self.parents).zip(self.series(ids));
        let places = places.zip(&self.tasks).map(|(((&id, parent), series_id), task)| Place {
            id,
            list_id: task.list.and_then(|list| lists.get(list).copied()).unwrap_or(list),
            parent_id: parent.and_then(|parent| ids.get(parent).copied()),
            series_id,
        });
        let rows = (1..).zip(places).zip(&self.tasks);
        rows.map(|((n, place), task)| task_row(n, place, task)).collect()
    }

    /// The id of every task's series: the id of its first occurrence, if that is
    /// among the tasks.
    fn series(&self, ids: &[Uuid]) -> Vec<Option<Uuid>> {
        let mut known: HashMap<&str, Uuid> = HashMap::new();
        for (task, &id) in self.tasks.iter().zip(ids) {
            if let Some(Repeat { series: Some(series), number: 1, .. }) = &task.repeat {
                known.entry(series).or_insert(id);
            }
        }
        let with_id = self.tasks.iter().zip(ids);
        let series = with_id.map(|(task, &id)| {
            let Some(series) = &task.repeat.as_ref()?.series else { return Some(id) };
            Some(*known.entry(series).or_insert_with(rng::public_uuid_v4))
        });
        series.collect()
    }
}

/// What a task gets when it is stored.
struct Place {
    id: Uuid,
    list_id: Uuid,
    parent_id: Option<Uuid>,
    series_id: Option<Uuid>,
}

fn task_row(n: usize, place: Place, task: &Draft) -> TaskRow<'_> {
    let Place { id, list_id, parent_id, series_id } = place;
    let Draft {
        line: _,
        key: _,
        parent: _,
        list: _,
        title,
        notes,
        status,
        due,
        priority,
        labels,
        repeat,
        created_at,
    } = task;
    let (completed_at, cancelled) = match *status {
        Status::Open => (None, false),
        Status::Done { at } => (Some(at), false),
        Status::Cancelled { at } => (Some(at), true),
    };
    let Columns { date, minute, zone } = due.as_ref().map(Due::columns).unwrap_or_default();
    TaskRow {
        n,
        id,
        title: title.as_str(),
        notes: notes.as_str(),
        completed_at,
        cancelled,
        due_date: date,
        due_minute: minute,
        due_zone: zone,
        list_id,
        parent_id,
        priority: priority.number(),
        labels,
        rrule: repeat.as_ref().map(|repeat| repeat.rule.as_str()),
        rrule_after: repeat.as_ref().map(|repeat| repeat.after_completion),
        rrule_start: repeat.as_ref().map(|repeat| repeat.start),
        rrule_number: repeat.as_ref().map(|repeat| repeat.number),
        series_id,
        created_at: *created_at,
    }
}

/// New ids that sort as they are given out.
fn ids(now: DateTime<Utc>, count: usize) -> Vec<Uuid> {
    let moments = (0..).map(|n| now + TimeDelta::microseconds(n));
    moments.take(count).map(rng::uuid_v7).collect()
}

/// What became of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It was stored.
    Now {
        /// The revision of the user's last change.
        head: i64,
    },
    /// An earlier one with the same request id stored it.
    Earlier,
    /// It would be stored, if this were no dry run.
    Dry,
}

/// Stores a bundle, or tells what would become of it.
///
/// # Errors
/// `ListNotFound`, `TaskQuota`, `ListQuota`, `RequestIdReused`, `Database`.
pub async fn import(
    database: &Database,
    import: Import,
    bundle: &Bundle,
) -> Result<Imported, Error> {
    let Import { write, list, list_quota, dry_run } = import;
    let Write { user, now, request, quota } = write;
    let (list_ids, task_ids) = (ids(now, bundle.lists()), ids(now, bundle.tasks()));
    let lists = bundle.list_rows(&list_ids);
    let tasks = bundle.task_rows(&task_ids, &list_ids, list);
    let used = bundle.tasks.iter().any(|task| task.list.is_none()).then_some(list);
    let call = async |mut connection: Lease| {
        sqlx::query!(
            r#"select outcome as "outcome!", head
               from api.import_tasks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"#,
            user,
            now,
            request.map(|request| request.id),
            request.as_ref().map(|request| request.payload.as_slice()),
            used,
            Json(&lists) as _,
            Json(&tasks) as _,
            i64::from(quota),
            i64::from(list_quota),
            dry_run,
        )
        .fetch_one(&mut *connection)
        .await
    };
    let repeat = if request.is_some() || dry_run { Repetition::Safe } else { Repetition::Unsafe };
    let answer = database.call(repeat, call).await?;
    match answer.outcome.as_str() {
        "ok" if dry_run => Ok(Imported::Dry),
        "ok" => {
            let head = answer.head.ok_or(Error::Impossible("an import without a revision"))?;
            Ok(Imported::Now { head })
        }
        "replayed" => Ok(Imported::Earlier),
        "request_id_reused" => Err(Error::RequestIdReused),
        "list_not_found" => Err(Error::ListNotFound),
        "task_quota" => Err(Error::TaskQuota),
        "list_quota" => Err(Error::ListQuota),
        _ => Err(Error::Impossible("an outcome that is not known")),
    }
}
