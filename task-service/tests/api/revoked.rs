//! Who was signed out, suspended or had their key withdrawn gets no answer any
//! more, and what they have open ends.

use std::time::Duration;

use chrono::TimeDelta;
use shared::{
    clock::Clock as _,
    rng,
    testing::TestIssuer,
    trust::{Revocation, Subject},
};
use tonic::Code;

use crate::{
    app::refused,
    mirror::{Event, Mirror, Stream},
    replica::{Caller, Replica, World},
};

/// A stream that was open for a while.
async fn watching(replica: &Replica, caller: &Caller) -> (Stream, Mirror) {
    let mut mirror = Mirror::default();
    let mut stream = replica.watch(caller, "").await.expect("a stream");
    stream.until_current(&mut mirror).await;
    (stream, mirror)
}

fn revoke(world: &World, replica: &Replica, subject: Subject) {
    let now = world.clock.now();
    let expires_at = now + TimeDelta::seconds(310);
    replica.trust.revoke([Revocation { subject, not_before: now, expires_at }], now);
}

fn session(caller: &Caller) -> Subject {
    Subject::Session { user: caller.id, session: caller.session }
}

/// Checks that a stream goes on: it is told what is written.
async fn goes_on(world: &World, replica: &Replica, caller: &Caller, open: &mut (Stream, Mirror)) {
    let task = world.stamp(caller.id, None, "Still here").await;
    replica.feed.changed(caller.id, task.rev);
    let told = open.0.next(&mut open.1).await.expect("it goes on");
    assert_eq!(told, Event::Changes(vec!["Still here".to_owned()]));
}

/// The streams of a session that was ended end at once, and its calls are
/// refused, although its token verified before; those of other sessions go on.
#[tokio::test]
async fn who_was_signed_out_watches_no_more() {
    let world = World::new().await;
    let replica = world.replica().await;
    let laptop = world.user();
    let phone = world.caller(laptop.id);
    let stranger = world.user();
    let mut hers = [watching(&replica, &laptop).await, watching(&replica, &laptop).await];
    let mut stays = watching(&replica, &phone).await;
    let mut other = watching(&replica, &stranger).await;
    replica.sync(&laptop, "", 0).await.unwrap();

    let began = std::time::Instant::now();
    revoke(&world, &replica, session(&laptop));
    for (stream, mirror) in &mut hers {
        let end = stream.end(mirror).await;
        refused::<()>(Err(end), Code::Unauthenticated, "SESSION_REVOKED");
    }
    assert!(began.elapsed() < Duration::from_secs(2));
    refused(replica.sync(&laptop, "", 0).await, Code::Unauthenticated, "SESSION_REVOKED");
    let again = replica.watch(&laptop, &hers[0].1.token).await.map(drop);
    refused(again, Code::Unauthenticated, "SESSION_REVOKED");
    goes_on(&world, &replica, &phone, &mut stays).await;
    goes_on(&world, &replica, &stranger, &mut other).await;
    replica.sync(&phone, "", 0).await.unwrap();
}

/// All sessions of a user whose tokens of up to now are revoked end.
#[tokio::test]
async fn a_suspended_user_watches_no_more() {
    let world = World::new().await;
    let replica = world.replica().await;
    let laptop = world.user();
    let phone = world.caller(laptop.id);
    let stranger = world.user();
    let mut open = [watching(&replica, &laptop).await, watching(&replica, &phone).await];
    let mut other = watching(&replica, &stranger).await;
    world.clock.advance(Duration::from_secs(1));
    revoke(&world, &replica, Subject::User(laptop.id));
    for (stream, mirror) in &mut open {
        let end = stream.end(mirror).await;
        refused::<()>(Err(end), Code::Unauthenticated, "SESSION_REVOKED");
    }
    goes_on(&world, &replica, &stranger, &mut other).await;
    // What was issued since then is good.
    replica.sync(&world.caller(laptop.id), "", 0).await.unwrap();
}

/// With a key that is withdrawn every stream ends like that of a session that is
/// over; what its next call is answered says that a refresh is enough.
#[tokio::test]
async fn who_has_a_token_of_a_withdrawn_key_watches_no_more() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let (mut stream, mut mirror) = watching(&replica, &ada).await;
    replica.trust.set(&[TestIssuer::new().jwk().clone()], world.clock.now());
    let end = stream.end(&mut mirror).await;
    refused::<()>(Err(end), Code::Unauthenticated, "SESSION_REVOKED");
    refused(replica.sync(&ada, "", 0).await, Code::Unauthenticated, "TOKEN_INVALID");
}

/// A client that does not read is signed out all the same.
#[tokio::test]
async fn a_slow_reader_is_signed_out_too() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let write = "select public.stamp('task', $1, gen_random_uuid(), 'Task', false, now())
                 from generate_series(1, 100) n";
    world.sql(write, ada.id).await;
    let swell = "update data.tasks set notes = repeat('é', 20000) where user_id = $1";
    world.sql(swell, ada.id).await;
    let mut stream = replica.watch(&ada, "").await.unwrap();
    let mut mirror = Mirror::default();
    stream.next(&mut mirror).await.unwrap();
    revoke(&world, &replica, session(&ada));
    let end = stream.end(&mut mirror).await;
    refused::<()>(Err(end), Code::Unauthenticated, "SESSION_REVOKED");
    assert!(mirror.rows.len() < 100, "it was told all: {}", mirror.rows.len());
}

/// Revocations of others wake nobody to ask the database.
#[tokio::test]
async fn whom_it_does_not_concern_asks_nothing() {
    let world = World::new().await;
    let counter = shared::testing::StatementCounter::before(&world.database.app).unwrap();
    let through = counter.through(&world.database.app);
    let replica = world.replica_with(&[], through).await;
    let ada = world.user();
    let mut open = watching(&replica, &ada).await;
    counter.take();
    for _ in 0..100 {
        revoke(&world, &replica, Subject::User(rng::uuid_v4()));
        revoke(&world, &replica, Subject::Service(rng::uuid_v4()));
    }
    goes_on(&world, &replica, &ada, &mut open).await;
    // One reads the change; a hint is said, and heard.
    let asked = counter.take();
    assert!(asked <= 4, "{asked} statements");
}
