//! What becomes of trust while something is away: the replica that is watched,
//! all of auth-service, the connection that hears hints.

use std::time::Duration;

use proto::auth::v1::watch_trust_response::Event;
use shared::{
    clock::{Clock as _, SystemClock},
    testing::{ManualClock, eventually},
    verify::Refusal,
};

use crate::replicas::World;

/// With the feed cut a verifier goes on believing, fetches the keys, and
/// recovers by itself, with what was revoked meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_outlives_the_feed_and_recovers() {
    let world = World::new(SystemClock::shared()).await;
    let (watched, stays) = (world.replica().await, world.replica().await);
    let other = watched.other();
    let (ada, bob) = (watched.sign_up("ada").await, watched.sign_up("bob").await);
    watched.sign_out(&bob).await;
    let bobs = || other.verifier.verify(&bob.access_token);
    eventually("bob is refused", async || bobs() == Err(Refusal::Revoked)).await;

    let address = watched.kill().await;
    eventually("the feed is cut", async || !other.trust.is_fed()).await;
    assert!(other.verifier.verify(&ada.access_token).is_ok());
    assert_eq!(bobs(), Err(Refusal::Revoked));
    stays.sign_out(&ada).await;
    assert!(other.verifier.verify(&ada.access_token).is_ok(), "nobody could say so");

    let _back = world.replica_with(&address, &[]).await;
    let adas = || other.verifier.verify(&ada.access_token);
    eventually("ada is refused", async || adas() == Err(Refusal::Revoked)).await;
    assert_eq!(bobs(), Err(Refusal::Revoked));
    assert!(other.trust.is_fed());
}

/// A verifier that is not fed lives from the key set as before.
#[tokio::test]
async fn keys_are_fetched_while_the_feed_is_cut() {
    let clock = ManualClock::new();
    let world = World::new(clock.shared()).await;
    let flags = ["--max-trust-watchers=1"];
    let replica = world.replica_with("127.0.0.1:0", &flags).await;
    // Somebody has taken the only place.
    let mut seated = replica.watch("").await;
    seated.until_current().await;
    let other = replica.other();
    let ada = replica.sign_up("ada").await;
    let believed = || other.verifier.verify(&ada.access_token).is_ok();
    eventually("the keys were fetched", async || believed()).await;
    assert!(!other.trust.is_fed());
    assert_eq!(other.trust.silence(clock.now()), None);
    drop(seated);
    eventually("it is fed", async || other.trust.is_fed()).await;
    assert_eq!(other.trust.silence(clock.now()).unwrap().num_seconds(), 0);
}

/// A stream that says nothing for 15 seconds is dead, and another one is opened.
#[tokio::test]
async fn heartbeats_keep_the_keys_fresh() {
    let clock = ManualClock::new();
    let world = World::new(clock.shared()).await;
    let replica = world.replica().await;
    let other = replica.other();
    eventually("it is fed", async || other.trust.is_fed()).await;
    for _ in 0..20 {
        clock.advance(Duration::from_secs(5));
        let silent = || other.trust.silence(clock.now()).unwrap();
        eventually("it was heard", async || silent().num_seconds() == 0).await;
    }
    let address = replica.kill().await;
    eventually("the feed is cut", async || !other.trust.is_fed()).await;
    clock.advance(Duration::from_secs(7));
    assert!(other.trust.silence(clock.now()).unwrap().num_seconds() >= 7);
    assert!(other.trust.keys(clock.now()).is_some());
    clock.advance(Duration::from_secs(86_400));
    assert!(other.trust.keys(clock.now()).is_none(), "nobody is believed after a day");
    let _back = world.replica_with(&address, &[]).await;
    eventually("it is fed again", async || other.trust.is_fed()).await;
    assert!(other.trust.keys(clock.now()).is_some());
}

/// A replica whose connection for hints is cut listens again, and finds what was
/// said meanwhile; without hints it looks, every second.
#[tokio::test]
async fn what_nobody_hinted_at_is_found() {
    let clock = ManualClock::new();
    let world = World::new(clock.shared()).await;
    let (here, there) = (world.replica().await, world.replica().await);
    let mut stream = there.watch("").await;
    stream.until_current().await;
    for name in ["ada", "bob", "eve"] {
        eventually("they listen", async || world.listeners().await == 2).await;
        let session = here.sign_up(name).await;
        assert_eq!(world.cut("listen").await, 2);
        here.sign_out(&session).await;
        let event = stream.next().await.unwrap();
        assert!(matches!(event, Event::Revocation(_)), "{event:?}");
    }
    // Nobody is told of what the superuser does.
    let told = "with told as (select data.tell_verifiers(
            'user', array[gen_random_uuid()], array[null::uuid], now(), now()))
        select count(*) from told where $1 = ''";
    assert_eq!(world.count(told, "").await, 1);
    clock.advance(Duration::from_secs(1));
    let event = stream.next().await.unwrap();
    assert!(matches!(event, Event::Revocation(_)), "{event:?}");
}
