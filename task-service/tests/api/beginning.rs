//! Clients that begin to watch while others write: what there is and what
//! changes meet without a gap, by hints alone.

use std::{sync::Arc, time::Duration};

use proto::task::v1 as pb;
use shared::testing::Chance;
use tokio::{sync::watch, task::JoinSet, time::timeout};
use uuid::Uuid;

use crate::{
    mirror::Mirror,
    replica::{Caller, Replica, World},
};

const PATIENCE: Duration = Duration::from_secs(60);
const CLIENTS: usize = 40;
const WRITERS: usize = 16;
/// Writes of each writer.
const WRITES: usize = 25;

/// What the user has, as soon as nobody writes any more.
type Expected = watch::Receiver<Option<Arc<Vec<(Uuid, i64, String)>>>>;

/// Snapshot plus delta: 40 clients that begin at random moments, while 16
/// writers write through the service, end in the exact final state, by hints
/// alone: the clock stands still, so that nobody looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_begin_at_any_moment_miss_nothing() {
    let world = World::new().await;
    let replicas = Arc::new([world.replica().await, world.replica().await]);
    // One user of all, so that every client is in the way of every writer.
    let user = world.user();
    let written = Arc::new(watch::Sender::new(0));
    let (done, expected) = watch::channel(None);
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        let (replicas, user, expected) = (replicas.clone(), user.clone(), expected.clone());
        let mut seen = written.subscribe();
        clients.spawn(async move {
            let mut chance = Chance::of(40, n);
            let begin = chance.below(WRITERS * WRITES);
            seen.wait_for(|written| *written >= begin).await.expect("writers write");
            follow(&replicas[chance.below(2)], &user, expected).await;
        });
    }
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        let (replicas, user, written) = (replicas.clone(), user.clone(), written.clone());
        writers.spawn(async move { write(&replicas, &user, Chance::of(16, n), &written).await });
    }
    writers.join_all().await;
    done.send_replace(Some(Arc::new(world.rows(user.id).await)));
    timeout(PATIENCE, clients.join_all()).await.expect("everything comes");
}

async fn write(
    replicas: &[Replica; 2],
    user: &Caller,
    mut chance: Chance,
    written: &watch::Sender<usize>,
) {
    let mut names: Vec<String> = Vec::new();
    for n in 0..WRITES {
        let mut client = replicas[chance.below(2)].client();
        if names.is_empty() || chance.one_in(2) {
            let task = pb::Task { title: format!("Task {n}"), ..Default::default() };
            let request = pb::CreateTaskRequest { task: Some(task), ..Default::default() };
            let made = client.create_task(user.with(request)).await.expect("it is made");
            names.extend(made.into_inner().task.map(|task| task.name));
        } else if chance.one_in(2) {
            let name = names.swap_remove(chance.below(names.len()));
            let request = pb::DeleteTaskRequest { name, ..Default::default() };
            client.delete_task(user.with(request)).await.expect("it is deleted");
        } else {
            let name = names[chance.below(names.len())].clone();
            let task = pb::Task { name, title: format!("Changed {n}"), ..Default::default() };
            let request = pb::UpdateTaskRequest { task: Some(task), ..Default::default() };
            client.update_task(user.with(request)).await.expect("it is changed");
        }
        written.send_modify(|written| *written += 1);
    }
}

/// Reads one stream until everything came.
async fn follow(replica: &Replica, user: &Caller, mut expected: Expected) {
    let mut mirror = Mirror::default();
    let mut stream = replica.watch(user, "").await.expect("a stream");
    loop {
        let rows = expected.borrow_and_update().clone();
        if rows.is_some_and(|rows| mirror.has(&rows)) {
            return;
        }
        tokio::select! {
            event = stream.next(&mut mirror) => {
                event.expect("the stream goes on");
            }
            Ok(()) = expected.changed() => {}
        }
    }
}
