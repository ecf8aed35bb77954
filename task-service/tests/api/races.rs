//! Many callers at once: nothing is done twice, nothing is lost.

use proto::task::v1::{ListTasksRequest, Task};
use shared::rng;
use tonic::Code;

use crate::app::{TestApp, at_once, is_replay, reason};

/// AIP-155: fifty creates with one request id make one task, and all callers
/// get it.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_creates_with_one_request_id_make_one_task() {
    let app = TestApp::start().await;
    let ada = app.user();
    for round in 0..5 {
        let id = rng::uuid_v4().to_string();
        let answers = at_once((0..50).map(|_| {
            let (ada, id) = (ada.clone(), id.clone());
            let task = Task { title: format!("Round {round}"), ..Task::default() };
            async move { ada.create_with(task, &id).await.expect("an answer") }
        }))
        .await;
        assert_eq!(answers.len(), 50);
        assert_eq!(answers.iter().filter(|answer| !is_replay(answer)).count(), 1);
        let first = answers[0].get_ref();
        assert!(answers.iter().all(|answer| answer.get_ref() == first));
        assert_eq!(first.revision, round + 1);
    }
    assert_eq!(ada.titles().await.len(), 5);
}

/// AIP-154: sixteen editors, each adding ten lines and trying again when the
/// etag is stale, lose none of 160 lines.
#[tokio::test(flavor = "multi_thread")]
async fn sixteen_editors_with_etags_lose_no_edit() {
    let app = TestApp::start().await;
    let ada = app.user();
    let name = ada.create("Shared page").await.name;
    at_once((0..16).map(|editor| {
        let (ada, name) = (ada.clone(), name.clone());
        async move {
            for line in 0..10 {
                loop {
                    let mut task = ada.get(&name).await.expect("the task");
                    task.notes.push_str(&format!("{editor}/{line}\n"));
                    match ada.update(task, &["notes"]).await {
                        Ok(_) => break,
                        Err(status) => {
                            assert_eq!(status.code(), Code::Aborted, "{status:?}");
                            assert_eq!(reason(&status), "ETAG_MISMATCH");
                        }
                    }
                }
            }
        }
    }))
    .await;
    let task = ada.get(&name).await.unwrap();
    let mut lines: Vec<&str> = task.notes.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!((task.notes.lines().count(), lines.len()), (160, 160));
    assert_eq!(task.revision, 161);
}

/// Revisions have no gaps and no doubles under sixteen writers, whose refused
/// and empty writes burn none.
#[tokio::test(flavor = "multi_thread")]
async fn sixteen_writers_leave_no_gap_in_the_revisions() {
    let app = TestApp::start().await;
    let ada = app.user();
    let revisions = at_once((0..16).map(|writer| {
        let ada = ada.clone();
        async move {
            let mut revisions = Vec::new();
            for n in 0..10 {
                let made = ada.create(&format!("{writer}/{n}")).await;
                let missing = format!("users/me/tasks/{}", rng::uuid_v4());
                let gone = ada.complete(&missing).await.unwrap_err();
                assert_eq!(gone.code(), Code::NotFound);
                let done = ada.complete(&made.name).await.expect("it is done");
                let stale = ada.delete_with(&made.name, &made.etag, "").await.unwrap_err();
                assert_eq!(stale.code(), Code::Aborted);
                assert_eq!(ada.complete(&made.name).await.expect("it stays done"), done);
                let new = Task { title: "Changed".to_owned(), ..done.clone() };
                let changed = ada.update(new, &["title"]).await.expect("it changes");
                revisions.extend([made.revision, done.revision, changed.revision]);
            }
            revisions
        }
    }))
    .await;
    let mut revisions = revisions.concat();
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=16 * 10 * 3).collect::<Vec<_>>());
    let page = ada.list(ListTasksRequest { page_size: 500, ..Default::default() }).await.unwrap();
    assert_eq!(page.tasks.len(), 160);
}
