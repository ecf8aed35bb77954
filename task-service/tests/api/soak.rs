//! Many clients under many writers, with everything killed at random that can
//! be: nothing is lost, nothing is written or told twice, and in the end every
//! client has what the database has. A seed decides who does what and what is
//! killed after how many writes; it is told when a test fails.

mod fleet;
mod plan;
mod writer;

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use proto::task::v1::{WatchTasksRequest, task_service_client::TaskServiceClient};
use shared::{
    rng,
    testing::{Chance, seeds},
};
use tokio::{sync::watch, task::JoinSet, time::timeout};
use tonic::Status;
use uuid::Uuid;

use self::{
    fleet::{Fleet, Rows},
    plan::{Plan, REPLICAS, USERS, WATCHERS, WRITERS, What, Write},
    writer::Writer,
};
use crate::{
    mirror::{Event, Mirror, Stream},
    replica::Caller,
};

/// Soaks one after the other, unless a variable says how many, or which.
const SEEDS: u64 = 3;
/// The longest that one may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Watch soak: 16 writers over 8 users and 50 watchers that are cut off at
/// random; two replicas and a Postgres, each of its own processes, that are
/// killed at random. The same cluster for all seeds: users are never the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_ends_with_what_the_database_has() {
    let fleet = Arc::new(Fleet::start().await);
    for seed in seeds(SEEDS) {
        let soaked = timeout(PATIENCE, soak(fleet.clone(), seed));
        match AssertUnwindSafe(soaked).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => panic!("SOAK_SEED={seed}: something was lost\n{}", fleet.last_words()),
            Err(_) => panic!("SOAK_SEED={seed}: see above\n{}", fleet.last_words()),
        }
    }
    fleet.assert_well().await;
}

/// A seed makes the same plan every time, and another than other seeds.
#[test]
fn a_seed_repeats_its_plan() {
    let plan = |seed| format!("{:?}", (Plan::of(seed).writers, Plan::of(seed).blows));
    assert_eq!(plan(7), plan(7));
    assert_ne!(plan(7), plan(9));
}

async fn soak(fleet: Arc<Fleet>, seed: u64) {
    let crowd = Arc::new(Crowd::gather(fleet, Plan::of(seed)).await);
    let (done, expected) = watch::channel(None);
    let mut watchers = JoinSet::new();
    for n in 0..WATCHERS {
        let (crowd, expected) = (crowd.clone(), expected.clone());
        let chance = Chance::of(seed, n);
        watchers.spawn(async move { crowd.watch(n % USERS, chance, expected).await });
    }
    let mut writers = JoinSet::new();
    for n in 0..WRITERS {
        let crowd = crowd.clone();
        writers.spawn(async move { crowd.write(n).await });
    }
    let (writers, ()) = tokio::join!(writers.join_all(), crowd.suffer());
    done.send_replace(Some(Arc::new(crowd.stored(writers).await)));
    watchers.join_all().await;
}

/// Those who take part in one soak.
struct Crowd {
    fleet: Arc<Fleet>,
    plan: Plan,
    callers: Vec<Caller>,
    /// A task of each user that all writers rename.
    shared: Vec<String>,
    /// Writes that were answered.
    written: watch::Sender<usize>,
}

/// What each user has, as soon as nobody writes any more.
type Expected = watch::Receiver<Option<Arc<Vec<Rows>>>>;

impl Crowd {
    async fn gather(fleet: Arc<Fleet>, plan: Plan) -> Self {
        let callers: Vec<_> = (0..USERS).map(|_| fleet.caller(rng::uuid_v4())).collect();
        let mut shared = Vec::new();
        for (user, caller) in callers.iter().enumerate() {
            let title = "Shared".to_owned();
            let (what, replica) = (What::MakeTask, user);
            let write = Write { user, what, title, replica, haste: None, forgets: false };
            shared.push(writer::make_shared(&fleet, caller, &write).await);
        }
        Self { fleet, plan, callers, shared, written: watch::Sender::new(0) }
    }

    async fn write(&self, writer: usize) -> Writer {
        let mut rows = Writer::default();
        for write in &self.plan.writers[writer] {
            let (caller, shared) = (&self.callers[write.user], &self.shared[write.user]);
            rows.write(&self.fleet, caller, write, shared).await;
            self.written.send_modify(|written| *written += 1);
        }
        rows
    }

    /// Deals the blows, each in its moment and without waiting for the last one
    /// to pass, and returns when everything is back.
    async fn suffer(self: &Arc<Self>) {
        let mut written = self.written.subscribe();
        let mut blows = JoinSet::new();
        for blow in self.plan.blows.clone() {
            written.wait_for(|written| *written >= blow.after).await.expect("we hold the sender");
            let crowd = self.clone();
            blows.spawn(async move {
                let users: Vec<Uuid> = crowd.callers.iter().map(|caller| caller.id).collect();
                crowd.fleet.harm(blow.what, &users).await;
            });
        }
        blows.join_all().await;
    }

    /// What is stored, which is what was acknowledged: everything, and once. A
    /// write that was done twice would have taken a revision more.
    async fn stored(&self, writers: Vec<Writer>) -> Vec<Rows> {
        let mut acknowledged = vec![BTreeMap::new(); USERS];
        for writer in writers {
            writer.add_to(&mut acknowledged);
        }
        let mut stored = Vec::new();
        for (user, expected) in acknowledged.into_iter().enumerate() {
            let (rows, head) = self.fleet.stored(self.callers[user].id).await;
            assert_eq!(head, 1 + self.plan.revisions(user), "revisions of user {user}");
            let mut titles: BTreeMap<Uuid, String> =
                rows.iter().map(|(id, _, title)| (*id, title.clone())).collect();
            // Which of its titles is the last, nobody knows.
            assert!(
                titles.remove(&writer::id(&self.shared[user])).is_some(),
                "it is never deleted"
            );
            assert_eq!(titles, expected, "rows of user {user}");
            stored.push(rows);
        }
        stored
    }

    /// Watches, and goes on whenever a stream ends, until everything came.
    async fn watch(&self, user: usize, mut chance: Chance, expected: Expected) {
        let mut mirror = Mirror::default();
        loop {
            let ended = self.follow(user, &mut mirror, &mut chance, expected.clone()).await;
            if let Err(status) = ended {
                let set_back = status.message().contains("set back");
                assert!(self.plan.forgets || !set_back, "nothing was forgotten");
                self.fleet.recovered(&"a stream", &status).await;
            }
            let rows = expected.borrow().clone();
            if rows.is_some_and(|rows| mirror.has(&rows[user])) {
                return;
            }
        }
    }

    /// Reads some events and hangs up, but once nobody writes any more reads all
    /// there are.
    async fn follow(
        &self,
        user: usize,
        mirror: &mut Mirror,
        chance: &mut Chance,
        mut expected: Expected,
    ) -> Result<(), Status> {
        let id = self.callers[user].id;
        let caller = match chance.one_in(4) {
            true => self.fleet.hasty_caller(id),
            false => self.fleet.caller(id),
        };
        let mut events = 1 + chance.below(8);
        let replica = self.fleet.replica(chance.below(REPLICAS)).await;
        // A connection of its own, so that it is the connection that breaks.
        let connected = replica.endpoint.connect().await;
        let channel = connected.map_err(|error| Status::unavailable(error.to_string()))?;
        let resume_token = mirror.token.clone();
        let request = WatchTasksRequest { resume_token, ..Default::default() };
        let answer = TaskServiceClient::new(channel).watch_tasks(caller.with(request)).await?;
        let mut stream = Stream::new(answer.into_inner());
        loop {
            let rows = expected.borrow_and_update().clone();
            if rows.as_ref().map_or(events == 0, |rows| mirror.has(&rows[user])) {
                return Ok(());
            }
            tokio::select! {
                event = stream.next(mirror) => {
                    let began_again = event? == Event::Reset;
                    assert!(self.plan.forgets || !began_again, "nothing was forgotten");
                    events = events.saturating_sub(1);
                }
                Ok(()) = expected.changed() => {}
            }
        }
    }
}
