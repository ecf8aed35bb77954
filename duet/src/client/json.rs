//! Answers as JSON, in protobuf's JSON mapping as grpcurl prints it: names in
//! lowerCamelCase, 64-bit numbers as strings, times by RFC 3339. Unlike there,
//! fields that are empty are written too; only absent messages are left out.

use proto::{
    auth::v1 as auth,
    task::v1::{self as task, Priority, RecurrenceAnchor, TaskStatus},
};
use serde::Serialize;

/// A user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    name: String,
    email: String,
    email_verified: bool,
    display_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<String>,
}

impl From<auth::User> for User {
    fn from(user: auth::User) -> Self {
        let auth::User { name, email, email_verified, display_name, create_time, update_time } =
            user;
        Self {
            name,
            email,
            email_verified,
            display_name,
            create_time: create_time.map(|time| time.to_string()),
            update_time: update_time.map(|time| time.to_string()),
        }
    }
}

/// A session.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    name: String,
    user_agent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_active_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_time: Option<String>,
    current: bool,
}

impl From<auth::Session> for Session {
    fn from(session: auth::Session) -> Self {
        let auth::Session { name, user_agent, create_time, last_active_time, expire_time, current } =
            session;
        Self {
            name,
            user_agent,
            create_time: create_time.map(|time| time.to_string()),
            last_active_time: last_active_time.map(|time| time.to_string()),
            expire_time: expire_time.map(|time| time.to_string()),
            current,
        }
    }
}

/// Something that happened to the account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Activity {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<String>,
    address_prefix: String,
    device_label: String,
    session: String,
}

impl From<auth::Activity> for Activity {
    fn from(activity: auth::Activity) -> Self {
        let auth::Activity { kind, create_time, address_prefix, device_label, session } = activity;
        let create_time = create_time.map(|time| time.to_string());
        Self { kind, create_time, address_prefix, device_label, session }
    }
}

/// How far a deletion has come.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Deletion {
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_time: Option<String>,
    erasures: Vec<Erasure>,
    receipt: String,
}

/// What one service has erased.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Erasure {
    service: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    erase_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close_time: Option<String>,
}

impl From<auth::GetDeletionReceiptResponse> for Deletion {
    fn from(answer: auth::GetDeletionReceiptResponse) -> Self {
        let auth::GetDeletionReceiptResponse { delete_time, erasures, receipt } = answer;
        let erasures = erasures.into_iter().map(|erasure| Erasure {
            service: erasure.service,
            erase_time: erasure.erase_time.map(|time| time.to_string()),
            close_time: erasure.close_time.map(|time| time.to_string()),
        });
        let delete_time = delete_time.map(|time| time.to_string());
        Self { delete_time, erasures: erasures.collect(), receipt }
    }
}

/// A task.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Task {
    name: String,
    title: String,
    notes: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Due>,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    complete_time: Option<String>,
    revision: String,
    etag: String,
    list: String,
    parent_task: String,
    priority: &'static str,
    labels: Vec<String>,
    position: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrence: Option<Recurrence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_time: Option<String>,
}

impl From<task::Task> for Task {
    fn from(task: task::Task) -> Self {
        let task::Task {
            name,
            title,
            notes,
            status,
            due,
            create_time,
            update_time,
            complete_time,
            revision,
            etag,
            list,
            parent_task,
            priority,
            labels,
            position,
            recurrence,
            delete_time,
            expire_time,
        } = task;
        Self {
            name,
            title,
            notes,
            status: TaskStatus::try_from(status).unwrap_or_default().as_str_name(),
            due: due.map(Due::from),
            create_time: create_time.map(|time| time.to_string()),
            update_time: update_time.map(|time| time.to_string()),
            complete_time: complete_time.map(|time| time.to_string()),
            revision: revision.to_string(),
            etag,
            list,
            parent_task,
            priority: Priority::try_from(priority).unwrap_or_default().as_str_name(),
            labels,
            position,
            recurrence: recurrence.map(Recurrence::from),
            delete_time: delete_time.map(|time| time.to_string()),
            expire_time: expire_time.map(|time| time.to_string()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Due {
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minute_of_day: Option<i32>,
    time_zone: String,
}

impl From<task::Due> for Due {
    fn from(due: task::Due) -> Self {
        let task::Due { date, minute_of_day, time_zone } = due;
        let date = date.map(|task::Date { year, month, day }| Date { year, month, day });
        Self { date, minute_of_day, time_zone }
    }
}

#[derive(Serialize)]
struct Date {
    year: i32,
    month: i32,
    day: i32,
}

#[derive(Serialize)]
struct Recurrence {
    rrule: String,
    anchor: &'static str,
    series: String,
}

impl From<task::Recurrence> for Recurrence {
    fn from(recurrence: task::Recurrence) -> Self {
        let task::Recurrence { rrule, anchor, series } = recurrence;
        let anchor = RecurrenceAnchor::try_from(anchor).unwrap_or_default().as_str_name();
        Self { rrule, anchor, series }
    }
}

/// A list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List {
    name: String,
    title: String,
    archived: bool,
    position: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    create_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<String>,
    revision: String,
    etag: String,
}

impl From<task::List> for List {
    fn from(list: task::List) -> Self {
        let task::List {
            name,
            title,
            archived,
            position,
            create_time,
            update_time,
            revision,
            etag,
        } = list;
        Self {
            name,
            title,
            archived,
            position,
            create_time: create_time.map(|time| time.to_string()),
            update_time: update_time.map(|time| time.to_string()),
            revision: revision.to_string(),
            etag,
        }
    }
}

/// How much of what a user may have is used.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Usage {
    tasks: String,
    tasks_limit: String,
    lists: String,
    lists_limit: String,
    open_tasks: String,
}

impl From<task::GetUsageResponse> for Usage {
    fn from(usage: task::GetUsageResponse) -> Self {
        let task::GetUsageResponse { tasks, tasks_limit, lists, lists_limit, open_tasks } = usage;
        Self {
            tasks: tasks.to_string(),
            tasks_limit: tasks_limit.to_string(),
            lists: lists.to_string(),
            lists_limit: lists_limit.to_string(),
            open_tasks: open_tasks.to_string(),
        }
    }
}

/// What an import made and what it left out.
#[derive(Serialize)]
pub(crate) struct Import {
    tasks: i32,
    lists: i32,
    notes: Vec<ImportNote>,
}

#[derive(Serialize)]
struct ImportNote {
    line: i32,
    field: String,
    reason: String,
}

impl From<task::ImportTasksResponse> for Import {
    fn from(import: task::ImportTasksResponse) -> Self {
        let task::ImportTasksResponse { tasks, lists, notes } = import;
        let notes = notes.into_iter().map(|task::ImportNote { line, field, reason }| ImportNote {
            line,
            field,
            reason,
        });
        Self { tasks, lists, notes: notes.collect() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_is_written_as_protobuf_maps_it() {
        let task = task::Task {
            name: "users/u/tasks/t".to_owned(),
            title: "Buy milk".to_owned(),
            status: TaskStatus::Open.into(),
            due: Some(task::Due {
                date: Some(task::Date { year: 2026, month: 12, day: 24 }),
                minute_of_day: Some(0),
                time_zone: "Europe/Paris".to_owned(),
            }),
            create_time: Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 }),
            revision: 7,
            etag: "\"7\"".to_owned(),
            list: "users/u/lists/inbox".to_owned(),
            priority: Priority::High.into(),
            labels: vec!["home".to_owned()],
            position: "m".to_owned(),
            recurrence: Some(task::Recurrence {
                rrule: "FREQ=DAILY".to_owned(),
                anchor: RecurrenceAnchor::Due.into(),
                series: "s".to_owned(),
            }),
            ..task::Task::default()
        };
        assert_eq!(
            serde_json::to_value(Task::from(task)).unwrap(),
            json!({
                "name": "users/u/tasks/t",
                "title": "Buy milk",
                "notes": "",
                "status": "TASK_STATUS_OPEN",
                "due": {
                    "date": { "year": 2026, "month": 12, "day": 24 },
                    "minuteOfDay": 0,
                    "timeZone": "Europe/Paris",
                },
                "createTime": "2027-01-15T08:00:00Z",
                "revision": "7",
                "etag": "\"7\"",
                "list": "users/u/lists/inbox",
                "parentTask": "",
                "priority": "PRIORITY_HIGH",
                "labels": ["home"],
                "position": "m",
                "recurrence": {
                    "rrule": "FREQ=DAILY",
                    "anchor": "RECURRENCE_ANCHOR_DUE",
                    "series": "s",
                },
            })
        );
    }
}
