//! Those who watch while Postgres and a replica are killed and come back: they
//! go on from where they were, and end with what is stored.

use std::collections::BTreeMap;

use proto::{
    auth::v1::auth_service_client::AuthServiceClient,
    task::v1::{
        Changes, DeleteTaskRequest, ListTasksRequest, WatchTasksRequest, change::Resource,
        watch_tasks_response::Event,
    },
};
use tokio::sync::watch;

use crate::{
    faults::Parts,
    harness::{Tasks, channel, create, sign_up, tasks},
};

const WATCHERS: usize = 12;
const WRITERS: usize = 4;

/// What somebody has: revisions by name.
type Rows = BTreeMap<String, i64>;

/// Watch: Postgres and one of two replicas are killed under those who write and
/// those who watch. Nothing is lost, nothing is told twice, nobody starts again.
#[tokio::test(flavor = "multi_thread")]
async fn watchers_go_on_over_restarts() {
    let mut parts = Parts::new().await;
    let auth = parts.auth("127.0.0.1:0").await;
    let mut accounts = AuthServiceClient::new(channel(&auth.address));
    let token = sign_up(&mut accounts, "ada@example.org").await.access_token;
    let (first, second) = (parts.task(&auth.address).await, parts.task(&auth.address).await);
    let (addresses, at) =
        watch::channel([first.address.clone(), second.address.clone()].map(|a| tasks(&a, &token)));
    let (done, expected) = watch::channel(None::<Rows>);
    let (stop, stopped) = watch::channel(false);

    let watchers: Vec<_> =
        (0..WATCHERS).map(|n| tokio::spawn(follow(n, at.clone(), expected.clone()))).collect();
    let writers: Vec<_> =
        (0..WRITERS).map(|n| tokio::spawn(write(n, at.clone(), stopped.clone()))).collect();

    let mut here = at.borrow()[1].clone();
    written(&mut here, "Before").await;
    parts.kill_postgres().await;
    parts.start_postgres().await;
    written(&mut here, "After Postgres").await;
    first.kill().await;
    let third = parts.task(&auth.address).await;
    let replaced = tasks(&third.address, &token);
    addresses.send_modify(|addresses| addresses[0] = replaced.clone());
    written(&mut replaced.clone(), "After a replica").await;

    stop.send_replace(true);
    for writer in writers {
        assert!(writer.await.unwrap() > 0, "a writer wrote");
    }
    done.send_replace(Some(stored(&mut here).await));
    for watcher in watchers {
        watcher.await.unwrap();
    }
    auth.stop().await;
    second.stop().await;
    third.stop().await;
}

/// Writes and deletes until it is stopped, and tells how much was written.
async fn write(n: usize, at: watch::Receiver<[Tasks; 2]>, stopped: watch::Receiver<bool>) -> usize {
    let mut count = 0;
    while !*stopped.borrow() {
        let mut client = at.borrow()[n % 2].clone();
        // What fails while Postgres is away fails.
        if let Ok(task) = create(&mut client, "Task").await {
            count += 1;
            if count % 3 == 0 {
                let request = DeleteTaskRequest { name: task.name, ..Default::default() };
                let _ = client.delete_task(request).await;
            }
        }
    }
    count
}

/// Writes one task, as soon as that is possible.
async fn written(client: &mut Tasks, title: &str) {
    let writing = async { while create(client, title).await.is_err() {} };
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, writing).await.expect("it can be written");
}

/// Watches, and goes on whenever a stream ends, until everything came.
async fn follow(
    n: usize,
    at: watch::Receiver<[Tasks; 2]>,
    mut expected: watch::Receiver<Option<Rows>>,
) {
    let (mut rows, mut last, mut token) = (Rows::new(), 0, String::new());
    for attempt in n.. {
        let mut client = at.borrow()[attempt % 2].clone();
        let resume_token = token.clone();
        let request = WatchTasksRequest { resume_token, ..Default::default() };
        let Ok(stream) = client.watch_tasks(request).await else { continue };
        let mut stream = stream.into_inner();
        loop {
            if expected.borrow_and_update().as_ref() == Some(&rows) {
                return;
            }
            tokio::select! {
                message = stream.message() => {
                    let Ok(Some(message)) = message else { break };
                    token = message.resume_token;
                    match message.event.unwrap() {
                        Event::Changes(Changes { changes }) => for change in changes {
                            assert!(change.revision > last, "{change:?} is told after {last}");
                            last = change.revision;
                            match change.resource.unwrap() {
                                Resource::Task(task) => drop(rows.insert(task.name, last)),
                                Resource::RemovedTask(name) => drop(rows.remove(&name)),
                                other => panic!("there are no lists: {other:?}"),
                            }
                        },
                        Event::Current(_) | Event::Bookmark(_) => {}
                        Event::Reset(_) => panic!("nothing that was told was lost"),
                    }
                }
                Ok(()) = expected.changed() => {}
            }
        }
    }
}

/// Everything that is stored.
async fn stored(client: &mut Tasks) -> Rows {
    let (mut rows, mut page_token) = (Rows::new(), String::new());
    loop {
        let request = ListTasksRequest { page_size: 500, page_token, ..Default::default() };
        let page = client.list_tasks(request).await.unwrap().into_inner();
        rows.extend(page.tasks.into_iter().map(|task| (task.name, task.revision)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return rows;
        }
    }
}
