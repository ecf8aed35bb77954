//! What must be true of the database so that it can grow: one statement per
//! call, and tables that can be spread over many servers.

use proto::task::v1::{ListTasksRequest, Task};
use shared::{
    rng,
    testing::{self, StatementCounter, shard_faults},
};
use sqlx::{ConnectOptions as _, PgConnection};
use task_service::SCHEMA;

use crate::{app::TestApp, raw};

/// P6: every method is exactly one statement and one round trip, refusals from
/// the name alone none at all.
#[tokio::test]
async fn every_method_is_one_statement() {
    let database = testing::database(&SCHEMA).await;
    let counter = StatementCounter::before(&database.app).unwrap();
    let through = counter.through(&database.app);
    // One connection, so that what is prepared stays prepared.
    let app = TestApp::start_on(database, through, 1).await;
    let ada = app.user();
    let mut seen = std::collections::HashSet::new();
    for warm in [false, true] {
        let mut check = |method: &'static str| {
            let counted = (counter.take(), counter.take_round_trips());
            seen.insert(method);
            if warm {
                assert_eq!(counted, (1, 1), "{method}");
            }
        };
        let _ = (counter.take(), counter.take_round_trips());
        let id = || rng::uuid_v4().to_string();
        let task = Task { title: "Task".to_owned(), ..Task::default() };
        let task = ada.create_with(task, &id()).await.unwrap().into_inner();
        check("CreateTask");
        ada.get(&task.name).await.unwrap();
        check("GetTask");
        ada.list(ListTasksRequest::default()).await.unwrap();
        check("ListTasks");
        ada.update(Task { title: "New".to_owned(), ..task.clone() }, &["title"]).await.unwrap();
        check("UpdateTask");
        ada.complete_with(&task.name, "", &id()).await.unwrap();
        check("CompleteTask");
        ada.reopen(&task.name).await.unwrap();
        check("ReopenTask");
        ada.delete_with(&task.name, "", &id()).await.unwrap();
        check("DeleteTask");
        ada.get(&task.name).await.unwrap_err();
        check("GetTask");
    }
    assert_eq!(seen.len(), raw::methods().len(), "every method is counted");
    let others = app.user().create("Theirs").await;
    let _ = (counter.take(), counter.take_round_trips());
    ada.get(&others.name).await.unwrap_err();
    assert_eq!((counter.take(), counter.take_round_trips()), (0, 0));
}

/// DESIGN, section 3, "shard readiness": nothing in the tables keeps a user's
/// rows from living on a server of their own.
#[tokio::test]
async fn the_tables_can_be_sharded_by_user() {
    let database = testing::database(&SCHEMA).await;
    let faults = shard_faults(&database, &["api.sweep("]).await;
    assert_eq!(faults, Vec::<String>::new());
}

/// P15: each kind of list has an index that holds exactly its rows, so a page
/// reads as many rows as it has, at any depth and whatever else the user has.
#[tokio::test]
async fn a_page_reads_no_row_but_its_own() {
    let database = testing::database(&SCHEMA).await;
    let mut superuser = database.superuser.connect().await.unwrap();
    // 50,000 tasks, one in ten of them deleted, one in a hundred open. Nothing
    // else shall read the table while its reads are counted.
    sqlx::raw_sql(
        "alter table data.tasks set (autovacuum_enabled = false);
         insert into data.tasks (user_id, id, title, notes, completed_at, deleted_at,
                                 created_at, updated_at, rev)
         select '00000000-0000-4000-8000-000000000001',
                ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '', '',
                case when n % 100 > 0 and n % 10 <> 5 then now() end,
                case when n % 10 = 5 then now() end, now(), now(), n
         from generate_series(1, 50000) n;
         analyze data.tasks",
    )
    .execute(&mut superuser)
    .await
    .unwrap();
    let mut role = database.app.connect().await.unwrap();
    let newest = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    let deep = "01900000-0000-7000-8000-000000002710";
    // Often enough for Postgres to settle on a plan.
    for (done, before) in [None, Some(true), Some(false)]
        .into_iter()
        .flat_map(|done| [newest, deep].repeat(5).into_iter().map(move |before| (done, before)))
    {
        let start = rows_read(&mut superuser).await;
        let page = sqlx::query(
            "select id from api.list_tasks(
                 '00000000-0000-4000-8000-000000000001', $1, $2::uuid, 51)",
        )
        .bind(done)
        .bind(before)
        .fetch_all(&mut role)
        .await
        .unwrap();
        assert_eq!(page.len(), 51);
        // Counts become visible with the end of the next statement.
        for statement in ["select pg_stat_force_next_flush()", "select 1"] {
            sqlx::query(statement).execute(&mut role).await.unwrap();
        }
        let read = rows_read(&mut superuser).await - start;
        assert_eq!(read, 51, "{done:?} before {before}");
    }
}

async fn rows_read(superuser: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "select idx_tup_fetch + seq_tup_read from pg_stat_all_tables
         where relid = 'data.tasks'::regclass",
    )
    .fetch_one(superuser)
    .await
    .expect("the statistics answer")
}
