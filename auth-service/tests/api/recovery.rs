//! What people do by mail: prove an address, change it, set a forgotten
//! password, and sign up where nobody is told who has an account.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proto::auth::v1::{
    GetUserRequest, RequestEmailChangeRequest, RequestEmailVerificationRequest,
    RequestPasswordResetRequest, ResetPasswordRequest, SignUpResponse, VerifyEmailRequest,
    verify_email_response::Outcome,
};
use sqlx::ConnectOptions as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    abuse::seconds,
    harness::{PASSWORD, Person, TestApp, Told as _, minutes},
    sign_up::claims,
    smtp::MailServer,
};

pub(crate) const NEW: &str = "copper-Violin-44";
pub(crate) const VERIFY: &str = "Please verify your address";
pub(crate) const RESET: &str = "Set a new password";
pub(crate) const CHANGE_OLD: &str = "Shall your account get another address?";
pub(crate) const CHANGE_NEW: &str = "Shall this be the address of an account?";

pub(crate) async fn start(mails: &MailServer, more: &[&str]) -> TestApp {
    let flags = mails.flags();
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
    TestApp::start_with(&flags).await
}

pub(crate) async fn verify(app: &TestApp, token: &str) -> Result<Outcome, Status> {
    let request = VerifyEmailRequest { token: token.to_owned() };
    Ok(app.auth().verify_email(request).await?.into_inner().outcome())
}

pub(crate) async fn request_reset(app: &TestApp, email: &str) -> Result<(), Status> {
    let request = RequestPasswordResetRequest { email: email.to_owned() };
    app.auth().request_password_reset(request).await.map(drop)
}

/// Tells the pass of the device.
pub(crate) async fn reset(app: &TestApp, token: &str, new: &str) -> Result<String, Status> {
    let request = ResetPasswordRequest { token: token.to_owned(), new_password: new.to_owned() };
    Ok(app.auth().reset_password(request).await?.into_inner().device_token)
}

async fn request_verification(app: &TestApp, ada: &Person) -> Result<(), Status> {
    let mut account = app.account(&ada.credentials.access_token);
    let request = RequestEmailVerificationRequest::default();
    account.request_email_verification(request).await.map(drop)
}

pub(crate) async fn request_change(
    app: &TestApp,
    token: &str,
    new_email: &str,
) -> Result<(), Status> {
    let new_email = new_email.to_owned();
    let request = RequestEmailChangeRequest { new_email, ..Default::default() };
    app.account(token).request_email_change(request).await.map(drop)
}

#[track_caller]
pub(crate) fn assert_void(refused: &Status) {
    refused.is(Code::InvalidArgument, "MAIL_TOKEN_INVALID");
    assert_eq!(refused.fields(), ["token"]);
}

/// How many rows every table has.
pub(crate) async fn rows(app: &TestApp) -> Vec<(String, i64)> {
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::query_as(
        "select tablename::text, (xpath('/row/c/text()', query_to_xml(
            format('select count(*) c from data.%I', tablename), false, true, '')))[1]::text::bigint
         from pg_tables where schemaname = 'data' order by 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap()
}

async fn kinds_of_audit(app: &TestApp) -> Vec<String> {
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::query_scalar("select kind from data.audit_events order by created_at, sequence")
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_new_address_is_verified_once_by_its_mail() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let ada = app.signed_up("ada").await;
    let mail = mails.take(&ada.email, VERIFY).await;
    assert!(mail.text().contains("\nhttps://page.test/verify#token=dm_"), "{}", mail.text());

    assert_eq!(verify(&app, &mail.token()).await.unwrap(), Outcome::Verified);
    let mut account = app.account(&ada.credentials.access_token);
    let user = account.get_user(GetUserRequest::default()).await.unwrap().into_inner().user;
    assert!(user.unwrap().email_verified);
    let refreshed = app.refresh(&ada.credentials.refresh_token).await.unwrap();
    assert!(claims(&refreshed.access_token).email_verified);
    assert_void(&verify(&app, &mail.token()).await.unwrap_err());
    assert_eq!(kinds_of_audit(&app).await, ["sign_up", "email.verified"]);

    // What is verified needs no mail.
    app.clock.advance(minutes(2));
    let sent = mails.offered();
    request_verification(&app, &ada).await.unwrap();
    request_reset(&app, &ada.email).await.unwrap();
    mails.take(&ada.email, RESET).await;
    assert_eq!(mails.offered(), sent + 1);
}

/// Mails wait for each other, a minute at first and then longer; each that is sent
/// is good until one of them was used.
#[tokio::test]
async fn a_newer_mail_leaves_the_older_one_good_until_one_is_used() {
    let mails = MailServer::start().await;
    let app = start(&mails, &["--access-token-ttl=1h"]).await;
    let ada = app.signed_up("ada").await;
    let first = mails.take(&ada.email, VERIFY).await;
    app.clock.advance(std::time::Duration::from_secs(20));
    for wait in [40, 120] {
        let refused = request_verification(&app, &ada).await.unwrap_err();
        refused.is(Code::ResourceExhausted, "RATE_LIMITED");
        let delay = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert_eq!(delay.as_secs(), wait);
        app.clock.advance(delay);
        request_verification(&app, &ada).await.unwrap();
    }
    let second = mails.take(&ada.email, VERIFY).await;
    let third = mails.take(&ada.email, VERIFY).await;
    app.clock.advance(minutes(4));
    request_verification(&app, &ada).await.unwrap();
    let fourth = mails.take(&ada.email, VERIFY).await;
    assert_void(&verify(&app, &first.token()).await.unwrap_err());
    assert_eq!(verify(&app, &third.token()).await.unwrap(), Outcome::Verified);
    for left in [second, fourth] {
        assert_void(&verify(&app, &left.token()).await.unwrap_err());
    }
}

#[tokio::test]
async fn a_token_is_good_for_its_time_and_its_purpose_alone() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let ada = app.signed_up("ada").await;
    let proof = mails.take(&ada.email, VERIFY).await.token();
    request_reset(&app, &ada.email).await.unwrap();
    let new_password = mails.take(&ada.email, RESET).await.token();
    let bob = app.signed_up("bob").await;
    let bobs_proof = mails.take(&bob.email, VERIFY).await.token();
    request_reset(&app, &bob.email).await.unwrap();
    let bobs_password = mails.take(&bob.email, RESET).await.token();
    assert_void(&verify(&app, &new_password).await.unwrap_err());
    assert_void(&reset(&app, &proof, NEW).await.unwrap_err());
    for junk in ["", "dm_", "junk", &proof[..proof.len() - 1], &new_password.replace("dm_", "rt1.")]
    {
        assert_void(&verify(&app, junk).await.unwrap_err());
        assert_void(&reset(&app, junk, NEW).await.unwrap_err());
    }
    // Every fault at once, but for what is work to find out.
    let refused = reset(&app, "junk", "short").await.unwrap_err();
    assert_eq!(refused.fields(), ["token", "new_password"]);
    assert_void(&reset(&app, "junk", "password1").await.unwrap_err());

    let (second, minute) = (seconds(1), minutes(1));
    app.clock.advance(minutes(30) - second);
    reset(&app, &bobs_password, NEW).await.unwrap();
    app.clock.advance(second);
    assert_void(&reset(&app, &new_password, NEW).await.unwrap_err());
    assert!(app.sign_in(&ada.email, PASSWORD).await.is_ok());
    app.clock.advance(minutes(24 * 60 - 30) - minute);
    assert_eq!(verify(&app, &bobs_proof).await.unwrap(), Outcome::Verified);
    app.clock.advance(minute);
    assert_void(&verify(&app, &proof).await.unwrap_err());
}

#[tokio::test]
async fn a_reset_sets_the_password_and_ends_every_session() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let ada = app.signed_up("ada").await;
    let other = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    request_reset(&app, "ADA@example.org").await.unwrap();
    let mail = mails.take(&ada.email, RESET).await;
    assert!(mail.text().contains("\nhttps://page.test/reset#token=dm_"), "{}", mail.text());

    // A password that will not do costs nothing.
    let weak = reset(&app, &mail.token(), "ada@example.org").await.unwrap_err();
    weak.is(Code::InvalidArgument, "PASSWORD_COMPROMISED");
    reset(&app, &mail.token(), NEW).await.unwrap();
    assert_void(&reset(&app, &mail.token(), PASSWORD).await.unwrap_err());
    for session in [&ada.credentials, &other] {
        let refused = app.refresh(&session.refresh_token).await.unwrap_err();
        refused.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
        let mut account = app.account(&session.access_token);
        let refused = account.get_user(GetUserRequest::default()).await.unwrap_err();
        refused.is(Code::Unauthenticated, "SESSION_REVOKED");
    }
    assert!(app.sign_in(&ada.email, PASSWORD).await.is_err());
    let session = app.sign_in(&ada.email, NEW).await.unwrap();
    assert!(claims(&session.access_token).email_verified, "the reader of the mail has the address");
    let notice = mails.take(&ada.email, "Your password was changed").await;
    let text = notice.text().replace('\n', " ");
    assert!(text.contains("20 January 2026 at 12:00 UTC") && !text.contains("#token="), "{text}");
    let told: i64 = {
        let mut connection = app.database.superuser.connect().await.unwrap();
        sqlx::query_scalar("select count(*) from data.trust_events where kind = 'session'")
            .fetch_one(&mut connection)
            .await
            .unwrap()
    };
    assert_eq!(told, 2);
    assert_eq!(
        kinds_of_audit(&app).await,
        ["sign_up", "sign_in", "password.reset", "sign_in.refused", "sign_in"]
    );
}

/// One statement, the same rows, the same answer, again and again.
#[tokio::test]
async fn a_reset_looks_the_same_for_an_address_that_nobody_has() {
    let app = TestApp::start_alone().await;
    app.signed_up("ada").await;
    // The first of an address writes that it is counted.
    request_reset(&app, "somebody@example.org").await.unwrap();
    let mut seen = Vec::new();
    for email in ["ada@example.org", "nobody@example.org"] {
        let before = rows(&app).await;
        for _ in 0..2 {
            app.statements.take();
            request_reset(&app, email).await.unwrap();
            assert_eq!(app.statements.take(), 1, "{email}");
        }
        let after = rows(&app).await;
        let added = before.iter().zip(&after).map(|(a, b)| (a.0.clone(), b.1 - a.1));
        seen.push(added.filter(|(_, count)| *count != 0).collect::<Vec<_>>());
    }
    assert_eq!(
        seen[0],
        [("mail_tokens".to_owned(), 1), ("outbox".to_owned(), 1), ("throttles".to_owned(), 1)]
    );
    assert_eq!(seen[0], seen[1]);
    let malformed = request_reset(&app, "nobody").await.unwrap_err();
    malformed.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(malformed.fields(), ["email"]);
}

#[tokio::test]
async fn nobody_gets_mail_who_has_no_account() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let ada = app.signed_up("ada").await;
    mails.take(&ada.email, VERIFY).await;
    request_reset(&app, "nobody@example.org").await.unwrap();
    request_reset(&app, &ada.email).await.unwrap();
    mails.take(&ada.email, RESET).await;
    assert_eq!((mails.offered(), mails.mails()), (2, Vec::new()));
}

#[tokio::test]
async fn an_address_changes_when_both_have_agreed() {
    for old_first in [true, false] {
        let mails = MailServer::start().await;
        let app = start(&mails, &[]).await;
        let ada = app.signed_up("ada").await;
        let other = app.sign_in(&ada.email, PASSWORD).await.unwrap();
        request_reset(&app, &ada.email).await.unwrap();
        let reset_by_old = mails.take(&ada.email, RESET).await;
        request_change(&app, &ada.credentials.access_token, "Lovelace@example.org").await.unwrap();
        let old = mails.take(&ada.email, CHANGE_OLD).await;
        let new = mails.take("Lovelace@example.org", CHANGE_NEW).await;
        let text = old.text().replace('\n', " ");
        assert!(text.contains("the address Lovelace@example.org instead"), "{text}");
        let (first, second) = if old_first { (&old, &new) } else { (&new, &old) };
        assert_eq!(verify(&app, &first.token()).await.unwrap(), Outcome::Agreed);
        assert_void(&verify(&app, &first.token()).await.unwrap_err());
        assert!(app.sign_in("lovelace@example.org", PASSWORD).await.is_err());
        assert_eq!(verify(&app, &second.token()).await.unwrap(), Outcome::Changed);

        // The session that asked goes on, every other one is over.
        let refreshed = app.refresh(&ada.credentials.refresh_token).await.unwrap();
        let claims = claims(&refreshed.access_token);
        assert_eq!((claims.email.as_str(), claims.email_verified), ("Lovelace@example.org", true));
        app.refresh(&other.refresh_token).await.unwrap_err();
        mails.take(&ada.email, "Your account has another address").await;
        assert!(app.sign_in(&ada.email, PASSWORD).await.is_err());
        assert!(app.sign_in("lovelace@example.org", PASSWORD).await.is_ok());
        // What the old address was sent is void, and the address is free again.
        assert_void(&reset(&app, &reset_by_old.token(), NEW).await.unwrap_err());
        assert!(app.sign_up("ada").await.is_ok());
    }
}

/// Whether another account has the address is judged last, and told to nobody
/// who has not shown that it is theirs.
#[tokio::test]
async fn a_change_to_a_taken_address_is_asked_for_alike_and_refused_at_the_end() {
    let mails = MailServer::start().await;
    let app = start(&mails, &[]).await;
    let ada = app.signed_up("ada").await;
    let bob = app.signed_up("bob").await;
    let token = &ada.credentials.access_token;
    let same = request_change(&app, token, "ADA@example.org").await.unwrap_err();
    same.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(same.fields(), ["new_email"]);
    request_change(&app, token, &bob.email).await.unwrap();
    let too_soon = request_change(&app, token, "free@example.org").await.unwrap_err();
    too_soon.is(Code::ResourceExhausted, "RATE_LIMITED");
    let old = mails.take(&ada.email, CHANGE_OLD).await;
    let new = mails.take(&bob.email, CHANGE_NEW).await;
    assert_eq!(verify(&app, &old.token()).await.unwrap(), Outcome::Agreed);
    let refused = verify(&app, &new.token()).await.unwrap_err();
    refused.is(Code::AlreadyExists, "EMAIL_ALREADY_REGISTERED");
    assert!(app.sign_in(&ada.email, PASSWORD).await.is_ok());
    assert!(app.sign_in(&bob.email, PASSWORD).await.is_ok());

    // It needs a recent proof, which a refresh is not.
    app.clock.advance(minutes(11));
    let refreshed = app.refresh(&ada.credentials.refresh_token).await.unwrap();
    let refused =
        request_change(&app, &refreshed.access_token, "free@example.org").await.unwrap_err();
    refused.is(Code::FailedPrecondition, "REAUTHENTICATION_REQUIRED");
    assert_eq!(refused.get_details_error_info().unwrap().metadata["max_auth_age"], "600");
}

/// Free and taken are answered alike, at the same cost.
#[tokio::test]
async fn a_strict_sign_up_tells_nobody_who_has_an_account() {
    let mails = MailServer::start().await;
    let app = start(&mails, &["--enumeration=strict"]).await;
    assert_eq!(app.sign_up("ada").await.unwrap(), SignUpResponse::default());
    let mail = mails.take("ada@example.org", "Please finish your sign-up").await;
    assert!(app.sign_in("ada@example.org", PASSWORD).await.is_err(), "it is not verified");
    assert_eq!(verify(&app, &mail.token()).await.unwrap(), Outcome::Verified);
    assert_void(&verify(&app, &mail.token()).await.unwrap_err());
    let session = app.sign_in("ada@example.org", PASSWORD).await.unwrap();
    assert!(claims(&session.access_token).email_verified);
    assert_eq!(kinds_of_audit(&app).await, ["sign_up", "sign_in"]);

    // The first with an address writes that it is counted.
    app.sign_up("bob").await.unwrap();
    mails.take("bob@example.org", "Please finish your sign-up").await;
    app.clock.advance(minutes(1));
    let mut seen = Vec::new();
    for name in ["ada", "bob"] {
        let before = rows(&app).await;
        assert_eq!(app.sign_up(name).await.unwrap(), SignUpResponse::default());
        let after = rows(&app).await;
        let added = before.iter().zip(&after).map(|(a, b)| (a.0.clone(), b.1 - a.1));
        seen.push(added.filter(|(_, count)| *count != 0).collect::<Vec<_>>());
    }
    assert_eq!(seen[0], [("mail_tokens".to_owned(), 1), ("outbox".to_owned(), 1)]);
    assert_eq!(seen[0], seen[1]);
    let notice = mails.take("ada@example.org", "You have an account already").await;
    assert!(!notice.raw.contains("token"), "{}", notice.raw);
    assert!(notice.text().starts_with("Hello ada,"), "{}", notice.text());
    let stranger = mails.take("bob@example.org", "Please finish your sign-up").await;
    assert!(stranger.text().starts_with("Hello,"), "no words of a stranger to a stranger");
    assert!(app.sign_in("ada@example.org", PASSWORD).await.is_ok());

    // Bad input is still told.
    let refused = app.sign_up("no body").await.unwrap_err();
    assert_eq!(refused.fields(), ["email"]);
}

/// P6: exactly one statement for each method, two where a password is hashed.
#[tokio::test]
async fn a_method_of_mail_costs_one_statement() {
    let app = TestApp::start_alone().await;
    let ada = app.signed_up("ada").await;
    app.statements.take();
    request_verification(&app, &ada).await.unwrap_err();
    assert_eq!(app.statements.take(), 1);
    request_change(&app, &ada.credentials.access_token, "free@example.org").await.unwrap();
    assert_eq!(app.statements.take(), 1);
    let good_form = mail_token(&ada);
    assert_void(&verify(&app, &good_form).await.unwrap_err());
    assert_eq!(app.statements.take(), 1);
    assert_void(&verify(&app, "junk").await.unwrap_err());
    assert_eq!(app.statements.take(), 0);
}

/// A token of Ada's that is well made, but was never issued.
fn mail_token(ada: &Person) -> String {
    let user: uuid::Uuid = ada.name.strip_prefix("users/").unwrap().parse().unwrap();
    let mut token = [[1].as_slice(), user.as_bytes(), &[7; 32]].concat();
    token.extend(crc32fast::hash(&token).to_be_bytes());
    format!("dm_{}", URL_SAFE_NO_PAD.encode(token))
}
