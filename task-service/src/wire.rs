//! How tasks look in messages: what a request says about one, and what an
//! answer shows of one.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use proto::task::v1 as pb;
use shared::name;
use uuid::Uuid;

use crate::{
    lists::List,
    request,
    task::{BIN, INBOX, Priority, Recurrence, Status, Task},
};

/// The segment of resource names that tasks lie under.
pub(crate) const TASKS: &str = "tasks";
/// The segment of resource names that lists lie under.
pub(crate) const LISTS: &str = "lists";
/// The last segment of `users/{user}/lists/inbox`.
pub(crate) const INBOX_ID: &str = "inbox";
/// Before every place that a list can have.
const INBOX_POSITION: &str = "0000000000000000";

/// A task of this user as answers show it.
pub(crate) fn task(user: Uuid, task: Task) -> pb::Task {
    let Task {
        id,
        title,
        notes,
        status,
        due,
        list,
        parent,
        priority,
        labels,
        position,
        recurrence,
        created_at,
        updated_at,
        deleted_at,
        revision,
    } = task;
    let (status, completed_at) = match status {
        Status::Open => (pb::TaskStatus::Open, None),
        Status::Done { at } => (pb::TaskStatus::Done, Some(at)),
        Status::Cancelled { at } => (pb::TaskStatus::Cancelled, Some(at)),
    };
    pb::Task {
        name: task_name(user, id),
        title,
        notes,
        status: status.into(),
        due: due.map(Into::into),
        create_time: Some(timestamp(created_at)),
        update_time: Some(timestamp(updated_at)),
        complete_time: completed_at.map(timestamp),
        revision,
        etag: request::etag(revision),
        list: list_name(user, list),
        parent_task: parent.map(|parent| task_name(user, parent)).unwrap_or_default(),
        priority: self::priority(priority).into(),
        labels,
        position,
        recurrence: recurrence.map(self::recurrence),
        delete_time: deleted_at.map(timestamp),
        expire_time: deleted_at.map(|at| timestamp(at + BIN)),
    }
}

/// `users/{user}/tasks/{task}`.
pub(crate) fn task_name(user: Uuid, task: Uuid) -> String {
    name::of_member(user, TASKS, task)
}

/// `users/{user}/lists/{list}`.
pub(crate) fn list_name(user: Uuid, list: Uuid) -> String {
    if list == INBOX {
        format!("{}/{LISTS}/{INBOX_ID}", name::of_user(user))
    } else {
        name::of_member(user, LISTS, list)
    }
}

fn priority(priority: Priority) -> pb::Priority {
    match priority {
        Priority::None => pb::Priority::Unspecified,
        Priority::Low => pb::Priority::Low,
        Priority::Medium => pb::Priority::Medium,
        Priority::High => pb::Priority::High,
    }
}

fn recurrence(recurrence: Recurrence) -> pb::Recurrence {
    let Recurrence { rule, after_completion, start: _, number: _, series } = recurrence;
    let anchor = match after_completion {
        false => pb::RecurrenceAnchor::Due,
        true => pb::RecurrenceAnchor::Completion,
    };
    pb::Recurrence { rrule: rule, anchor: anchor.into(), series: series.to_string() }
}

/// A moment as messages carry it.
pub(crate) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: at.timestamp(),
        // Less than 2^31: a leap second counts up to two billion.
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}

/// The inbox of this user. It never changes.
pub(crate) fn inbox(user: Uuid) -> pb::List {
    pb::List {
        name: list_name(user, INBOX),
        title: "Inbox".to_owned(),
        position: INBOX_POSITION.to_owned(),
        ..pb::List::default()
    }
}

/// A list of this user as answers show it.
pub(crate) fn list(user: Uuid, list: List) -> pb::List {
    let List { id, title, archived, position, created_at, updated_at, revision } = list;
    pb::List {
        name: list_name(user, id),
        title,
        archived,
        position,
        create_time: Some(timestamp(created_at)),
        update_time: Some(timestamp(updated_at)),
        revision,
        etag: request::etag(revision),
    }
}
