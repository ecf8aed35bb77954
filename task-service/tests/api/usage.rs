//! How much a user has, and may have.

use proto::task::v1 as pb;
use tonic::Code;

use crate::{
    app::{TestApp, refused},
    list_calls::{delete, make},
};

/// Tasks and lists count while they are not deleted, open ones besides; the
/// limits are those that writes are held against.
#[tokio::test]
async fn usage_is_what_quotas_are_held_against() {
    let app = TestApp::start_with(&["--max-tasks", "4", "--max-lists", "1"]).await;
    let (ada, ben) = (app.user(), app.user());
    ben.create("Ben's").await;
    let expected = |tasks, open_tasks, lists| pb::GetUsageResponse {
        tasks,
        tasks_limit: 4,
        lists,
        lists_limit: 1,
        open_tasks,
    };
    assert_eq!(ada.usage().await, expected(0, 0, 0));
    let list = make(&ada, "List").await;
    let task = ada.create("Task").await;
    let step = ada.step("Step", &task.name).await;
    let other = ada.create("Other").await;
    assert_eq!(ada.usage().await, expected(3, 3, 1));
    ada.complete(&other.name).await.unwrap();
    assert_eq!(ada.usage().await, expected(3, 2, 1));
    ada.create("Last").await;
    let full = ada.create_with(pb::Task { title: "x".to_owned(), ..pb::Task::default() }, "").await;
    refused(full, Code::ResourceExhausted, "TASK_QUOTA");
    ada.delete(&task.name).await.unwrap();
    assert_eq!(ada.usage().await, expected(2, 1, 1));
    ada.undelete(&task.name).await.unwrap();
    assert_eq!(ada.usage().await, expected(4, 3, 1));
    ada.complete(&step.name).await.unwrap();
    ada.reopen(&step.name).await.unwrap();
    delete(&ada, &list.name, false).await.unwrap();
    assert_eq!(ada.usage().await, expected(4, 3, 0));
    assert_eq!(ben.usage().await, expected(1, 1, 0));
}

/// The parent is read like every other.
#[tokio::test]
async fn the_parent_of_usage_is_a_user() {
    let app = TestApp::start().await;
    let ada = app.user();
    for (parent, good) in [("", true), ("users/me", true), ("users", false), ("me", false)] {
        let request = pb::GetUsageRequest { parent: parent.to_owned() };
        let answer = ada.client.clone().get_usage(request).await;
        assert_eq!(answer.is_ok(), good, "{parent}");
        if !good {
            refused(answer, Code::InvalidArgument, "FIELD_INVALID");
        }
    }
}
