//! Subtasks: how deep they go, and what closing, deleting and bringing back a
//! task does to those below it.

use proto::task::v1::{self as pb, TaskStatus};
use tonic::Code;

use crate::app::{TestApp, User, refused};

/// A chain of tasks, each a step of the one before.
pub(crate) async fn chain(user: &User, titles: &[&str]) -> Vec<pb::Task> {
    let mut made: Vec<pb::Task> = Vec::new();
    for title in titles {
        let parent = made.last().map(|task| task.name.clone()).unwrap_or_default();
        made.push(user.step(title, &parent).await);
    }
    made
}

async fn statuses(user: &User, tasks: &[pb::Task]) -> Vec<TaskStatus> {
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(user.get(&task.name).await.expect("it is there").status());
    }
    statuses
}

/// Steps go five deep and no deeper, also where a task with steps of its own is
/// moved; a step is in the list of its task.
#[tokio::test]
async fn steps_go_five_deep() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = chain(&ada, &["0", "1", "2", "3", "4", "5"]).await;
    let sixth = pb::Task {
        title: "6".to_owned(),
        parent_task: made[5].name.clone(),
        ..pb::Task::default()
    };
    let status = refused(ada.create_with(sixth, "").await, Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(crate::app::fields(&status), ["task.parent_task"]);

    let two = chain(&ada, &["a", "b"]).await;
    let status = refused(
        ada.move_under(&two[0].name, &made[4].name).await,
        Code::InvalidArgument,
        "FIELD_INVALID",
    );
    assert_eq!(crate::app::fields(&status), ["parent_task"]);
    let moved = ada.move_under(&two[0].name, &made[3].name).await.unwrap();
    assert_eq!(moved.parent_task, made[3].name);
}

/// A task is no step of itself, nor of one of its own steps.
#[tokio::test]
async fn no_task_is_a_step_of_itself() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = chain(&ada, &["a", "b", "c"]).await;
    for (task, parent) in [(0, 0), (0, 1), (0, 2), (1, 2)] {
        let moved = ada.move_under(&made[task].name, &made[parent].name).await;
        refused(moved, Code::FailedPrecondition, "PARENT_CYCLE");
    }
    let up = ada.move_under(&made[2].name, &made[0].name).await.unwrap();
    assert_eq!(up.parent_task, made[0].name);
    assert_eq!(ada.get(&made[1].name).await.unwrap().revision, made[1].revision);
}

/// A parent with open steps is closed only with them, and opening it again
/// opens those that were closed with it and no others.
#[tokio::test]
async fn a_forced_completion_is_undone_as_a_whole() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = chain(&ada, &["a", "b", "c"]).await;
    let earlier = ada.step("earlier", &made[0].name).await;
    ada.complete(&earlier.name).await.unwrap();
    refused(ada.complete(&made[0].name).await, Code::FailedPrecondition, "OPEN_SUBTASKS");
    refused(ada.complete(&made[1].name).await, Code::FailedPrecondition, "OPEN_SUBTASKS");
    let untouched = statuses(&ada, &made).await;
    assert_eq!(untouched, [TaskStatus::Open; 3]);

    let head = app.head(&ada).await;
    let forced = pb::CompleteTaskRequest {
        name: made[0].name.clone(),
        force: true,
        cancel: true,
        ..Default::default()
    };
    let closed = ada.client.clone().complete_task(forced).await.unwrap().into_inner();
    assert_eq!(closed.task.unwrap().status(), TaskStatus::Cancelled);
    assert_eq!(statuses(&ada, &made).await, [TaskStatus::Cancelled; 3]);
    assert_eq!(app.head(&ada).await, head + 3, "one revision each");

    ada.reopen(&made[0].name).await.unwrap();
    assert_eq!(statuses(&ada, &made).await, [TaskStatus::Open; 3]);
    assert_eq!(ada.get(&earlier.name).await.unwrap().status(), TaskStatus::Done);
}

/// That holds also where a step between them was closed by itself.
#[tokio::test]
async fn reopening_reaches_past_a_step_that_stays_closed() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = chain(&ada, &["a", "b", "c"]).await;
    let force = async |task: &pb::Task| {
        let name = task.name.clone();
        let request = pb::CompleteTaskRequest { name, force: true, ..Default::default() };
        ada.client.clone().complete_task(request).await.expect("it is closed");
    };
    force(&made[1]).await;
    ada.reopen(&made[2].name).await.unwrap();
    force(&made[0]).await;
    assert_eq!(statuses(&ada, &made).await, [TaskStatus::Done; 3]);
    ada.reopen(&made[0].name).await.unwrap();
    let expected = [TaskStatus::Open, TaskStatus::Done, TaskStatus::Open];
    assert_eq!(statuses(&ada, &made).await, expected);
}

/// Deleting takes the steps along; bringing back brings back those that went
/// with it and no others.
#[tokio::test]
async fn a_deletion_is_undone_as_a_whole() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = chain(&ada, &["a", "b", "c"]).await;
    let earlier = ada.step("earlier", &made[0].name).await;
    ada.delete(&earlier.name).await.unwrap();
    let mut client = ada.client.clone();
    let deleted = client
        .delete_task(pb::DeleteTaskRequest { name: made[0].name.clone(), ..Default::default() });
    let deleted = deleted.await.unwrap().into_inner().task.unwrap();
    let (gone, until) = (deleted.delete_time.unwrap(), deleted.expire_time.unwrap());
    assert_eq!(until.seconds - gone.seconds, 30 * 24 * 3600);
    assert!(ada.titles().await.is_empty());
    for task in &made {
        let binned = ada.get(&task.name).await.unwrap();
        assert!(binned.delete_time.is_some());
        refused(ada.complete(&task.name).await, Code::NotFound, "TASK_NOT_FOUND");
        refused(ada.delete(&task.name).await, Code::NotFound, "TASK_NOT_FOUND");
    }
    assert_eq!(ada.usage().await.tasks, 0);

    let back = ada.undelete(&made[0].name).await.unwrap();
    assert_eq!((back.delete_time, back.title.as_str()), (None, "a"));
    let mut titles = ada.titles().await;
    titles.sort();
    assert_eq!(titles, ["a", "b", "c"]);
    assert_eq!(ada.usage().await.tasks, 3);
    refused(ada.undelete(&made[0].name).await, Code::AlreadyExists, "TASK_NOT_DELETED");

    // A step whose task is in the bin comes back as a task of its own.
    ada.delete(&made[1].name).await.unwrap();
    let alone = ada.undelete(&made[2].name).await.unwrap();
    assert_eq!(alone.parent_task, "");
}

/// When a task was closed can be said afterwards, and cannot be in the future.
#[tokio::test]
async fn a_completion_can_be_dated_back() {
    let app = TestApp::start().await;
    let ada = app.user();
    let task = ada.create("Filed").await;
    let now = shared::clock::Clock::now(&app.clock).timestamp();
    let at = |seconds: i64| pb::CompleteTaskRequest {
        name: task.name.clone(),
        complete_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        ..Default::default()
    };
    for bad in [now + 60, -1, i64::MAX, i64::MIN] {
        let status = refused(
            ada.client.clone().complete_task(at(bad)).await,
            Code::InvalidArgument,
            "FIELD_INVALID",
        );
        assert_eq!(crate::app::fields(&status), ["complete_time"]);
    }
    let answer = ada.client.clone().complete_task(at(now - 86_400)).await.unwrap().into_inner();
    assert_eq!(answer.task.unwrap().complete_time.unwrap().seconds, now - 86_400);
}
