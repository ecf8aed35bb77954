//! What operators do, and that nobody else does it.

use std::{collections::HashSet, process::Command};

use auth_service::{
    admin::first::{self, Made, Revoked},
    email::Email,
};
use futures_util::future::join_all;
use proto::auth::v1::{
    CreateServiceAccountRequest, DeleteServiceAccountRequest, ExchangeTokenRequest, GetUserRequest,
    ListServiceAccountsRequest, ListUsersRequest, ListUsersResponse, ReinstateUserRequest,
    SignOutRequest, SuspendUserRequest,
};
use shared::clock::Clock as _;
use sqlx::ConnectOptions as _;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    harness::{PASSWORD, TestApp, Told as _, minutes},
    isolation::{call, methods},
    operators::{Admin, kinds, suspend},
    services::{by, owned},
};

/// What every method of operators answers to a token.
async fn everywhere(app: &TestApp, token: &str) -> Vec<Status> {
    let mut answers = Vec::new();
    for (service, method) in methods() {
        if service == "auth.v1.AdminService" {
            answers.push(call(app, &service, &method, token).await);
        }
    }
    assert_eq!(answers.len(), 10);
    answers
}

async fn refused_everywhere(app: &TestApp, token: &str, code: Code, reason: &str) {
    for status in everywhere(app, token).await {
        status.is(code, reason);
    }
}

/// A user, a service without the scope, and a service that acts for an operator:
/// every method refuses them, and says what is missing.
#[tokio::test]
async fn nobody_operates_without_the_scope() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let (_, secret) = app.service("reader", &["tasks:read", "trust:watch"]).await;
    let reader = app.service_token(&secret).await.unwrap();
    let operator = app.operator("olga").await;
    let (_, secret) = app.service("proxy", &["token:exchange", "admin"]).await;
    let exchange = ExchangeTokenRequest {
        subject_token: operator.credentials.access_token.clone(),
        actor_token: app.service_token(&secret).await.unwrap(),
        audience: owned(&["auth-service"]),
        scopes: owned(&["admin"]),
    };
    let delegated = app.tokens().exchange_token(exchange).await.unwrap().into_inner().access_token;
    for token in [&ada.credentials.access_token, &reader, &delegated] {
        for status in everywhere(&app, token).await {
            status.is(Code::PermissionDenied, "SCOPE_MISSING");
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.metadata["scope"], "admin");
        }
    }
    // The same methods let operators in, be they users or services.
    let service = app.service_token(&app.service("ops", &["admin"]).await.1).await.unwrap();
    for token in [&operator.credentials.access_token, &service] {
        for status in everywhere(&app, token).await {
            let reason = status.get_details_error_info().map(|info| info.reason);
            assert_ne!(reason.as_deref(), Some("SCOPE_MISSING"), "{status:?}");
        }
    }
}

/// An operator who is none any more, whose session is over, or whose proof is old
/// is refused at once, whatever the token says.
#[tokio::test]
async fn an_operator_is_one_at_this_moment() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    app.clock.advance(minutes(4));
    let token = operator.credentials.access_token;
    assert!(app.admin(&token).list_users(ListUsersRequest::default()).await.is_ok());

    app.tamper("update data.users set is_admin = false").await;
    let refused = app.admin(&token).list_users(ListUsersRequest::default()).await.unwrap_err();
    refused.is(Code::PermissionDenied, "SCOPE_MISSING");
    app.tamper("update data.users set is_admin = true").await;
    let refresh_token = operator.credentials.refresh_token;
    app.auth().sign_out(SignOutRequest { refresh_token }).await.unwrap();
    let refused = app.admin(&token).list_users(ListUsersRequest::default()).await.unwrap_err();
    refused.is(Code::Unauthenticated, "SESSION_REVOKED");

    let (_, secret) = app.service("ops", &["admin"]).await;
    let service = app.service_token(&secret).await.unwrap();
    assert!(app.admin(&service).list_users(ListUsersRequest::default()).await.is_ok());
    app.delete_service("ops").await;
    let refused = app.admin(&service).list_users(ListUsersRequest::default()).await.unwrap_err();
    refused.is(Code::Unauthenticated, "TOKEN_INVALID");

    let again = app.sign_in(&operator.email, PASSWORD).await.unwrap();
    app.clock.advance(minutes(11));
    let later = app.refresh(&again.refresh_token).await.unwrap().access_token;
    refused_everywhere(&app, &later, Code::FailedPrecondition, "REAUTHENTICATION_REQUIRED").await;
}

/// Sign-in, refresh, live tokens: closed at once, and open again afterwards.
#[tokio::test]
async fn a_suspended_account_is_closed_on_every_path() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let mut admin = app.admin(&operator.credentials.access_token);
    let ada = app.signed_up("ada").await;
    let other = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    for _ in 0..2 {
        let request = SuspendUserRequest { name: ada.name.clone(), reason: " spam ".to_owned() };
        let account = admin.suspend_user(request).await.unwrap().into_inner().user.unwrap();
        assert!(account.suspend_time.is_some() && !account.admin);
        assert_eq!(account.user.unwrap().email, ada.email);
    }

    let right = app.sign_in(&ada.email, PASSWORD).await.unwrap_err();
    right.is(Code::PermissionDenied, "USER_SUSPENDED");
    let wrong = app.sign_in(&ada.email, "not-Her-Password").await.unwrap_err();
    wrong.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    for credentials in [&ada.credentials, &other] {
        let refused = app.refresh(&credentials.refresh_token).await.unwrap_err();
        refused.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
        assert!(!app.introspect(&credentials.access_token).await.active);
        let mut account = app.account(&credentials.access_token);
        let refused = account.get_user(GetUserRequest::default()).await.unwrap_err();
        refused.is(Code::Unauthenticated, "SESSION_REVOKED");
    }
    let told: Vec<(String, String)> = {
        let mut connection = app.database.superuser.connect().await.unwrap();
        let told = sqlx::query_as(
            "select kind, subject_id::text from data.trust_events
             where kind in ('session', 'user') order by rev",
        );
        told.fetch_all(&mut connection).await.unwrap()
    };
    let id = ada.name.strip_prefix("users/").unwrap().to_owned();
    let kinds_told: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds_told, ["session", "session", "user"]);
    assert!(told.iter().all(|(_, subject)| *subject == id));

    let name = ada.name.clone();
    let account = admin.reinstate_user(ReinstateUserRequest { name }).await.unwrap();
    assert_eq!(account.into_inner().user.unwrap().suspend_time, None);
    let back = app.sign_in(&ada.email, PASSWORD).await.unwrap();
    assert!(app.introspect(&back.access_token).await.active);
    assert!(!app.introspect(&other.access_token).await.active);
    let said = [
        "sign_in",
        "admin.user.reinstated",
        "sign_in.refused",
        "admin.user.suspended",
        "sign_in",
        "sign_up",
    ];
    assert_eq!(kinds(&mut admin, &ada.name).await, said);
}

/// Whoever signs in while the account is closed has no session afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_slips_in_while_an_account_is_closed() {
    // Sign-ins at once count as wrong ones until they are through.
    let app = TestApp::start_with(&["--sign-in-free-attempts=50"]).await;
    let operator = app.operator("olga").await;
    let ada = app.signed_up("ada").await;
    let sign_ins = join_all((0..20).map(|_| app.sign_in(&ada.email, PASSWORD)));
    let mut admin = app.admin(&operator.credentials.access_token);
    let (answers, suspended) = tokio::join!(sign_ins, suspend(&mut admin, &ada.name));
    suspended.unwrap();
    for answer in answers {
        match answer {
            Ok(credentials) => assert!(!app.introspect(&credentials.access_token).await.active),
            Err(refused) => refused.is(Code::PermissionDenied, "USER_SUSPENDED"),
        }
    }
    let mut connection = app.database.superuser.connect().await.unwrap();
    let live: i64 = sqlx::query_scalar(
        "select count(*) from data.sessions s join data.users u using (user_id)
         where u.suspended_at is not null and s.ended_at is null",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(live, 0);
}

#[tokio::test]
async fn what_cannot_be_suspended_is_told_by_field() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let mut admin = app.admin(&operator.credentials.access_token);
    let nobody = suspend(&mut admin, &format!("users/{}", uuid::Uuid::max())).await.unwrap_err();
    nobody.is(Code::NotFound, "USER_NOT_FOUND");
    for name in ["", "users/me", "users/1", operator.name.as_str()] {
        let refused = suspend(&mut admin, name).await.unwrap_err();
        refused.is(Code::InvalidArgument, "FIELD_INVALID");
        assert_eq!(refused.fields(), ["name"], "{name}");
    }
    for reason in ["x".repeat(201), "two\nlines".to_owned()] {
        let request = SuspendUserRequest { name: "ada".to_owned(), reason };
        let refused = admin.suspend_user(request).await.unwrap_err();
        assert_eq!(refused.fields(), ["name", "reason"]);
    }
}

async fn listed(admin: &mut Admin, size: i32, token: &str) -> Result<ListUsersResponse, Status> {
    let request =
        ListUsersRequest { page_size: size, page_token: token.to_owned(), email: String::new() };
    admin.list_users(request).await.map(tonic::Response::into_inner)
}

/// Newest first, each once, whatever the pages; or the one with an e-mail.
#[tokio::test]
async fn accounts_are_listed_newest_first() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let mut admin = app.admin(&operator.credentials.access_token);
    let mut expected = vec![operator.email.clone()];
    for name in ["ada", "bob", "cleo", "dan"] {
        // Two are of the same moment.
        if name != "bob" {
            app.clock.advance(std::time::Duration::from_millis(1));
        }
        expected.insert(0, app.signed_up(name).await.email);
    }
    let (mut emails, mut token) = (Vec::new(), String::new());
    loop {
        let page = listed(&mut admin, 2, &token).await.unwrap();
        assert!(page.users.len() <= 2);
        emails.extend(page.users.into_iter().map(|account| account.user.unwrap().email));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(emails.len(), 5);
    assert_eq!(emails.iter().collect::<HashSet<_>>(), expected.iter().collect());
    assert_eq!((&emails[..2], &emails[4]), (&expected[..2], &expected[4]));

    let one = |email: &str| ListUsersRequest { email: email.to_owned(), ..Default::default() };
    let found = admin.list_users(one("Ada@Example.ORG")).await.unwrap().into_inner().users;
    let [found] = &found[..] else { panic!("one account") };
    assert_eq!(found.user.as_ref().unwrap().email, "ada@example.org");
    assert!(!found.admin && !found.has_second_factor && found.suspend_time.is_none());
    let found = admin.list_users(one(&operator.email)).await.unwrap().into_inner().users;
    assert!(found[0].admin);
    assert!(admin.list_users(one("eve@example.org")).await.unwrap().into_inner().users.is_empty());

    let refused = admin.list_users(one("nobody")).await.unwrap_err();
    assert_eq!(refused.fields(), ["email"]);
    let refused = listed(&mut admin, -1, "").await.unwrap_err();
    assert_eq!(refused.fields(), ["page_size"]);
    listed(&mut admin, 0, "AAAA")
        .await
        .unwrap_err()
        .is(Code::InvalidArgument, "PAGE_TOKEN_INVALID");
}

/// The secret is told once and works; the log says who did what.
#[tokio::test]
async fn operators_give_machines_accounts() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let mut admin = app.admin(&operator.credentials.access_token);
    let create = |name: &str, scopes: &[&str], key: &str| CreateServiceAccountRequest {
        name: name.to_owned(),
        scopes: owned(scopes),
        public_key: key.to_owned(),
    };
    let request = create("serviceAccounts/reporter", &["tasks:read"], "");
    let made = admin.create_service_account(request).await.unwrap().into_inner();
    let account = made.service_account.unwrap();
    assert_eq!(
        (account.name.as_str(), account.secret_create_times.len()),
        ("serviceAccounts/reporter", 1)
    );
    let issued = app.issue(by(&made.secret.clone().into()), &[], &[]).await.unwrap();
    assert_eq!(issued.scopes, ["tasks:read"]);

    let key = serde_json::to_string(shared::testing::TestIssuer::new().jwk()).unwrap();
    let request = create("serviceAccounts/reporter", &["tasks:read"], &key);
    assert_eq!(admin.create_service_account(request).await.unwrap().into_inner().secret, "");
    let request = create("serviceAccounts/", &["everything"], "{}");
    let refused = admin.create_service_account(request).await.unwrap_err();
    assert_eq!(refused.fields(), ["name", "scopes", "public_key"]);

    let accounts = admin.list_service_accounts(ListServiceAccountsRequest {}).await.unwrap();
    let [listed] = &accounts.into_inner().service_accounts[..] else { panic!("one account") };
    assert!(listed.name == account.name && listed.last_use_time.is_some());
    let delete = || DeleteServiceAccountRequest { name: account.name.clone() };
    admin.delete_service_account(delete()).await.unwrap();
    let again = admin.delete_service_account(delete()).await.unwrap_err();
    again.is(Code::NotFound, "SERVICE_ACCOUNT_NOT_FOUND");
    app.issue(by(&made.secret.into()), &[], &[]).await.unwrap_err();

    let request = proto::auth::v1::ListAuditEventsRequest::default();
    let events = admin.list_audit_events(request).await.unwrap().into_inner().events;
    let by_operator: Vec<_> = events.iter().filter(|event| event.actor == operator.name).collect();
    assert_eq!(by_operator.len(), 3);
    assert!(by_operator.iter().all(|event| event.details["service_account"] == "reporter"));
}

/// An address that somebody else may have taken first makes nobody an operator.
#[tokio::test]
async fn the_first_operator_is_made_at_the_machine() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let refused = app.make_operator(&ada.email, None, false).await.unwrap_err();
    assert!(refused.to_string().contains("--unverified"), "{refused}");
    assert_eq!(app.make_operator("ADA@example.org", None, true).await.unwrap(), Made::Granted);
    assert_eq!(app.make_operator(&ada.email, None, false).await.unwrap(), Made::Kept);
    let bob = app.signed_up("bob").await;
    app.tamper("update data.users set email_verified = true where email = 'bob@example.org'").await;
    assert_eq!(app.make_operator(&bob.email, None, false).await.unwrap(), Made::Granted);

    assert!(app.make_operator("new@example.org", None, false).await.is_err());
    for bad in ["short", "password", "new@example.org"] {
        assert!(app.make_operator("new@example.org", Some(bad), false).await.is_err(), "{bad}");
    }
    app.sign_in("new@example.org", PASSWORD).await.unwrap_err();
    let operator = app.operator("new").await;
    assert_eq!(app.introspect(&operator.credentials.access_token).await.scopes, ["admin"]);

    // Who was signed in becomes one at the next refresh.
    assert!(app.introspect(&ada.credentials.access_token).await.scopes.is_empty());
    let refreshed = app.refresh(&ada.credentials.refresh_token).await.unwrap();
    assert_eq!(app.introspect(&refreshed.access_token).await.scopes, ["admin"]);
    let mut admin = app.admin(&refreshed.access_token);
    let said = ["admin.user.made_operator", "sign_up"];
    assert_eq!(kinds(&mut admin, &ada.name).await, said);
}

/// At the machine somebody is made an operator no more: tokens that say otherwise
/// are refused, and the log says so.
#[tokio::test]
async fn an_operators_right_is_taken_back_at_the_machine() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let revoke = async |email: &str| {
        first::revoke(&app.own_database(), &Email::parse(email).unwrap(), app.clock.now()).await
    };
    assert_eq!(revoke("OLGA@example.org").await.unwrap(), Revoked::Done);
    assert_eq!(revoke(&operator.email).await.unwrap(), Revoked::Kept);
    assert!(revoke("nobody@example.org").await.is_err());
    let token = &operator.credentials.access_token;
    let over = app.admin(token).list_users(ListUsersRequest::default()).await.unwrap_err();
    over.is(Code::Unauthenticated, "SESSION_REVOKED");
    assert!(!app.introspect(token).await.active);
    app.refresh(&operator.credentials.refresh_token).await.unwrap_err();

    // The account is there, and an ordinary one.
    let again = app.sign_in(&operator.email, PASSWORD).await.unwrap();
    assert!(app.introspect(&again.access_token).await.scopes.is_empty());
    let happened = app.all_activity(&again.access_token).await;
    assert_eq!(happened[1].kind, "admin.user.revoked_operator");
    let made = app.make_operator(&operator.email, None, true).await.unwrap();
    assert_eq!(made, Made::Granted);

    let url = app.database.app.to_url_lossy().to_string();
    let done = "olga@example.org is no operator any more; its sessions are over.\n";
    for (email, code, said) in [
        (operator.email.as_str(), 0, done),
        (&operator.email, 0, "olga@example.org is no operator.\n"),
        ("nobody@example.org", 1, ""),
        ("nobody", 64, ""),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_auth-service"));
        command.args(["admin", "revoke", email]).env_clear().env("AUTH_DATABASE_URL", &url);
        let output = tokio::process::Command::from(command).output().await.unwrap();
        let told = (output.status.code(), String::from_utf8(output.stdout).unwrap());
        assert_eq!(told, (Some(code), said.to_owned()), "{email}");
    }
}
