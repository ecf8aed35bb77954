//! What a stranger or another user can reach: nothing. The methods are taken
//! from the contract itself, so that a new one is tested by being there.

use prost::Message as _;
use prost_types::FileDescriptorSet;
use proto::auth::v1::{
    BeginPasskeyEnrollmentRequest, BeginReauthenticationRequest, BeginTotpEnrollmentRequest,
    ChangePasswordRequest, ConfirmPasskeyEnrollmentRequest, ConfirmTotpEnrollmentRequest,
    DeleteFactorRequest, GetUserRequest, ListFactorsRequest, ListSessionsRequest,
    ReauthenticateRequest, RegenerateRecoveryCodesRequest, RequestEmailChangeRequest,
    RequestEmailVerificationRequest, RevokeOtherSessionsRequest, RevokeSessionRequest,
    UpdateUserRequest, User, VerifyTokenRequest, VerifyTokenResponse,
};
use shared::{clock::Clock as _, rng, testing::TestIssuer, verify::ServiceClaims};
use sqlx::ConnectOptions as _;
use tonic::{Code, Request, Status, client::Grpc, service::Interceptor as _};
use tonic_types::StatusExt as _;

use crate::{
    harness::{Bearer, PASSWORD, TestApp, Told as _, minutes},
    inside::keyed,
    owner,
};

/// The services that anyone may call; see where they are mounted.
const OPEN: [&str; 2] = ["auth.v1.AuthService", "auth.v1.TokenService"];

pub(crate) fn methods() -> Vec<(String, String)> {
    let files = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap().file;
    let mut methods = Vec::new();
    for file in files.iter().filter(|file| file.package() == "auth.v1") {
        for service in &file.service {
            let name = format!("{}.{}", file.package(), service.name());
            methods.extend(
                service.method.iter().map(|method| (name.clone(), method.name().to_owned())),
            );
        }
    }
    assert!(methods.len() >= 12);
    methods
}

/// Calls any method with an empty message.
pub(crate) async fn call(app: &TestApp, service: &str, method: &str, token: &str) -> Status {
    let mut client = Grpc::new(app.channel.clone());
    client.ready().await.unwrap();
    let request = Bearer(token.to_owned()).call(Request::new(())).unwrap();
    let path = format!("/{service}/{method}").parse().unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    client.unary(request, path, codec).await.err().unwrap_or_else(|| Status::ok(""))
}

/// S3.2, S3.3, FR-016, FR-017, FR-019, SC-003: whatever is not mounted open
/// refuses strangers and bad tokens alike.
#[tokio::test]
async fn every_method_that_is_not_open_wants_a_good_token() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let good = ada.credentials.access_token;
    let foreign = {
        let issuer = TestIssuer::new();
        issuer.token(&issuer.claims(uuid::Uuid::nil(), "auth-service", app.clock.now()))
    };
    let flipped = {
        let at = good.len() - 10;
        let other = if good.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &good[..at], &good[at + 1..])
    };
    let mut walked = 0;
    for (service, method) in methods() {
        if OPEN.contains(&service.as_str()) {
            let status = call(&app, &service, &method, "").await;
            let reason = status.get_details_error_info().map(|info| info.reason);
            assert_ne!(reason.as_deref(), Some("TOKEN_MISSING"), "{method}");
            continue;
        }
        walked += 1;
        call(&app, &service, &method, "").await.is(Code::Unauthenticated, "TOKEN_MISSING");
        for bad in [&foreign, &flipped, "junk"] {
            let refused = call(&app, &service, &method, bad).await;
            refused.is(Code::Unauthenticated, "TOKEN_INVALID");
        }
    }
    assert!(walked >= 6);
    app.clock.advance(minutes(6));
    for (service, method) in methods() {
        if !OPEN.contains(&service.as_str()) {
            let refused = call(&app, &service, &method, &good).await;
            refused.is(Code::Unauthenticated, "TOKEN_EXPIRED");
        }
    }
}

/// A service has no account, whatever its token allows it elsewhere; nor does
/// this service vouch for it.
#[tokio::test]
async fn a_service_is_refused_by_every_method_on_accounts() {
    let (app, key) = keyed().await;
    let ada = app.signed_up("ada").await;
    let account = rng::uuid_v4();
    let scopes = ["tasks:read", "tasks:write", "admin"];
    let claims =
        TestIssuer::new().service_claims(account, &scopes, "auth-service", app.clock.now());
    let claims = ServiceClaims { iss: "https://auth.test".to_owned(), ..claims };
    let token = key.sign(&claims).unwrap();

    let before = snapshot(&app).await;
    let mut walked = 0;
    for (service, method) in methods() {
        if service == "auth.v1.AccountService" {
            walked += 1;
            let refused = call(&app, &service, &method, &token).await;
            refused.is(Code::PermissionDenied, "NOT_YOURS");
        }
    }
    assert!(walked >= 6);
    let named = app.account(&token).get_user(GetUserRequest { name: ada.name }).await;
    named.unwrap_err().is(Code::PermissionDenied, "NOT_YOURS");
    let said = app.tokens().verify_token(VerifyTokenRequest { token }).await.unwrap();
    assert_eq!(said.into_inner(), VerifyTokenResponse::default());
    assert_eq!(snapshot(&app).await, before);
}

/// S3.4, FR-018, FR-020, SC-004, SC-005: every method of AccountService with
/// B's names and A's token. The list is checked against the contract.
#[tokio::test]
async fn a_foreign_name_is_refused_and_nothing_changes() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let bob = app.signed_up("bob").await;
    let before = snapshot(&app).await;
    let mut account = app.account(&ada.credentials.access_token);
    let name = bob.name.clone();
    let user = User { name: name.clone(), display_name: "mine".to_owned(), ..User::default() };
    let mut refusals = vec![
        ("GetUser", account.get_user(GetUserRequest { name: name.clone() }).await.err()),
        (
            "UpdateUser",
            account
                .update_user(UpdateUserRequest { user: Some(user), update_mask: None })
                .await
                .err(),
        ),
        (
            "ChangePassword",
            account
                .change_password(ChangePasswordRequest {
                    name: name.clone(),
                    current_password: PASSWORD.to_owned(),
                    new_password: "stolen-Violin-55".to_owned(),
                })
                .await
                .err(),
        ),
        (
            "ListSessions",
            account
                .list_sessions(ListSessionsRequest { parent: name.clone(), ..Default::default() })
                .await
                .err(),
        ),
        (
            "RevokeSession",
            account
                .revoke_session(RevokeSessionRequest { name: bob.credentials.session.clone() })
                .await
                .err(),
        ),
        (
            "RevokeOtherSessions",
            account
                .revoke_other_sessions(RevokeOtherSessionsRequest { parent: name.clone() })
                .await
                .err(),
        ),
        (
            "RequestEmailVerification",
            account
                .request_email_verification(RequestEmailVerificationRequest { name: name.clone() })
                .await
                .err(),
        ),
        (
            "RequestEmailChange",
            account
                .request_email_change(RequestEmailChangeRequest {
                    name: name.clone(),
                    new_email: "mine@example.org".to_owned(),
                })
                .await
                .err(),
        ),
    ];
    refusals.extend(factor_refusals(&app, &ada.credentials.access_token, &name).await);
    refusals.extend(owner::refusals(&app, &ada.credentials.access_token, &name).await);
    let mut walked: Vec<&str> = refusals.iter().map(|(method, _)| *method).collect();
    walked.sort_unstable();
    let mut all: Vec<String> = methods()
        .into_iter()
        .filter(|(service, _)| service == "auth.v1.AccountService")
        .map(|(_, method)| method)
        .collect();
    all.sort_unstable();
    assert_eq!(walked, all);
    for (method, refusal) in refusals {
        let refusal = refusal.unwrap_or_else(|| panic!("{method} was allowed"));
        refusal.is(Code::PermissionDenied, "NOT_YOURS");
    }
    // Nobody's name is as foreign as somebody's.
    let nobody = GetUserRequest { name: format!("users/{}", uuid::Uuid::nil()) };
    account.get_user(nobody).await.unwrap_err().is(Code::PermissionDenied, "NOT_YOURS");
    // Another's session under one's own name is not there.
    let id = bob.credentials.session.rsplit('/').next().unwrap();
    let stolen = RevokeSessionRequest { name: format!("users/me/sessions/{id}") };
    let absent = account.revoke_session(stolen).await.unwrap_err();
    absent.is(Code::NotFound, "SESSION_NOT_FOUND");
    let malformed = RevokeSessionRequest { name: "sessions/1".to_owned() };
    let refused = account.revoke_session(malformed).await.unwrap_err();
    refused.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(refused.fields(), ["name"]);
    assert_eq!(snapshot(&app).await, before);
}

/// The methods on second factors, with the name of the user `name`.
async fn factor_refusals(
    app: &TestApp,
    token: &str,
    name: &str,
) -> Vec<(&'static str, Option<Status>)> {
    let mut account = app.account(token);
    let user = || name.to_owned();
    let factor = || format!("{name}/factors/{}", uuid::Uuid::nil());
    let proof = ReauthenticateRequest {
        name: user(),
        password: PASSWORD.to_owned(),
        ..ReauthenticateRequest::default()
    };
    let begin = BeginTotpEnrollmentRequest { parent: user(), display_name: String::new() };
    let confirm = ConfirmTotpEnrollmentRequest { name: factor(), totp_code: "123456".to_owned() };
    let codes = RegenerateRecoveryCodesRequest { parent: user() };
    let ask = BeginReauthenticationRequest { name: user() };
    let make = BeginPasskeyEnrollmentRequest { parent: user() };
    let made = ConfirmPasskeyEnrollmentRequest { name: factor(), ..Default::default() };
    vec![
        ("BeginReauthentication", account.begin_reauthentication(ask).await.err()),
        ("BeginPasskeyEnrollment", account.begin_passkey_enrollment(make).await.err()),
        ("ConfirmPasskeyEnrollment", account.confirm_passkey_enrollment(made).await.err()),
        ("Reauthenticate", account.reauthenticate(proof).await.err()),
        ("ListFactors", account.list_factors(ListFactorsRequest { parent: user() }).await.err()),
        ("BeginTotpEnrollment", account.begin_totp_enrollment(begin).await.err()),
        ("ConfirmTotpEnrollment", account.confirm_totp_enrollment(confirm).await.err()),
        ("RegenerateRecoveryCodes", account.regenerate_recovery_codes(codes).await.err()),
        ("DeleteFactor", account.delete_factor(DeleteFactorRequest { name: factor() }).await.err()),
    ]
}

async fn snapshot(app: &TestApp) -> Vec<String> {
    let mut connection = app.database.superuser.connect().await.unwrap();
    sqlx::query_scalar(
        "select row::text from data.users row union all select row::text from data.sessions row
         order by 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap()
}
