//! Two replicas, each a process, one Postgres and a mail server; people who sign
//! up, verify, sign in, refresh, change, forget and reset their passwords, have second
//! factors and other addresses, take out what is known of them, sign out and delete
//! their accounts; somebody who guesses, somebody who suspends, brings accounts in,
//! rotates keys and secrets and withdraws a key, verifiers who watch and erase; and
//! kill -9 of either replica at random. Nothing is half-done, nothing that was answered
//! is lost, and the replicas behave as one. A seed decides who does what and what is
//! killed when; it is told when a test fails.

mod address;
mod calls;
mod checks;
mod deletion;
mod factor;
mod fleet;
mod half_done;
mod operator;
mod passkey;
mod person;
mod plan;
mod verifier;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use proto::auth::v1::{GetJsonWebKeySetRequest, token_service_client::TokenServiceClient};
use shared::testing::{Chance, eventually, seeds};
use tokio::{sync::watch, task::JoinSet, time::timeout};
use tonic::Code;

use self::{
    fleet::Fleet,
    person::Person,
    plan::{GUESSES, Kill, LOOKED_AT, PEOPLE, Plan, REPLICAS, WATCHERS, Way},
    verifier::Verifier,
};
use crate::harness::{PASSWORD, Told as _};

/// Soaks one after the other, unless a variable says how many, or which.
const SEEDS: u64 = 4;
/// The longest that one may take.
const PATIENCE: Duration = Duration::from_secs(90);
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
    let Plan { people, guesses, rotation, secrets, import, withdrawal, kills } = Plan::of(seed);
    let mut victim = Person::sign_up(&fleet, VICTIM, Way::patient(0)).await;
    if victim.devices.is_empty() {
        victim.sign_in(&fleet, Way::patient(0)).await;
    }
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
    let (mut people, (), (), secrets, (), ()) = tokio::join!(
        lives.join_all(),
        guess(&fleet, &guesses),
        operator::rotate_key(&fleet, rotation),
        operator::rotate_secrets(&fleet, &secrets),
        operator::import(&fleet, import),
        kill(&fleet, kills, steps),
    );
    checks::settle(&fleet).await;
    checks::forget(&fleet).await;
    done.send_replace(Some(checks::revoked(&fleet).await));
    checks::assert_whole(&fleet).await;
    let gone = people.iter().flat_map(|person| &person.gone);
    let left = gone.flat_map(|gone| gone.emails.clone()).collect();
    checks::assert_mailed(&fleet, &left).await;
    for mut verifier in verifiers.join_all().await {
        verifier.erase_all(&fleet).await;
    }
    assert_same_keys(&fleet).await;
    assert_throttled(&fleet).await;
    operator::assert_two_live(&fleet, &secrets).await;
    for person in &mut people {
        person.assert_answered(&fleet).await;
        for gone in &person.gone {
            gone.assert_gone(&fleet).await;
        }
    }
    operator::assert_imported(&fleet).await;
    let victim = victim.devices.first().expect("who signed up");
    operator::withdraw_key(&fleet, withdrawal, &victim.credentials).await;
    checks::assert_whole(&fleet).await;
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
        let email = person::email(VICTIM);
        let signed_in = calls::sign_in(fleet, Way::patient(replica), &email, PASSWORD).await;
        let refused = signed_in.expect_err("it has to wait");
        refused.is(Code::ResourceExhausted, "SIGN_IN_THROTTLED");
    }
}
