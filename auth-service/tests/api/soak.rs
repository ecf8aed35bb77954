//! Two replicas, each a process, one Postgres and a mail server; people who sign
//! up, verify, sign in, refresh, change, forget and reset their passwords and sign out,
//! somebody who guesses, somebody who rotates keys, verifiers who watch; and
//! kill -9 of either replica at random. Nothing is half-done, nothing that was
//! answered is lost, and the replicas behave as one. A seed decides who does what
//! and what is killed when; it is told when a test fails.

mod checks;
mod fleet;
mod person;
mod plan;
mod verifier;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use proto::auth::v1::{
    GetJsonWebKeySetRequest, RotateSigningKeyRequest, SignInRequest,
    admin_service_client::AdminServiceClient, auth_service_client::AuthServiceClient,
    token_service_client::TokenServiceClient,
};
use shared::testing::{Chance, eventually, seeds};
use tokio::{sync::watch, task::JoinSet, time::timeout};
use tonic::Code;

use self::{
    fleet::{Fleet, unexpected},
    person::Person,
    plan::{GUESSES, Kill, PEOPLE, Plan, REPLICAS, WATCHERS, Way},
    verifier::Verifier,
};
use crate::harness::{Bearer, PASSWORD, Told as _};

/// Soaks one after the other, unless a variable says how many, or which.
const SEEDS: u64 = 4;
/// The longest that one may take.
const PATIENCE: Duration = Duration::from_secs(90);
/// Wrong passwords that are looked at (AUTH_SIGN_IN_FREE_ATTEMPTS).
const LOOKED_AT: usize = 5;
/// Who is guessed at.
const VICTIM: &str = "victim";

/// Each soak has a database and replicas of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_half_done_whoever_is_killed() {
    let mut lost = 0;
    for seed in seeds(SEEDS) {
        let fleet = Arc::new(Fleet::start().await);
        let soaked = timeout(PATIENCE, soak(fleet.clone(), seed));
        match AssertUnwindSafe(soaked).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => panic!("SOAK_SEED={seed}: it does not end\n{}", fleet.last_words()),
            Err(_) => panic!("SOAK_SEED={seed}: see above\n{}", fleet.last_words()),
        }
        lost += fleet.assert_well().await;
    }
    assert!(lost > 0, "nothing was in anybody's way");
}

/// A seed makes the same plan every time, and another than other seeds.
#[test]
fn a_seed_repeats_its_plan() {
    let plan = |seed| format!("{:?}", Plan::of(seed));
    assert_eq!(plan(7), plan(7));
    assert_ne!(plan(7), plan(9));
}

async fn soak(fleet: Arc<Fleet>, seed: u64) {
    let Plan { people, guesses, rotation, kills } = Plan::of(seed);
    Person::sign_up(&fleet, VICTIM, Way { replica: 0, haste: None }).await;
    let (done, expected) = watch::channel(None);
    let mut verifiers = JoinSet::new();
    for n in 0..WATCHERS {
        let (fleet, expected) = (fleet.clone(), expected.clone());
        let verifier = Verifier::new(&fleet, Chance::of(seed, PEOPLE + 2 + n)).await;
        verifiers.spawn(async move { verifier.watch(&fleet, expected).await });
    }
    let (taken, steps) = watch::channel(0_usize);
    let mut lives = JoinSet::new();
    for (n, (signs_up, steps)) in people.into_iter().enumerate() {
        let (fleet, taken) = (fleet.clone(), taken.clone());
        lives.spawn(async move {
            let mut person = Person::sign_up(&fleet, &format!("person{n}"), signs_up).await;
            taken.send_modify(|taken| *taken += 1);
            for step in steps {
                person.take(&fleet, step).await;
                taken.send_modify(|taken| *taken += 1);
            }
            person
        });
    }
    let (people, (), (), ()) = tokio::join!(
        lives.join_all(),
        guess(&fleet, &guesses),
        rotate(&fleet, rotation),
        kill(&fleet, kills, steps),
    );
    checks::settle(&fleet).await;
    done.send_replace(Some(checks::ended(&fleet).await));
    checks::assert_whole(&fleet).await;
    checks::assert_mailed(&fleet).await;
    verifiers.join_all().await;
    assert_same_keys(&fleet).await;
    assert_throttled(&fleet).await;
    for person in people {
        person.assert_answered(&fleet).await;
    }
}

/// Kills, each time in its moment and without waiting for the last one to be
/// back; returns when all are.
async fn kill(fleet: &Arc<Fleet>, kills: Vec<Kill>, mut steps: watch::Receiver<usize>) {
    let mut killed = JoinSet::new();
    for Kill { after, replica } in kills {
        steps.wait_for(|taken| *taken >= after).await.expect("everybody gets there");
        let fleet = fleet.clone();
        killed.spawn(async move { fleet.replicas[replica].kill().await });
    }
    killed.join_all().await;
}

/// However many guess, over whichever replica and whoever dies meanwhile, no more
/// guesses are looked at than the throttle lets through.
async fn guess(fleet: &Fleet, guesses: &[Way]) {
    let victim = person::email(VICTIM);
    let guesses = guesses.iter().map(|way| person::guess(fleet, *way, &victim));
    let looked_at = futures_util::future::join_all(guesses).await;
    assert_eq!(looked_at.len(), GUESSES);
    let looked_at = looked_at.into_iter().filter(|looked_at| *looked_at).count();
    assert!(looked_at <= LOOKED_AT, "{looked_at} guesses were looked at");
}

/// Orders a signing key.
async fn rotate(fleet: &Fleet, way: Way) {
    let bearer = fleet.service_token().await;
    let asked = fleet.ask(way, |channel| {
        let mut admin = AdminServiceClient::with_interceptor(channel, Bearer(bearer.clone()));
        async move { admin.rotate_signing_key(RotateSigningKeyRequest {}).await }
    });
    if let (Err(status), _) = asked.await {
        unexpected("a rotation", &status);
    }
}

/// Both replicas publish the keys that are stored.
async fn assert_same_keys(fleet: &Fleet) {
    let stored = checks::keys(fleet).await;
    assert!(stored.len() > 1, "{stored:?}");
    for replica in &fleet.replicas {
        eventually("the keys are the same", async || {
            let mut tokens = TokenServiceClient::new(replica.channel.clone());
            let set = tokens.get_json_web_key_set(GetJsonWebKeySetRequest {}).await;
            let keys = set.expect("a key set").into_inner().keys;
            keys.into_iter().map(|key| key.kid).collect::<std::collections::HashSet<_>>() == stored
        })
        .await;
    }
}

/// What was guessed on both replicas was counted together, and counts on after
/// restarts: nobody gets in by now, with the right password either.
async fn assert_throttled(fleet: &Fleet) {
    assert_eq!(checks::counted(fleet).await, [i64::try_from(LOOKED_AT).expect("a number")]);
    for replica in 0..REPLICAS {
        let way = Way { replica, haste: None };
        let asked = fleet.ask(way, |channel| {
            let (email, password) = (person::email(VICTIM), PASSWORD.to_owned());
            let request = SignInRequest { email, password, ..SignInRequest::default() };
            async move { AuthServiceClient::new(channel).sign_in(request).await }
        });
        let refused = asked.await.0.expect_err("it has to wait");
        refused.is(Code::ResourceExhausted, "SIGN_IN_THROTTLED");
    }
}
