//! Signing in with a second factor: the challenge, the codes that end it, and
//! those that do not.

use std::time::Duration;

use futures_util::future::join_all;
use proto::auth::v1::{
    ChangePasswordRequest, CompleteSignInRequest, ListSessionsRequest, RefreshTokenTransport,
    RevokeOtherSessionsRequest, SignInRequest,
    complete_sign_in_request::Code::{RecoveryCode, TotpCode},
};
use shared::testing::{TestDatabase, eventually};
use sqlx::ConnectOptions as _;
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

use crate::{
    authenticator::{challenged, complete, signed_in, with_authenticator},
    harness::{PASSWORD, TestApp, Told as _, key, minutes},
    sign_up::claims,
};

const MANY: usize = 20;
/// How long an authenticator shows a code.
const STEP: Duration = Duration::from_secs(30);

/// The password opens nothing; the code does, and the session says by what.
#[tokio::test]
async fn a_sign_in_is_ended_by_a_code() {
    let app = TestApp::start().await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let challenge = challenged(&app, &ada).await;
    assert!(challenge.token.starts_with("dc1."));
    let mut account = app.account(&ada.credentials.access_token);
    let sessions = account.list_sessions(ListSessionsRequest::default()).await.unwrap();
    assert_eq!(sessions.into_inner().sessions.len(), 1);

    app.clock.advance(minutes(1));
    let shown = authenticator.code(&app, 0);
    let typed = format!(" {} {}", &shown[..3], &shown[3..]);
    let done = complete(&app, &challenge.token, TotpCode(typed)).await.unwrap();
    assert_eq!(done.user.unwrap().name, ada.name);
    let credentials = done.credentials.unwrap();
    let said = claims(&credentials.access_token);
    assert_eq!(said.amr, ["pwd", "otp"]);
    assert_eq!(said.auth_time, said.iat);
    let over = complete(&app, &challenge.token, TotpCode(authenticator.code(&app, 1))).await;
    over.unwrap_err().is(Code::Unauthenticated, "CHALLENGE_INVALID");

    app.clock.advance(minutes(4));
    let refreshed = app.refresh(&credentials.refresh_token).await.unwrap();
    let kept = claims(&refreshed.access_token);
    assert_eq!((kept.amr, kept.auth_time), (said.amr, said.auth_time));
}

/// P6: two statements with a password between, and one.
#[tokio::test]
async fn the_second_step_costs_one_statement() {
    let app = TestApp::start_alone().await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    // Once to have everything prepared, once to count.
    for (steps, counted) in [(0, false), (1, true)] {
        app.statements.take();
        let challenge = challenged(&app, &ada).await;
        let first = app.statements.take();
        complete(&app, &challenge.token, TotpCode(authenticator.code(&app, steps))).await.unwrap();
        let second = app.statements.take();
        assert!(!counted || (first, second) == (2, 1), "{first}, {second}");
    }
}

/// RFC 6238, section 5.2: a time step is good once, and one step either way.
#[tokio::test]
async fn a_step_is_used_once_and_none_before_it() {
    let app = TestApp::start().await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let sign_in = async |steps: i64| {
        let code = authenticator.code(&app, steps);
        signed_in(&app, &ada, TotpCode(code)).await.map_err(|refused| refused.reason())
    };
    let invalid = || "CODE_INVALID".to_owned();
    for (steps, good) in [(-2, false), (2, false), (-1, true), (-1, false), (0, true), (1, true)] {
        assert_eq!(sign_in(steps).await.is_ok(), good, "{steps}");
    }
    for used in [1, 0, -1] {
        assert_eq!(sign_in(used).await.err(), Some(invalid()));
    }
    app.clock.advance(STEP);
    assert_eq!(sign_in(0).await.err(), Some(invalid()));
    assert!(sign_in(1).await.is_ok());
    // What is only replayed is no guess: the next code is good at once.
    app.clock.advance(STEP);
    for _ in 0..12 {
        assert_eq!(sign_in(0).await.err(), Some(invalid()));
    }
    assert!(sign_in(1).await.is_ok());
}

/// Twenty sign-ins at once with one code, and one sign-in ended twenty times.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_with_one_code_one_wins() {
    // Sign-ins at once count as wrong ones until they are through.
    let app = TestApp::start_with(&["--sign-in-free-attempts=50"]).await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let challenges = join_all((0..MANY).map(|_| challenged(&app, &ada))).await;
    for code in [
        TotpCode(authenticator.code(&app, 0)),
        RecoveryCode(authenticator.recovery_codes[0].clone()),
    ] {
        let answers = challenges.iter().map(|one| complete(&app, &one.token, code.clone()));
        let answers = join_all(answers).await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for refused in answers.into_iter().filter_map(Result::err) {
            // The challenge that won before is over.
            assert!(["CODE_INVALID", "CHALLENGE_INVALID"].contains(&refused.reason().as_str()));
        }
    }
    let one = challenged(&app, &ada).await;
    let next = authenticator.code(&app, 1);
    let answers = (0..MANY).map(|_| complete(&app, &one.token, TotpCode(next.clone())));
    let answers = join_all(answers).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
}

/// A code on paper is good once, however it is typed.
#[tokio::test]
async fn a_recovery_code_is_good_once() {
    let app = TestApp::start().await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let written = &authenticator.recovery_codes[7];
    let typed = RecoveryCode(written.to_uppercase().replace('-', " "));
    let done = signed_in(&app, &ada, typed).await.unwrap();
    assert_eq!(claims(&done.credentials.unwrap().access_token).amr, ["pwd", "recovery"]);
    let again = signed_in(&app, &ada, RecoveryCode(written.clone())).await.unwrap_err();
    again.is(Code::Unauthenticated, "CODE_INVALID");
    let other = authenticator.recovery_codes[8].clone();
    assert!(signed_in(&app, &ada, RecoveryCode(other)).await.is_ok());
    // All ten used: they are asked for no more.
    for n in [0, 1, 2, 3, 4, 5, 6, 9] {
        let code = authenticator.recovery_codes[n].clone();
        signed_in(&app, &ada, RecoveryCode(code)).await.unwrap();
    }
    assert_eq!(challenged(&app, &ada).await.factor_kinds.len(), 1);
}

/// Five wrong codes, or five minutes.
#[tokio::test]
async fn a_challenge_is_over_after_five_wrong_codes_or_five_minutes() {
    let app = TestApp::start().await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let challenge = challenged(&app, &ada).await;
    let wrong = TotpCode(authenticator.wrong_code(&app));
    for _ in 0..5 {
        let refused = complete(&app, &challenge.token, wrong.clone()).await.unwrap_err();
        refused.is(Code::Unauthenticated, "CODE_INVALID");
    }
    let right = || TotpCode(authenticator.code(&app, 0));
    let over = complete(&app, &challenge.token, right()).await.unwrap_err();
    over.is(Code::Unauthenticated, "CHALLENGE_INVALID");

    let challenge = challenged(&app, &ada).await;
    let junk = "x".repeat(1000);
    for forged in ["", "dc1.", &challenge.token[1..], &format!("{}A", challenge.token), &junk] {
        let refused = complete(&app, forged, right()).await.unwrap_err();
        refused.is(Code::Unauthenticated, "CHALLENGE_INVALID");
    }
    app.clock.advance(minutes(5));
    let over = complete(&app, &challenge.token, right()).await.unwrap_err();
    over.is(Code::Unauthenticated, "CHALLENGE_INVALID");
    assert!(signed_in(&app, &ada, right()).await.is_ok());
}

/// Whoever has the password cannot go through the codes by beginning anew, nor
/// keep the owner out.
#[tokio::test]
async fn many_wrong_codes_make_the_next_one_wait() {
    let app = TestApp::start().await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let wrong = TotpCode(authenticator.wrong_code(&app));
    for _ in 0..2 {
        let challenge = challenged(&app, &ada).await;
        for _ in 0..5 {
            complete(&app, &challenge.token, wrong.clone()).await.unwrap_err();
        }
    }
    let challenge = challenged(&app, &ada).await;
    let right = || TotpCode(authenticator.code(&app, 0));
    let waiting = complete(&app, &challenge.token, right()).await.unwrap_err();
    waiting.is(Code::ResourceExhausted, "SIGN_IN_THROTTLED");
    let retry = waiting.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert_eq!(retry, Duration::from_secs(60));
    app.clock.advance(retry);
    // The next wrong one waits for twice as long, and a code on paper for nothing.
    complete(&app, &challenge.token, wrong).await.unwrap_err();
    let waiting = complete(&app, &challenge.token, right()).await.unwrap_err();
    let retry = waiting.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert_eq!(retry, Duration::from_secs(120));
    let written = RecoveryCode(authenticator.recovery_codes[0].clone());
    complete(&app, &challenge.token, written).await.unwrap();
    assert!(signed_in(&app, &ada, right()).await.is_ok());
}

/// A challenge is one sign-in's: of one user, one password, one transport.
#[tokio::test]
async fn a_challenge_belongs_to_its_user_and_password() {
    let app = TestApp::start_with(&["--access-token-ttl=1h"]).await;
    let (ada, of_ada) = with_authenticator(&app, "ada").await;
    let (bob, of_bob) = with_authenticator(&app, "bob").await;
    let challenge = challenged(&app, &ada).await;
    for stolen in [TotpCode(of_bob.code(&app, 0)), RecoveryCode(of_bob.recovery_codes[0].clone())] {
        let refused = complete(&app, &challenge.token, stolen).await.unwrap_err();
        refused.is(Code::Unauthenticated, "CODE_INVALID");
    }
    assert!(signed_in(&app, &bob, TotpCode(of_bob.code(&app, 0))).await.is_ok());

    let mut account = app.account(&ada.credentials.access_token);
    let change = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: PASSWORD.to_owned(),
        ..ChangePasswordRequest::default()
    };
    account.change_password(change).await.unwrap();
    let changed = complete(&app, &challenge.token, TotpCode(of_ada.code(&app, 0))).await;
    changed.unwrap_err().is(Code::Unauthenticated, "CHALLENGE_INVALID");
    let challenge = challenged(&app, &ada).await;
    account.revoke_other_sessions(RevokeOtherSessionsRequest::default()).await.unwrap();
    let revoked = complete(&app, &challenge.token, TotpCode(of_ada.code(&app, 0))).await;
    revoked.unwrap_err().is(Code::Unauthenticated, "CHALLENGE_INVALID");
    assert!(signed_in(&app, &ada, TotpCode(of_ada.code(&app, 0))).await.is_ok());
}

/// A password hashed anew is the same password; a new key-encryption key opens
/// what the one before sealed.
#[tokio::test]
async fn a_restart_with_other_keys_and_costs_breaks_no_sign_in() {
    shared::program::install_cryptography();
    let (database, old) = (shared::testing::database(&auth_service::SCHEMA).await, key());
    let app = TestApp::start_on(database, Default::default(), &old, &[]).await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let before = challenged(&app, &ada).await;
    let (database, clock) = app.stop().await;
    let previous = format!("--previous-key-encryption-key={old}");
    let flags = ["--argon2-passes=3", previous.as_str()];
    let app = TestApp::start_on(database, clock, &key(), &flags).await;
    let after = challenged(&app, &ada).await;
    let mut connection = app.database.superuser.connect().await.unwrap();
    let hash: String = sqlx::query_scalar("select password_hash from data.users")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(hash.contains("t=3"), "{hash}");
    let code = TotpCode(authenticator.code(&app, 0));
    assert!(complete(&app, &before.token, code).await.is_ok());
    let written = RecoveryCode(authenticator.recovery_codes[0].clone());
    assert!(complete(&app, &after.token, written).await.is_ok());
}

/// The key-encryption key before can be forgotten soon: what it sealed is sealed
/// anew by then.
#[tokio::test]
async fn a_factor_outlives_the_key_that_sealed_it() {
    shared::program::install_cryptography();
    let (database, old, new) =
        (shared::testing::database(&auth_service::SCHEMA).await, key(), key());
    let app = TestApp::start_on(database, Default::default(), &old, &[]).await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let before = sealed(&app).await;
    assert_eq!(before.len(), 2);
    let (database, clock) = app.stop().await;
    let previous = format!("--previous-key-encryption-key={old}");
    let app = TestApp::start_on(database, clock, &new, &[&previous]).await;
    eventually("all secrets are sealed anew", async || {
        app.clock.advance(minutes(10));
        let now = sealed(&app).await;
        before.iter().all(|old| !now.contains(old))
    })
    .await;
    let (database, clock) = app.stop().await;
    forget_signing_keys(&database).await;
    let app = TestApp::start_on(database, clock, &new, &[]).await;
    let code = TotpCode(authenticator.code(&app, 0));
    assert!(signed_in(&app, &ada, code).await.is_ok());
    let written = RecoveryCode(authenticator.recovery_codes[0].clone());
    assert!(signed_in(&app, &ada, written).await.is_ok());
}

async fn sealed(app: &TestApp) -> Vec<Vec<u8>> {
    let mut connection = app.database.superuser.connect().await.unwrap();
    let secrets = "select sealed_secret from data.factors";
    sqlx::query_scalar(secrets).fetch_all(&mut connection).await.unwrap()
}

/// Those that the key before sealed would still be there.
async fn forget_signing_keys(database: &TestDatabase) {
    let mut connection = database.superuser.connect().await.unwrap();
    sqlx::query("delete from data.signing_keys").execute(&mut connection).await.unwrap();
}

/// FR-014: in a browser the refresh token goes into the cookie, and only there.
#[tokio::test]
async fn a_page_ends_its_sign_in_in_cookie_mode() {
    const PAGE: &str = "https://tasks.example.org";
    let app = TestApp::start_with(&["--allowed-origins", PAGE]).await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let cookie = RefreshTokenTransport::Cookie;
    let mut sign_in = Request::new(SignInRequest {
        email: ada.email.clone(),
        password: PASSWORD.to_owned(),
        refresh_token_transport: cookie.into(),
        ..SignInRequest::default()
    });
    sign_in.metadata_mut().insert("origin", PAGE.parse().unwrap());
    let answer = app.auth().sign_in(sign_in).await.unwrap();
    assert!(answer.metadata().get("set-cookie").is_none());
    let challenge_token = answer.into_inner().challenge.unwrap().token;
    let request = |transport: RefreshTokenTransport, origin: &str| {
        let mut request = Request::new(CompleteSignInRequest {
            challenge_token: challenge_token.clone(),
            code: Some(TotpCode(authenticator.code(&app, 0))),
            refresh_token_transport: transport.into(),
        });
        request.metadata_mut().insert("origin", origin.parse().unwrap());
        request
    };
    let foreign = app.auth().complete_sign_in(request(cookie, "https://evil.example")).await;
    foreign.unwrap_err().is(Code::PermissionDenied, "ORIGIN_REJECTED");
    let message = request(RefreshTokenTransport::Message, PAGE);
    let other = app.auth().complete_sign_in(message).await.unwrap_err();
    other.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(other.fields(), ["refresh_token_transport"]);

    let done = app.auth().complete_sign_in(request(cookie, PAGE)).await.unwrap();
    let set = done.metadata().get("set-cookie").unwrap().to_str().unwrap();
    assert!(set.starts_with("__Host-duet-rt=rt1."), "{set}");
    assert_eq!(done.into_inner().credentials.unwrap().refresh_token, "");
}

/// Every fault of a request at once, by field.
#[tokio::test]
async fn impossible_codes_are_refused_by_field() {
    let app = TestApp::start().await;
    for (code, fields) in [
        (None, ["totp_code", "refresh_token_transport"]),
        (Some(TotpCode("12345".to_owned())), ["totp_code", "refresh_token_transport"]),
        (Some(RecoveryCode("0000".to_owned())), ["recovery_code", "refresh_token_transport"]),
    ] {
        let request = CompleteSignInRequest {
            challenge_token: "dc1.x".to_owned(),
            code,
            refresh_token_transport: 99,
        };
        let refused = app.auth().complete_sign_in(request).await.unwrap_err();
        refused.is(Code::InvalidArgument, "FIELD_INVALID");
        assert_eq!(refused.fields(), fields);
    }
}
