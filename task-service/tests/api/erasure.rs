//! Users whose account is gone: nothing of theirs stays, and nothing comes back,
//! whatever happens meanwhile.

use std::time::Duration;

use proto::task::v1 as pb;
use shared::{clock::Clock as _, database::Database, rng, testing::eventually};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use task_service::{
    App,
    erasure::Eraser,
    sweep::{self, Purged},
};
use tonic::Code;
use uuid::Uuid;

use crate::{
    app::{TestApp, User, at_once, config, reason, refused},
    list_calls::make,
    matrix::{self, Owned},
    services::service,
};

/// How many rows there are of a user in every table that has users' rows, those
/// with none left out. The mark is not counted: it is no content.
async fn left(superuser: &mut PgConnection, user: Uuid) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'
         where c.relkind in ('r', 'p') and c.relnamespace = 'data'::regnamespace order by 1",
    )
    .fetch_all(&mut *superuser)
    .await
    .expect("the tables");
    assert!(tables.len() >= 4, "{tables:?}");
    let mut left = Vec::new();
    for table in tables {
        let is_mark = match table.as_str() {
            "data.user_state" => " and (erased_at is null or task_count + list_count > 0)",
            _ => "",
        };
        let count = format!("select count(*) from {table} where user_id = '{user}'{is_mark}");
        let rows = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut *superuser);
        let rows: i64 = rows.await.expect("a count");
        left.extend((rows > 0).then_some((table, rows)));
    }
    left
}

/// What erases, as a replica that was started just now.
async fn eraser(app: &TestApp) -> Eraser {
    let pool = Database::new(app.database.app.clone(), 2);
    let issuer = app.issuer.name();
    let opened = App::open(config(&["--issuer", issuer]), pool, app.clock.shared()).await;
    opened.expect("a replica").eraser()
}

async fn superuser(app: &TestApp) -> PgConnection {
    app.database.superuser.connect().await.expect("a connection")
}

/// A task in a list, a list in the bin, and what remembers a write.
async fn settled(app: &TestApp) -> User {
    let user = app.user();
    let list = make(&user, "Home").await;
    let task = pb::Task { title: "Tea".to_owned(), list: list.name, ..Default::default() };
    let task = user.create_with(task, &rng::uuid_v4().to_string()).await.expect("a task");
    user.create("Milk").await;
    user.delete(&task.into_inner().name).await.expect("it is deleted");
    user
}

/// Gives a user that many tasks more.
async fn add_tasks(app: &TestApp, user: &User, count: i64) {
    sqlx::query(
        "insert into data.tasks (user_id, id, title, notes, created_at, updated_at, rev, position)
         select $1, gen_random_uuid(), 'T', '', $2, $2, 1000 + n, n from generate_series(1, $3) n",
    )
    .bind(user.id)
    .bind(app.clock.now())
    .bind(count)
    .execute(&mut superuser(app).await)
    .await
    .expect("tasks");
}

#[tokio::test]
async fn nothing_of_an_erased_user_is_left_and_all_of_everybody_else() {
    let app = TestApp::start().await;
    let (ada, ben) = (settled(&app).await, settled(&app).await);
    let bens = app.stored(ben.id).await;
    let mut superuser = superuser(&app).await;
    assert_eq!(left(&mut superuser, ada.id).await.len(), 4);

    let eraser = eraser(&app).await;
    eraser.erase(ada.id).await.unwrap();
    assert_eq!(left(&mut superuser, ada.id).await, []);
    assert_eq!(app.stored(ben.id).await, bens);
    assert_eq!(ada.titles().await, Vec::<String>::new());

    // Once more is no fault, and neither is somebody who never had anything.
    let erased = app.stored(ada.id).await;
    app.clock.advance(Duration::from_secs(1));
    eraser.erase(ada.id).await.unwrap();
    assert_eq!(app.stored(ada.id).await, erased);
    let nobody = rng::uuid_v4();
    eraser.erase(nobody).await.unwrap();
    assert_eq!(left(&mut superuser, nobody).await, []);
}

/// A token can live longer than its account: no method writes anything by it.
#[tokio::test]
async fn nothing_is_written_for_an_erased_user_any_more() {
    let app = TestApp::start().await;
    let (ada, newcomer) = (settled(&app).await, app.user());
    let eraser = eraser(&app).await;
    eraser.erase(ada.id).await.unwrap();
    eraser.erase(newcomer.id).await.unwrap();

    let mut superuser = superuser(&app).await;
    for user in [&ada, &newcomer] {
        let task = pb::Task { title: "Back".to_owned(), ..Default::default() };
        for request_id in [String::new(), rng::uuid_v4().to_string()] {
            let created = user.create_with(task.clone(), &request_id).await;
            refused(created, Code::Unauthenticated, "SESSION_REVOKED");
        }
        let own = Owned::made_up(user.id);
        let authorization = format!("Bearer {}", app.token(user.id));
        let mut told = 0;
        for row in matrix::rows(&own, &own) {
            for request in row.requests {
                let answer = row.method.call(&app.channel, &[&authorization], request).await;
                let revoked = answer.is_err_and(|status| reason(&status) == "SESSION_REVOKED");
                told += i32::from(revoked);
            }
        }
        assert!(told >= 8, "{told}");
        assert_eq!(left(&mut superuser, user.id).await, []);
    }
}

/// Whoever writes at the same moment is in time and erased, or refused.
#[tokio::test]
async fn writes_beside_an_erasure_leave_nothing() {
    let app = TestApp::start().await;
    let mut superuser = superuser(&app).await;
    for _ in 0..5 {
        let ada = app.user();
        let writing = (0..8).map(|place| {
            let ada = ada.clone();
            async move {
                for _ in 0..10 {
                    let task = pb::Task { title: "Tea".to_owned(), ..Default::default() };
                    let request_id = rng::uuid_v4().to_string();
                    let written = match place % 2 {
                        0 => ada.create_with(task, &request_id).await.map(|_| ()),
                        _ => {
                            let list = crate::list_calls::creating("Home", "", &request_id);
                            crate::list_calls::create(&ada, list).await.map(|_| ())
                        }
                    };
                    if let Err(status) = written {
                        assert_eq!(reason(&status), "SESSION_REVOKED", "{status:?}");
                    }
                }
            }
        });
        let eraser = eraser(&app).await;
        let (_, erased) = tokio::join!(at_once(writing.collect::<Vec<_>>()), eraser.erase(ada.id));
        erased.unwrap();
        assert_eq!(left(&mut superuser, ada.id).await, []);
    }
}

/// A replica that ends half-way leaves a mark; whoever is told next finishes.
#[tokio::test]
async fn an_erasure_that_was_broken_off_is_finished_by_another_replica() {
    let app = TestApp::start().await;
    let ada = settled(&app).await;
    let mut superuser = superuser(&app).await;
    add_tasks(&app, &ada, 2500).await;
    let mut role = app.database.app.connect().await.unwrap();
    for expected in [2502_i64, 1502] {
        let step =
            sqlx::query_scalar::<_, bool>("select is_done from api.erase_user($1, $2, 1000)")
                .bind(ada.id)
                .bind(app.clock.now());
        assert!(!step.fetch_one(&mut role).await.unwrap());
        let tasks: i64 = sqlx::query_scalar("select count(*) from data.tasks where user_id = $1")
            .bind(ada.id)
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        assert_eq!(tasks, expected);
    }
    let task = pb::Task { title: "Back".to_owned(), ..Default::default() };
    refused(ada.create_with(task, "").await, Code::Unauthenticated, "SESSION_REVOKED");

    eraser(&app).await.erase(ada.id).await.unwrap();
    assert_eq!(left(&mut superuser, ada.id).await, []);
}

/// Every replica is told whom to erase. None takes the work of another for its
/// own, and says that nothing is left while there is.
#[tokio::test]
async fn replicas_that_erase_the_same_user_wait_for_each_other() {
    let app = TestApp::start().await;
    let ada = settled(&app).await;
    add_tasks(&app, &ada, 2500).await;
    let step = async || {
        let mut role = app.database.app.connect().await.unwrap();
        let step = "select is_done from api.erase_user($1, $2, 1000)";
        let step = sqlx::query_scalar::<_, bool>(step).bind(ada.id).bind(app.clock.now());
        step.fetch_one(&mut role).await.unwrap()
    };
    assert!(!step().await);
    // Both have begun before either has removed anything.
    let mut held = superuser(&app).await;
    let first = "select from data.tasks where user_id = $1 order by id limit 1 for update";
    sqlx::raw_sql("begin").execute(&mut held).await.unwrap();
    sqlx::query(first).bind(ada.id).execute(&mut held).await.unwrap();
    let both_wait = async || {
        let waiting = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'";
        let waiting = sqlx::query_scalar::<_, i64>(waiting);
        waiting.fetch_one(&mut superuser(&app).await).await.unwrap() == 2
    };
    let release = async {
        eventually("both wait", both_wait).await;
        sqlx::raw_sql("rollback").execute(&mut held).await.unwrap();
    };
    let (one, other, ()) = tokio::join!(step(), step(), release);
    assert!(!one && !other, "500 are left");
    assert!(step().await);
    assert_eq!(left(&mut superuser(&app).await, ada.id).await, []);
}

/// A step takes no longer however many tasks there are, nor when the planner
/// believes that there are few.
#[tokio::test]
async fn all_that_a_user_may_have_is_erased_in_time() {
    let app = TestApp::start().await;
    let ada = settled(&app).await;
    // Everybody else has one.
    sqlx::raw_sql(
        "insert into data.tasks (user_id, id, title, notes, created_at, updated_at, rev, position)
         select gen_random_uuid(), gen_random_uuid(), 'T', '', now(), now(), 1, 1
         from generate_series(1, 5000);
         analyze",
    )
    .execute(&mut superuser(&app).await)
    .await
    .unwrap();
    add_tasks(&app, &ada, 30_000).await;
    eraser(&app).await.erase(ada.id).await.unwrap();
    assert_eq!(left(&mut superuser(&app).await, ada.id).await, []);
}

/// Purging steps over those who are being erased, and their mark stays for good: a
/// service with a token of its own may name them years later.
#[tokio::test]
async fn the_mark_itself_stays() {
    let app = TestApp::start_with(&["--trust-max-staleness", "9999d"]).await;
    let ada = settled(&app).await;
    app.clock.advance(Duration::from_secs(29 * 86_400));
    let mut role = app.database.app.connect().await.unwrap();
    let marked = sqlx::query("select from api.erase_user($1, $2, 1000)").bind(ada.id);
    marked.bind(app.clock.now()).execute(&mut role).await.unwrap();

    // What was deleted before is due now, and is the erasure's.
    let database = Database::new(app.database.app.clone(), 1);
    app.clock.advance(Duration::from_secs(2 * 86_400));
    let purged = sweep::sweep(&database, app.clock.now()).await.unwrap();
    assert_eq!(purged, Purged::default());
    eraser(&app).await.erase(ada.id).await.unwrap();
    let mark = app.stored(ada.id).await;

    app.clock.advance(Duration::from_secs(3 * 366 * 86_400));
    sweep::sweep(&database, app.clock.now()).await.unwrap();
    assert_eq!(app.stored(ada.id).await, mark);
    let mut other = service(&app, &["tasks:write"]).client;
    let task = pb::Task { title: "Back".to_owned(), ..Default::default() };
    let request =
        pb::CreateTaskRequest { parent: ada.name(), task: Some(task), ..Default::default() };
    refused(other.create_task(request).await, Code::Unauthenticated, "SESSION_REVOKED");
    assert_eq!(app.stored(ada.id).await, mark);
}

/// What a client knows of an erased user is gone there, too.
#[tokio::test]
async fn whoever_knows_changes_is_told_that_everything_is_gone() {
    let app = TestApp::start().await;
    let ada = settled(&app).await;
    let sync = async |token: &str| {
        let request = pb::SyncTasksRequest { sync_token: token.to_owned(), ..Default::default() };
        ada.client.clone().sync_tasks(request).await.map(tonic::Response::into_inner)
    };
    let known = sync("").await.unwrap();
    assert!(!known.changes.is_empty());
    eraser(&app).await.erase(ada.id).await.unwrap();
    refused(sync(&known.next_sync_token).await, Code::OutOfRange, "SYNC_TOKEN_EXPIRED");
    assert!(sync("").await.unwrap().changes.is_empty());
}
