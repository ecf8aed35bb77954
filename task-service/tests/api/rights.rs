//! What the roles of the database may do, for whoever gets hold of one.

use shared::{
    database::Database,
    testing::{self, isolation_faults},
};
use sqlx::{ConnectOptions as _, PgConnection};
use task_service::{App, SCHEMA};

use crate::{
    app::{TestApp, config},
    list_calls::make,
};

/// The functions that the service may call, and nothing else.
pub(crate) const CALLABLE: [&str; 17] = [
    "api.changes",
    "api.create_list",
    "api.create_task",
    "api.delete_list",
    "api.erase_user",
    "api.export_tasks",
    "api.get_list",
    "api.get_task",
    "api.get_usage",
    "api.heads",
    "api.import_tasks",
    "api.is_erased",
    "api.list_lists",
    "api.list_tasks",
    "api.mutate_tasks",
    "api.sweep",
    "api.update_list",
];

/// SC-005: a stolen connection of the service reads no table and calls nothing
/// but the listed functions; nor does the owner see a row without a user.
#[tokio::test]
async fn the_services_role_can_only_call_its_functions() {
    let app = TestApp::start().await;
    app.user().create("Secret").await;
    let faults = isolation_faults(&app.database, &CALLABLE).await;
    assert_eq!(faults, Vec::<String>::new());
    let mut role = app.database.app.connect().await.unwrap();
    sqlx::query("set role tasks_owner").execute(&mut role).await.unwrap_err();
}

/// FR-022, SC-005: even the owner sees no user's rows without saying whose; the
/// setting that purging uses opens the counters and nothing else; and no call
/// leaves a setting behind.
#[tokio::test]
async fn the_owner_without_a_user_sees_no_row() {
    let app = TestApp::start().await;
    let ada = app.user();
    ada.create_with(
        proto::task::v1::Task { title: "Secret".to_owned(), ..Default::default() },
        &shared::rng::uuid_v4().to_string(),
    )
    .await
    .unwrap();
    let mut owner = app.database.owner.connect().await.unwrap();
    make(&ada, "Secret list").await;
    let counts = async |owner: &mut PgConnection| -> (i64, i64, i64, i64) {
        sqlx::query_as(
            "select (select count(*) from data.tasks), (select count(*) from data.requests),
                    (select count(*) from data.user_state), (select count(*) from data.lists)",
        )
        .fetch_one(owner)
        .await
        .unwrap()
    };
    let set = async |owner: &mut PgConnection, name: &str, value: &str| {
        let set = sqlx::query("select set_config($1, $2, false)").bind(name).bind(value);
        set.execute(owner).await.unwrap();
    };
    assert_eq!(counts(&mut owner).await, (0, 0, 0, 0));
    set(&mut owner, "app.user_id", "").await;
    assert_eq!(counts(&mut owner).await, (0, 0, 0, 0));
    set(&mut owner, "app.sweep", "on").await;
    assert_eq!(counts(&mut owner).await, (0, 0, 1, 0));
    set(&mut owner, "app.sweep", "").await;
    set(&mut owner, "app.user_id", &shared::rng::uuid_v4().to_string()).await;
    assert_eq!(counts(&mut owner).await, (0, 0, 0, 0));
    set(&mut owner, "app.user_id", &ada.id.to_string()).await;
    assert_eq!(counts(&mut owner).await, (1, 1, 1, 1));

    let mut role = app.database.app.connect().await.unwrap();
    for call in [
        "select from api.list_tasks(
             '00000000-0000-4000-8000-000000000001', null, 'due', false, true, null, 1)",
        "select from api.list_lists('00000000-0000-4000-8000-000000000001', null, 1)",
        "select from api.get_usage('00000000-0000-4000-8000-000000000001')",
        "select from api.heads(array['00000000-0000-4000-8000-000000000001']::uuid[])",
        "select from api.sweep(now(), null, 1, 1)",
    ] {
        sqlx::query(call).execute(&mut role).await.unwrap();
        let left: Vec<String> = sqlx::query_scalar(
            "select s from unnest(array['app.user_id', 'app.sweep', 'app.heads']) s
             where coalesce(current_setting(s, true), '') <> ''",
        )
        .fetch_all(&mut role)
        .await
        .unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// The service does not run with more rights than it needs.
#[tokio::test]
async fn the_service_refuses_to_run_as_owner_or_superuser() {
    let database = testing::database(&SCHEMA).await;
    let clock = testing::ManualClock::new();
    for (options, why) in [(&database.owner, "it owns"), (&database.superuser, "a superuser")] {
        let pool = Database::new(options.clone(), 1);
        let opened = App::open(config(&[]), pool, clock.shared()).await;
        let error = opened.err().expect("this is refused").to_string();
        assert!(error.contains(why), "{error}");
    }
}
