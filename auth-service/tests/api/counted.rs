//! What strangers and thieves make the service do, counted before it is done.

use auth_service::{error::Error, throttle};
use proto::auth::v1::{ChangePasswordRequest, ReauthenticateRequest};
use shared::database::Database;
use sqlx::ConnectOptions as _;
use tonic::{Code, Status};

use crate::{
    abuse::{ADA, BEHIND, WRONG, attempt, audited, seconds, wait},
    harness::{PASSWORD, TestApp, Told as _, minutes},
    recovery::{NEW, RESET, request_reset, reset, start},
    smtp::MailServer,
};

const WEAK: &str = "password1";

/// How easy a password is to guess is work for the threads that hash. Whoever has a
/// session, and not the password, has that found out a few times.
#[tokio::test]
async fn a_new_password_is_looked_at_after_the_attempt_was_counted() {
    let app = TestApp::start_alone().await;
    let ada = app.signed_up("ada").await;
    let change = async |current: &str, new: &str| -> Result<(), Status> {
        let request = ChangePasswordRequest {
            current_password: current.to_owned(),
            new_password: new.to_owned(),
            ..ChangePasswordRequest::default()
        };
        app.account(&ada.credentials.access_token).change_password(request).await.map(drop)
    };
    // What is no work is told at once, and not counted.
    for _ in 0..10 {
        let refused = change("", "short").await.unwrap_err();
        assert_eq!(refused.fields(), ["current_password", "new_password"]);
    }
    for _ in 0..2 {
        change(WRONG, WEAK).await.unwrap_err().is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    }
    for _ in 0..3 {
        change(PASSWORD, WEAK).await.unwrap_err().is(Code::InvalidArgument, "PASSWORD_COMPROMISED");
    }
    let refused = change(PASSWORD, WEAK).await.unwrap_err();
    refused.is(Code::ResourceExhausted, "SIGN_IN_THROTTLED");
    app.clock.advance(wait(&refused));
    app.statements.take();
    change(PASSWORD, NEW).await.unwrap();
    assert_eq!(app.statements.take(), 2);
}

/// The same for whoever has a link to set the password.
#[tokio::test]
async fn a_link_has_a_few_passwords_looked_at() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    app.signed_up("ada").await;
    request_reset(&app, ADA).await.unwrap();
    let token = mails.take(ADA, RESET).await.token();
    for _ in 0..5 {
        let weak = reset(&app, &token, WEAK).await.unwrap_err();
        weak.is(Code::InvalidArgument, "PASSWORD_COMPROMISED");
    }
    let refused = reset(&app, &token, NEW).await.unwrap_err();
    refused.is(Code::ResourceExhausted, "RATE_LIMITED");
    assert!(wait(&refused) <= seconds(1), "{refused:?}");
    app.clock.advance(wait(&refused));
    reset(&app, &token, NEW).await.unwrap();
}

/// However long somebody goes on, and from however many addresses: a day adds no more
/// than a hundred refusals to the log of an account.
#[tokio::test]
async fn a_day_of_refusals_is_a_bounded_number_of_entries() {
    let app = TestApp::start_with(&[BEHIND, "--sign-in-per-address=1"]).await;
    let ada = app.signed_up("ada").await;
    let refusals = async || {
        let audited = audited(&app).await;
        let of = |kind: &str| audited.get(kind).copied().unwrap_or_default();
        of("sign_in.refused") + of("sign_in.throttled")
    };
    for minute in 0..15_u64 {
        for n in 0..10 {
            let address = format!("203.0.113.{n}");
            attempt(app.auth(), &address, (ADA, WRONG, "")).await.unwrap_err();
        }
        if minute == 5 {
            assert_eq!(refusals().await, 60);
        }
        app.clock.advance(minutes(1));
    }
    assert_eq!(refusals().await, 100);
    // Whoever is in somebody's session is noted all the same.
    let request = ReauthenticateRequest { password: WRONG.to_owned(), ..Default::default() };
    let session = app.refresh(&ada.credentials.refresh_token).await.unwrap();
    let refused = app.account(&session.access_token).reauthenticate(request).await.unwrap_err();
    refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    assert_eq!(audited(&app).await["password.refused"], 1);
    app.clock.advance(minutes(24 * 60));
    attempt(app.auth(), "203.0.113.1", (ADA, WRONG, "")).await.unwrap_err();
    assert_eq!(refusals().await, 101, "the next day is another one");
    // The chain is whole.
    let mut connection = app.database.superuser.connect().await.unwrap();
    let missing = "select count(*) from data.audit_heads h where sequence <>
        (select count(*) from data.audit_events e where e.user_id = h.user_id)";
    let missing: i64 = sqlx::query_scalar(missing).fetch_one(&mut connection).await.unwrap();
    assert_eq!(missing, 0);
}

/// Who asks a moment before somebody else, but is counted after, is not held back
/// by that: neither the clocks of replicas nor calls at once are in order.
#[tokio::test]
async fn what_is_free_is_free_in_any_order() {
    let app = TestApp::start().await;
    let pool = Database::new(app.database.app.clone(), 1);
    let (rule, now) = (throttle::Rule::steady(3, seconds(30)), app.clock.shared().now());
    for earlier in [seconds(0), seconds(2), seconds(1)] {
        throttle::take_turn(&pool, &[7; 32], rule, now - earlier).await.unwrap();
    }
    let refused = throttle::take_turn(&pool, &[7; 32], rule, now - seconds(2)).await;
    assert!(matches!(refused, Err(Error::RateLimited(wait)) if wait == seconds(12)), "{refused:?}");
    throttle::take_turn(&pool, &[8; 32], rule, now).await.unwrap();
}
