//! Tasks that recur, closed in batches among others: as if one by one, and in
//! two statements however many there are.

use proto::task::v1::{self as pb, TaskStatus, task_operation::Operation};
use shared::testing::{self, StatementCounter};
use task_service::SCHEMA;
use tonic::Code;

use crate::{
    app::{TestApp, User, date, refused, repeating},
    batch::{index, op},
};

fn complete(name: &str, force: bool) -> pb::TaskOperation {
    op(Operation::Complete(pb::CompleteTaskRequest {
        name: name.to_owned(),
        force,
        ..Default::default()
    }))
}

fn retitle(name: &str) -> pb::TaskOperation {
    op(Operation::Update(pb::UpdateTaskRequest {
        task: Some(pb::Task { name: name.to_owned(), title: "x".into(), ..Default::default() }),
        ..Default::default()
    }))
}

/// A task, and a step of it that recurs.
async fn with_daily_step(user: &User) -> (pb::Task, pb::Task) {
    let task = user.create("task").await;
    let step = pb::Task {
        parent_task: task.name.clone(),
        ..repeating("step", date(2099, 1, 1), "FREQ=DAILY")
    };
    (task, user.create_with(step, "").await.expect("a task is made").into_inner())
}

/// When the tasks of a batch come again is found out at once for all of them,
/// also where other changes stand between them.
#[tokio::test]
async fn any_batch_is_two_statements() {
    let database = testing::database(&SCHEMA).await;
    let counter = StatementCounter::before(&database.app).unwrap();
    let through = counter.through(&database.app);
    let app = TestApp::start_on(database, through, 1).await;
    let ada = app.user();
    let mut operations = Vec::new();
    for n in 0..40 {
        let task = repeating(&n.to_string(), date(2099, 5, 1), "FREQ=WEEKLY");
        let task = ada.create_with(task, "").await.unwrap().into_inner();
        let other = ada.create("other").await;
        operations.extend([complete(&task.name, false), retitle(&other.name)]);
    }
    let _ = (counter.take(), counter.take_round_trips());
    let done = ada.batch(operations).await.unwrap();
    assert_eq!(counter.take(), 2);
    assert!(done.iter().step_by(2).all(|task| task.status() == TaskStatus::Done));
    let open = ada.in_order().await.into_iter().filter(|task| task.status() == TaskStatus::Open);
    assert_eq!(open.count(), 80);
}

/// What is wrong with a batch is told, also where a task recurs before it.
#[tokio::test]
async fn a_fault_behind_a_task_that_recurs_is_told() {
    let app = TestApp::start().await;
    let ada = app.user();
    let daily = repeating("Daily", date(2099, 1, 1), "FREQ=DAILY");
    let daily = ada.create_with(daily, "").await.unwrap().into_inner();
    let nobody = format!("users/me/tasks/{}", shared::rng::uuid_v4());
    let batch = ada.batch(vec![complete(&daily.name, false), retitle(&nobody)]).await;
    let status = refused(batch, Code::NotFound, "TASK_NOT_FOUND");
    assert_eq!(index(&status).as_deref(), Some("1"));
    assert_eq!(ada.get(&daily.name).await.unwrap(), daily);
    assert_eq!(ada.usage().await.tasks, 1);
}

/// A step that is closed along with its task has no next occurrence, also where
/// a later operation closes it by name.
#[tokio::test]
async fn a_step_that_was_closed_along_does_not_come_again() {
    let app = TestApp::start().await;
    let (one, all) = (app.user(), app.user());
    let (task, step) = with_daily_step(&one).await;
    one.batch(vec![complete(&task.name, true)]).await.unwrap();
    one.batch(vec![complete(&step.name, false)]).await.unwrap();
    let (task, step) = with_daily_step(&all).await;
    all.batch(vec![complete(&task.name, true), complete(&step.name, false)]).await.unwrap();
    assert_eq!((one.usage().await.tasks, all.usage().await.tasks), (2, 2));
    assert_eq!(app.head(&one).await, app.head(&all).await);

    // The other way round it comes again, and is closed with its task.
    let ben = app.user();
    let (task, step) = with_daily_step(&ben).await;
    ben.batch(vec![complete(&step.name, false), complete(&task.name, true)]).await.unwrap();
    assert_eq!((ben.usage().await.tasks, ben.usage().await.open_tasks), (3, 0));
}

/// A step that recurs comes again under its task, which so has an open step:
/// both can be closed only if that one is closed too.
#[tokio::test]
async fn a_step_that_comes_again_keeps_its_task_open() {
    let app = TestApp::start().await;
    let ada = app.user();
    let (task, step) = with_daily_step(&ada).await;
    let both = ada.batch(vec![complete(&step.name, false), complete(&task.name, false)]).await;
    let status = refused(both, Code::FailedPrecondition, "OPEN_SUBTASKS");
    assert_eq!(index(&status).as_deref(), Some("1"));
    assert_eq!(ada.usage().await.open_tasks, 2);
    ada.complete(&step.name).await.unwrap();
    refused(ada.complete(&task.name).await, Code::FailedPrecondition, "OPEN_SUBTASKS");
}

/// Opening a task again gives it its place back, which was the next occurrence's
/// meanwhile.
#[tokio::test]
async fn reopening_gives_the_place_back() {
    let app = TestApp::start().await;
    let ada = app.user();
    ada.create("below").await;
    let task = repeating("Daily", date(2099, 1, 1), "FREQ=DAILY");
    let task = ada.create_with(task, "").await.unwrap().into_inner();
    ada.create("above").await;
    let titles = async || -> Vec<_> {
        let tasks = ada.in_order().await;
        tasks.into_iter().map(|task| (task.title.clone(), task.status())).collect()
    };
    let before = titles().await;
    ada.complete(&task.name).await.unwrap();
    assert_eq!(ada.reopen(&task.name).await.unwrap().position, task.position);
    assert_eq!(titles().await, before);
    // And again, now that the next occurrence is in the bin.
    ada.complete(&task.name).await.unwrap();
    ada.reopen(&task.name).await.unwrap();
    assert_eq!(titles().await, before);
    // Where it was put meanwhile, it stays.
    ada.complete(&task.name).await.unwrap();
    ada.place(&task.name, None).await.unwrap();
    ada.reopen(&task.name).await.unwrap();
    let order: Vec<_> = titles().await.into_iter().map(|(title, _)| title).collect();
    assert_eq!(order, ["Daily", "above", "below"]);
}
