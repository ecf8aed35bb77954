//! Keys that are rotated by order and withdrawn, while everybody goes on.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use proto::auth::v1::{
    Credentials, GetJsonWebKeySetRequest, GetUserRequest, RefreshSessionRequest,
    account_service_client::AccountServiceClient, token_service_client::TokenServiceClient,
};
use serde_json::json;
use shared::{
    clock::{Clock as _, SystemClock},
    testing::{ManualClock, eventually},
    verify::Refusal,
};

use crate::{
    harness::Bearer,
    replicas::{Replica, World},
};

/// The id of the key that signs.
fn signs(replica: &Replica) -> String {
    let token = replica.service_token(shared::rng::uuid_v4(), &[]);
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

async fn published(replica: &Replica) -> HashSet<String> {
    let mut tokens = TokenServiceClient::new(replica.channel.clone());
    let set = tokens.get_json_web_key_set(GetJsonWebKeySetRequest {}).await.unwrap();
    set.into_inner().keys.into_iter().map(|key| key.kid).collect()
}

/// What the service's own audit log says of this, and that it is one chain.
async fn audited(world: &World, kind: &str) -> i64 {
    world
        .count(
            "select count(*) from data.audit_events
             where kind = $1 and user_id = '00000000-0000-0000-0000-000000000000'",
            kind,
        )
        .await
}

/// Rotated 20 times while both replicas issue: no token is ever refused, by two
/// verifiers and by the other replica.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_are_rotated_under_load_and_nobody_notices() {
    let world = World::new(SystemClock::shared()).await;
    let replicas = [Arc::new(world.replica().await), Arc::new(world.replica().await)];
    let others = [Arc::new(replicas[0].other()), Arc::new(replicas[1].other())];
    for other in &others {
        eventually("it is fed", async || other.trust.is_fed()).await;
    }
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..4)
        .map(|n| {
            let (replicas, others) = (replicas.clone(), others.clone());
            let (stop, calls) = (stop.clone(), calls.clone());
            tokio::spawn(async move {
                let mut session = replicas[0].sign_up(&format!("user{n}")).await;
                while !stop.load(Ordering::SeqCst) {
                    let (here, there) = (&replicas[n % 2], &replicas[1 - n % 2]);
                    let token = session.access_token.clone();
                    for other in &others {
                        other.verifier.verify(&token).unwrap();
                    }
                    let (channel, bearer) = (there.channel.clone(), Bearer(token));
                    let mut account = AccountServiceClient::with_interceptor(channel, bearer);
                    account.get_user(GetUserRequest::default()).await.unwrap();
                    session = refreshed(here, &session).await;
                    calls.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for n in 0..20 {
        let rotated = replicas[n % 2].app.keys().rotate(&json!({ "actor": "test" })).await;
        let kid = rotated.unwrap().kid;
        for replica in &replicas {
            eventually("the new key signs", async || signs(replica) == kid).await;
        }
    }
    let before = calls.load(Ordering::SeqCst);
    eventually("they go on", async || calls.load(Ordering::SeqCst) > before + 10).await;
    stop.store(true, Ordering::SeqCst);
    for task in load {
        task.await.unwrap();
    }
    assert_eq!(published(&replicas[0]).await.len(), 21);
    assert_eq!(audited(&world, "admin.signing_key.rotated").await, 20);
}

async fn refreshed(replica: &Replica, session: &Credentials) -> Credentials {
    let request = RefreshSessionRequest { refresh_token: session.refresh_token.clone() };
    replica.auth().refresh_session(request).await.unwrap().into_inner().credentials.unwrap()
}

/// A key that was ordered waits for every watcher to have said that it knows it,
/// and not longer than those need who fetch the keys.
#[tokio::test]
async fn an_ordered_key_waits_until_everybody_can_know_it() {
    let clock = ManualClock::new();
    let world = World::new(clock.shared()).await;
    let (here, there) = (world.replica().await, world.replica().await);
    let first = signs(&here);
    // Nobody watches: whoever fetches the keys has two minutes.
    let client = json!({});
    let rotated = here.app.keys().rotate(&client).await.unwrap();
    assert_eq!(here.app.keys().rotate(&client).await.unwrap(), rotated, "one at a time");
    eventually("it is published", async || published(&there).await.contains(&rotated.kid)).await;
    clock.advance(Duration::from_secs(119));
    assert_eq!((signs(&here), signs(&there)), (first.clone(), first));
    clock.advance(Duration::from_secs(1));
    assert_eq!((signs(&here), signs(&there)), (rotated.kid.clone(), rotated.kid.clone()));

    // Both say that they are still there.
    let noted = "select count(*) from data.trust_replicas where seen_at > $1::timestamptz";
    let lately = (clock.now() - chrono::TimeDelta::seconds(10)).to_rfc3339();
    eventually("both are there", async || world.count(noted, &lately).await == 2).await;

    // One says nothing, another one does.
    let (mut mute, other) = (here.watch("").await, there.other());
    mute.until_current().await;
    eventually("it is fed", async || other.trust.is_fed()).await;
    let next = there.app.keys().rotate(&client).await.unwrap();
    let knows = || other.trust.keys(world.clock.now()).unwrap().contains(&next.kid);
    eventually("the other knows it", async || knows()).await;
    clock.advance(Duration::from_secs(5));
    mute.next().await.unwrap();
    assert_eq!((signs(&here), signs(&there)), (rotated.kid.clone(), rotated.kid));
    // It leaves, and all who are left know the key.
    drop(mute);
    eventually("it signs", async || signs(&here) == next.kid && signs(&there) == next.kid).await;
}

/// A key that others may know is withdrawn: within two seconds, by the machine's
/// clock, its tokens are refused everywhere, and another key signs.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_key_is_refused_within_two_seconds() {
    let world = World::new(SystemClock::shared()).await;
    let (here, there) = (world.replica().await, world.replica().await);
    let others = [here.other(), there.other()];
    let ada = here.sign_up("ada").await;
    for other in &others {
        let believed = || other.verifier.verify(&ada.access_token).is_ok() && other.trust.is_fed();
        eventually("ada is believed", async || believed()).await;
    }
    let stolen = signs(&here);
    assert!(there.app.keys().revoke(&stolen, &json!({})).await.unwrap());
    let began = Instant::now();
    for other in &others {
        let said = || other.verifier.verify(&ada.access_token);
        eventually("it is refused", async || said() == Err(Refusal::Invalid("unknown kid"))).await;
    }
    eventually("another key signs", async || signs(&here) != stolen).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(!published(&here).await.contains(&stolen));
    assert_eq!(signs(&here), signs(&there));
    assert!(!there.app.keys().revoke(&stolen, &json!({})).await.unwrap(), "it is gone");
    assert_eq!(audited(&world, "admin.signing_key.revoked").await, 1);
    // Whoever was signed in still is.
    let token = refreshed(&here, &ada).await.access_token;
    for other in &others {
        eventually("ada is believed again", async || other.verifier.verify(&token).is_ok()).await;
    }
}

/// The key that waits signs at once where the one before it is withdrawn; a key
/// that signs no more is just removed.
#[tokio::test]
async fn what_follows_a_withdrawn_key_is_the_next_one() {
    let clock = ManualClock::new();
    let world = World::new(clock.shared()).await;
    let replica = world.replica().await;
    let keys = replica.app.keys();
    let first = signs(&replica);
    let waiting = keys.rotate(&json!({})).await.unwrap().kid;
    assert!(keys.revoke(&first, &json!({})).await.unwrap());
    assert_eq!(signs(&replica), waiting);
    let next = keys.rotate(&json!({})).await.unwrap().kid;
    clock.advance(Duration::from_secs(120));
    assert_eq!(signs(&replica), next);
    assert!(keys.revoke(&waiting, &json!({})).await.unwrap());
    assert_eq!(signs(&replica), next);
    assert_eq!(published(&replica).await, HashSet::from([next]));
    assert!(!keys.revoke("made up", &json!({})).await.unwrap());
}
