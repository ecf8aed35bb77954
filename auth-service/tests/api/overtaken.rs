//! Calls that wait while another one ends the session that they are made in, or
//! deletes the account: they find out, and do nothing.

use std::{collections::BTreeSet, pin::Pin};

use auth_service::SCHEMA;
use proto::auth::v1::{
    BeginPasskeyEnrollmentRequest, BeginTotpEnrollmentRequest, ChangePasswordRequest,
    ConfirmPasskeyEnrollmentRequest, ConfirmTotpEnrollmentRequest, DeleteFactorRequest,
    ExportUserRequest, ReauthenticateRequest, RegenerateRecoveryCodesRequest,
    RequestEmailChangeRequest, RequestEmailVerificationRequest, RevokeOtherSessionsRequest,
    RevokeSessionRequest, UpdateUserRequest, User, account_service_client::AccountServiceClient,
};
use shared::rng;
use sqlx::ConnectOptions as _;
use tonic::{Code, Status, service::interceptor::InterceptedService, transport::Channel};

use crate::{
    deletion::id,
    harness::{Bearer, PASSWORD, Person, TestApp, Told as _},
    passkeys::device::{Key, Making, PUBLIC_URL},
    races::{text, waits},
    recovery::NEW,
};

type Account = AccountServiceClient<InterceptedService<Channel, Bearer>>;
type Called = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

/// A function that changes an account, and a call of it.
type Change = (&'static str, fn(Account, &Person) -> Called);

const CHANGES: [Change; 13] = [
    ("api.begin_export", |mut account, _| {
        let request = ExportUserRequest::default();
        Box::pin(async move { account.export_user(request).await.map(drop) })
    }),
    ("api.begin_totp", |mut account, _| {
        let request = BeginTotpEnrollmentRequest::default();
        Box::pin(async move { account.begin_totp_enrollment(request).await.map(drop) })
    }),
    ("api.change_password", |mut account, _| {
        let (current_password, new_password) = (PASSWORD.to_owned(), NEW.to_owned());
        let name = String::new();
        let request = ChangePasswordRequest { name, current_password, new_password };
        Box::pin(async move { account.change_password(request).await.map(drop) })
    }),
    ("api.confirm_passkey", |mut account, _| {
        Box::pin(async move {
            let begun = BeginPasskeyEnrollmentRequest::default();
            let begun = account.begin_passkey_enrollment(begun).await?.into_inner();
            let credential = Making::of(&begun.creation_options, &Key::ed25519()).json();
            let (name, display_name) = (begun.name, String::new());
            let request = ConfirmPasskeyEnrollmentRequest { name, display_name, credential };
            account.confirm_passkey_enrollment(request).await.map(drop)
        })
    }),
    ("api.confirm_totp", |mut account, person| {
        let (name, totp_code) = (factor(person), "123456".to_owned());
        let request = ConfirmTotpEnrollmentRequest { name, totp_code };
        Box::pin(async move { account.confirm_totp_enrollment(request).await.map(drop) })
    }),
    ("api.delete_factor", |mut account, person| {
        let request = DeleteFactorRequest { name: factor(person) };
        Box::pin(async move { account.delete_factor(request).await.map(drop) })
    }),
    ("api.make_recovery_codes", |mut account, _| {
        let request = RegenerateRecoveryCodesRequest::default();
        Box::pin(async move { account.regenerate_recovery_codes(request).await.map(drop) })
    }),
    ("api.reauthenticate", |mut account, _| {
        let password = PASSWORD.to_owned();
        let request = ReauthenticateRequest { password, ..Default::default() };
        Box::pin(async move { account.reauthenticate(request).await.map(drop) })
    }),
    ("api.request_email_change", |mut account, _| {
        let new_email = "new@example.org".to_owned();
        let request = RequestEmailChangeRequest { new_email, ..Default::default() };
        Box::pin(async move { account.request_email_change(request).await.map(drop) })
    }),
    ("api.request_email_verification", |mut account, _| {
        let request = RequestEmailVerificationRequest::default();
        Box::pin(async move { account.request_email_verification(request).await.map(drop) })
    }),
    ("api.revoke_other_sessions", |mut account, _| {
        let request = RevokeOtherSessionsRequest::default();
        Box::pin(async move { account.revoke_other_sessions(request).await.map(drop) })
    }),
    ("api.revoke_session", |mut account, person| {
        let request = RevokeSessionRequest { name: person.credentials.session.clone() };
        Box::pin(async move { account.revoke_session(request).await.map(drop) })
    }),
    ("api.update_user", |mut account, person| {
        let (name, display_name) = (person.name.clone(), "Ada".to_owned());
        let user = Some(User { name, display_name, ..User::default() });
        let request = UpdateUserRequest { user, update_mask: None };
        Box::pin(async move { account.update_user(request).await.map(drop) })
    }),
];

/// Nobody else's end of a session comes too late for what is done in it: of a stolen
/// one nothing is left, whatever was on its way.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_in_a_session_that_ended_meanwhile() {
    let app = TestApp::start_with(&[PUBLIC_URL]).await;
    let ended = "update data.sessions set ended_at = now() where user_id = $1";
    let deleted = "select data.forget($1, 1000)";
    for (function, call) in CHANGES {
        for end in [ended, deleted] {
            let person = app.signed_up(&rng::uuid_v4().to_string()).await;
            let mut superuser = app.database.superuser.connect().await.unwrap();
            let mut holds = sqlx::Connection::begin(&mut superuser).await.unwrap();
            let row = "select from data.users where user_id = $1 for update";
            sqlx::query(row).bind(id(&person)).execute(&mut *holds).await.unwrap();

            let called = tokio::spawn(call(app.account(person.token()), &person));
            waits(&app, function).await;
            sqlx::query(end).bind(id(&person)).execute(&mut *holds).await.unwrap();
            holds.commit().await.unwrap();
            match called.await.unwrap() {
                Ok(()) => panic!("{function} was done after: {end}"),
                Err(refused) => refused.is(Code::Unauthenticated, "SESSION_REVOKED"),
            }
        }
    }
}

/// Whatever waits for the account before it looks at the session is in the table.
#[test]
fn every_function_that_waits_for_the_account_is_overtaken() {
    let functions = SCHEMA.functions.iter().map(|(_, sql)| text(sql));
    let waiting = functions.filter(|(_, body)| body.contains("data.acting_alone_in("));
    let waiting: BTreeSet<String> = waiting.map(|(name, _)| name).collect();
    assert_eq!(waiting, CHANGES.iter().map(|(name, _)| (*name).to_owned()).collect());
}

fn factor(person: &Person) -> String {
    format!("{}/factors/{}", person.name, rng::uuid_v7(chrono::DateTime::UNIX_EPOCH))
}
