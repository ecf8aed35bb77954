//! Second factors as their owner manages them, and what needs a recent proof.

use std::time::Duration;

use proto::auth::v1::{
    BeginPasskeyEnrollmentRequest, BeginTotpEnrollmentRequest, ChangePasswordRequest,
    ConfirmTotpEnrollmentRequest, DeleteFactorRequest, Factor, FactorKind, GetUserRequest,
    ListFactorsRequest, ReauthenticateRequest, RegenerateRecoveryCodesRequest,
    complete_sign_in_request, reauthenticate_request::Code,
};
use shared::clock::Clock as _;
use sqlx::ConnectOptions as _;
use tonic::{Code as Status, Status as Refusal};
use tonic_types::StatusExt as _;

use crate::{
    authenticator::{Authenticator, challenged, from_base32, signed_in, with_authenticator},
    harness::{PASSWORD, TestApp, Told as _, minutes},
    inside::{everything, hex},
    sign_up::claims,
};

/// Tokens that outlive what the tests are about.
const LONG: &str = "--access-token-ttl=1h";

async fn listed(app: &TestApp, token: &str) -> Vec<Factor> {
    let listed = app.account(token).list_factors(ListFactorsRequest::default()).await;
    listed.unwrap().into_inner().factors
}

async fn confirm(app: &TestApp, token: &str, name: &str, code: String) -> Result<(), Refusal> {
    let request = ConfirmTotpEnrollmentRequest { name: name.to_owned(), totp_code: code };
    app.account(token).confirm_totp_enrollment(request).await.map(drop)
}

async fn delete(app: &TestApp, token: &str, name: &str) -> Result<(), Refusal> {
    let request = DeleteFactorRequest { name: name.to_owned() };
    app.account(token).delete_factor(request).await.map(drop)
}

fn reauthentication(password: &str, code: Option<Code>) -> ReauthenticateRequest {
    ReauthenticateRequest { password: password.to_owned(), code, ..Default::default() }
}

/// What an authenticator is told, and that nothing is asked for before it has
/// shown that it understood.
#[tokio::test]
async fn an_authenticator_counts_from_its_first_code_on() {
    let app = TestApp::start_with(&["--totp-issuer=Tasks & Co"]).await;
    let ada = app.signed_up("ada").await;
    let token = &ada.credentials.access_token;
    let request =
        BeginTotpEnrollmentRequest { display_name: " Phone ".to_owned(), ..Default::default() };
    let begun = app.account(token).begin_totp_enrollment(request).await.unwrap().into_inner();
    assert_eq!(from_base32(&begun.secret).len(), 20);
    let uri = format!(
        "otpauth://totp/Tasks%20%26%20Co:ada%40example%2Eorg?secret={}\
            &issuer=Tasks%20%26%20Co&algorithm=SHA1&digits=6&period=30",
        begun.secret
    );
    assert_eq!(begun.uri, uri);
    assert!(begun.qr_svg.starts_with("<svg ") && begun.qr_svg.len() < 32 * 1024);
    let expires = begun.expire_time.unwrap().seconds;
    assert_eq!(expires - app.clock.now().timestamp(), 600);

    assert_eq!(listed(&app, token).await, []);
    assert!(app.sign_in(&ada.email, PASSWORD).await.is_ok());
    let app_of_ada = Authenticator {
        name: begun.name.clone(),
        secret: from_base32(&begun.secret),
        base32: begun.secret,
        recovery_codes: Vec::new(),
    };
    for (code, words) in [
        (app_of_ada.wrong_code(&app), "This is not the code. Please try the next one."),
        ("12345".to_owned(), "A code has six digits."),
    ] {
        let refused = confirm(&app, token, &begun.name, code).await.unwrap_err();
        refused.is(Status::InvalidArgument, "FIELD_INVALID");
        assert_eq!((refused.fields(), refused.message()), (vec!["totp_code".to_owned()], words));
    }
    let request = ConfirmTotpEnrollmentRequest {
        name: begun.name.clone(),
        totp_code: app_of_ada.code(&app, 0),
    };
    let confirmed = app.account(token).confirm_totp_enrollment(request.clone()).await.unwrap();
    let confirmed = confirmed.into_inner();
    assert_eq!(confirmed.recovery_codes.len(), 10);
    let factor = confirmed.factor.unwrap();
    assert_eq!((factor.kind(), factor.display_name.as_str()), (FactorKind::Totp, "Phone"));
    let again = app.account(token).confirm_totp_enrollment(request).await.unwrap_err();
    again.is(Status::NotFound, "FACTOR_NOT_FOUND");

    let listed = listed(&app, token).await;
    let kinds: Vec<(FactorKind, i32)> =
        listed.iter().map(|factor| (factor.kind(), factor.remaining_count)).collect();
    assert_eq!(kinds, [(FactorKind::RecoveryCodes, 10), (FactorKind::Totp, 0)]);
    assert_eq!(listed[1], factor);
    let challenge = challenged(&app, &ada).await;
    let asked: Vec<FactorKind> = challenge.factor_kinds().collect();
    assert_eq!(asked, [FactorKind::Totp, FactorKind::RecoveryCodes]);
}

/// Ten minutes, one at a time, five in all; and the codes come with the first.
#[tokio::test]
async fn enrolments_are_bounded_in_time_and_number() {
    let app = TestApp::start_with(&[LONG, "--max-auth-age=1h"]).await;
    let ada = app.signed_up("ada").await;
    let token = &ada.credentials.access_token;
    let forgotten = Authenticator::begun(&app, token).await;
    let late = Authenticator::begun(&app, token).await;
    assert_ne!(late.base32, forgotten.base32);
    let gone = confirm(&app, token, &forgotten.name, forgotten.code(&app, 0)).await.unwrap_err();
    gone.is(Status::NotFound, "FACTOR_NOT_FOUND");
    app.clock.advance(minutes(10));
    let gone = confirm(&app, token, &late.name, late.code(&app, 0)).await.unwrap_err();
    gone.is(Status::NotFound, "FACTOR_NOT_FOUND");

    for n in 0..5 {
        let one = Authenticator::enrolled(&app, token).await;
        assert_eq!(one.recovery_codes.len(), if n == 0 { 10 } else { 0 });
    }
    let request = BeginTotpEnrollmentRequest::default();
    let full = app.account(token).begin_totp_enrollment(request).await.unwrap_err();
    full.is(Status::ResourceExhausted, "FACTOR_QUOTA");
    let long = BeginTotpEnrollmentRequest { display_name: "x".repeat(101), ..Default::default() };
    let refused = app.account(token).begin_totp_enrollment(long).await.unwrap_err();
    assert_eq!(refused.fields(), ["display_name"]);
}

/// The recovery codes go with the last authenticator, and not alone.
#[tokio::test]
async fn the_last_authenticator_takes_the_recovery_codes_along() {
    let app = TestApp::start_with(&[LONG, "--max-auth-age=1h"]).await;
    let ada = app.signed_up("ada").await;
    let token = &ada.credentials.access_token;
    let request = RegenerateRecoveryCodesRequest::default();
    let none = app.account(token).regenerate_recovery_codes(request.clone()).await.unwrap_err();
    none.is(Status::FailedPrecondition, "FACTOR_MISSING");
    let first = Authenticator::enrolled(&app, token).await;
    let second = Authenticator::enrolled(&app, token).await;
    let made = app.account(token).regenerate_recovery_codes(request).await.unwrap();
    let new = made.into_inner().recovery_codes;
    assert_eq!(new.len(), 10);
    let recovery = complete_sign_in_request::Code::RecoveryCode;
    let old = signed_in(&app, &ada, recovery(first.recovery_codes[0].clone())).await;
    old.unwrap_err().is(Status::Unauthenticated, "CODE_INVALID");
    assert!(signed_in(&app, &ada, recovery(new[0].clone())).await.is_ok());

    let set = listed(&app, token).await;
    let set = set.iter().find(|factor| factor.kind() == FactorKind::RecoveryCodes).unwrap();
    assert_eq!(set.remaining_count, 9);
    assert!(set.last_use_time.is_some());
    let bound = delete(&app, token, &set.name).await.unwrap_err();
    bound.is(Status::InvalidArgument, "FIELD_INVALID");
    assert_eq!(bound.fields(), ["name"]);

    delete(&app, token, &first.name).await.unwrap();
    let gone = delete(&app, token, &first.name).await.unwrap_err();
    gone.is(Status::NotFound, "FACTOR_NOT_FOUND");
    app.clock.advance(minutes(2));
    let totp = complete_sign_in_request::Code::TotpCode;
    let of_the_gone = signed_in(&app, &ada, totp(first.code(&app, 0))).await.unwrap_err();
    of_the_gone.is(Status::Unauthenticated, "CODE_INVALID");
    assert!(signed_in(&app, &ada, totp(second.code(&app, 0))).await.is_ok());
    delete(&app, token, &second.name).await.unwrap();
    assert_eq!(listed(&app, token).await, []);
    assert!(app.sign_in(&ada.email, PASSWORD).await.is_ok());
}

/// Every method that could cost the account asks who it is, and takes the answer.
#[tokio::test]
async fn what_could_cost_the_account_needs_a_recent_proof() {
    let app = TestApp::start_with(&[LONG, "--public-url=https://duet.test"]).await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    app.clock.advance(minutes(10));
    let old = ada.credentials.access_token.clone();
    for (method, refusal) in guarded(&app, &old, &authenticator.name).await {
        let refused = refusal.err().unwrap_or_else(|| panic!("{method} was allowed"));
        refused.is(Status::FailedPrecondition, "REAUTHENTICATION_REQUIRED");
        let info = refused.get_details_error_info().unwrap();
        assert_eq!(info.metadata["max_auth_age"], "600", "{method}");
    }
    let mut account = app.account(&old);
    assert!(account.get_user(GetUserRequest::default()).await.is_ok());
    assert!(account.list_factors(ListFactorsRequest::default()).await.is_ok());

    let code = Some(Code::TotpCode(authenticator.code(&app, 0)));
    let answer = account.reauthenticate(reauthentication(PASSWORD, code)).await.unwrap();
    let new = answer.into_inner().access_token;
    for (method, answer) in guarded(&app, &new, &authenticator.name).await {
        assert!(answer.is_ok(), "{method}: {answer:?}");
    }
    // What was signed before the proof does not know of it.
    let request = BeginTotpEnrollmentRequest::default();
    let still = account.begin_totp_enrollment(request).await.unwrap_err();
    still.is(Status::FailedPrecondition, "REAUTHENTICATION_REQUIRED");
}

/// Calls every method that needs a recent proof, the last one with an effect.
async fn guarded(
    app: &TestApp,
    token: &str,
    factor: &str,
) -> Vec<(&'static str, Result<(), Refusal>)> {
    let mut account = app.account(token);
    let change = ChangePasswordRequest {
        current_password: PASSWORD.to_owned(),
        new_password: PASSWORD.to_owned(),
        ..Default::default()
    };
    vec![
        (
            "BeginTotpEnrollment",
            account.begin_totp_enrollment(BeginTotpEnrollmentRequest::default()).await.map(drop),
        ),
        (
            "BeginPasskeyEnrollment",
            account
                .begin_passkey_enrollment(BeginPasskeyEnrollmentRequest::default())
                .await
                .map(drop),
        ),
        (
            "RegenerateRecoveryCodes",
            account
                .regenerate_recovery_codes(RegenerateRecoveryCodesRequest::default())
                .await
                .map(drop),
        ),
        ("ChangePassword", account.change_password(change).await.map(drop)),
        ("DeleteFactor", delete(app, token, factor).await),
    ]
}

/// A change of the password wants a recent proof, too, whatever it carries itself;
/// without one it says nothing of the password, and no attempt is counted.
#[tokio::test]
async fn a_password_is_changed_by_whoever_proved_themselves_lately() {
    const NEW: &str = "copper-Violin-44";
    let app = TestApp::start_with(&[LONG]).await;
    let ada = app.signed_up("ada").await;
    let change = |current: &str| ChangePasswordRequest {
        current_password: current.to_owned(),
        new_password: NEW.to_owned(),
        ..Default::default()
    };
    app.clock.advance(minutes(10));
    let mut account = app.account(&ada.credentials.access_token);
    let wrong = account.change_password(change("not-It-at-all")).await.unwrap_err();
    wrong.is(Status::Unauthenticated, "INVALID_CREDENTIALS");
    app.clock.advance(minutes(1));
    for current in ["not-It-at-all"; 20].into_iter().chain([PASSWORD]) {
        let late = account.change_password(change(current)).await.unwrap_err();
        late.is(Status::FailedPrecondition, "REAUTHENTICATION_REQUIRED");
    }
    let proof = account.reauthenticate(reauthentication(PASSWORD, None)).await.unwrap();
    let mut account = app.account(&proof.into_inner().access_token);
    account.change_password(change(PASSWORD)).await.unwrap();
    app.sign_in(&ada.email, NEW).await.unwrap();
}

/// By the password, and by a code where there is a factor; the session remembers.
#[tokio::test]
async fn a_proof_is_the_password_and_a_code_if_there_is_a_factor() {
    let app = TestApp::start_with(&[LONG]).await;
    let ada = app.signed_up("ada").await;
    let token = &ada.credentials.access_token;
    let mut account = app.account(token);
    app.clock.advance(minutes(20));
    let wrong = account.reauthenticate(reauthentication("not-It-at-all", None)).await.unwrap_err();
    wrong.is(Status::Unauthenticated, "INVALID_CREDENTIALS");
    let needless = Some(Code::TotpCode("123456".to_owned()));
    let answer = account.reauthenticate(reauthentication(PASSWORD, needless)).await.unwrap();
    let proved = claims(&answer.into_inner().access_token);
    assert_eq!(proved.auth_time, app.clock.now().timestamp());
    assert_eq!(proved.sid, claims(token).sid);
    assert_eq!(proved.amr, ["pwd"]);

    let refreshed = app.refresh(&ada.credentials.refresh_token).await.unwrap();
    assert_eq!(claims(&refreshed.access_token).auth_time, proved.auth_time);
    let authenticator = Authenticator::enrolled(&app, &refreshed.access_token).await;
    app.clock.advance(minutes(2));
    // What is not looked at is not counted either.
    for _ in 0..10 {
        let missing = account.reauthenticate(reauthentication(PASSWORD, None)).await.unwrap_err();
        missing.is(Status::InvalidArgument, "FIELD_INVALID");
        assert_eq!(missing.fields(), ["totp_code"]);
    }
    let code = authenticator.code(&app, 0);
    let used = |code: String| reauthentication(PASSWORD, Some(Code::TotpCode(code)));
    let wrong = account.reauthenticate(used(authenticator.wrong_code(&app))).await.unwrap_err();
    wrong.is(Status::Unauthenticated, "CODE_INVALID");
    let answer = account.reauthenticate(used(code.clone())).await.unwrap();
    assert_eq!(claims(&answer.into_inner().access_token).amr, ["pwd", "otp"]);
    let replayed = account.reauthenticate(used(code)).await.unwrap_err();
    replayed.is(Status::Unauthenticated, "CODE_INVALID");
    let recovery = Some(Code::RecoveryCode(authenticator.recovery_codes[3].to_uppercase()));
    let answer = account.reauthenticate(reauthentication(PASSWORD, recovery)).await.unwrap();
    assert_eq!(claims(&answer.into_inner().access_token).amr, ["pwd", "recovery"]);
}

/// Nothing that makes or passes a code is in the database or the log in clear.
#[tokio::test]
async fn no_secret_of_a_factor_is_in_the_database_or_the_log() {
    let app = TestApp::start().await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let pending = Authenticator::begun(&app, &ada.credentials.access_token).await;
    let challenge = challenged(&app, &ada).await;
    let code =
        complete_sign_in_request::Code::RecoveryCode(authenticator.recovery_codes[0].clone());
    signed_in(&app, &ada, code).await.unwrap();

    let dump = everything(&app).await;
    assert!(dump.contains("recovery_codes") && dump.contains("sign_in.challenged"));
    let mut secrets = vec![challenge.token];
    for known in [&authenticator, &pending] {
        secrets.extend([known.base32.clone(), hex(&known.secret)]);
    }
    for shown in &authenticator.recovery_codes {
        let plain = shown.replace('-', "");
        secrets.extend([shown.clone(), hex(plain.as_bytes()), plain]);
    }
    for secret in secrets {
        assert!(!dump.to_lowercase().contains(&secret.to_lowercase()), "{secret}");
    }
}

/// What happened is in the log of the account, in the order that it did.
#[tokio::test]
async fn the_account_remembers_what_was_done_with_its_factors() {
    let app = TestApp::start().await;
    let (ada, authenticator) = with_authenticator(&app, "ada").await;
    let totp = complete_sign_in_request::Code::TotpCode;
    signed_in(&app, &ada, totp(authenticator.wrong_code(&app))).await.unwrap_err();
    signed_in(&app, &ada, totp(authenticator.code(&app, 0))).await.unwrap();
    app.clock.advance(Duration::from_secs(60));
    delete(&app, &ada.credentials.access_token, &authenticator.name).await.unwrap();
    let mut connection = app.database.superuser.connect().await.unwrap();
    let kinds: Vec<(String, bool)> = sqlx::query_as(
        "select kind, actor <> '' from data.audit_events order by user_id, sequence",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let kinds: Vec<(&str, bool)> = kinds.iter().map(|(kind, known)| (&**kind, *known)).collect();
    assert_eq!(
        kinds,
        [
            ("sign_up", true),
            ("factor.added", true),
            ("recovery_codes.made", true),
            ("sign_in.challenged", false),
            ("sign_in.refused", false),
            ("sign_in.challenged", false),
            ("sign_in", true),
            ("factor.removed", true),
        ]
    );
}
