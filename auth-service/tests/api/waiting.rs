//! Calls that wait for each other: what they find when their turn has come is what
//! counts, and none waits for one that waits for it.

use futures_util::future::join_all;
use proto::auth::v1::{
    RequestPasswordResetRequest, ResetPasswordRequest, VerifyEmailRequest,
    verify_email_response::Outcome,
};
use shared::testing::eventually;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::{
    abuse::{ADA, BEHIND, from, number},
    harness::{PASSWORD, TestApp},
    recovery::{NEW, RESET, assert_void, request_reset, start},
    smtp::MailServer,
};

/// Has a call wait for a row that is held, does something meanwhile, and lets the
/// row go. Both statements are of somebody with all rights.
async fn while_waiting<T: Send + 'static>(
    app: &TestApp,
    held: &str,
    call: impl Future<Output = T> + Send + 'static,
    done: &str,
) -> T {
    let mut superuser = app.database.superuser.connect().await.unwrap();
    let mut holds = superuser.begin().await.unwrap();
    sqlx::query(AssertSqlSafe(held)).execute(&mut *holds).await.unwrap();
    let waiting = tokio::spawn(call);
    wait_for_waiting(app, 1).await;
    sqlx::query(AssertSqlSafe(done)).execute(&mut *holds).await.unwrap();
    holds.commit().await.unwrap();
    waiting.await.unwrap()
}

async fn wait_for_waiting(app: &TestApp, calls: i64) {
    let waits = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'
        and position('from api.' in query) + position('select api.' in query) > 0";
    eventually("the calls wait", async || number(app, waits).await == calls).await;
}

/// How often many ask at once.
const ROUNDS: u8 = 10;
const HELD: &str = "select from data.users for update";

/// A link to set the password belongs to the address that it was sent to: whoever
/// reads an address that the account had once sets nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_reset_is_good_for_the_address_that_it_was_sent_to() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    app.signed_up("ada").await;
    request_reset(&app, ADA).await.unwrap();
    let token = mails.take(ADA, RESET).await.token();
    let to = |email: &str| format!("update data.users set email = '{email}'");
    let call = |token: &str| {
        let (mut auth, token) = (app.auth(), token.to_owned());
        let request = ResetPasswordRequest { token, new_password: NEW.to_owned() };
        async move { auth.reset_password(request).await.map(drop) }
    };
    // Judged before there is any work.
    app.tamper(&to("lovelace@example.org")).await;
    assert_void(&call(&token).await.unwrap_err());
    // And again when it is used.
    app.tamper(&to(ADA)).await;
    let late = while_waiting(&app, HELD, call(&token), &to("lovelace@example.org")).await;
    assert_void(&late.unwrap_err());
    app.tamper(&to(ADA)).await;
    app.sign_in(ADA, PASSWORD).await.unwrap();
}

/// Two readers of one address follow their links at the same moment: one has an
/// account, the other is told that the link is good no more.
#[tokio::test(flavor = "multi_thread")]
async fn two_links_of_one_sign_up_are_used_one_after_the_other() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[BEHIND, "--enumeration=strict"]).await;
    let mut tokens = Vec::new();
    for n in 0..3 {
        let request = proto::auth::v1::SignUpRequest {
            email: ADA.to_owned(),
            password: PASSWORD.to_owned(),
            ..Default::default()
        };
        app.auth().sign_up(from(&format!("203.0.113.{n}"), request)).await.unwrap();
        tokens.push(mails.take(ADA, "Please finish your sign-up").await.token());
    }
    // In whichever order rows are removed, the one that is held comes first.
    let mut superuser = app.database.superuser.connect().await.unwrap();
    let least: i64 = sqlx::query_scalar(
        "select place from (select row_number() over (order by created_at, ctid) as place, hash
         from data.mail_tokens) t order by hash limit 1",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    tokens.remove(usize::try_from(least).unwrap() - 1);
    let mut holds = superuser.begin().await.unwrap();
    let held = "select from data.mail_tokens order by hash limit 1 for update";
    sqlx::query(held).execute(&mut *holds).await.unwrap();
    let used: Vec<_> = tokens
        .into_iter()
        .map(|token| {
            let mut auth = app.auth();
            let request = VerifyEmailRequest { token };
            tokio::spawn(async move { auth.verify_email(request).await })
        })
        .collect();
    wait_for_waiting(&app, 2).await;
    // Who waits holds nothing that the other one needs.
    sqlx::query("set local lock_timeout = '300ms'").execute(&mut *holds).await.unwrap();
    let all = "select from data.mail_tokens for update";
    assert!(sqlx::query(all).execute(&mut *holds).await.is_ok(), "they wait for each other");
    holds.rollback().await.unwrap();
    let mut good = 0;
    for answer in join_all(used).await {
        match answer.unwrap() {
            Ok(verified) => {
                assert_eq!(verified.into_inner().outcome(), Outcome::Verified);
                good += 1;
            }
            Err(refused) => assert_void(&refused),
        }
    }
    assert_eq!(good, 1);
}

/// Twenty ask at once, from everywhere, for a reset of one password whose reader has
/// no good link: the reader has one mail.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_at_once_one_has_a_mail_sent() {
    let app = TestApp::start_with(&[BEHIND]).await;
    for round in 0..ROUNDS {
        let email = format!("nobody-{round}@example.org");
        let asked = (0..20).map(|n| {
            let (mut auth, email) = (app.auth(), email.clone());
            let request = from(&format!("203.0.113.{n}"), RequestPasswordResetRequest { email });
            tokio::spawn(async move { auth.request_password_reset(request).await.map(drop) })
        });
        for answer in join_all(asked).await {
            answer.unwrap().unwrap();
        }
        let sent = number(&app, "select count(*) from data.mail_tokens").await;
        assert_eq!(sent, i64::from(round) + 1, "round {round}");
    }
}
