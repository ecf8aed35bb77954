//! Many at once.

use std::collections::HashSet;

use futures_util::future::join_all;
use sqlx::ConnectOptions as _;
use tonic::Code;

use crate::harness::{TestApp, Told as _};

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
