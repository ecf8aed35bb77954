//! Answers as JSON, in protobuf's JSON mapping as grpcurl prints it: names in
//! lowerCamelCase, 64-bit numbers as strings, times by RFC 3339. Unlike there,
//! fields that are empty are written too; only absent messages are left out.

use proto::{
    auth::v1 as auth,
    task::v1::{self as task, TaskStatus},
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
            ..
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
            })
        );
    }
}
