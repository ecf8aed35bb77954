//! The password that a signed-in user is asked for again: guessed no faster than
//! at a sign-in, and held back for nobody else.

use proto::auth::v1::{
    ChangePasswordRequest, GetUserRequest, ReauthenticateRequest,
    complete_sign_in_request::Code::TotpCode,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    abuse::{WRONG, seconds},
    authenticator::{Authenticator, signed_in},
    harness::{PASSWORD, TestApp, Told as _},
};

async fn prove(app: &TestApp, token: &str, password: &str) -> Result<(), Status> {
    let request =
        ReauthenticateRequest { password: password.to_owned(), ..ReauthenticateRequest::default() };
    app.account(token).reauthenticate(request).await.map(drop)
}

async fn change(app: &TestApp, token: &str, current: &str) -> Result<(), Status> {
    let request = ChangePasswordRequest {
        current_password: current.to_owned(),
        new_password: PASSWORD.to_owned(),
        ..ChangePasswordRequest::default()
    };
    app.account(token).change_password(request).await.map(drop)
}

/// Five may be wrong, wherever they are asked for; then even the right one waits.
#[tokio::test]
async fn a_password_asked_for_again_is_throttled() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let other = app.sign_in(&ada.email, PASSWORD).await.unwrap().access_token;
    let token = &ada.credentials.access_token;
    for _ in 0..3 {
        prove(&app, token, WRONG)
            .await
            .unwrap_err()
            .is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    }
    for _ in 0..2 {
        change(&app, token, WRONG)
            .await
            .unwrap_err()
            .is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    }
    for refused in [prove(&app, token, PASSWORD).await, change(&app, token, PASSWORD).await] {
        let refused = refused.unwrap_err();
        refused.is(Code::ResourceExhausted, "SIGN_IN_THROTTLED");
        let wait = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert!(wait <= seconds(1), "{wait:?}");
    }
    // It holds up neither another session nor a sign-in.
    prove(&app, &other, PASSWORD).await.unwrap();
    app.sign_in(&ada.email, PASSWORD).await.unwrap();
    let kinds: Vec<String> =
        app.all_activity(&other).await.into_iter().map(|activity| activity.kind).collect();
    let count = |kind: &str| kinds.iter().filter(|other| *other == kind).count();
    assert_eq!((count("password.refused"), count("password.throttled")), (5, 2), "{kinds:?}");

    // The right one is let through when its time has come, and all is forgotten.
    app.clock.advance(seconds(1));
    prove(&app, token, PASSWORD).await.unwrap();
    for _ in 0..5 {
        prove(&app, token, WRONG)
            .await
            .unwrap_err()
            .is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    }
}

/// What was opened by the password alone ends when a code is asked for beside it: a
/// thief's session would pass for proved, and go on. The second one ends nothing.
#[tokio::test]
async fn the_first_authenticator_ends_every_other_session() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let thief = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    let token = &ada.credentials.access_token;
    let first = Authenticator::enrolled(&app, token).await;
    let over = app.refresh(&thief.refresh_token).await.unwrap_err();
    over.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    let mut account = app.account(&thief.access_token);
    let over = account.get_user(GetUserRequest::default()).await.unwrap_err();
    over.is(Code::Unauthenticated, "SESSION_REVOKED");
    let kinds: Vec<String> =
        app.all_activity(token).await.into_iter().map(|activity| activity.kind).collect();
    let said = ["session.revoked", "recovery_codes.made", "factor.added", "sign_in", "sign_up"];
    assert_eq!(kinds, said);
    app.clock.advance(seconds(90));
    let phone = signed_in(&app, &ada, TotpCode(first.code(&app, 0))).await.unwrap();
    Authenticator::enrolled(&app, token).await;
    for session in [&ada.credentials, &phone.credentials.unwrap()] {
        app.refresh(&session.refresh_token).await.unwrap();
    }
}
