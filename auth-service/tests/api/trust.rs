//! What verifiers are told: who is told at all, what, in which order, and how
//! they go on where they were.

use std::time::Duration;

use proto::auth::v1::{
    ChangePasswordRequest, RevokeOtherSessionsRequest, SignInRequest,
    account_service_client::AccountServiceClient,
    watch_trust_request::{Acknowledge, Erased, Kind, Start},
    watch_trust_response::{Event, Keys, revocation::Subject},
};
use shared::{
    rng,
    testing::{ManualClock, eventually},
    verify::Refusal,
};
use tonic::Code;

use crate::{
    harness::{Bearer, PASSWORD, Told as _, minutes},
    replicas::{Replica, Stream, World},
};

fn start(token: &str) -> Kind {
    Kind::Start(Start { resume_token: token.to_owned() })
}

/// The session or user of a revocation.
fn revoked(event: Event) -> String {
    let Event::Revocation(revocation) = event else { panic!("{event:?}") };
    match revocation.subject.unwrap() {
        Subject::Session(name) | Subject::User(name) | Subject::ServiceAccount(name) => name,
    }
}

fn keys(event: &Event) -> Vec<String> {
    let Event::Keys(Keys { keys }) = event else { panic!("{event:?}") };
    keys.iter().map(|key| key.kid.clone()).collect()
}

async fn listening(world: &World, replicas: i64) {
    eventually("the replicas listen", async || world.listeners().await == replicas).await;
}

/// Users and services without the scope learn nothing.
#[tokio::test]
async fn only_a_service_that_may_is_told() {
    let world = World::new(ManualClock::new().shared()).await;
    let replica = world.replica().await;
    let ada = replica.sign_up("ada").await;
    let refused = replica.watch_as(&ada.access_token, start("")).await.err().unwrap();
    refused.is(Code::PermissionDenied, "SCOPE_MISSING");
    for scopes in [&[][..], &["tasks:read"], &["trust"], &["trust:watchers"]] {
        let token = replica.service_token(rng::uuid_v4(), scopes);
        let refused = replica.watch_as(&token, start("")).await.err().unwrap();
        refused.is(Code::PermissionDenied, "SCOPE_MISSING");
    }
    let token = replica.service_token(rng::uuid_v4(), &["else", "trust:watch"]);
    replica.watch_as(&token, start("")).await.unwrap();
}

/// What a watcher says has to make sense; what does not is named.
#[tokio::test]
async fn what_a_watcher_says_is_checked() {
    let world = World::new(ManualClock::new().shared()).await;
    let replica = world.replica().await;
    let token = replica.service_token(rng::uuid_v4(), &["trust:watch"]);
    let acknowledge = |token: &str| Kind::Acknowledge(Acknowledge { resume_token: token.into() });
    for (first, reason, field) in [
        (start("made up"), "PAGE_TOKEN_INVALID", "start.resume_token"),
        (acknowledge(""), "FIELD_INVALID", "start"),
    ] {
        let refused = replica.watch_as(&token, first).await.err().unwrap();
        refused.is(Code::InvalidArgument, reason);
        assert_eq!(refused.fields(), [field]);
    }
    let erased = Kind::Erased(Erased { user: "users/me".to_owned() });
    for (later, reason, field) in [
        (acknowledge("made up"), "PAGE_TOKEN_INVALID", "acknowledge.resume_token"),
        (start(""), "FIELD_INVALID", "start"),
        (erased, "FIELD_INVALID", "erased.user"),
    ] {
        let mut stream = replica.watch("").await;
        stream.until_current().await;
        stream.say(later);
        let refused = stream.end().await;
        refused.is(Code::InvalidArgument, reason);
        assert_eq!(refused.fields(), [field]);
    }
}

/// Everything there is first, then each end of a session as it comes, on every
/// replica, while the clock stands still: by hints and not by looking.
#[tokio::test]
async fn what_is_revoked_on_one_replica_is_told_on_all() {
    let world = World::new(ManualClock::new().shared()).await;
    let (here, there) = (world.replica().await, world.replica().await);
    listening(&world, 2).await;
    let (ada, bob) = (here.sign_up("ada").await, here.sign_up("bob").await);
    let (mut near, mut far) = (here.watch("").await, there.watch("").await);
    for stream in [&mut near, &mut far] {
        let events = stream.until_current().await;
        assert!(matches!(events[0], Event::Reset(_)), "{events:?}");
        assert_eq!(keys(&events[1]).len(), 1);
    }
    for session in [&ada, &bob] {
        here.sign_out(session).await;
        for stream in [&mut near, &mut far] {
            let event = stream.next().await.unwrap();
            let Event::Revocation(revocation) = &event else { panic!("{event:?}") };
            let (from, to) = (revocation.not_before.unwrap(), revocation.expire_time.unwrap());
            assert_eq!(from.seconds, world.clock.now().timestamp());
            assert_eq!(to.seconds - from.seconds, 310);
            assert_eq!(revoked(event), session.session);
        }
    }
}

/// Whatever ends sessions is told: a changed password, signing out elsewhere, a
/// refresh token used twice.
#[tokio::test]
async fn every_end_of_a_session_is_told() {
    let clock = ManualClock::new();
    let world = World::new(clock.shared()).await;
    let replica = world.replica().await;
    let ada = replica.sign_up("ada").await;
    let mut stream = replica.watch("").await;
    stream.until_current().await;
    let sign_in = async || {
        let (email, password) = ("ada@example.org".to_owned(), PASSWORD.to_owned());
        let request = SignInRequest { email, password, ..SignInRequest::default() };
        replica.auth().sign_in(request).await.unwrap().into_inner().credentials.unwrap()
    };
    let bearer = Bearer(ada.access_token.clone());
    let mut account = AccountServiceClient::with_interceptor(replica.channel.clone(), bearer);

    let phone = sign_in().await;
    account.revoke_other_sessions(RevokeOtherSessionsRequest::default()).await.unwrap();
    assert_eq!(revoked(stream.next().await.unwrap()), phone.session);

    let (laptop, tablet) = (sign_in().await, sign_in().await);
    let change = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: "copper-Violin-55".to_owned(),
        ..ChangePasswordRequest::default()
    };
    account.change_password(change).await.unwrap();
    let mut told = [(); 2].map(|()| String::new());
    for told in &mut told {
        *told = revoked(stream.next().await.unwrap());
    }
    told.sort();
    let mut ended = [laptop.session, tablet.session];
    ended.sort();
    assert_eq!(told, ended);

    let refresh = async || {
        let refresh_token = ada.refresh_token.clone();
        let request = proto::auth::v1::RefreshSessionRequest { refresh_token };
        replica.auth().refresh_session(request).await
    };
    refresh().await.unwrap();
    clock.advance(Duration::from_secs(60));
    refresh().await.unwrap_err().is(Code::Unauthenticated, "REFRESH_TOKEN_REUSED");
    assert_eq!(told_next(&mut stream).await, ada.session);
}

/// The next revocation; the clock was moved, so there may be heartbeats.
async fn told_next(stream: &mut Stream) -> String {
    loop {
        match stream.next().await.unwrap() {
            Event::Heartbeat(_) => {}
            event => return revoked(event),
        }
    }
}

/// Who comes back is told what was missed and nothing else, on any replica; who
/// comes back too late is told everything.
#[tokio::test]
async fn a_watcher_goes_on_where_it_was() {
    let clock = ManualClock::new();
    let world = World::new(clock.shared()).await;
    let (here, there) = (world.replica().await, world.replica().await);
    let (ada, bob) = (here.sign_up("ada").await, here.sign_up("bob").await);
    let mut stream = here.watch("").await;
    stream.until_current().await;
    here.sign_out(&ada).await;
    assert_eq!(revoked(stream.next().await.unwrap()), ada.session);
    let token = stream.token.clone();
    drop(stream);

    here.sign_out(&bob).await;
    for replica in [&there, &here] {
        let mut stream = replica.watch(&token).await;
        let [keys_again, missed] = &stream.until_current().await[..] else { panic!("two events") };
        assert_eq!(keys(keys_again).len(), 1);
        assert_eq!(revoked(missed.clone()), bob.session);
    }
    // Who begins now is told of both.
    let mut stream = here.watch("").await;
    assert_eq!(stream.until_current().await.len(), 5, "reset, keys, the first key, two sessions");

    // What concerns nobody any more is swept, and tokens from before are too old.
    clock.advance(minutes(6));
    let left = "select count(*) from data.trust_events where kind = $1";
    eventually("it is swept", async || world.count(left, "session").await == 0).await;
    for replica in [&there, &here] {
        eventually("the replica knows", async || {
            let mut stream = replica.watch(&token).await;
            let events = stream.until_current().await;
            matches!(events[..], [Event::Reset(_), Event::Keys(_)])
        })
        .await;
    }
}

/// A silent stream says so every five seconds; it ends with the watcher's token.
#[tokio::test]
async fn a_silent_stream_says_that_it_lives() {
    let clock = ManualClock::new();
    let world = World::new(clock.shared()).await;
    let replica = world.replica().await;
    let mut stream = replica.watch("").await;
    stream.until_current().await;
    for _ in 0..3 {
        clock.advance(Duration::from_secs(5));
        assert!(matches!(stream.next().await.unwrap(), Event::Heartbeat(_)));
    }
    clock.advance(minutes(5));
    stream.end().await.is(Code::Unauthenticated, "TOKEN_EXPIRED");
}

/// A server that drains ends its streams and waits for none.
#[tokio::test]
async fn a_server_that_drains_ends_its_streams() {
    let world = World::new(ManualClock::new().shared()).await;
    let (here, there) = (world.replica().await, world.replica().await);
    let mut stream = here.watch("").await;
    stream.until_current().await;
    let (end, ()) = tokio::join!(stream.end(), here.drain());
    end.is(Code::Unavailable, "SERVER_DRAINING");
    let mut stream = there.watch(&stream.token).await;
    assert!(matches!(stream.until_current().await[..], [Event::Keys(_)]));
}

/// So many watch, in all and with the tokens of one account; a place that is
/// left is free.
#[tokio::test]
async fn so_many_watch_and_no_more() {
    let world = World::new(ManualClock::new().shared()).await;
    let flags = ["--max-trust-watchers=3", "--max-trust-watchers-per-account=2"];
    let replica = world.replica_with("127.0.0.1:0", &flags).await;
    let token = replica.service_token(rng::uuid_v4(), &["trust:watch"]);
    let first = replica.watch_as(&token, start("")).await.unwrap();
    let _second = replica.watch_as(&token, start("")).await.unwrap();
    let full = replica.watch_as(&token, start("")).await.err().unwrap();
    full.is(Code::ResourceExhausted, "WATCH_LIMIT");
    let _third = replica.watch("").await;
    let other = replica.service_token(rng::uuid_v4(), &["trust:watch"]);
    let full = replica.watch_as(&other, start("")).await.err().unwrap();
    full.is(Code::ResourceExhausted, "WATCH_LIMIT");
    drop(first);
    eventually("the place is free", async || {
        replica.watch_as(&other, start("")).await.map(std::mem::forget).is_ok()
    })
    .await;
}

/// Two auth replicas: a sign-out or a changed password on one is refused within two
/// seconds by whoever watches the other. The clock stands still, so that nobody looks:
/// what is in time is so by being told.
#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_is_refused_everywhere_within_two_seconds() {
    let world = World::new(ManualClock::new().shared()).await;
    let (here, there) = (world.replica().await, world.replica().await);
    listening(&world, 2).await;
    let others = [here.other(), there.other()];
    let began = world.clock.now();
    for name in ["ada", "bob", "eve"] {
        let (leaves, stays) = (here.sign_up(name).await, here.sign_up(&format!("{name}2")).await);
        for other in &others {
            eventually("both are believed", async || {
                other.verifier.verify(&leaves.access_token).is_ok() && other.trust.is_fed()
            })
            .await;
        }
        if name == "bob" {
            revoke_all_but_one(&here, name, &leaves.session).await;
        } else {
            here.sign_out(&leaves).await;
        }
        for other in &others {
            let refused = Err(Refusal::Revoked);
            eventually("it is refused", async || {
                other.verifier.verify(&leaves.access_token) == refused
            })
            .await;
            assert!(other.verifier.verify(&stays.access_token).is_ok());
        }
    }
    assert_eq!(world.clock.now(), began);
}

/// Signs in again and changes the password there.
async fn revoke_all_but_one(replica: &Replica, name: &str, before: &str) {
    let (email, password) = (format!("{name}@example.org"), PASSWORD.to_owned());
    let request = SignInRequest { email, password, ..SignInRequest::default() };
    let answer = replica.auth().sign_in(request).await.unwrap().into_inner();
    let session = answer.credentials.unwrap();
    assert_ne!(session.session, before);
    let bearer = Bearer(session.access_token);
    let mut account = AccountServiceClient::with_interceptor(replica.channel.clone(), bearer);
    let change = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: "copper-Violin-55".to_owned(),
        ..ChangePasswordRequest::default()
    };
    account.change_password(change).await.unwrap();
}
