//! Requests that nobody should send: the right code, every field named, never
//! INTERNAL, and nothing stored.

use prost_types::FieldMask;
use proto::task::v1::{
    CompleteTaskRequest, CreateTaskRequest, Date, DeleteTaskRequest, Due, GetTaskRequest,
    ListTasksRequest, ReopenTaskRequest, Task, UpdateTaskRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::app::{TestApp, User, reason, refused};

const ID: &str = "0190c7e2-5b1a-7c3e-8a55-0d8c6f3f2a11";

/// The fields that a refusal names.
fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone());
    violations.unwrap_or_default().into_iter().map(|violation| violation.field).collect()
}

fn titled(title: &str) -> Task {
    Task { title: title.to_owned(), ..Task::default() }
}

fn due(year: i32, month: i32, day: i32, minute: Option<i32>, zone: &str) -> Task {
    let date = Some(Date { year, month, day });
    let due = Due { date, minute_of_day: minute, time_zone: zone.to_owned() };
    Task { due: Some(due), ..titled("Task") }
}

/// DESIGN, section 2: a field that is not acceptable is INVALID_ARGUMENT and
/// named, and what is just acceptable is accepted.
#[tokio::test]
async fn what_cannot_be_a_task_is_refused() {
    let app = TestApp::start().await;
    let ada = app.user();
    let long = "é".repeat(501);
    let notes = |notes: &str| Task { notes: notes.to_owned(), ..titled("Task") };
    let undated = Task { due: Some(Due::default()), ..titled("Task") };
    for (task, field) in [
        (Task::default(), "task.title"),
        (titled("   "), "task.title"),
        (titled("\u{a0}\u{3000}"), "task.title"),
        (titled("nul\0"), "task.title"),
        (titled("two\r\nlines"), "task.title"),
        (titled("two\u{2028}lines"), "task.title"),
        (titled(&long), "task.title"),
        (notes("nul\0"), "task.notes"),
        (notes("\u{1b}[2J"), "task.notes"),
        (notes(&"é".repeat(20_001)), "task.notes"),
        (undated, "task.due.date"),
        (due(10_000, 1, 1, None, ""), "task.due.date"),
        (due(0, 1, 1, None, ""), "task.due.date"),
        (due(2025, 2, 30, None, ""), "task.due.date"),
        (due(2025, 2, 29, None, ""), "task.due.date"),
        (due(2025, 0, 1, None, ""), "task.due.date"),
        (due(2025, 13, 1, None, ""), "task.due.date"),
        (due(2025, i32::MIN, i32::MAX, None, ""), "task.due.date"),
        (due(2025, 1, 1, Some(1440), ""), "task.due.minute_of_day"),
        (due(2025, 1, 1, Some(-1), ""), "task.due.minute_of_day"),
        (due(2025, 1, 1, None, "Europe/Paris"), "task.due.time_zone"),
        (due(2025, 1, 1, Some(1), "Mars/Base"), "task.due.time_zone"),
        (due(2025, 1, 1, Some(1), "Europe/Paris\0"), "task.due.time_zone"),
        (labelled(&["fine", ""]), "task.labels"),
        (labelled(&[" "]), "task.labels"),
        (labelled(&["two\nlines"]), "task.labels"),
        (labelled(&["é".repeat(65).as_str()]), "task.labels"),
        (
            Task { labels: (0..33).map(|n| n.to_string()).collect(), ..titled("Task") },
            "task.labels",
        ),
        (Task { priority: 4, ..titled("Task") }, "task.priority"),
        (Task { priority: -1, ..titled("Task") }, "task.priority"),
        (Task { list: "users/me/lists/1".to_owned(), ..titled("Task") }, "task.list"),
        (Task { parent_task: "inbox".to_owned(), ..titled("Task") }, "task.parent_task"),
    ] {
        let refusal = ada.create_with(task.clone(), "").await;
        let status = refused(refusal, Code::InvalidArgument, "FIELD_INVALID");
        assert_eq!(fields(&status), [field], "{task:?}");
    }
    let most = Task { notes: "😀".repeat(20_000), ..titled(&"😀".repeat(500)) };
    ada.create_with(most, "").await.expect("the longest task there may be");
    assert_eq!(ada.titles().await.len(), 1);
}

fn labelled(labels: &[&str]) -> Task {
    Task { labels: labels.iter().map(|&label| label.to_owned()).collect(), ..titled("Task") }
}

/// DESIGN, section 2: all violations of a request come back together.
#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let app = TestApp::start().await;
    let ada = app.user();
    let mut task = due(0, 0, 0, Some(-1), "nowhere");
    task.title = String::new();
    task.notes = "\0".to_owned();
    let request = CreateTaskRequest {
        parent: "me".to_owned(),
        task: Some(task),
        request_id: "1".to_owned(),
        task_id: String::new(),
    };
    let refusal = ada.client.clone().create_task(request).await;
    let status = refused(refusal, Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(
        fields(&status),
        [
            "parent",
            "task.title",
            "task.notes",
            "task.due.date",
            "task.due.minute_of_day",
            "task.due.time_zone",
            "request_id"
        ]
    );
}

/// AIP-122, AIP-154, AIP-155: names, etags and request ids have one spelling.
#[tokio::test]
async fn malformed_names_etags_and_ids_are_refused_by_every_method() {
    let app = TestApp::start().await;
    let ada = app.user();
    let name = format!("users/me/tasks/{ID}");
    let lists = name.replace("tasks", "lists");
    let trailing = format!("{name}/");
    for bad in ["", "tasks/1", "users/me", "users/me/tasks/", "users/me/tasks/1", &lists, &trailing]
    {
        by_name(&ada, bad, "", "", "name").await;
    }
    for bad in ["1", "\"0\"", "\"01\"", "W/\"1\"", "\"x\"", "*", "\"1\0\""] {
        by_name(&ada, &name, bad, "", "etag").await;
    }
    for bad in ["1", "\0", "0190c7e25b1a7c3e8a550d8c6f3f2a11", &format!("{ID} ")] {
        by_name(&ada, &name, "", bad, "request_id").await;
    }
}

/// Calls every method that takes a name with these, one of which is bad.
async fn by_name(user: &User, name: &str, etag: &str, request_id: &str, field: &str) {
    let (name, etag, request_id) =
        (|| name.to_owned(), || etag.to_owned(), || request_id.to_owned());
    let mut client = user.client.clone();
    let task = Task { name: name(), etag: etag(), ..titled("Task") };
    let update =
        UpdateTaskRequest { task: Some(task), update_mask: None, request_id: request_id() };
    let delete = DeleteTaskRequest { name: name(), etag: etag(), request_id: request_id() };
    let complete = CompleteTaskRequest {
        name: name(),
        etag: etag(),
        request_id: request_id(),
        ..Default::default()
    };
    let reopen = ReopenTaskRequest { name: name(), etag: etag(), request_id: request_id() };
    let mut refusals = vec![
        client.update_task(update).await.map(drop),
        client.delete_task(delete).await.map(drop),
        client.complete_task(complete).await.map(drop),
        client.reopen_task(reopen).await.map(drop),
    ];
    if field == "name" {
        refusals.push(
            client.get_task(GetTaskRequest { name: name(), read_mask: None }).await.map(drop),
        );
    }
    for (n, refusal) in refusals.into_iter().enumerate() {
        let status = refused(refusal, Code::InvalidArgument, "FIELD_INVALID");
        let named = fields(&status);
        let update = format!("task.{field}");
        let expected = if n == 0 && field != "request_id" { update.as_str() } else { field };
        assert_eq!(named, [expected], "{status:?}");
    }
}

/// AIP-134, AIP-158: unknown paths, negative sizes, forged tokens, enum 99.
#[tokio::test]
async fn bad_masks_pages_and_filters_are_refused() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = ada.create("Task").await;
    for path in ["", "color", "Title", "title.x", "due.date", "task.title", "a\0b"] {
        let refusal = ada.update(made.clone(), &["title", path]).await;
        let status = refused(refusal, Code::InvalidArgument, "MASK_INVALID");
        assert_eq!(fields(&status), ["update_mask"], "{path}");
    }
    let nothing = UpdateTaskRequest {
        task: None,
        update_mask: Some(FieldMask { paths: vec!["*".to_owned()] }),
        request_id: String::new(),
    };
    let refusal = ada.client.clone().update_task(nothing).await;
    let status = refused(refusal, Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(fields(&status), ["task.name", "task.title"]);

    let list = ListTasksRequest::default;
    for (request, expected, field) in [
        (ListTasksRequest { page_size: -1, ..list() }, "FIELD_INVALID", "page_size"),
        (ListTasksRequest { page_size: i32::MIN, ..list() }, "FIELD_INVALID", "page_size"),
        (ListTasksRequest { parent: "users".to_owned(), ..list() }, "FIELD_INVALID", "parent"),
        (
            ListTasksRequest { page_token: "x".to_owned(), ..list() },
            "PAGE_TOKEN_INVALID",
            "page_token",
        ),
        (
            ListTasksRequest { page_token: "\0".to_owned(), ..list() },
            "PAGE_TOKEN_INVALID",
            "page_token",
        ),
    ] {
        let status = refused(ada.list(request).await, Code::InvalidArgument, expected);
        assert_eq!(fields(&status), [field]);
    }
    assert_eq!(ada.get(&made.name).await.unwrap(), made);
}

/// DESIGN, section 6: 1 MiB is the most that a request may have.
#[tokio::test]
async fn a_message_of_four_megabytes_is_refused_as_too_large() {
    let app = TestApp::start().await;
    let ada = app.user();
    let task = Task { notes: "a".repeat(4 * 1024 * 1024), ..titled("Task") };
    let status = ada.create_with(task, "").await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(reason(&status), "MESSAGE_TOO_LARGE");
    assert!(ada.titles().await.is_empty());
}
