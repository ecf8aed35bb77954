//! Many at once.

use std::{collections::HashSet, pin::Pin, time::Duration};

use futures_util::future::join_all;
use proto::auth::v1::{
    ChangePasswordRequest, Credentials, RefreshSessionRequest, RevokeOtherSessionsRequest,
    RevokeSessionRequest, SignInRequest, SignOutRequest,
    account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
};
use shared::testing::{ManualClock, eventually};
use sqlx::ConnectOptions as _;
use tonic::{Code, Status, transport::Channel};
use uuid::Uuid;

use crate::{
    harness::{Bearer, PASSWORD, TestApp, Told as _},
    replicas::World,
};

const MANY: usize = 50;

/// FR-005: of fifty sign-ups of one e-mail exactly one succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn one_email_has_one_account() {
    let app = TestApp::start().await;
    let answers = join_all((0..MANY).map(|_| app.sign_up("ada"))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for refused in refused {
        refused.unwrap_err().is(Code::AlreadyExists, "EMAIL_ALREADY_REGISTERED");
    }
    let mut connection = app.database.superuser.connect().await.unwrap();
    let rows: (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from data.users), (select count(*) from data.user_emails),
            (select count(*) from data.sessions)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(rows, (1, 1, 1));
}

/// E1: fifty refreshes with one token get one successor; nobody is signed out.
#[tokio::test(flavor = "multi_thread")]
async fn one_token_has_one_successor() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    for token in [ada.credentials.refresh_token.clone()] {
        let answers = join_all((0..MANY).map(|_| app.refresh(&token))).await;
        let successors: HashSet<String> =
            answers.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
        assert_eq!(successors.len(), 1);
        assert!(app.refresh(successors.iter().next().unwrap()).await.is_ok());
    }
}

/// A call that ends sessions, and the function that it calls.
type Ending = (&'static str, fn(Channel, [Credentials; 2]) -> Ended);
type Ended = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

const ENDINGS: [Ending; 6] = [
    ("api.end_session", |channel, [_, phone]| {
        let request = SignOutRequest { refresh_token: phone.refresh_token };
        let mut auth = AuthServiceClient::new(channel);
        Box::pin(async move { auth.sign_out(request).await.map(drop) })
    }),
    ("api.refresh_session", |channel, [_, phone]| {
        let request = RefreshSessionRequest { refresh_token: phone.refresh_token };
        let mut auth = AuthServiceClient::new(channel);
        Box::pin(async move { auth.refresh_session(request).await.map(drop) })
    }),
    ("api.open_session", |channel, _| {
        let (email, password) = ("ada@example.org".to_owned(), PASSWORD.to_owned());
        let request = SignInRequest { email, password, ..SignInRequest::default() };
        let mut auth = AuthServiceClient::new(channel);
        Box::pin(async move { auth.sign_in(request).await.map(drop) })
    }),
    ("api.revoke_session", |channel, [laptop, phone]| {
        let request = RevokeSessionRequest { name: phone.session };
        let bearer = Bearer(laptop.access_token);
        let mut account = AccountServiceClient::with_interceptor(channel, bearer);
        Box::pin(async move { account.revoke_session(request).await.map(drop) })
    }),
    ("api.revoke_other_sessions", |channel, [laptop, _]| {
        let bearer = Bearer(laptop.access_token);
        let mut account = AccountServiceClient::with_interceptor(channel, bearer);
        let request = RevokeOtherSessionsRequest::default();
        Box::pin(async move { account.revoke_other_sessions(request).await.map(drop) })
    }),
    ("api.change_password", |channel, [laptop, _]| {
        let bearer = Bearer(laptop.access_token);
        let mut account = AccountServiceClient::with_interceptor(channel, bearer);
        let request = ChangePasswordRequest {
            current_password: PASSWORD.to_owned(),
            new_password: "copper-Violin-44".to_owned(),
            ..ChangePasswordRequest::default()
        };
        Box::pin(async move { account.change_password(request).await.map(drop) })
    }),
];

/// Whatever ends sessions waits for the user's row before it takes anything else:
/// the sessions, the log of the user, what verifiers are told. So nobody waits for
/// somebody who waits for them, and one user's calls hold nobody else's up.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_ended_in_one_order() {
    for (function, ending) in ENDINGS {
        let clock = ManualClock::new();
        let world = World::new(clock.shared()).await;
        let replica = world.replica_with("127.0.0.1:0", &["--max-sessions=2"]).await;
        let laptop = replica.sign_up("ada").await;
        let phone = SignInRequest {
            email: "ada@example.org".to_owned(),
            password: PASSWORD.to_owned(),
            ..SignInRequest::default()
        };
        let phone = replica.auth().sign_in(phone).await.unwrap().into_inner().credentials.unwrap();
        let request = RefreshSessionRequest { refresh_token: phone.refresh_token.clone() };
        replica.auth().refresh_session(request).await.unwrap();
        // From now on the first token of the phone is an old one.
        clock.advance(Duration::from_secs(60));

        let user = laptop.session.strip_prefix("users/").unwrap().split('/').next().unwrap();
        let user: Uuid = user.parse().unwrap();
        let mut superuser = world.database.superuser.connect().await.unwrap();
        let mut holds = sqlx::Connection::begin(&mut superuser).await.unwrap();
        sqlx::query("set local lock_timeout = '300ms'").execute(&mut *holds).await.unwrap();
        let row = "select from data.users where user_id = $1 for update";
        sqlx::query(row).bind(user).execute(&mut *holds).await.unwrap();

        let ended = tokio::spawn(ending(replica.channel.clone(), [laptop, phone]));
        let waits = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'
            and position($1 in query) > 0";
        eventually(function, async || world.count(waits, function).await == 1).await;
        for free in [
            "select from data.sessions where user_id = $1 for update",
            "select from data.audit_heads where user_id = $1 for update",
            "select from data.trust_head where $1 is not null for update",
        ] {
            let taken = sqlx::query(free).bind(user).execute(&mut *holds).await;
            assert!(taken.is_ok(), "{function} holds it: {free}");
        }
        holds.rollback().await.unwrap();
        match ended.await.unwrap() {
            Err(reused) if function == "api.refresh_session" => {
                reused.is(Code::Unauthenticated, "REFRESH_TOKEN_REUSED");
            }
            ended => ended.unwrap(),
        }
        let told = "select count(*) from data.trust_events where kind = $1";
        assert_eq!(world.count(told, "session").await, 1, "{function}");
    }
}
