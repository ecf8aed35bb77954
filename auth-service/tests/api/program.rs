//! The program `auth-service` itself: how it is configured, migrates, serves,
//! and stops.

use std::process::{Command, Output};

use auth_service::SCHEMA;
use proto::auth::v1::ListUsersRequest;
use shared::testing::{database, eventually};
use sqlx::ConnectOptions as _;

use crate::harness::{PASSWORD, TestApp, key};

fn program(args: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth-service"));
    command.args(args).env_clear().envs(variables.iter().copied());
    command
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// E6: every bad setting at once, with exit code 64 and no secret shown.
#[test]
fn bad_configuration_is_refused_as_a_whole() {
    let variables = [
        ("AUTH_KEY_ENCRYPTION_KEY", "hunter2"),
        ("AUTH_DATABASE_URL", "hunter2"),
        ("AUTH_ACCESS_TOKEN_TTL", "later"),
        ("AUTH_LISTEN_ADDR", "nowhere"),
        ("AUTH_ALLOWED_ORIGINS", "https://a.example/path"),
    ];
    let (code, said) = told(&program(&[], &variables).output().unwrap());
    assert_eq!(code, Some(64), "{said}");
    for name in ["AUTH_ACCESS_TOKEN_TTL", "AUTH_LISTEN_ADDR", "AUTH_ALLOWED_ORIGINS"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    let (code, said) = told(&program(&[], &variables[..2]).output().unwrap());
    assert_eq!(code, Some(64), "{said}");
    for name in ["AUTH_KEY_ENCRYPTION_KEY", "AUTH_DATABASE_URL"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    assert!(!said.contains("hunter2"), "{said}");
    let (code, said) = told(&program(&[], &[]).output().unwrap());
    assert_eq!(code, Some(64));
    assert!(said.contains("AUTH_KEY_ENCRYPTION_KEY is missing"), "{said}");
    let help = program(&["--help"], &[]).output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8(help.stdout).unwrap().contains("AUTH_REFRESH_GRACE"));
}

/// `migrate` may run again and again; then the service starts, says by `health`
/// that it is ready, and ends with 0 when it is asked to.
#[tokio::test]
async fn it_migrates_serves_and_stops() {
    let database = database(&SCHEMA).await;
    let owner = database.owner.to_url_lossy().to_string();
    for _ in 0..2 {
        let migrate = program(&["migrate"], &[("AUTH_OWNER_DATABASE_URL", &owner)]);
        let (code, said) = told(&finish(migrate).await);
        assert_eq!(code, Some(0), "{said}");
    }

    let (app, key) = (database.app.to_url_lossy().to_string(), key());
    let admin = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let variables = [
        ("AUTH_DATABASE_URL", app.as_str()),
        ("AUTH_KEY_ENCRYPTION_KEY", &key),
        ("AUTH_LISTEN_ADDR", "127.0.0.1:0"),
        ("AUTH_ADMIN_ADDR", &admin),
    ];
    let mut serving =
        tokio::process::Command::from(program(&[], &variables)).kill_on_drop(true).spawn().unwrap();
    eventually("the service is ready", async || {
        let health = program(&["health"], &[("AUTH_ADMIN_ADDR", &admin)]);
        finish(health).await.status.success()
    })
    .await;
    let pid = rustix::process::Pid::from_raw(i32::try_from(serving.id().unwrap()).unwrap());
    rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::TERM).unwrap();
    assert_eq!(serving.wait().await.unwrap().code(), Some(0));
    let health = program(&["health"], &[("AUTH_ADMIN_ADDR", &admin)]);
    assert_eq!(finish(health).await.status.code(), Some(1));
}

/// The first operator is made at the machine, with a password out of a file; what
/// is wrong with that is said, and nobody is made one.
#[tokio::test]
async fn it_makes_an_operator() {
    let app = TestApp::start().await;
    let url = app.database.app.to_url_lossy().to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (good, short) = (file("good", &format!("{PASSWORD}\n")), file("short", "short\n"));
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    let create = async |email: &str, file: &str| {
        let line = ["admin", "create", email, "--password-file", file];
        let output = finish(program(&line, &[("AUTH_DATABASE_URL", &url)])).await;
        let said = String::from_utf8(output.stdout.clone()).unwrap();
        let (code, log) = told(&output);
        assert!(!log.contains(PASSWORD) && !said.contains(PASSWORD), "{log}");
        (code, said, log)
    };
    let email = "root@example.org";
    for (email, file, code) in [(email, &short, 1), (email, &missing, 1), ("root", &good, 64)] {
        let (exit, said, log) = create(email, file).await;
        assert_eq!((exit, said.as_str()), (Some(code), ""), "{log}");
        assert!(!log.is_empty());
    }
    app.sign_in(email, PASSWORD).await.unwrap_err();

    for outcome in ["has an account now, which is an operator's", "is an operator already"] {
        let (code, said, log) = create(email, &good).await;
        assert_eq!((code, said), (Some(0), format!("{email} {outcome}.\n")), "{log}");
    }
    let root = app.sign_in(email, PASSWORD).await.unwrap();
    let mut admin = app.admin(&root.access_token);
    let users = admin.list_users(ListUsersRequest::default()).await.unwrap().into_inner().users;
    assert!(users.len() == 1 && users[0].admin, "{users:?}");
}

async fn finish(command: Command) -> Output {
    tokio::process::Command::from(command).output().await.unwrap()
}
