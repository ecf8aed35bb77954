//! Passkeys as a second factor: how they are added and asked for, and what they
//! cost. What is refused stands in `hostile`.

pub(crate) mod device;
mod enrolling;
mod hostile;
mod keeping;
mod proving;

use proto::auth::v1::{
    BeginReauthenticationRequest, BeginReauthenticationResponse, FactorKind,
    complete_sign_in_request::Code::{PasskeyAssertion, RecoveryCode, TotpCode},
};
use tonic::Code;

use self::device::{Key, PUBLIC_URL, Passkey, USER_PRESENT, options, with_passkey};
use crate::{
    authenticator::{Authenticator, challenged, complete, signed_in},
    harness::{TestApp, Told as _, minutes},
    sign_up::claims,
};

/// What the caller is asked before a proof.
async fn asked(app: &TestApp, token: &str) -> BeginReauthenticationResponse {
    let request = BeginReauthenticationRequest::default();
    app.account(token).begin_reauthentication(request).await.unwrap().into_inner()
}

/// Issue 5: the password opens nothing, an answer to what was asked does, and once.
#[tokio::test]
async fn a_sign_in_is_ended_by_a_passkey() {
    for key in [Key::es256(), Key::ed25519()] {
        let app = TestApp::start_with(&[PUBLIC_URL]).await;
        let (ada, passkey) = with_passkey(&app, "ada", key).await;
        let challenge = challenged(&app, &ada).await;
        let kinds: Vec<FactorKind> = challenge.factor_kinds().collect();
        assert_eq!(kinds, [FactorKind::RecoveryCodes, FactorKind::Passkey]);
        let asked = options(&challenge.passkey_options);
        assert_eq!(asked["rpId"], "duet.test");
        assert_eq!(asked["userVerification"], "preferred");
        assert_eq!(asked["timeout"], 300_000);
        assert_eq!(asked["allowCredentials"].as_array().unwrap().len(), 1);

        app.clock.advance(minutes(4));
        let answer = PasskeyAssertion(passkey.answer(&challenge.passkey_options));
        let done = complete(&app, &challenge.token, answer.clone()).await.unwrap();
        assert_eq!(done.user.unwrap().name, ada.name);
        let credentials = done.credentials.unwrap();
        let said = claims(&credentials.access_token);
        assert_eq!((said.amr.join(" "), said.auth_time), ("pwd pop".to_owned(), said.iat));
        let over = complete(&app, &challenge.token, answer).await.unwrap_err();
        over.is(Code::Unauthenticated, "CHALLENGE_INVALID");
        let refreshed = app.refresh(&credentials.refresh_token).await.unwrap();
        assert_eq!(claims(&refreshed.access_token).amr, ["pwd", "pop"]);
    }
}

/// A device that does not tell who it knows, that nobody unlocked, or that keeps
/// its keys elsewhere, too, is a second factor all the same; so is one that counts
/// two sign-ins in one moment.
#[tokio::test]
async fn what_devices_may_leave_open_is_not_asked_for() {
    let app = TestApp::start_with(&[PUBLIC_URL]).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::es256()).await;
    let backed_up = USER_PRESENT | device::BACKUP_ELIGIBLE | device::BACKED_UP;
    for (flags, handle, extensions) in [
        (USER_PRESENT, None, Vec::new()),
        (backed_up, Some(passkey.user.clone()), Vec::new()),
        (USER_PRESENT | device::HAS_EXTENSIONS, None, b"\xa1\x63abc\xf5".to_vec()),
    ] {
        let challenge = challenged(&app, &ada).await;
        let mut signing = passkey.signing(&challenge.passkey_options);
        (signing.flags, signing.handle, signing.extensions) = (flags, handle, extensions);
        signing.client.as_object_mut().unwrap().remove("crossOrigin");
        signing.client["aMemberOfALaterVersion"] = true.into();
        complete(&app, &challenge.token, PasskeyAssertion(signing.json())).await.unwrap();
    }
}

/// P6: two statements with a password between, and one; the rest one each.
#[tokio::test]
async fn a_passkey_costs_no_statement_more_than_a_code() {
    let database = shared::testing::database(&auth_service::SCHEMA).await;
    shared::program::install_cryptography();
    let key = crate::harness::key();
    let app = TestApp::start_alone_on(database, Default::default(), &key, &[PUBLIC_URL]).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::es256()).await;
    // Once to have everything prepared, once to count.
    for counted in [false, true] {
        app.statements.take();
        let challenge = challenged(&app, &ada).await;
        let first = app.statements.take();
        let answer = PasskeyAssertion(passkey.answer(&challenge.passkey_options));
        complete(&app, &challenge.token, answer).await.unwrap();
        let second = app.statements.take();
        asked(&app, ada.token()).await;
        let third = app.statements.take();
        let another = Passkey::enrolled(&app, ada.token(), Key::ed25519()).await;
        let fourth = app.statements.take();
        assert_eq!(another.recovery_codes.len(), 0);
        let costs = (first, second, third, fourth);
        assert!(!counted || costs == (2, 1, 1, 2), "{costs:?}");
    }
}

/// A passkey and an authenticator are two ways in, and what is guessed of the one
/// does not hold up the other.
#[tokio::test]
async fn wrong_codes_do_not_hold_up_a_passkey() {
    let app = TestApp::start_with(&[PUBLIC_URL]).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::es256()).await;
    let authenticator = Authenticator::enrolled(&app, ada.token()).await;
    assert_eq!(authenticator.recovery_codes.len(), 0);
    app.clock.advance(minutes(2));
    let kinds: Vec<FactorKind> = challenged(&app, &ada).await.factor_kinds().collect();
    assert_eq!(kinds, [FactorKind::Totp, FactorKind::RecoveryCodes, FactorKind::Passkey]);
    let wrong = TotpCode(authenticator.wrong_code(&app));
    for _ in 0..2 {
        let challenge = challenged(&app, &ada).await;
        for _ in 0..5 {
            complete(&app, &challenge.token, wrong.clone()).await.unwrap_err();
        }
    }
    let right = || TotpCode(authenticator.code(&app, 0));
    let waiting = signed_in(&app, &ada, right()).await.unwrap_err();
    waiting.is(Code::ResourceExhausted, "SIGN_IN_THROTTLED");
    let challenge = challenged(&app, &ada).await;
    let answer = PasskeyAssertion(passkey.answer(&challenge.passkey_options));
    complete(&app, &challenge.token, answer).await.unwrap();
    // Nor does it make anybody forget that codes were guessed.
    let waiting = signed_in(&app, &ada, right()).await.unwrap_err();
    waiting.is(Code::ResourceExhausted, "SIGN_IN_THROTTLED");

    // What no device would answer is no guess, either: codes do not wait for it.
    for _ in 0..3 {
        let challenge = challenged(&app, &ada).await;
        for _ in 0..5 {
            let refused = complete(&app, &challenge.token, PasskeyAssertion("{}".to_owned())).await;
            refused.unwrap_err().is(Code::Unauthenticated, "CODE_INVALID");
        }
        let over = complete(&app, &challenge.token, right()).await.unwrap_err();
        over.is(Code::Unauthenticated, "CHALLENGE_INVALID");
    }
    app.clock.advance(minutes(1));
    signed_in(&app, &ada, right()).await.unwrap();
}

/// A second factor is asked for, whichever it is: the codes that came with the
/// passkey are a way in where the device is not at hand.
#[tokio::test]
async fn a_passkey_alone_is_a_second_factor() {
    let app = TestApp::start_with(&[PUBLIC_URL]).await;
    let (ada, passkey) = with_passkey(&app, "ada", Key::ed25519()).await;
    let code = RecoveryCode(passkey.recovery_codes[0].clone());
    let done = signed_in(&app, &ada, code).await.unwrap();
    assert_eq!(claims(&done.credentials.unwrap().access_token).amr, ["pwd", "recovery"]);
    let none = TotpCode("123456".to_owned());
    signed_in(&app, &ada, none).await.unwrap_err().is(Code::Unauthenticated, "CODE_INVALID");
}
