//! What users do with their tasks: create, list and view, update, delete, mark
//! as done and back.

use std::time::Duration;

use proto::task::v1::{Date, Due, ListTasksRequest, Task, TaskStatus, UpdateTaskRequest};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::app::{TestApp, User, refused};

fn due(minute_of_day: Option<i32>, time_zone: &str) -> Due {
    let date = Some(Date { year: 2026, month: 3, day: 29 });
    Due { date, minute_of_day, time_zone: time_zone.to_owned() }
}

/// S5.1, FR-018, FR-021: a task is the caller's, whatever the request says.
#[tokio::test]
async fn a_new_task_belongs_to_whoever_made_it() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let theirs = ben.create("Theirs").await;
    let asked = Task {
        name: theirs.name.clone(),
        title: "  Buy milk ".to_owned(),
        notes: " two\n\tlitres ".to_owned(),
        status: TaskStatus::Done.into(),
        due: Some(due(Some(1439), "Europe/Paris")),
        revision: 99,
        etag: "\"99\"".to_owned(),
        create_time: Some(prost_types::Timestamp::default()),
        ..Task::default()
    };
    let made = ada.create_with(asked.clone(), "").await.unwrap().into_inner();
    assert!(made.name.starts_with(&format!("{}/tasks/", ada.name())), "{}", made.name);
    assert_eq!((made.title.as_str(), &made.notes), ("Buy milk", &asked.notes));
    assert_eq!((made.status(), made.complete_time), (TaskStatus::Open, None));
    assert_eq!(made.due, asked.due);
    assert_eq!((made.revision, made.etag.as_str()), (1, "\"1\""));
    assert_eq!(made.create_time.unwrap().seconds, 1_768_910_400);
    assert_eq!(made.create_time, made.update_time);
    assert_eq!(ada.get(&made.name).await.unwrap(), made);
    assert_eq!(ben.get(&theirs.name).await.unwrap(), theirs);
}

/// S3.1, FR-022: everybody sees their own tasks, newest first, and no others.
#[tokio::test]
async fn a_list_holds_the_callers_tasks_only() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    for n in 0..3 {
        app.clock.advance(Duration::from_millis(1));
        ada.create(&format!("Ada {n}")).await;
        ben.create(&format!("Ben {n}")).await;
    }
    assert_eq!(ada.titles().await, ["Ada 2", "Ada 1", "Ada 0"]);
    assert_eq!(ben.titles().await, ["Ben 2", "Ben 1", "Ben 0"]);
    assert!(app.user().titles().await.is_empty());
    for parent in [ada.name(), "users/me".to_owned()] {
        let page = ada.list(ListTasksRequest { parent, ..Default::default() }).await.unwrap();
        assert_eq!(page.tasks.len(), 3);
        assert_eq!(page.next_page_token, "");
    }
}

/// S5.2: fields change by mask; what the mask leaves out stays.
#[tokio::test]
async fn an_update_writes_what_its_mask_names() {
    let app = TestApp::start().await;
    let ada = app.user();
    let asked = Task {
        title: "Title".to_owned(),
        notes: "Notes".to_owned(),
        due: Some(due(None, "")),
        ..Task::default()
    };
    let made = ada.create_with(asked, "").await.unwrap().into_inner();
    let new = |title: &str, notes: &str, due: Option<Due>| Task {
        name: made.name.clone(),
        title: title.to_owned(),
        notes: notes.to_owned(),
        due,
        ..Task::default()
    };
    let parts = |task: &Task| (task.title.clone(), task.notes.clone(), task.due.clone());
    let expected = |title: &str, notes: &str, due| (title.to_owned(), notes.to_owned(), due);
    let zoned = Some(due(Some(0), "Asia/Tokyo"));

    app.clock.advance(Duration::from_secs(1));
    let task = ada.update(new("Other", "", None), &["title"]).await.unwrap();
    assert_eq!(parts(&task), expected("Other", "Notes", Some(due(None, ""))));
    assert_eq!((task.revision, task.create_time), (2, made.create_time));
    assert_eq!(task.update_time.unwrap().seconds, made.update_time.unwrap().seconds + 1);
    // An omitted mask is what is populated (AIP-134), so it clears nothing.
    let task = ada.update(new("", "More", None), &[]).await.unwrap();
    assert_eq!(parts(&task), expected("Other", "More", Some(due(None, ""))));
    let task = ada.update(new("ignored", "", zoned.clone()), &["notes", "due"]).await.unwrap();
    assert_eq!(parts(&task), expected("Other", "", zoned.clone()));
    let task = ada.update(new("Star", "", None), &["*"]).await.unwrap();
    assert_eq!(parts(&task), expected("Star", "", None));
    // Output only: nothing to write, so nothing changes.
    let task = ada.update(new("x", "x", zoned), &["status", "name", "revision"]).await.unwrap();
    assert_eq!((parts(&task), task.revision), (expected("Star", "", None), 5));
    let absent = UpdateTaskRequest {
        task: Some(new("Last", "", None)),
        update_mask: None,
        request_id: String::new(),
    };
    let task = ada.client.clone().update_task(absent).await.unwrap().into_inner().task.unwrap();
    assert_eq!(parts(&task), expected("Last", "", None));
    assert_eq!(ada.get(&made.name).await.unwrap(), task);
}

/// Marking as done and back; doing it again changes nothing.
#[tokio::test]
async fn a_task_is_done_once_and_can_be_reopened() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = ada.create("Task").await;
    app.clock.advance(Duration::from_secs(60));
    let done = ada.complete(&made.name).await.unwrap();
    assert_eq!((done.status(), done.revision), (TaskStatus::Done, 2));
    assert_eq!(done.complete_time.unwrap().seconds, made.create_time.unwrap().seconds + 60);
    app.clock.advance(Duration::from_secs(60));
    assert_eq!(ada.complete(&made.name).await.unwrap(), done);
    let open = ada.reopen(&made.name).await.unwrap();
    assert_eq!((open.status(), open.complete_time, open.revision), (TaskStatus::Open, None, 3));
    assert_eq!(ada.reopen(&made.name).await.unwrap(), open);
}

/// A deleted task is gone from every list and cannot be written to; its owner
/// finds it in the bin as it was.
#[tokio::test]
async fn a_deleted_task_lies_in_the_bin() {
    let app = TestApp::start().await;
    let ada = app.user();
    let asked = Task {
        title: "Title".to_owned(),
        notes: "Notes".to_owned(),
        due: Some(due(Some(1), "Africa/Nairobi")),
        ..Task::default()
    };
    let made = ada.create_with(asked, "").await.unwrap().into_inner();
    let done = ada.complete(&made.name).await.unwrap();
    ada.delete(&made.name).await.unwrap();
    refused(ada.delete(&made.name).await, Code::NotFound, "TASK_NOT_FOUND");
    refused(ada.reopen(&made.name).await, Code::NotFound, "TASK_NOT_FOUND");
    assert!(ada.titles().await.is_empty());
    let binned = ada.get(&made.name).await.unwrap();
    assert_eq!(binned.revision, 3);
    let back = Task {
        delete_time: None,
        expire_time: None,
        revision: done.revision,
        etag: done.etag.clone(),
        update_time: done.update_time,
        ..binned
    };
    assert_eq!(back, done);
}

/// AIP-154: a write with an etag is done only to what its caller saw.
#[tokio::test]
async fn a_stale_etag_is_refused_with_the_present_one() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = ada.create("Task").await;
    let renamed = |etag: &str| Task {
        name: made.name.clone(),
        title: "New".to_owned(),
        etag: etag.to_owned(),
        ..Task::default()
    };
    let task = ada.update(renamed(&made.etag), &["title"]).await.unwrap();
    assert_eq!(task.etag, "\"2\"");

    let before = app.stored(ada.id).await;
    for result in [
        ada.update(renamed(&made.etag), &["title"]).await.map(drop),
        ada.update(renamed(&made.etag), &["status"]).await.map(drop),
        ada.complete_with(&made.name, &made.etag, "").await.map(drop),
        ada.delete_with(&made.name, &made.etag, "").await.map(drop),
    ] {
        let status = refused(result, Code::Aborted, "ETAG_MISMATCH");
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().metadata["current_etag"], task.etag);
    }
    assert_eq!(app.stored(ada.id).await, before, "a refused write burns no revision");
    let done = ada.complete_with(&made.name, &task.etag, "").await.unwrap().into_inner();
    ada.delete_with(&made.name, &done.etag, "").await.unwrap();
}

/// Names are read in each of their forms and answered in full.
#[tokio::test]
async fn me_is_the_caller() {
    let app = TestApp::start().await;
    let ada: User = app.user();
    let made = ada.create("Task").await;
    let short = made.name.replace(&ada.name(), "users/me");
    assert_eq!(ada.get(&short).await.unwrap(), made);
    assert_eq!(ada.complete(&short).await.unwrap().name, made.name);
    ada.delete(&short).await.unwrap();
}
