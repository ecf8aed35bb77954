//! Many clients under many writers, with everything cut off at random: nothing
//! is lost, nothing is told twice, and in the end every client has what the
//! database has. A seed decides who does what, not in which order it happens;
//! it is told when a test fails.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::FutureExt as _;
use proto::task::v1 as pb;
use tokio::{sync::watch, task::JoinSet, time::timeout};
use uuid::Uuid;

use crate::{
    chance::Chance,
    mirror::Mirror,
    replica::{Caller, Replica, World},
};

/// Soaks one after the other, unless the variable `SOAK_SEEDS` says how many.
const SEEDS: u64 = 4;
/// The longest that one may take.
const PATIENCE: Duration = Duration::from_secs(60);
const USERS: usize = 8;
const WRITERS: usize = 16;
const WATCHERS: usize = 50;
/// Writes of each writer.
const WRITES: usize = 25;
/// Replicas that are killed meanwhile.
const KILLS: usize = 4;
/// Tasks and lists that a user has or had.
const ROWS: usize = 12;
const LISTS: usize = 3;

/// What a user has in the end.
type Rows = Vec<(Uuid, i64, String)>;

/// Watch soak: 16 writers over 8 users, 50 watchers that are cut off at random,
/// two replicas that are killed at random, hints that are lost, purges.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_ends_with_what_the_database_has() {
    for seed in 0..seeds() {
        let soaked = AssertUnwindSafe(timeout(PATIENCE, soak(seed))).catch_unwind().await;
        match soaked {
            Ok(Ok(())) => {}
            Ok(Err(_)) => panic!("seed {seed}: something was lost"),
            Err(_) => panic!("seed {seed}: see above"),
        }
    }
}

/// Snapshot plus delta: 40 clients that begin at random moments, while 16
/// writers write through the service, end in the exact final state, by hints
/// alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_begin_at_any_moment_miss_nothing() {
    let fleet = Arc::new(Fleet::new().await);
    // One user of all, so that every client is in the way of every writer.
    let user = fleet.users[0].clone();
    let (progress, seen) = watch::channel(0);
    let progress = Arc::new(progress);
    let (done, expected) = watch::channel(None);
    let mut clients = JoinSet::new();
    for n in 0..40 {
        let (fleet, user, expected, mut seen) =
            (fleet.clone(), user.clone(), expected.clone(), seen.clone());
        clients.spawn(async move {
            let mut chance = Chance::of(40, n);
            let begin = chance.below(WRITERS * WRITES);
            seen.wait_for(|written| *written >= begin).await.expect("writers write");
            let mut mirror = Mirror::default();
            fleet.follow(&user, &mut mirror, &mut chance, usize::MAX, expected.clone()).await;
            let rows = expected.borrow().clone().expect("nobody writes any more");
            assert!(mirror.has(&rows[0]), "a stream ended before its time");
        });
    }
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        let (fleet, user, progress) = (fleet.clone(), user.clone(), progress.clone());
        writers.spawn(async move { fleet.call(&user, Chance::of(16, n), &progress).await });
    }
    writers.join_all().await;
    done.send_replace(Some(Arc::new(vec![fleet.world.rows(user.id).await])));
    timeout(PATIENCE, clients.join_all()).await.expect("everything comes");
}

async fn soak(seed: u64) {
    let fleet = Arc::new(Fleet::new().await);
    let (done, expected) = watch::channel(None);
    let mut watchers = JoinSet::new();
    for n in 0..WATCHERS {
        let (fleet, expected) = (fleet.clone(), expected.clone());
        let mut chance = Chance::of(seed, n);
        watchers.spawn(async move {
            let (user, mut mirror) = (n % USERS, Mirror::default());
            while !fleet.watch(user, &mut mirror, &mut chance, expected.clone()).await {}
        });
    }
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        let fleet = fleet.clone();
        let chance = Chance::of(seed, WATCHERS + n);
        writers.spawn(async move { fleet.write(chance).await });
    }
    let clock = {
        let fleet = fleet.clone();
        tokio::spawn(async move { fleet.pass_time().await })
    };
    fleet.kill(Chance::of(seed, WATCHERS + WRITERS)).await;
    writers.join_all().await;
    let mut rows = Vec::new();
    for user in &fleet.users {
        rows.push(fleet.world.rows(user.id).await);
    }
    done.send_replace(Some(Arc::new(rows)));
    watchers.join_all().await;
    clock.abort();
}

/// Two replicas, each replaced when it is killed, and their users.
struct Fleet {
    world: World,
    replicas: [Mutex<Arc<Replica>>; 2],
    users: Vec<Caller>,
}

/// What each user has, as soon as nobody writes any more.
type Expected = watch::Receiver<Option<Arc<Vec<Rows>>>>;

impl Fleet {
    async fn new() -> Self {
        let world = World::new().await;
        let replicas = [world.replica().await, world.replica().await];
        let replicas = replicas.map(|replica| Mutex::new(Arc::new(replica)));
        let users = (0..USERS).map(|_| world.user()).collect();
        Self { world, replicas, users }
    }

    fn replica(&self, chance: &mut Chance) -> Arc<Replica> {
        self.replicas[chance.below(2)].lock().expect("nobody panics with it").clone()
    }

    /// Makes, changes, deletes and brings back a user's few tasks and lists.
    async fn write(&self, mut chance: Chance) {
        for n in 0..WRITES {
            let user = self.users[chance.below(USERS)].id;
            // The first few are lists.
            let row = chance.below(ROWS);
            let (id, gone) = (Uuid::from_u128(1 + row as u128), chance.one_in(3));
            let title = format!("Written {n}");
            let stamp = match (row < LISTS, gone) {
                (true, _) => self.world.stamp_list(user, Some(id), &title, gone).await,
                (false, true) => self.world.stamp_gone(user, id).await,
                (false, false) => self.world.stamp(user, Some(id), &title).await,
            };
            if !chance.one_in(5) {
                self.replica(&mut chance).feed.changed(user, stamp.rev);
            }
            if chance.one_in(20) {
                self.world.purge(user).await;
            }
        }
    }

    /// Writes through the service.
    async fn call(&self, user: &Caller, mut chance: Chance, progress: &watch::Sender<usize>) {
        let mut names: Vec<String> = Vec::new();
        for n in 0..WRITES {
            let mut client = self.replica(&mut chance).client();
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
            progress.send_modify(|written| *written += 1);
        }
    }

    /// Kills a replica and has another take its place, again and again.
    async fn kill(&self, mut chance: Chance) {
        for _ in 0..KILLS {
            let next = Arc::new(self.world.replica().await);
            let place = &self.replicas[chance.below(2)];
            let killed = std::mem::replace(&mut *place.lock().expect("nobody panics"), next);
            killed.kill();
        }
    }

    /// Lets replicas look and tokens expire.
    async fn pass_time(&self) {
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tick.tick().await;
            self.world.clock.advance(Duration::from_secs(5));
        }
    }

    /// Watches until it is cut off. Whether everything came that there is.
    async fn watch(
        &self,
        user: usize,
        mirror: &mut Mirror,
        chance: &mut Chance,
        expected: Expected,
    ) -> bool {
        let caller = self.world.caller(self.users[user].id);
        let events = 1 + chance.below(8);
        self.follow(&caller, mirror, chance, events, expected.clone()).await;
        let rows = expected.borrow().clone();
        rows.is_some_and(|rows| mirror.has(&rows[user]))
    }

    /// Reads so many events, but all there are once nobody writes any more.
    async fn follow(
        &self,
        caller: &Caller,
        mirror: &mut Mirror,
        chance: &mut Chance,
        mut events: usize,
        mut expected: Expected,
    ) {
        let user = self.users.iter().position(|user| user.id == caller.id).expect("a user");
        let replica = self.replica(chance);
        // One that was just killed answers nobody.
        let Ok(mut stream) = replica.watch(caller, &mirror.token).await else { return };
        drop(replica);
        loop {
            let rows = expected.borrow_and_update().clone();
            if rows.as_ref().map_or(events == 0, |rows| mirror.has(&rows[user])) {
                return;
            }
            tokio::select! {
                event = stream.next(mirror) => match event {
                    Ok(_) => events = events.saturating_sub(1),
                    Err(_) => return,
                },
                Ok(()) = expected.changed() => {}
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test process has no Config")]
fn seeds() -> u64 {
    let asked = std::env::var("SOAK_SEEDS").ok();
    asked.map_or(SEEDS, |seeds| seeds.parse().expect("SOAK_SEEDS is a number"))
}
