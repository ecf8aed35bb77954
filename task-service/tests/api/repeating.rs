//! Writes that are sent again under the same request id (AIP-155).

use std::time::Duration;

use proto::task::v1::{CreateTaskRequest, Task, task_operation::Operation};
use shared::{clock::Clock as _, database::Database, rng, testing::eventually};
use task_service::sweep::{self, Purged};
use tonic::Code;

use crate::{
    app::{TestApp, is_replay, refused},
    batch::op,
};

fn titled(title: &str) -> Task {
    Task { title: title.to_owned(), ..Task::default() }
}

/// AIP-155: the same request again returns what the first one made, as it is by
/// now; another request under the same id is refused.
#[tokio::test]
async fn a_repeated_create_returns_the_task_as_it_is_now() {
    let app = TestApp::start().await;
    let ada = app.user();
    let id = rng::uuid_v4().to_string();
    let first = ada.create_with(titled("Task"), &id).await.unwrap();
    assert!(!is_replay(&first));
    let made = first.into_inner();
    let done = ada.complete(&made.name).await.unwrap();
    // The same thing in other words: blanks around a title mean nothing.
    let again = ada.create_with(titled(" Task "), &id.to_uppercase()).await.unwrap();
    assert!(is_replay(&again));
    assert_eq!(again.into_inner(), done);
    assert_eq!(ada.titles().await.len(), 1);

    let other = ada.create_with(titled("Other"), &id).await;
    refused(other, Code::FailedPrecondition, "REQUEST_ID_REUSED");
    let method = ada.complete_with(&made.name, "", &id).await;
    refused(method, Code::FailedPrecondition, "REQUEST_ID_REUSED");
    // Another user's ids are another's.
    assert!(!is_replay(&app.user().create_with(titled("Other"), &id).await.unwrap()));

    ada.delete(&made.name).await.unwrap();
    let binned = ada.create_with(titled("Task"), &id).await.unwrap();
    assert!(is_replay(&binned));
    assert!(binned.into_inner().delete_time.is_some(), "it is not made again");
}

/// AIP-155: a repeated change or deletion does nothing, even if undone since.
#[tokio::test]
async fn repeated_changes_do_nothing_more() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = ada.create("Task").await;
    let id = rng::uuid_v4().to_string();
    let done = ada.complete_with(&made.name, &made.etag, &id).await.unwrap();
    assert!(!is_replay(&done));
    let open = ada.reopen(&made.name).await.unwrap();
    // The etag is stale by now, and yet it is a repetition.
    let again = ada.complete_with(&made.name, &made.etag, &id).await.unwrap();
    assert!(is_replay(&again));
    assert_eq!(again.into_inner(), open);
    let other_etag = ada.complete_with(&made.name, &open.etag, &id).await;
    refused(other_etag, Code::FailedPrecondition, "REQUEST_ID_REUSED");

    let id = rng::uuid_v4().to_string();
    assert!(!is_replay(&ada.delete_with(&made.name, "", &id).await.unwrap()));
    assert!(is_replay(&ada.delete_with(&made.name, "", &id).await.unwrap()));
}

/// A refused write did nothing, so its id may be used again.
#[tokio::test]
async fn a_refused_write_gives_its_request_id_back() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = ada.create("Task").await;
    let id = rng::uuid_v4().to_string();
    let stale = ada.complete_with(&made.name, "\"99\"", &id).await;
    refused(stale, Code::Aborted, "ETAG_MISMATCH");
    let missing = format!("users/me/tasks/{}", rng::uuid_v4());
    let gone = ada.complete_with(&missing, "", &id).await;
    refused(gone, Code::NotFound, "TASK_NOT_FOUND");
    assert!(!is_replay(&ada.complete_with(&made.name, &made.etag, &id).await.unwrap()));
}

/// Request ids are kept for 24 hours, tombstones for 30 days; then they go.
#[tokio::test]
async fn what_is_kept_for_a_time_goes_when_it_is_over() {
    let app = TestApp::start().await;
    let hours = |n: u64| Duration::from_secs(n * 3600);
    let (ada, ben) = (app.user(), app.user());
    let id = rng::uuid_v4().to_string();
    let made = ada.create_with(titled("Task"), &id).await.unwrap().into_inner();
    ben.create("Ben's").await;
    ada.delete(&made.name).await.unwrap();

    let database = Database::new(app.database.app.clone(), 1);
    let swept = async || sweep::sweep(&database, app.clock.now()).await.unwrap();
    app.clock.advance(hours(24) - Duration::from_secs(1));
    assert_eq!(swept().await, Purged::default());
    app.clock.advance(Duration::from_secs(1));
    let ada = app.with_token(ada.id, &app.token(ada.id));
    // Over already, though nobody has purged it yet.
    let new = ada.create_with(titled("Another"), &id).await.unwrap();
    assert!(!is_replay(&new));
    app.clock.advance(hours(24));
    assert_eq!(swept().await, Purged { tombstones: 0, requests: 1 });

    app.clock.advance(hours(28 * 24));
    assert_eq!(swept().await, Purged { tombstones: 1, requests: 0 });
    assert_eq!(swept().await, Purged::default());
    let id_of_made = made.name.rsplit('/').next().unwrap();
    assert!(!app.stored(ada.id).await.contains(id_of_made));
    assert!(app.stored(ben.id).await.contains("Ben's"));
}

/// An id that was used for a batch is forgotten with all of it.
#[tokio::test]
async fn an_id_that_is_used_anew_stands_for_the_new_write() {
    let app = TestApp::start().await;
    let ada = app.user();
    let ids = [rng::uuid_v4().to_string(), rng::uuid_v4().to_string()];
    let create = |title: &str| {
        op(Operation::Create(CreateTaskRequest { task: Some(titled(title)), ..Default::default() }))
    };
    for id in &ids {
        ada.batch_with(vec![create("one"), create("two")], id).await.unwrap();
    }
    app.clock.advance(Duration::from_secs(24 * 3600));
    let ada = app.with_token(ada.id, &app.token(ada.id));
    // A plain task, and one that is made as a batch of one is.
    let top = ada.create("top").await.name;
    for (id, parent_task) in [(&ids[0], String::new()), (&ids[1], top)] {
        let task = Task { parent_task, ..titled("new") };
        let new = ada.create_with(task.clone(), id).await.unwrap();
        assert!(!is_replay(&new));
        let again = ada.create_with(task, id).await.unwrap();
        assert!(is_replay(&again));
        assert_eq!(new.into_inner(), again.into_inner());
    }
}

/// The service purges by itself, once an hour.
#[tokio::test]
async fn purging_happens_every_hour() {
    let app = TestApp::start().await;
    let ada = app.user();
    ada.create_with(titled("Task"), &rng::uuid_v4().to_string()).await.unwrap();
    let kept = app.stored(ada.id).await;
    let database = Database::new(app.database.app.clone(), 1);
    let clock = app.clock.clone();
    let purging = tokio::spawn(async move { sweep::run(&database, &clock).await });
    app.clock.advance(Duration::from_secs(25 * 3600));
    eventually("the request id is purged", async || app.stored(ada.id).await != kept).await;
    assert!(app.stored(ada.id).await.contains("Task"));
    purging.abort();
}
