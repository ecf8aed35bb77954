//! Tokens of services by secret: who gets one, what it is good for, and when it
//! is good no more.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proto::auth::v1::{
    GetUserRequest, IssueServiceTokenRequest, VerifyTokenResponse,
    issue_service_token_request::Credential,
};
use serde_json::{Value, json};
use shared::{
    clock::Clock as _,
    name, rng,
    secret::Secret,
    telemetry,
    testing::TestIssuer,
    verify::{Refusal, Token},
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    harness::{TestApp, Told as _, minutes},
    services::{audited, by, dump, told},
};

/// The payload of a token, its signature not looked at.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// A wrong secret that is written like a right one, of this account.
fn wrong(account: &str) -> Secret {
    let account = account.parse().unwrap();
    auth_service::service_accounts::secret::ServiceSecret::random(&account).into_text()
}

/// RFC 9068: what other services are told is what their rules and tests expect.
#[tokio::test]
async fn a_secret_gets_a_token_that_other_services_believe() {
    let app = TestApp::start().await;
    let (account, secret) = app.service("reporter", &["tasks:read", "trust:watch"]).await;
    assert!(secret.expose().starts_with("ds_reporter_"));
    let answer = app.issue(by(&secret), &[], &[]).await.unwrap();
    assert_eq!(answer.scopes, ["tasks:read", "trust:watch"]);
    let token = answer.access_token;
    let verifier = app.verifier("task-service").await;
    let Token::Service(says) = (*verifier.verify(&token).unwrap()).clone() else {
        panic!("a user")
    };
    assert_eq!((says.sub, says.client_id.as_str()), (account.id, "reporter"));
    assert_eq!(says.aud, ["auth-service", "task-service"]);
    assert_eq!(says.exp - says.iat, 300);
    assert_eq!(answer.expire_time.unwrap().seconds, says.exp);

    // The same claims as in the tokens that other services are tested with.
    let issuer = TestIssuer::new();
    let tested = json!(issuer.service_claims(account.id, &["x"], "task-service", app.clock.now()));
    let names = |claims: &Value| claims.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&claims(&token)), names(&tested));

    let described = app.introspect(&token).await;
    assert!(described.active);
    assert_eq!(described.subject, account.id.to_string());
    assert_eq!(described.scopes, ["tasks:read", "trust:watch"]);
    assert_eq!((described.user.as_str(), described.session.as_str()), ("", ""));
    // It is nobody's account.
    let refused = app.account(&token).get_user(GetUserRequest::default()).await.unwrap_err();
    refused.is(Code::PermissionDenied, "NOT_YOURS");
    app.clock.advance(minutes(6));
    assert_eq!(verifier.verify(&token), Err(Refusal::Expired));
    assert_eq!(app.introspect(&token).await, VerifyTokenResponse::default());
}

/// Whatever is wrong with a credential, the answer is the same.
#[tokio::test]
async fn whatever_is_no_credential_is_refused_alike() {
    let app = TestApp::start().await;
    let (_, secret) = app.service("reporter", &["tasks:read"]).await;
    let ada = app.signed_up("ada").await;
    let token = app.service_token(&secret).await.unwrap();
    let text = secret.expose();
    let secrets = [
        wrong("reporter").expose().to_owned(),
        wrong("nobody").expose().to_owned(),
        format!("{text}A"),
        text[..text.len() - 1].to_owned(),
        text.to_uppercase(),
        format!(" {text}"),
        text.replace("reporter", "nobody"),
        String::new(),
        "ds_".to_owned(),
        "\0".to_owned(),
        "x".repeat(50_000),
        token.clone(),
    ];
    let assertions = [String::new(), token, ada.credentials.access_token, text.to_owned()];
    let all = secrets.into_iter().map(Credential::Secret);
    let all: Vec<_> = all.chain(assertions.into_iter().map(Credential::Assertion)).collect();
    let mut answers = Vec::new();
    for credential in all {
        // Not even what was asked for besides changes the answer.
        let refused = app.issue(credential, &["everything"], &["nowhere"]).await.unwrap_err();
        refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
        answers.push((refused.message().to_owned(), refused.details().to_vec()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);

    let nothing = IssueServiceTokenRequest {
        scopes: vec![String::new()],
        audience: vec!["a".to_owned(); 17],
        ..IssueServiceTokenRequest::default()
    };
    let refused = app.tokens().issue_service_token(nothing).await.unwrap_err();
    refused.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(refused.fields(), ["credential", "scopes", "audience"]);
}

/// A right and a wrong secret, and that of an account that is not there, cost
/// one statement each.
#[tokio::test]
async fn a_secret_costs_one_statement_right_or_wrong() {
    let app = TestApp::start_alone().await;
    let (_, secret) = app.service("reporter", &["tasks:read"]).await;
    for secret in [&secret, &wrong("reporter"), &wrong("nobody"), &secret] {
        app.statements.take();
        let _ = app.service_token(secret).await;
        assert_eq!(app.statements.take(), 1);
    }
}

/// Two secrets are good at a time, so that one can be exchanged for the next.
#[tokio::test]
async fn a_third_secret_removes_the_oldest() {
    let app = TestApp::start().await;
    let mut secrets = Vec::new();
    for good in [1, 2, 2, 2] {
        let (account, secret) = app.service("reporter", &["tasks:read"]).await;
        assert_eq!(account.secrets_created_at.len(), good);
        secrets.push(secret);
        app.clock.advance(Duration::from_secs(1));
    }
    for secret in &secrets[..2] {
        let refused = app.service_token(secret).await.unwrap_err();
        refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    }
    for secret in &secrets[2..] {
        app.service_token(secret).await.unwrap();
    }
    let accounts = auth_service::service_accounts::list(&app.own_database()).await.unwrap();
    let [reporter] = &accounts[..] else { panic!("one account") };
    assert_eq!(reporter.resource_name(), "serviceAccounts/reporter");
    assert_eq!(reporter.last_used_at, Some(app.clock.now()));
}

fn wide(status: &Status, what: &str, name: &str) {
    status.is(Code::PermissionDenied, "SCOPE_MISSING");
    assert_eq!(status.get_details_error_info().unwrap().metadata[what], name);
}

/// A token may be asked to say less than the account may, and never more.
#[tokio::test]
async fn a_token_is_narrowed_and_never_widened() {
    let app = TestApp::start().await;
    let (_, secret) = app.service("reporter", &["tasks:read", "trust:watch"]).await;
    let narrow = app.issue(by(&secret), &["trust:watch"], &["auth-service"]).await.unwrap();
    assert_eq!(narrow.scopes, ["trust:watch"]);
    let says = claims(&narrow.access_token);
    assert_eq!((&says["scope"], &says["aud"]), (&json!("trust:watch"), &json!(["auth-service"])));
    let verifier = app.verifier("task-service").await;
    assert_eq!(verifier.verify(&narrow.access_token), Err(Refusal::Invalid("audience")));

    let ask = async |scopes: &[&str], audience: &[&str]| {
        app.issue(by(&secret), scopes, audience).await.unwrap_err()
    };
    wide(&ask(&["tasks:read", "tasks:write"], &[]).await, "scope", "tasks:write");
    wide(&ask(&["tasks"], &[]).await, "scope", "tasks");
    wide(&ask(&[], &["billing"]).await, "audience", "billing");
}

/// What is taken from an account is taken from its tokens; those that it gets
/// afterwards are good at once.
#[tokio::test]
async fn a_token_ends_with_what_the_account_may_do() {
    let app = TestApp::start().await;
    let (account, secret) = app.service("reporter", &["tasks:read", "tasks:write"]).await;
    let before = app.service_token(&secret).await.unwrap();
    // More, or the same: nothing is withdrawn.
    app.service("reporter", &["tasks:read", "tasks:write", "trust:watch"]).await;
    assert!(app.introspect(&before).await.active);
    assert!(told(&app).await.is_empty());
    let (_, secret) = app.service("reporter", &["tasks:read", "trust:watch"]).await;
    assert!(!app.introspect(&before).await.active);
    assert_eq!(told(&app).await, [account.id]);
    let after = app.service_token(&secret).await.unwrap();
    assert!(app.introspect(&after).await.active);
    assert!(app.verifier("task-service").await.verify(&after).is_ok());

    app.delete_service("reporter").await;
    assert!(!app.introspect(&after).await.active);
    assert_eq!(told(&app).await, [account.id, account.id]);
    app.service_token(&secret).await.unwrap_err().is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    // Another account under the same name is another one.
    let (again, _) = app.service("reporter", &["tasks:read"]).await;
    assert_ne!(again.id, account.id);
    app.service_token(&secret).await.unwrap_err().is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    assert!(!app.introspect(&after).await.active);
    let kinds = audited(&app).await;
    let kinds: Vec<_> = kinds.iter().map(String::as_str).collect();
    let (created, changed) = ("service_account.created", "service_account.changed");
    let (deleted, refused) = ("service_account.deleted", "service_token.refused");
    assert_eq!(kinds, [created, changed, changed, deleted, created, refused]);
}

/// Whoever tries secrets does not fill the audit log.
#[tokio::test]
async fn a_refusal_is_noted_once_a_minute() {
    let app = TestApp::start().await;
    app.service("reporter", &["tasks:read"]).await;
    app.service("archiver", &["tasks:read"]).await;
    let refusals =
        async || audited(&app).await.iter().filter(|kind| *kind == "service_token.refused").count();
    for expected in [2, 2, 4] {
        for account in ["reporter", "archiver", "nobody", "reporter"] {
            app.service_token(&wrong(account)).await.unwrap_err();
        }
        assert_eq!(refusals().await, expected);
        app.clock.advance(Duration::from_secs(30));
    }
}

/// Secrets: in no table and in no line of the log.
#[tokio::test]
async fn a_secret_is_stored_nowhere() {
    let app = TestApp::start().await;
    let (_, secret) = app.service("reporter", &["tasks:read"]).await;
    let token = app.service_token(&secret).await.unwrap();
    let wrong = wrong("reporter");
    app.service_token(&wrong).await.unwrap_err();
    let dump = dump(&app).await;
    assert!(dump.contains("data.service_secrets"), "{dump}");
    let log = telemetry::capture().text();
    assert!(log.contains("A service account was refused."));
    for secret in [secret.expose(), wrong.expose(), &token] {
        let random = &secret[secret.len() - 40..];
        let hex: String = random.bytes().map(|byte| format!("{byte:02x}")).collect();
        for place in [&dump, &log] {
            assert!(!place.contains(random) && !place.contains(&hex));
        }
    }
}

/// A token of a user that names a service's id, and the other way round, are
/// looked up as what they are.
#[tokio::test]
async fn no_id_leads_from_one_kind_to_the_other() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let (account, secret) = app.service("reporter", &["tasks:read", "admin"]).await;
    let token = app.service_token(&secret).await.unwrap();
    for name in [ada.name, name::of_user(account.id), name::of_user(rng::uuid_v4()), String::new()]
    {
        let refused = app.account(&token).get_user(GetUserRequest { name }).await.unwrap_err();
        refused.is(Code::PermissionDenied, "NOT_YOURS");
    }
}
