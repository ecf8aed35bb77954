//! Devices: which are known and what that is good for, and how many may be
//! signed in. How much others are slowed down meanwhile is in `abuse.rs`.

use proto::auth::v1::{
    ChangePasswordRequest, GetUserRequest, complete_sign_in_request::Code::RecoveryCode,
};
use tonic::{Code, Request};

use crate::{
    abuse::{ADA, BEHIND, WRONG, attempt, audited, number, seconds, throttled},
    authenticator::{challenged, complete, signed_in, with_authenticator},
    harness::{PASSWORD, TestApp, Told as _, minutes},
    recovery::{self, NEW, RESET, request_reset},
    smtp::MailServer,
};

/// A known device is counted by itself: others do not delay it, nor it others.
/// No pass but a good one of this very account changes anything.
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
}

/// Whoever had the password has passes. Once it is another one they are worth
/// nothing, and the device that it was set on is the one that is known.
#[tokio::test]
async fn a_new_password_makes_every_other_device_unknown() {
    let mails = MailServer::start().await;
    for by_mail in [true, false] {
        let app = recovery::start(&mails, &[BEHIND]).await;
        let ada = app.signed_up("ada").await;
        let old = app.sign_in(ADA, PASSWORD).await.unwrap().device_token;
        let new = if by_mail {
            request_reset(&app, ADA).await.unwrap();
            recovery::reset(&app, &mails.take(ADA, RESET).await.token(), NEW).await.unwrap()
        } else {
            let request = ChangePasswordRequest {
                current_password: PASSWORD.to_owned(),
                new_password: NEW.to_owned(),
                ..ChangePasswordRequest::default()
            };
            let mut account = app.account(&ada.credentials.access_token);
            account.change_password(request).await.unwrap().into_inner().device_token
        };
        // They are counted with the e-mail: whoever brings no pass has to wait.
        for n in 0..6 {
            let wait = throttled(attempt(app.auth(), "203.0.113.1", (ADA, WRONG, &old)).await);
            assert_eq!(wait, (n == 5).then_some(seconds(1)), "{by_mail}");
        }
        let unknown = attempt(app.auth(), "198.51.100.1", (ADA, NEW, "")).await;
        assert_eq!(throttled(unknown), Some(seconds(1)), "{by_mail}");
        attempt(app.auth(), "198.51.100.1", (ADA, NEW, &new)).await.unwrap();
    }
}

/// On a page the pass goes into the cookie that SignIn reads.
#[tokio::test]
async fn the_pass_of_a_new_password_is_kept_by_the_browser() {
    const PAGE: &str = "https://tasks.example.org";
    let app = TestApp::start_with(&["--allowed-origins", PAGE]).await;
    let ada = app.signed_up("ada").await;
    let mut request = Request::new(ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: NEW.to_owned(),
        ..ChangePasswordRequest::default()
    });
    request.metadata_mut().insert("origin", PAGE.parse().unwrap());
    let mut account = app.account(&ada.credentials.access_token);
    let answer = account.change_password(request).await.unwrap();
    let cookie = answer.metadata().get("set-cookie").unwrap().to_str().unwrap();
    assert!(cookie.starts_with("__Host-duet-device=dp1.") && cookie.contains("; HttpOnly"));
    assert_eq!(answer.get_ref().device_token, "");
}

/// Any number of passes add a bounded number of attempts; beyond, the devices are
/// as unknown ones, and no worse off.
#[tokio::test]
async fn a_hundred_passes_are_no_hundred_chances() {
    let app = TestApp::start_with(&[BEHIND]).await;
    app.signed_up("ada").await;
    let mut passes = Vec::new();
    for _ in 0..40 {
        passes.push(app.sign_in(ADA, PASSWORD).await.unwrap().device_token);
    }
    app.clock.advance(seconds(1));
    let mut checked = 0;
    for pass in &passes {
        let waited = throttled(attempt(app.auth(), "203.0.113.1", (ADA, WRONG, pass)).await);
        checked += usize::from(waited.is_none());
    }
    assert_eq!(checked, 20 + 5);
    let owner = attempt(app.auth(), "198.51.100.1", (ADA, PASSWORD, &passes[39])).await;
    assert_eq!(throttled(owner), Some(seconds(1)));
    app.clock.advance(seconds(1));
    attempt(app.auth(), "198.51.100.1", (ADA, PASSWORD, &passes[39])).await.unwrap();
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
