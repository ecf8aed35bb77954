//! Guessing and flooding: what is slowed down, for whom, and for whom not. The
//! service stands behind a proxy here, so that calls come from many addresses.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use auth_service::{App, throttle};
use futures_util::future::join_all;
use proto::auth::v1::{
    Credentials, GetUserRequest, SignInRequest, SignUpRequest,
    auth_service_client::AuthServiceClient,
};
use shared::database::Database;
use sqlx::ConnectOptions as _;
use tokio::net::TcpListener;
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;

use crate::harness::{PASSWORD, TestApp, Told as _, config, key, minutes};

pub(crate) const WRONG: &str = "not-Her-Password";
pub(crate) const BEHIND: &str = "--trusted-proxies=127.0.0.0/8";
pub(crate) const ADA: &str = "ada@example.org";

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A request that the proxy hands on for this address.
pub(crate) fn from<T>(address: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-forwarded-for", address.parse().unwrap());
    request
}

/// Signs in from an address, on a device with this pass.
pub(crate) async fn attempt(
    mut auth: AuthServiceClient<Channel>,
    address: &str,
    (email, password, pass): (&str, &str, &str),
) -> Result<Credentials, Status> {
    let request = SignInRequest {
        email: email.to_owned(),
        password: password.to_owned(),
        device_token: pass.to_owned(),
        ..SignInRequest::default()
    };
    Ok(auth.sign_in(from(address, request)).await?.into_inner().credentials.unwrap())
}

async fn sign_up(app: &TestApp, address: &str, name: &str) -> Result<Credentials, Status> {
    let request = SignUpRequest {
        email: format!("{name}@example.org"),
        password: PASSWORD.to_owned(),
        ..SignUpRequest::default()
    };
    Ok(app.auth().sign_up(from(address, request)).await?.into_inner().credentials.unwrap())
}

/// How long the refusal says to wait.
#[track_caller]
pub(crate) fn wait(status: &Status) -> Duration {
    status.get_details_retry_info().unwrap().retry_delay.unwrap()
}

/// How long a throttled sign-in has to wait; none for one that was checked.
#[track_caller]
pub(crate) fn throttled(refused: Result<Credentials, Status>) -> Option<Duration> {
    let refused = refused.unwrap_err();
    if refused.code() == Code::Unauthenticated {
        refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
        return None;
    }
    refused.is(Code::ResourceExhausted, "SIGN_IN_THROTTLED");
    Some(wait(&refused))
}

/// How often each kind of event is in the audit log.
pub(crate) async fn audited(app: &TestApp) -> BTreeMap<String, i64> {
    let mut connection = app.database.superuser.connect().await.unwrap();
    let kinds = "select kind, count(*) from data.audit_events group by kind";
    let rows: Vec<(String, i64)> = sqlx::query_as(kinds).fetch_all(&mut connection).await.unwrap();
    rows.into_iter().collect()
}

pub(crate) async fn number(app: &TestApp, query: &'static str) -> i64 {
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
}

/// 200 wrong passwords at once from 200 addresses: a handful is checked. The
/// owner's session goes on, the device that is known gets in meanwhile, and
/// every other one once the delay is over.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_wrong_passwords_lock_nobody_out() {
    let app = TestApp::start_with(&[BEHIND]).await;
    let ada = app.signed_up("ada").await;
    let known = ada.credentials.device_token.clone();
    let guesses = (0..200).map(|n| {
        let auth = app.auth();
        async move { attempt(auth, &format!("203.0.113.{n}"), (ADA, WRONG, "")).await }
    });
    let waits: Vec<_> = join_all(guesses).await.into_iter().map(throttled).collect();
    assert_eq!(waits.iter().filter(|wait| wait.is_none()).count(), 5);
    assert!(waits.iter().flatten().all(|wait| *wait == seconds(1)), "{waits:?}");
    assert_eq!(app.hashes.load(Ordering::Relaxed), 1 + 5, "she signed up");

    let mut account = app.account(&ada.credentials.access_token);
    account.get_user(GetUserRequest::default()).await.unwrap();
    app.refresh(&ada.credentials.refresh_token).await.unwrap();
    attempt(app.auth(), "198.51.100.1", (ADA, PASSWORD, &known)).await.unwrap();
    let early = attempt(app.auth(), "198.51.100.1", (ADA, PASSWORD, "")).await;
    assert_eq!(throttled(early), Some(seconds(1)));
    app.clock.advance(seconds(1));
    attempt(app.auth(), "198.51.100.1", (ADA, PASSWORD, "")).await.unwrap();
    // Which makes good what others did.
    assert_eq!(throttled(attempt(app.auth(), "203.0.113.1", (ADA, WRONG, "")).await), None);
    assert_eq!(throttled(attempt(app.auth(), "203.0.113.1", (ADA, WRONG, "")).await), None);
    assert_eq!(app.hashes.load(Ordering::Relaxed), 1 + 5 + 4);
}

/// The delay doubles up to a quarter of an hour; in the long run one password in
/// a quarter of an hour is checked, and in the end everything is forgotten.
#[tokio::test]
async fn delays_grow_and_end_by_themselves() {
    let app = TestApp::start_with(&[BEHIND]).await;
    app.signed_up("ada").await;
    let guess = || attempt(app.auth(), "203.0.113.1", (ADA, WRONG, ""));
    for _ in 0..5 {
        assert_eq!(throttled(guess().await), None);
    }
    for delay in [1, 2, 4, 8, 16, 32, 64, 128, 256] {
        assert_eq!(throttled(guess().await), Some(seconds(delay)));
        app.clock.advance(seconds(delay) - Duration::from_millis(1));
        assert_eq!(throttled(guess().await), Some(Duration::from_millis(1)));
        app.clock.advance(Duration::from_millis(1));
        assert_eq!(throttled(guess().await), None);
    }
    app.clock.advance(minutes(15));
    for _ in 0..20 {
        assert_eq!(throttled(guess().await), None);
        let delay = throttled(guess().await).unwrap();
        assert!((seconds(512)..=minutes(15)).contains(&delay), "{delay:?}");
        app.clock.advance(minutes(15));
    }
    app.clock.advance(minutes(15 * 15));
    for _ in 0..5 {
        assert_eq!(throttled(guess().await), None);
    }
    assert_eq!(throttled(guess().await), Some(seconds(1)));
}

/// FR-010: whoever counts answers, delays and statements does not learn who has
/// an account.
#[tokio::test]
async fn an_unknown_email_is_throttled_as_a_known_one() {
    let app = TestApp::start_with(&[BEHIND]).await;
    app.signed_up("ada").await;
    // Once through everything to have every statement prepared.
    answers(&app, "bea@example.org").await;
    let known = answers(&app, ADA).await;
    assert_eq!(
        known.iter().map(|(_, statements)| *statements).collect::<Vec<_>>(),
        [2, 2, 2, 2, 2, 1, 1, 1]
    );
    assert_eq!(answers(&app, "eve@example.org").await, known);
}

/// What eight wrong passwords are answered with, and what each cost.
async fn answers(app: &TestApp, email: &str) -> Vec<(String, usize)> {
    let mut answers = Vec::new();
    for _ in 0..8 {
        app.statements.take();
        let refused = attempt(app.auth(), "203.0.113.1", (email, WRONG, "")).await.unwrap_err();
        let said = (refused.code(), refused.message(), refused.details());
        answers.push((format!("{said:?}"), app.statements.take()));
    }
    answers
}

/// An address may fail more often than an account, over all accounts. A /64 of
/// IPv6 is one address. Whoever signs in costs it nothing. Its delays grow, too, and
/// end by themselves.
#[tokio::test]
async fn an_address_has_a_limit_of_its_own() {
    let app =
        TestApp::start_with(&[BEHIND, "--sign-in-per-address=6", "--sign-in-period=1m"]).await;
    app.signed_up("ada").await;
    let at = |address: &'static str, n: u8| {
        let (auth, email) = (app.auth(), format!("nobody-{n}@example.org"));
        async move { throttled(attempt(auth, address, (&email, WRONG, "")).await) }
    };
    for n in 0..10 {
        let address = format!("2001:db8:0:1::{n}");
        attempt(app.auth(), &address, (ADA, PASSWORD, "")).await.unwrap();
    }
    for n in 0..6 {
        assert_eq!(at("2001:db8:0:1::1", n).await, None);
    }
    assert_eq!(at("2001:db8:0:1:ffff::2", 6).await, Some(seconds(10)));
    let owner = attempt(app.auth(), "2001:db8:0:1::3", (ADA, PASSWORD, "")).await;
    assert_eq!(throttled(owner), Some(seconds(10)));
    assert_eq!(at("2001:db8:0:2::1", 7).await, None);
    assert_eq!(at("203.0.113.1", 8).await, None);
    for delay in [10, 20, 40, 80, 160, 320, 640, 900, 900] {
        app.clock.advance(seconds(delay) - Duration::from_millis(1));
        assert_eq!(at("2001:db8:0:1::1", 9).await, Some(Duration::from_millis(1)));
        app.clock.advance(Duration::from_millis(1));
        assert_eq!(at("2001:db8:0:1::1", 9).await, None);
    }
    app.clock.advance(minutes(15));
    attempt(app.auth(), "2001:db8:0:1::3", (ADA, PASSWORD, "")).await.unwrap();
    // Nor does whoever signs in all the time keep it from forgetting.
    for _ in 0..20 {
        app.clock.advance(seconds(9));
        attempt(app.auth(), "2001:db8:0:1::3", (ADA, PASSWORD, "")).await.unwrap();
    }
    for n in 10..16 {
        assert_eq!(at("2001:db8:0:1::1", n).await, None);
    }
    assert_eq!(at("2001:db8:0:1::1", 16).await, Some(seconds(10)));
}

/// Whoever is no proxy cannot choose whose limit is used up.
#[tokio::test]
async fn a_forged_address_changes_nothing() {
    let app = TestApp::start_with(&["--sign-in-per-address=3"]).await;
    for n in 0..4 {
        let (address, email) = (format!("203.0.113.{n}"), format!("nobody-{n}@example.org"));
        let wait = throttled(attempt(app.auth(), &address, (&email, WRONG, "")).await);
        assert_eq!(wait, (n == 3).then_some(seconds(200)));
    }
}

/// Replicas share what was counted, and it survives a restart.
#[tokio::test]
async fn replicas_and_restarts_count_on() {
    let key = key();
    let database = shared::testing::database(&auth_service::SCHEMA).await;
    let clock = shared::testing::ManualClock::new();
    let app = TestApp::start_on(database, clock, &key, &[BEHIND]).await;
    app.signed_up("ada").await;
    let other = replica(&app, &key).await;
    for n in 0..5 {
        let auth = if n % 2 == 0 { app.auth() } else { other.clone() };
        assert_eq!(throttled(attempt(auth, "203.0.113.1", (ADA, WRONG, "")).await), None);
    }
    for auth in [app.auth(), other] {
        let refused = attempt(auth, "203.0.113.2", (ADA, PASSWORD, "")).await;
        assert_eq!(throttled(refused), Some(seconds(1)));
    }
    let (database, clock) = app.stop().await;
    let app = TestApp::start_on(database, clock, &key, &[BEHIND]).await;
    let refused = attempt(app.auth(), "203.0.113.2", (ADA, PASSWORD, "")).await;
    assert_eq!(throttled(refused), Some(seconds(1)));
    app.clock.advance(seconds(1));
    attempt(app.auth(), "203.0.113.2", (ADA, PASSWORD, "")).await.unwrap();
}

/// Another service on the same database. It ends with the test.
async fn replica(app: &TestApp, key: &str) -> AuthServiceClient<Channel> {
    let pool = Database::new(app.database.app.clone(), 4);
    let other = App::open(config(key, &[BEHIND]), pool, app.clock.shared()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { other.serve(listener, std::future::pending()).await });
    AuthServiceClient::new(Endpoint::from_shared(url).unwrap().connect_lazy())
}

/// Sign-ups of one address are limited, those that fail included: otherwise they
/// would tell any number of times who has an account.
#[tokio::test]
async fn an_address_makes_some_accounts_an_hour() {
    let app = TestApp::start_with(&[BEHIND, "--sign-up-per-address=3"]).await;
    sign_up(&app, "203.0.113.1", "ada").await.unwrap();
    let taken = sign_up(&app, "203.0.113.1", "ada").await.unwrap_err();
    taken.is(Code::AlreadyExists, "EMAIL_ALREADY_REGISTERED");
    sign_up(&app, "203.0.113.1", "bea").await.unwrap();
    for name in ["ada", "eve"] {
        let refused = sign_up(&app, "203.0.113.1", name).await.unwrap_err();
        refused.is(Code::ResourceExhausted, "RATE_LIMITED");
        assert_eq!(wait(&refused), minutes(20));
    }
    assert_eq!(number(&app, "select count(*) from data.users").await, 2);
    sign_up(&app, "203.0.113.2", "eve").await.unwrap();
    app.clock.advance(minutes(20));
    sign_up(&app, "203.0.113.1", "joy").await.unwrap();
    sign_up(&app, "203.0.113.1", "kim")
        .await
        .unwrap_err()
        .is(Code::ResourceExhausted, "RATE_LIMITED");
}

/// How easy a password is to guess is work for the threads that hash: whoever has
/// it found out has signed up.
#[tokio::test]
async fn sign_ups_with_weak_passwords_are_counted() {
    let app = TestApp::start_with(&[BEHIND, "--sign-up-per-address=3"]).await;
    let weak = SignUpRequest {
        email: ADA.to_owned(),
        password: "password1".to_owned(),
        ..SignUpRequest::default()
    };
    for _ in 0..3 {
        let refused = app.auth().sign_up(from("203.0.113.1", weak.clone())).await.unwrap_err();
        refused.is(Code::InvalidArgument, "PASSWORD_COMPROMISED");
    }
    let refused = app.auth().sign_up(from("203.0.113.1", weak)).await.unwrap_err();
    refused.is(Code::ResourceExhausted, "RATE_LIMITED");
}

/// The owner can see that somebody tries; nobody can fill the log by trying, and
/// about who has no account there is nothing to log.
#[tokio::test]
async fn refusals_are_audited_and_cannot_flood_the_log() {
    let app = TestApp::start_with(&[BEHIND, "--audited-refusals=8"]).await;
    app.signed_up("ada").await;
    let guesses = async || {
        for n in 0..20 {
            let email = if n % 2 == 0 { ADA } else { "eve@example.org" };
            attempt(app.auth(), "203.0.113.77", (email, WRONG, "")).await.unwrap_err();
        }
    };
    guesses().await;
    let first = audited(&app).await;
    assert_eq!((first["sign_in.refused"], first["sign_in.throttled"]), (5, 3));
    app.clock.advance(minutes(1));
    guesses().await;
    let second = audited(&app).await;
    assert_eq!(second["sign_in.refused"] + second["sign_in.throttled"], 16);
    let said = "select count(*) from data.audit_events where kind like 'sign_in.%'
        and address_prefix = '203.0.113.0/24' and actor = '' and session_id is null";
    assert_eq!(number(&app, said).await, 16);
    let users = "select count(distinct user_id) from data.audit_events";
    assert_eq!(number(&app, users).await, 1);
}

/// Nothing that is counted stays for good, and nothing says what it stood for.
#[tokio::test]
async fn what_holds_nobody_back_is_removed() {
    let app = TestApp::start_with(&[BEHIND]).await;
    for n in 0..6 {
        let email = if n < 5 { "eve@example.org" } else { "kim@example.org" };
        attempt(app.auth(), "203.0.113.1", (email, WRONG, "")).await.unwrap_err();
    }
    const COUNT: &str = "select count(*) from data.throttles";
    assert_eq!(number(&app, COUNT).await, 3);
    let readable = "select count(*) from data.throttles t where octet_length(bucket) <> 32
        or t::text like '%example%'";
    assert_eq!(number(&app, readable).await, 0);
    let pool = Database::new(app.database.app.clone(), 1);
    let now = || app.clock.shared().now();
    for (time, left) in [(seconds(0), 3), (minutes(16), 1), (minutes(60), 0)] {
        app.clock.advance(time);
        throttle::sweep(&pool, now()).await.unwrap();
        assert_eq!(number(&app, COUNT).await, left);
    }
}

/// 500 sign-ins at once: every one is answered, whoever is refused is told when
/// to come back, and what was not checked was not counted either.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_is_answered_to_the_last_call() {
    let flags =
        ["--hashing-threads=2", "--hashing-queue=16", "--sign-in-per-address=1000000", BEHIND];
    let app = TestApp::start_with(&flags).await;
    app.signed_up("ada").await;
    let calls = (0..500).map(|n| {
        let (auth, email) = (app.auth(), format!("somebody-{n}@example.org"));
        async move { attempt(auth, "203.0.113.1", (&email, WRONG, "")).await }
    });
    let mut checked = 0;
    for refused in join_all(calls).await.into_iter().map(Result::unwrap_err) {
        if refused.code() == Code::Unauthenticated {
            checked += 1;
        } else {
            refused.is(Code::ResourceExhausted, "HASH_CAPACITY");
            assert_eq!(wait(&refused), seconds(1));
        }
    }
    assert!((18..500).contains(&checked), "{checked}");
    // With the e-mail and at the address; and there was a sign-up with its mail.
    assert_eq!(
        number(&app, "select sum(attempts)::bigint from data.throttles").await,
        2 * checked + 2
    );
    app.sign_in(ADA, PASSWORD).await.unwrap();
}

#[test]
fn settings_that_make_no_sense_are_named() {
    use shared::config::Settings as _;
    let flags = ["--max-sessions=0", "--sign-in-delay=2h", "--sign-in-forget=0s"];
    let faults = config(&key(), &flags).faults().join("\n");
    for name in ["AUTH_MAX_SESSIONS", "AUTH_SIGN_IN_MAX_DELAY", "AUTH_SIGN_IN_FORGET"] {
        assert!(faults.contains(name), "{name}: {faults}");
    }
}
