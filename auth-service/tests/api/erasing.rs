//! Who has to erase what it has of a deleted user: those that the operator named,
//! whether they watch or not; and what becomes of what nobody ever confirms.

use std::process::Command;

use auth_service::config::Config;
use clap::Parser as _;
use serde_json::json;
use shared::{clock::Clock as _, config::Settings as _, rng};
use sqlx::ConnectOptions as _;

use crate::{
    deletion::{REQUEST, checked, id, traces},
    harness::{TestApp, days, minutes},
    services::audited,
};

/// Until each has confirmed there is no receipt, even if at the moment of the
/// deletion there was nobody to confirm; and nobody else is asked.
#[tokio::test]
async fn whoever_has_to_erase_is_waited_for_though_it_never_watched() {
    let app = TestApp::start().await;
    let mirror = app.watching("mirror").await;
    let ada = app.signed_up("ada").await;
    let token = app.delete(&ada, REQUEST).await.unwrap();
    let receipt = app.receipt(&token).await.unwrap();
    let said: Vec<_> =
        receipt.erasures.iter().map(|it| (it.service.as_str(), it.erase_time)).collect();
    assert_eq!((said, receipt.receipt.as_str()), (vec![("task-service", None)], ""));
    assert!(app.pending(&mirror).await.is_empty());
    assert!(!app.confirm(id(&ada), &mirror).await);
    assert_eq!(app.receipt(&token).await.unwrap().receipt, "");

    let tasks = app.watching("task-service").await;
    assert_eq!(app.pending(&tasks).await, [id(&ada)]);
    assert!(app.confirm(id(&ada), &tasks).await);
    assert!(!app.receipt(&token).await.unwrap().receipt.is_empty());
}

#[test]
fn the_services_that_erase_are_named_as_their_accounts() {
    let faults = |services: &str| {
        let flag = format!("--erasing-services={services}");
        let config = Config::parse_from(["auth-service", &flag]);
        let ours = config.faults().into_iter().filter(|it| it.contains("AUTH_ERASING_SERVICES"));
        (config.export.erasing_services(), ours.count())
    };
    assert_eq!(faults(""), (vec![], 0));
    assert_eq!(faults("a, b"), (vec!["a".to_owned(), "b".to_owned()], 0));
    assert_eq!(faults("a,Task Service,b_").1, 2);
}

/// The operator at the machine sees who is waited for, and can end that; the
/// receipt claims nothing that was not confirmed.
#[tokio::test]
async fn what_is_never_confirmed_can_be_closed() {
    let app = TestApp::start_with(&["--erasing-services=notes,task-service"]).await;
    let tasks = app.watching("task-service").await;
    let ada = app.signed_up("ada").await;
    let token = app.delete(&ada, REQUEST).await.unwrap();
    app.confirm(id(&ada), &tasks).await;
    let confirmed_at = app.clock.now().timestamp();

    let run = async |arguments: &[&str]| {
        let url = app.database.app.to_url_lossy().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_auth-service"));
        command.arg("erasures").args(arguments).env_clear().env("AUTH_DATABASE_URL", url);
        let output = tokio::process::Command::from(command).output().await.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let owed = format!("{} notes 2026-01-20T12:00:00Z\n", ada.name);
    assert_eq!(run(&["list"]).await, (Some(0), owed));
    for (user, service, code) in [
        (ada.name.as_str(), "task-service", 1),
        (&format!("users/{}", rng::uuid_v4()), "notes", 1),
        ("ada", "notes", 64),
        (&ada.name, "No Tes", 64),
    ] {
        assert_eq!(run(&["close", user, service]).await.0, Some(code), "{user} {service}");
    }
    assert_eq!(app.receipt(&token).await.unwrap().receipt, "");
    assert_eq!(run(&["close", &ada.name, "notes"]).await.0, Some(0));
    assert_eq!(run(&["close", &ada.name, "notes"]).await.0, Some(1));
    assert_eq!(run(&["list"]).await, (Some(0), String::new()));
    // A confirmation counts once, and so it is noted; `tasks` has repeated its own.
    assert!(app.confirm(id(&ada), &tasks).await);
    let ended = ["user.deleted", "erasure.confirmed", "erasure.closed"];
    let noted = audited(&app).await;
    assert!(noted.ends_with(&ended.map(str::to_owned)), "{noted:?}");

    let receipt = app.receipt(&token).await.unwrap();
    let [notes, tasks] = &receipt.erasures[..] else { panic!("{receipt:?}") };
    assert!(notes.erase_time.is_none() && tasks.close_time.is_none());
    let (_, said) = checked(&app, &receipt.receipt).await;
    let closed_at = said["services"][0]["closed_at"].clone();
    assert_eq!(closed_at, notes.close_time.unwrap().seconds);
    let services = json!([
        { "service": "notes", "closed_at": closed_at },
        { "service": "task-service", "erased_at": confirmed_at },
    ]);
    assert_eq!(said["services"], services);

    // It may still confirm, and then that is what counts.
    let notes = app.watching("notes").await;
    assert_eq!(app.pending(&notes).await, [id(&ada)]);
    assert!(app.confirm(id(&ada), &notes).await);
    let (_, said) = checked(&app, &app.receipt(&token).await.unwrap().receipt).await;
    let entry = json!({ "service": "notes", "erased_at": confirmed_at });
    assert_eq!(said["services"][0], entry);
    let actors = "select actor from data.audit_events where kind = 'erasure.confirmed'
        order by sequence";
    let mut superuser = app.database.superuser.connect().await.unwrap();
    let actors: Vec<String> = sqlx::query_scalar(actors).fetch_all(&mut superuser).await.unwrap();
    assert_eq!(actors, ["serviceAccounts/task-service", "serviceAccounts/notes"]);
}

/// However many wait for ever, what is over goes: what was confirmed, and what was
/// closed.
#[tokio::test]
async fn deletions_that_wait_keep_no_other_from_being_swept() {
    let app = TestApp::start().await;
    let tasks = app.watching("task-service").await;
    let (ada, bob) = (app.signed_up("ada").await, app.signed_up("bob").await);
    for person in [&ada, &bob] {
        app.delete(person, "").await.unwrap();
    }
    app.confirm(id(&ada), &tasks).await;
    app.tamper(
        "insert into data.deletions (user_id, request_id, receipt_hash, requested_at, forgotten_at)
         select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, gen_random_uuid(), '',
            '2020-01-01', '2020-01-01' from generate_series(1, 1000) n",
    )
    .await;
    app.tamper(
        "insert into data.erasures (user_id, service) select user_id, 'gone' from data.deletions
         where requested_at = '2020-01-01'",
    )
    .await;
    app.clock.advance(minutes(2));
    app.sweep().await;
    app.clock.advance(days(367));
    app.sweep().await;
    let told = |tables: Vec<String>| tables.iter().any(|table| table == "data.deletions");
    assert!(!told(traces(&app, &ada).await));
    assert!(told(traces(&app, &bob).await));
    app.tamper("update data.erasures set closed_at = now() where service = 'gone'").await;
    app.sweep().await;
    let mut superuser = app.database.superuser.connect().await.unwrap();
    let left: i64 = sqlx::query_scalar("select count(*) from data.deletions")
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    assert_eq!(left, 1);
}
