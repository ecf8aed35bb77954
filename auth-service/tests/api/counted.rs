//! What strangers and thieves make the service do, counted before it is done.

use proto::auth::v1::ChangePasswordRequest;
use tonic::{Code, Status};

use crate::{
    abuse::{ADA, WRONG, seconds, wait},
    harness::{PASSWORD, TestApp, Told as _},
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
