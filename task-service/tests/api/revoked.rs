//! Who was signed out, suspended or had their key withdrawn gets no answer any
//! more, and what they have open ends.

use std::time::Duration;

use chrono::TimeDelta;
use proto::task::v1::WatchTasksRequest;
use shared::{
    clock::Clock as _,
    rng,
    testing::TestIssuer,
    trust::{Revocation, Subject},
};
use sqlx::{ConnectOptions as _, Connection as _};
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

    // The clock stands still: nothing ends by itself.
    revoke(&world, &replica, session(&laptop));
    for (stream, mirror) in &mut hers {
        let end = stream.end(mirror).await;
        refused::<()>(Err(end), Code::Unauthenticated, "SESSION_REVOKED");
    }
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

/// Whoever was erased watches no more either where that is not heard of yet: what
/// this replica was told is gone, and the database knows why.
#[tokio::test]
async fn who_was_erased_watches_no_more_before_that_is_heard() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (ada, stranger) = (world.user(), world.user());
    world.stamp(ada.id, None, "Task").await;
    let (mut stream, mut mirror) = watching(&replica, &ada).await;
    let mut other = watching(&replica, &stranger).await;
    let mut role = world.database.app.connect().await.unwrap();
    let head: i64 = sqlx::query_scalar("select head from api.erase_user($1, $2, 1000)")
        .bind(ada.id)
        .bind(world.clock.now())
        .fetch_one(&mut role)
        .await
        .unwrap();
    replica.feed.changed(ada.id, head);
    let end = stream.end(&mut mirror).await;
    refused::<()>(Err(end), Code::Unauthenticated, "SESSION_REVOKED");
    goes_on(&world, &replica, &stranger, &mut other).await;
}

/// A stream that has told nothing yet is refused like any call.
#[tokio::test]
async fn what_has_not_begun_is_refused_like_a_call() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    world.stamp(ada.id, None, "Task").await;
    let mut held = world.database.superuser.connect().await.unwrap();
    let mut held = held.begin().await.unwrap();
    sqlx::query("lock table data.tasks").execute(&mut *held).await.unwrap();
    let mut stream = replica.watch(&ada, "").await.unwrap();
    replica.trust.set(&[TestIssuer::new().jwk().clone()], world.clock.now());
    let end = stream.end(&mut Mirror::default()).await;
    refused::<()>(Err(end), Code::Unauthenticated, "TOKEN_INVALID");
}

/// A service has no session that could be over: by itself or for somebody, it just
/// needs another token.
#[tokio::test]
async fn a_service_is_told_that_its_token_is_good_no_more() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let (account, now) = (rng::uuid_v4(), world.clock.now());
    let (issuer, scopes, audience) = (&world.issuer, &["tasks:read"], "task-service");
    let alone = issuer.token(&issuer.service_claims(account, scopes, audience, now));
    let acting = issuer.delegated_claims(ada.id, account, scopes, audience, now);
    let mut open = Vec::new();
    for token in [alone, issuer.token(&acting)] {
        let request =
            WatchTasksRequest { parent: format!("users/{}", ada.id), ..Default::default() };
        let caller = Caller::with_token(ada.id, &token);
        let mut stream = replica.watch_as(&caller, request).await.unwrap();
        stream.until_current(&mut Mirror::default()).await;
        open.push(stream);
    }
    replica.trust.set(&[TestIssuer::new().jwk().clone()], now);
    for mut stream in open {
        let end = stream.end(&mut Mirror::default()).await;
        refused::<()>(Err(end), Code::Unauthenticated, "TOKEN_INVALID");
    }
}

/// A client that does not read is signed out all the same.
#[tokio::test]
async fn a_slow_reader_is_signed_out_too() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let write = "select public.stamp('task', $1, gen_random_uuid(), 'Task', false, now())
                 from generate_series(1, 400) n";
    world.sql(write, ada.id).await;
    let swell = "update data.tasks set notes = repeat('é', 20000) where user_id = $1";
    world.sql(swell, ada.id).await;
    let mut stream = replica.watch(&ada, "").await.unwrap();
    let mut mirror = Mirror::default();
    stream.next(&mut mirror).await.unwrap();
    revoke(&world, &replica, session(&ada));
    let end = stream.end(&mut mirror).await;
    refused::<()>(Err(end), Code::Unauthenticated, "SESSION_REVOKED");
    // What was on its way by then are some megabytes of sixteen.
    assert!(mirror.rows.len() < 400, "it was told all: {}", mirror.rows.len());
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
