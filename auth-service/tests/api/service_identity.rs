//! What other services do with their account: the file with its secret, made by
//! the program, and the token that is kept fresh for their calls.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use futures_util::FutureExt as _;
use proto::auth::v1::{GetUserRequest, account_service_client::AccountServiceClient};
use shared::{
    secret::Secret,
    service_token::{Credential, Purpose, ServiceToken},
    testing::eventually,
};
use sqlx::ConnectOptions as _;
use tonic::Code;

use crate::{
    harness::{TestApp, Told as _, minutes},
    services::{by, owned},
};

async fn ensure(app: &TestApp, name: &str, scope: &str, file: &Path) -> (Option<i32>, String) {
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_auth-service"));
    let url = app.database.app.to_url_lossy().to_string();
    program.args(["service-account", "ensure", name, "--scope", scope, "--secret-file"]).arg(file);
    program.env_clear().env("AUTH_DATABASE_URL", url);
    let Output { status, stdout, stderr } = program.output().await.unwrap();
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

fn secret(file: &Path) -> Secret {
    Secret::either(None, Some(file)).unwrap().unwrap()
}

/// Again and again, the file is left alone as long as it is good.
#[tokio::test]
async fn the_program_makes_an_account_and_a_file_with_its_secret() {
    let app = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let mut log = String::new();
    for scope in ["trust:watch", "trust:watch", "tasks:read"] {
        let (code, said) = ensure(&app, "task-service", scope, &file).await;
        assert_eq!(code, Some(0), "{said}");
        log.push_str(&said);
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let issued = app.issue(by(&secret(&file)), &[], &[]).await.unwrap();
        assert_eq!(issued.scopes, [scope]);
    }
    let first = secret(&file);
    let accounts = auth_service::service_accounts::list(&app.own_database()).await.unwrap();
    assert_eq!(accounts[0].secrets_created_at.len(), 1);
    assert!(!log.contains(first.expose()), "the secret was logged");

    // What was good is not: there is another one, and nothing lies about.
    app.delete_service("task-service").await;
    fs::write(folder.path().join("secret.new"), "left half-way").unwrap();
    let (code, said) = ensure(&app, "task-service", "trust:watch", &file).await;
    assert_eq!(code, Some(0), "{said}");
    assert_ne!(secret(&file), first);
    app.service_token(&secret(&file)).await.unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A file that holds something else is somebody's, and is left alone.
#[tokio::test]
async fn the_program_overwrites_nothing_else() {
    let app = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let (_, another) = app.service("reporter", &["tasks:read"]).await;
    for holds in ["a diary", another.expose()] {
        fs::write(&file, holds).unwrap();
        let (code, said) = ensure(&app, "task-service", "trust:watch", &file).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(!said.contains(holds), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), holds);
    }
    let nowhere: PathBuf = folder.path().join("nowhere/secret");
    assert_eq!(ensure(&app, "task-service", "trust:watch", &nowhere).await.0, Some(1));
    for (name, scope) in [("Task Service", "trust:watch"), ("task-service", "everything")] {
        assert_eq!(ensure(&app, name, scope, &nowhere).await.0, Some(64));
    }
}

/// Kept fresh through an outage, by whatever the file holds, for all callers
/// with one request.
#[tokio::test]
async fn a_token_is_kept_fresh() {
    let app = TestApp::start_alone().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let (_, first) = app.service("reporter", &["tasks:read", "trust:watch"]).await;
    fs::write(&file, first.expose()).unwrap();
    let purpose = Purpose { scopes: owned(&["trust:watch"]), audience: owned(&["auth-service"]) };
    let credential = Credential::either(None, Some(&file)).unwrap().unwrap();
    let token = ServiceToken::new(app.channel.clone(), credential, purpose, app.clock.shared());
    let call = async || {
        let mut account =
            AccountServiceClient::with_interceptor(app.channel.clone(), token.clone());
        account.get_user(GetUserRequest::default()).await.unwrap_err()
    };
    assert_eq!(call().await.code(), Code::Unavailable);
    assert!(token.token().now_or_never().is_none());

    app.statements.take();
    let keepers = [token.clone(), token.clone()];
    let keepers = keepers.map(|token| tokio::spawn(async move { token.keep().await }));
    let all = futures_util::future::join_all((0..50).map(|_| token.token())).await;
    assert_eq!(app.statements.take(), 1);
    let described = app.introspect(all[0].expose()).await;
    assert_eq!(
        (described.scopes, described.audience),
        (owned(&["trust:watch"]), owned(&["auth-service"]))
    );
    // It is let in, as a service.
    call().await.is(Code::PermissionDenied, "NOT_YOURS");

    // At four fifths of its life comes the next one.
    app.clock.advance(Duration::from_secs(239));
    assert!(token.token().await == all[0]);
    app.clock.advance(Duration::from_secs(1));
    eventually("the next token", async || token.token().await != all[0]).await;
    let next = token.token().await;

    // Nothing to be had: the old one stays, until it expires.
    app.delete_service("reporter").await;
    app.clock.advance(Duration::from_secs(299));
    assert!(token.token().await == next);
    app.clock.advance(Duration::from_secs(1));
    assert!(token.token().now_or_never().is_none());
    assert_eq!(call().await.code(), Code::Unavailable);
    let (_, second) = app.service("reporter", &["tasks:read", "trust:watch"]).await;
    fs::write(&file, second.expose()).unwrap();
    assert!(app.introspect(token.token().await.expose()).await.active);
    for keeper in keepers {
        keeper.abort();
    }
}

/// A token that was withdrawn before its time is exchanged for the next one.
#[tokio::test]
async fn a_refused_token_is_asked_for_again() {
    let app = TestApp::start().await;
    let (_, secret) = app.service("reporter", &["tasks:read", "trust:watch"]).await;
    let credential = Credential::either(Some(&secret), None).unwrap().unwrap();
    let clock = app.clock.shared();
    let token = ServiceToken::new(app.channel.clone(), credential, Purpose::default(), clock);
    let keeping = token.clone();
    let keeper = tokio::spawn(async move { keeping.keep().await });
    let first = token.token().await;
    app.service("reporter", &["trust:watch"]).await;
    token.refused(&first);
    assert!(token.token().now_or_never().is_none());
    app.clock.advance(minutes(1));
    let second = token.token().await;
    assert!(second != first && app.introspect(second.expose()).await.active);
    // What is not in use any more is no news.
    token.refused(&first);
    assert!(token.token().await == second);
    keeper.abort();
}
