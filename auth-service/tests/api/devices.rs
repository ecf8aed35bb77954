//! Devices: which are known and what that is good for, and how many may be
//! signed in. How much others are slowed down meanwhile is in `abuse.rs`.

use proto::auth::v1::{GetUserRequest, complete_sign_in_request::Code::RecoveryCode};
use sqlx::ConnectOptions as _;
use tonic::Code;

use crate::{
    abuse::{ADA, BEHIND, WRONG, attempt, audited, number, seconds, throttled},
    authenticator::{challenged, complete, signed_in, with_authenticator},
    harness::{PASSWORD, TestApp, Told as _, minutes},
};

/// A known device is counted by itself: others do not delay it, nor it others.
/// No pass but a good one of this very account changes anything, and none does
/// once the user's devices are forgotten.
#[tokio::test]
async fn a_device_is_known_to_its_account_only() {
    let app = TestApp::start_with(&[BEHIND, "--sign-in-per-address=8"]).await;
    let ada = app.signed_up("ada").await;
    let eve = app.signed_up("eve").await;
    let (here, there) = ("198.51.100.1", "203.0.113.1");
    let known = ada.credentials.device_token;
    app.clock.advance(seconds(1));
    for _ in 0..5 {
        assert_eq!(throttled(attempt(app.auth(), there, (ADA, WRONG, "")).await), None);
    }
    for n in 0..3 {
        let email = format!("nobody-{n}@example.org");
        assert_eq!(throttled(attempt(app.auth(), there, (&email, WRONG, "")).await), None);
    }
    let forged = format!("{}AAAA", &known[..known.len() - 4]);
    for bad in [eve.credentials.device_token.as_str(), &forged, "dp1.", "junk", ""] {
        let refused = attempt(app.auth(), here, (ADA, PASSWORD, bad)).await;
        assert_eq!(throttled(refused), Some(seconds(1)), "{bad}");
    }
    // Not even from an address that is used up.
    let again = attempt(app.auth(), there, (ADA, PASSWORD, &known)).await.unwrap().device_token;
    assert_ne!(again, known);
    for n in 0..6 {
        let pass = if n % 2 == 0 { &known } else { &again };
        let wait = throttled(attempt(app.auth(), here, (ADA, WRONG, pass)).await);
        assert_eq!(wait, (n == 5).then_some(seconds(1)));
    }
    app.clock.advance(seconds(1));
    attempt(app.auth(), here, (ADA, PASSWORD, "")).await.unwrap();
    attempt(app.auth(), here, (ADA, PASSWORD, &again)).await.unwrap();

    forget_devices(&app, &ada.name).await;
    for _ in 0..5 {
        assert_eq!(throttled(attempt(app.auth(), here, (ADA, WRONG, &again)).await), None);
    }
    let stranger = attempt(app.auth(), here, (ADA, PASSWORD, &again)).await;
    assert_eq!(throttled(stranger), Some(seconds(1)));
}

/// What setting a password anew does besides.
async fn forget_devices(app: &TestApp, user: &str) {
    let user: uuid::Uuid = user.strip_prefix("users/").unwrap().parse().unwrap();
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::query("select data.forget_devices($1, $2)")
        .bind(user)
        .bind(app.clock.shared().now())
        .execute(&mut connection)
        .await
        .unwrap();
}

/// A pass is good for as long as it is said to be.
#[tokio::test]
async fn a_device_is_forgotten_in_the_end() {
    let app = TestApp::start_with(&[BEHIND, "--device-ttl=1h"]).await;
    let known = app.signed_up("ada").await.credentials.device_token;
    for (time, right) in [(minutes(60), true), (seconds(1), false)] {
        app.clock.advance(time);
        while throttled(attempt(app.auth(), "203.0.113.1", (ADA, WRONG, "")).await).is_none() {}
        assert_eq!(
            attempt(app.auth(), "203.0.113.1", (ADA, PASSWORD, &known)).await.is_ok(),
            right
        );
    }
}

/// One session more than a user may have ends the oldest, everywhere.
#[tokio::test]
async fn the_oldest_session_makes_room() {
    let app = TestApp::start_with(&["--max-sessions=3"]).await;
    let mut sessions = vec![app.signed_up("ada").await.credentials];
    for _ in 0..4 {
        app.clock.advance(seconds(1));
        sessions.push(app.sign_in(ADA, PASSWORD).await.unwrap());
    }
    for (n, session) in sessions.iter().enumerate() {
        let mut account = app.account(&session.access_token);
        let got = account.get_user(GetUserRequest::default()).await;
        assert_eq!(got.is_ok(), n >= 2, "{n}");
        if let Err(refused) = got {
            refused.is(Code::Unauthenticated, "SESSION_REVOKED");
        }
    }
    let audited = audited(&app).await;
    assert_eq!((audited["session.displaced"], audited["sign_in"]), (2, 4));
    let told = "select count(*) from data.trust_events where kind = 'session'";
    assert_eq!(number(&app, told).await, 2);
}

/// However many devices, sessions and codes somebody tries with: an account's log
/// takes so many refusals in a minute.
#[tokio::test]
async fn refusals_of_an_account_are_audited_together() {
    let app = TestApp::start_with(&[BEHIND, "--audited-refusals=6"]).await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let mut passes = vec![String::new(), ada.credentials.device_token.clone()];
    for n in 0..2 {
        let code = RecoveryCode(authenticator.recovery_codes[n].clone());
        let done = signed_in(&app, &ada, code).await.unwrap();
        passes.push(done.credentials.unwrap().device_token);
    }
    app.clock.advance(minutes(1));
    let wrong = RecoveryCode("aaaa-bbbb-cccc-dddd".to_owned());
    let refused = async || {
        let audited = audited(&app).await;
        audited.get("sign_in.refused").copied().unwrap_or_default()
    };
    for pass in &passes {
        attempt(app.auth(), "203.0.113.1", (ADA, WRONG, pass)).await.unwrap_err();
    }
    assert_eq!(refused().await, 4);
    for _ in 0..2 {
        let challenge = challenged(&app, &ada).await;
        for _ in 0..4 {
            let refused = complete(&app, &challenge.token, wrong.clone()).await.unwrap_err();
            refused.is(Code::Unauthenticated, "CODE_INVALID");
        }
    }
    assert_eq!(refused().await, 6);
    app.clock.advance(minutes(1));
    let challenge = challenged(&app, &ada).await;
    complete(&app, &challenge.token, wrong).await.unwrap_err();
    assert_eq!(refused().await, 7);
}
