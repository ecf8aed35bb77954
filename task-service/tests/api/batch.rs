//! Many changes at once.

use proto::task::v1::{self as pb, TaskStatus, task_operation::Operation};
use shared::rng;
use tonic::Code;

use crate::{
    app::{TestApp, User, at_once, date, fields, is_replay, refused, repeating},
    rows::{self, Row},
};

pub(crate) fn op(operation: Operation) -> pb::TaskOperation {
    pb::TaskOperation { operation: Some(operation) }
}

fn make(title: &str, task_id: &str, parent: &str) -> pb::TaskOperation {
    op(Operation::Create(pb::CreateTaskRequest {
        task: Some(pb::Task {
            title: title.to_owned(),
            parent_task: parent.to_owned(),
            ..pb::Task::default()
        }),
        task_id: task_id.to_owned(),
        ..Default::default()
    }))
}

fn complete(name: &str) -> pb::TaskOperation {
    op(Operation::Complete(pb::CompleteTaskRequest { name: name.to_owned(), ..Default::default() }))
}

pub(crate) fn index(status: &tonic::Status) -> Option<String> {
    use tonic_types::StatusExt as _;
    status.get_error_details().error_info()?.metadata.get("op_index").cloned()
}

/// Later operations use what earlier ones made, and every answer is the task as
/// it is in the end.
#[tokio::test]
async fn later_operations_use_what_earlier_ones_made() {
    let app = TestApp::start().await;
    let ada = app.user();
    let ids = [rng::uuid_v4().to_string(), rng::uuid_v4().to_string()];
    let name = |id: &str| format!("users/me/tasks/{id}");
    let tasks = ada
        .batch(vec![
            make("Trip", &ids[0], ""),
            make("Pack", &ids[1], &name(&ids[0])),
            make("Book", "", &name(&ids[0])),
            op(Operation::Update(pb::UpdateTaskRequest {
                task: Some(pb::Task {
                    name: name(&ids[1]),
                    labels: vec!["b".to_owned(), "a".to_owned()],
                    priority: pb::Priority::High.into(),
                    ..Default::default()
                }),
                ..Default::default()
            })),
            complete(&name(&ids[1])),
            op(Operation::Delete(pb::DeleteTaskRequest {
                name: name(&ids[0]),
                ..Default::default()
            })),
            op(Operation::Undelete(pb::UndeleteTaskRequest {
                name: name(&ids[0]),
                ..Default::default()
            })),
        ])
        .await
        .unwrap();
    assert_eq!(tasks.len(), 7);
    assert_eq!(tasks[1].parent_task, tasks[0].name);
    assert_eq!(tasks[1].labels, ["a", "b"]);
    assert_eq!(tasks[1], tasks[3]);
    assert_eq!(tasks[4].status(), TaskStatus::Done);
    assert_eq!(tasks[6].delete_time, None);
    assert_eq!(ada.usage().await.tasks, 3);
    assert_eq!(ada.get(&tasks[1].name).await.unwrap(), tasks[4]);
}

/// A batch is all or none, and says which operation was at fault.
#[tokio::test]
async fn a_batch_is_all_or_none() {
    let app = TestApp::start().await;
    let ada = app.user();
    let task = ada.create("There").await;
    let stored = app.stored(ada.id).await;
    let nobody = format!("users/me/tasks/{}", rng::uuid_v4());
    let taken = task.name.rsplit('/').next().unwrap();
    let stale = op(Operation::Delete(pb::DeleteTaskRequest {
        name: task.name.clone(),
        etag: "\"999\"".to_owned(),
        ..Default::default()
    }));
    let cases = [
        (complete(&nobody), Code::NotFound, "TASK_NOT_FOUND"),
        (make("Taken", taken, ""), Code::AlreadyExists, "TASK_ID_TAKEN"),
        (make("Orphan", "", &nobody), Code::NotFound, "TASK_NOT_FOUND"),
        (make("", "", ""), Code::InvalidArgument, "FIELD_INVALID"),
        (make("Bad id", "1", ""), Code::InvalidArgument, "FIELD_INVALID"),
        (stale, Code::Aborted, "ETAG_MISMATCH"),
        (pb::TaskOperation::default(), Code::InvalidArgument, "FIELD_INVALID"),
    ];
    for (bad, code, reason) in cases {
        let operations = vec![make("One", "", ""), complete(&task.name), bad, make("Two", "", "")];
        let status =
            refused(ada.batch_with(operations, &rng::uuid_v4().to_string()).await, code, reason);
        assert_eq!(index(&status).as_deref(), Some("2"), "{reason}");
        assert!(fields(&status).iter().all(|field| field.starts_with("operations[2]")));
        assert_eq!(app.stored(ada.id).await, stored, "{reason}");
    }
    let others = app.user().create("Theirs").await;
    let status = refused(
        ada.batch(vec![make("One", "", ""), complete(&others.name)]).await,
        Code::PermissionDenied,
        "NOT_YOURS",
    );
    assert_eq!(index(&status).as_deref(), Some("1"));
    assert_eq!(app.stored(ada.id).await, stored);
}

/// 500 operations are one batch, 501 are refused, and so are none.
#[tokio::test]
async fn a_batch_has_one_to_five_hundred_operations() {
    let app = TestApp::start().await;
    let ada = app.user();
    let many = |count: usize| (0..count).map(|n| make(&n.to_string(), "", "")).collect();
    refused(ada.batch(many(501)).await, Code::InvalidArgument, "BATCH_TOO_LARGE");
    refused(ada.batch(many(0)).await, Code::InvalidArgument, "FIELD_INVALID");
    let made = ada.batch(many(500)).await.unwrap();
    assert_eq!(made.len(), 500);
    assert_eq!(app.head(&ada).await, 500);
    let newest: Vec<_> = ada.titles().await;
    assert_eq!(newest[..3], ["499", "498", "497"], "newest first, as they were made");
    let closed = ada.batch(made.iter().map(|task| complete(&task.name)).collect()).await.unwrap();
    assert!(closed.iter().all(|task| task.status() == TaskStatus::Done));
    assert_eq!(app.head(&ada).await, 1000);
}

/// Tasks whose texts are too large for one answer are not changed in one batch;
/// the error says with which of them it got too much.
#[tokio::test]
async fn the_answer_of_a_batch_can_be_received() {
    let app = TestApp::start().await;
    let ada = app.user();
    let large = |rev| Row { notes: "ä".repeat(20_000), ..Row::new("Long", rev) };
    let rows: Vec<Row> = (1..=100).map(large).collect();
    rows::insert(&app.database, ada.id, &rows).await;
    let name = |row: &Row| format!("users/me/tasks/{}", row.id);
    let mut operations: Vec<_> = rows.iter().map(|row| complete(&name(row))).collect();
    let batch = ada.batch(operations.clone()).await;
    let status = refused(batch, Code::InvalidArgument, "BATCH_TOO_LARGE");
    assert_eq!(
        (index(&status).as_deref(), fields(&status)),
        (Some("78"), vec!["operations".into()])
    );
    assert_eq!(app.head(&ada).await, 100, "none of it is done");
    operations.truncate(78);
    assert_eq!(ada.batch(operations).await.unwrap().len(), 78);
}

/// The same batch again does nothing and answers the same; another one under
/// its id is refused.
#[tokio::test]
async fn a_repeated_batch_does_nothing_more() {
    let app = TestApp::start().await;
    let ada = app.user();
    let id = rng::uuid_v4().to_string();
    let operations = || vec![make("One", "", ""), make("Two", "", "")];
    let first = ada.batch_answer(operations(), &id).await.unwrap();
    assert!(!is_replay(&first));
    let again = ada.batch_answer(operations(), &id).await.unwrap();
    assert!(is_replay(&again));
    assert_eq!(first.into_inner().tasks, again.into_inner().tasks);
    assert_eq!(app.head(&ada).await, 2);
    refused(
        ada.batch_with(vec![make("One", "", "")], &id).await,
        Code::FailedPrecondition,
        "REQUEST_ID_REUSED",
    );
}

/// Batches and single writes at once leave no gap in the revisions.
#[tokio::test]
async fn batches_among_single_writes_leave_no_gap() {
    let app = TestApp::start().await;
    let ada = app.user();
    let task = ada.create("Shared").await;
    let writer = |ada: User, name: String, n: usize| async move {
        for turn in 0..8 {
            if (n + turn).is_multiple_of(2) {
                let operations = vec![make("a", "", ""), make("b", "", ""), complete(&name)];
                ada.batch(operations).await.unwrap();
            } else {
                ada.reopen(&name).await.unwrap();
                ada.create("c").await;
            }
        }
    };
    at_once((0..8).map(|n| writer(ada.clone(), task.name.clone(), n))).await;
    let mut revisions: Vec<i64> = ada.in_order().await.iter().map(|task| task.revision).collect();
    revisions.sort_unstable();
    revisions.dedup();
    assert_eq!(revisions.len(), ada.in_order().await.len(), "each revision once");
    assert_eq!(revisions.last().copied(), Some(app.head(&ada).await));
}

/// Tasks that recur can be completed by the dozen.
#[tokio::test]
async fn a_batch_completes_tasks_that_recur() {
    let app = TestApp::start().await;
    let ada = app.user();
    let mut operations = Vec::new();
    for n in 0..12 {
        let task = repeating(&n.to_string(), date(2099, 5, 1), "FREQ=WEEKLY");
        let made = ada.create_with(task, "").await.unwrap().into_inner();
        operations.push(complete(&made.name));
    }
    // One that is made and completed in the same batch.
    let id = rng::uuid_v4().to_string();
    operations.push(op(Operation::Create(pb::CreateTaskRequest {
        task: Some(repeating("New", date(2099, 5, 1), "FREQ=DAILY")),
        task_id: id.clone(),
        ..Default::default()
    })));
    operations.push(complete(&format!("users/me/tasks/{id}")));
    ada.batch(operations).await.unwrap();
    let open = ada.in_order().await.into_iter().filter(|task| task.status() == TaskStatus::Open);
    assert_eq!(open.count(), 13);
}

/// A user has at most as many tasks as the service allows; deleting makes room.
#[tokio::test]
async fn there_is_a_limit_to_tasks() {
    let app = TestApp::start_with(&["--max-tasks", "3"]).await;
    let ada = app.user();
    for n in 0..2 {
        ada.create(&n.to_string()).await;
    }
    let two = vec![make("a", "", ""), make("b", "", "")];
    refused(ada.batch(two).await, Code::ResourceExhausted, "TASK_QUOTA");
    let third = ada.create("third").await;
    let id = rng::uuid_v4().to_string();
    let fourth = pb::Task { title: "fourth".to_owned(), ..Default::default() };
    refused(ada.create_with(fourth.clone(), &id).await, Code::ResourceExhausted, "TASK_QUOTA");
    ada.delete(&third.name).await.unwrap();
    ada.create_with(fourth, &id).await.expect("the id was given back");
    refused(ada.undelete(&third.name).await, Code::ResourceExhausted, "TASK_QUOTA");
    app.user().create("Ben has a limit of his own").await;
}
