//! auth-service is away while people go on with their tasks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use proto::{
    auth::v1::{RotateSigningKeyRequest, SignOutRequest},
    task::v1::{ListTasksRequest, watch_tasks_response::Event},
};
use shared::testing::eventually;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::interval};

use crate::{
    alone, end,
    harness::{create, sign_up, tasks},
    is, next, watching,
    world::{World, kid, signed_with},
};

const A_MINUTE: Duration = Duration::from_secs(60);
const CALLERS: usize = 4;
/// How often each of them calls: nobody may have more than 10,000 tasks.
const PACE: Duration = Duration::from_millis(25);

/// Somebody who creates and lists tasks on both replicas time and again with one
/// token, and is never refused. Tells how many tasks were made.
fn worker(
    world: &World,
    token: String,
    called: Arc<AtomicUsize>,
    stopped: watch::Receiver<bool>,
) -> JoinHandle<usize> {
    let mut clients: Vec<_> = world.task.iter().map(|task| tasks(&task.address, &token)).collect();
    tokio::spawn(async move {
        let (mut made, mut pace) = (0, interval(PACE));
        while !*stopped.borrow() {
            pace.tick().await;
            for client in &mut clients {
                create(client, "During").await.expect("a task is made");
                made += 1;
                let request = ListTasksRequest { page_size: 1, ..ListTasksRequest::default() };
                let listed = client.list_tasks(request).await.expect("tasks are listed");
                assert_eq!(listed.into_inner().tasks.len(), 1);
            }
            called.fetch_add(1, Ordering::SeqCst);
        }
        made
    })
}

/// auth-service is away for a minute, by the machine's clock and by that of the
/// services, in which task-service wants to watch and to fetch the keys in vain: no
/// call fails, and no stream ends. Once it is back a key that was ordered before signs
/// and is believed, and task-service is told again what is revoked.
#[tokio::test(flavor = "multi_thread")]
async fn a_minute_without_auth_service_fails_no_task_call() {
    let (_alone, mut world) = alone().await;
    let mut session = sign_up(&mut world.auth_client(0), "ada@example.org").await;
    // With a key that was made while the pair ran.
    let rotated = world.admin(0).await.rotate_signing_key(RotateSigningKeyRequest {}).await;
    let made = rotated.unwrap().into_inner().kid;
    for replica in 0..2 {
        session = signed_with(&made, &mut world.auth_client(replica), session).await;
    }
    let token = session.access_token.clone();
    let mut stream = watching(&mut tasks(&world.task[0].address, &token)).await;
    let (stop, stopped) = watch::channel(false);
    let called = Arc::new(AtomicUsize::new(0));
    let mut workers = vec![worker(&world, token.clone(), called.clone(), stopped.clone())];
    for n in 1..CALLERS {
        let email = format!("ada{n}@example.org");
        let token = sign_up(&mut world.auth_client(n), &email).await.access_token;
        assert_eq!(kid(&token), made);
        workers.push(worker(&world, token, called.clone(), stopped.clone()));
    }

    let rotated = world.admin(1).await.rotate_signing_key(RotateSigningKeyRequest {}).await;
    let ordered = rotated.unwrap().into_inner().kid;
    let mut addresses = Vec::new();
    for auth in world.auth.drain(..) {
        addresses.push(auth.kill().await);
    }
    let mut asked = Vec::new();
    for address in &addresses {
        asked.push(Deaf::at(address).await);
    }
    let they_go_on = async || {
        let before = called.load(Ordering::SeqCst);
        eventually("they go on", async || called.load(Ordering::SeqCst) >= before + 2 * CALLERS)
            .await;
    };
    let gone = Instant::now();
    let mut passed = Duration::ZERO;
    while passed < A_MINUTE {
        they_go_on().await;
        // Both clocks go together.
        let now = gone.elapsed();
        world.clock.advance(now - passed);
        passed = now;
    }
    for deaf in &asked {
        eventually("it was asked in vain", async || deaf.asked() > 3).await;
    }
    they_go_on().await;
    stop.send_replace(true);
    let mut workers = workers.into_iter();
    let mut made = workers.next().unwrap().await.unwrap();
    for worker in workers {
        worker.await.unwrap();
    }
    while made > 0 {
        if let Some(Event::Changes(told)) = next(&mut stream).await.unwrap().event {
            made -= told.changes.len();
        }
    }

    drop(asked);
    for address in &addresses {
        let auth = world.auth(address).await;
        world.auth.push(auth);
    }
    world.watched().await;
    for replica in 0..2 {
        session = signed_with(&ordered, &mut world.auth_client(replica), session).await;
    }
    for task in &world.task {
        create(&mut tasks(&task.address, &session.access_token), "After").await.unwrap();
    }
    // The first token may have expired by now: the clock went on until both watched.
    let token = session.access_token.clone();
    let mut stream = watching(&mut tasks(&world.task[0].address, &token)).await;
    let request = SignOutRequest { refresh_token: session.refresh_token.clone() };
    world.auth_client(1).sign_out(request).await.unwrap();
    is(&end(&mut stream).await, "SESSION_REVOKED");
    for task in &world.task {
        eventually("it is refused", async || {
            create(&mut tasks(&task.address, &token), "Too late").await.is_err()
        })
        .await;
    }
    world.stop().await;
}

/// Somebody who takes connections and hangs up.
struct Deaf {
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Deaf {
    async fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                drop(connection);
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { asked, task }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        self.task.abort();
    }
}
