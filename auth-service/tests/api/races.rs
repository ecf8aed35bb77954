//! Many at once.

use std::collections::HashSet;

use futures_util::future::join_all;
use proto::auth::v1::{RevokeOtherSessionsRequest, SignOutRequest};
use sqlx::ConnectOptions as _;
use tonic::Code;

use crate::harness::{PASSWORD, TestApp, Told as _, minutes};

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

/// Everything that ends sessions takes its locks in one order: of many such calls
/// of one user none makes another wait until both give up, and with them
/// everybody whose revocations come after.
#[tokio::test(flavor = "multi_thread")]
async fn ends_of_sessions_do_not_wait_for_each_other_in_a_circle() {
    const ROUNDS: usize = 12;
    let app = TestApp::start_with(&["--sign-in-free-attempts=100", "--max-sessions=4"]).await;
    let ada = app.signed_up("ada").await;
    for _ in 0..ROUNDS {
        app.clock.advance(minutes(1));
        let [out, reused, revoked] = {
            let sign_ins = (0..3).map(|_| app.sign_in(&ada.email, PASSWORD));
            let [a, b, c] = join_all(sign_ins).await.try_into().expect("three");
            [a.unwrap(), b.unwrap(), c.unwrap()]
        };
        // Two exchanges later the first token is old.
        let newer = app.refresh(&reused.refresh_token).await.unwrap();
        app.refresh(&newer.refresh_token).await.unwrap();
        let mut auth = app.auth();
        let mut account = app.account(&revoked.access_token);
        let sign_out = SignOutRequest { refresh_token: out.refresh_token.clone() };
        let others = RevokeOtherSessionsRequest { parent: ada.name.clone() };
        let (signed_out, reuse, others, again) = tokio::join!(
            auth.sign_out(sign_out),
            app.refresh(&reused.refresh_token),
            account.revoke_other_sessions(others),
            app.sign_in(&ada.email, PASSWORD),
        );
        signed_out.unwrap();
        again.unwrap();
        assert_eq!(reuse.unwrap_err().code(), Code::Unauthenticated);
        // It may be the one that was displaced or ended.
        assert!(others.is_ok() || others.is_err_and(|end| end.code() == Code::Unauthenticated));
    }
}
