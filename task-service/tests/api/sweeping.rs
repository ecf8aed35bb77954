//! What goes for good when its time is over, and what is remembered of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use proto::task::v1 as pb;
use shared::{clock::Clock as _, database::Database, rng};
use sqlx::ConnectOptions as _;
use task_service::sweep::{self, Purged};
use uuid::Uuid;

use crate::{
    app::{TestApp, User},
    list_calls::{delete, make, titles},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn swept(app: &TestApp) -> Purged {
    let database = Database::new(app.database.app.clone(), 1);
    sweep::sweep(&database, app.clock.now()).await.expect("it is purged")
}

/// The highest revision that a user lost.
async fn horizon(app: &TestApp, user: &User) -> i64 {
    let mut superuser = app.database.superuser.connect().await.expect("the horizon");
    sqlx::query_scalar("select horizon_rev from data.user_state where user_id = $1")
        .bind(user.id)
        .fetch_one(&mut superuser)
        .await
        .expect("the horizon")
}

fn again(app: &TestApp, user: &User) -> User {
    app.with_token(user.id, &app.token(user.id))
}

/// Tasks and lists go 30 days after they were deleted, not a second earlier,
/// and the highest revision among them is the horizon from then on.
#[tokio::test]
async fn what_was_deleted_goes_after_thirty_days() {
    let app = TestApp::start_with(&["--trust-max-staleness", "90d"]).await;
    let (ada, ben) = (app.user(), app.user());
    let (kept, gone) = (make(&ada, "Kept").await, make(&ada, "Gone").await);
    let task =
        pb::Task { title: "Task".to_owned(), list: gone.name.clone(), ..pb::Task::default() };
    let task = ada.create_with(task, "").await.unwrap().into_inner();
    let stays = ada.create("Stays").await;
    delete(&ada, &gone.name, true).await.unwrap();
    let deleted = app.head(&ada).await;
    let bens = make(&ben, "Ben's").await;
    app.clock.advance(DAY);
    let ben = again(&app, &ben);
    delete(&ben, &bens.name, false).await.unwrap();

    app.clock.advance(29 * DAY - Duration::from_secs(1));
    assert_eq!(swept(&app).await, Purged::default());
    assert_eq!(horizon(&app, &ada).await, 0);
    app.clock.advance(Duration::from_secs(1));
    let ada = again(&app, &ada);
    let usage = ada.usage().await;
    assert_eq!(swept(&app).await, Purged { tombstones: 2, requests: 0 });
    assert_eq!((horizon(&app, &ada).await, horizon(&app, &ben).await), (deleted, 0));
    let left = app.stored(ada.id).await;
    for name in [&gone.name, &task.name] {
        assert!(!left.contains(name.rsplit('/').next().unwrap()), "{left}");
    }
    assert_eq!(titles(&ada).await, ["Kept"]);
    assert_eq!(ada.get(&stays.name).await.unwrap(), stays);
    assert_eq!((ada.usage().await, app.head(&ada).await), (usage, deleted));

    // The horizon never goes back, and only as far as what is gone.
    delete(&ada, &kept.name, false).await.unwrap();
    app.clock.advance(DAY);
    assert_eq!(swept(&app).await, Purged { tombstones: 1, requests: 0 });
    assert_eq!((horizon(&app, &ada).await, horizon(&app, &ben).await), (deleted, 2));
    app.clock.advance(30 * DAY);
    assert_eq!(swept(&app).await, Purged { tombstones: 1, requests: 0 });
    assert_eq!(horizon(&app, &ada).await, deleted + 1);
    assert_eq!(swept(&app).await, Purged::default());
}

/// A step in the bin is as old as its deletion, wherever its task goes
/// afterwards: what changed since is still told when it is gone.
#[tokio::test]
async fn a_step_in_the_bin_does_not_grow_younger() {
    let app = TestApp::start_with(&["--trust-max-staleness", "90d"]).await;
    let ada = app.user();
    let home = make(&ada, "Home").await;
    let task = ada.create("Task").await;
    let step = ada.step("Step", &task.name).await;
    ada.delete(&step.name).await.unwrap();
    let deleted = app.head(&ada).await;
    app.clock.advance(29 * DAY);
    let ada = again(&app, &ada);
    let to_home = pb::MoveTaskRequest {
        name: task.name.clone(),
        list: Some(home.name.clone()),
        ..Default::default()
    };
    ada.move_with(to_home).await.unwrap();
    app.clock.advance(DAY);
    assert_eq!(swept(&app).await, Purged { tombstones: 1, requests: 0 });
    assert_eq!(horizon(&app, &ada).await, deleted);
}

/// More than one call purges is purged by several, whoever has it; what is not
/// over stays.
#[tokio::test]
async fn however_much_there_is_all_of_it_goes() {
    let app = TestApp::start().await;
    let now: DateTime<Utc> = app.clock.now();
    let users: Vec<Uuid> = (0..3).map(|_| rng::uuid_v4()).collect();
    let mut superuser = app.database.superuser.connect().await.unwrap();
    for user in &users {
        for statement in [
            "insert into data.user_state (user_id, head_rev)
             select $1, 9002 where $2::timestamptz is not null",
            "insert into data.tasks (user_id, id, title, notes, created_at, updated_at, deleted_at,
                                     rev, position)
             select $1, gen_random_uuid(), '', '', $2, $2, $2 - interval '31 days', n, n
             from generate_series(1, 4500) n",
            "insert into data.lists (user_id, id, title, archived, created_at, updated_at,
                                     deleted_at, rev, position)
             select $1, gen_random_uuid(), '', false, $2, $2,
                    $2 - case when n = 1 then interval '1 day' else interval '31 days' end,
                    9000 + n, n
             from generate_series(0, 1) n",
            "insert into data.requests (user_id, id, payload_hash, task_id, created_at)
             select $1, gen_random_uuid(), '', $1, $2 - case when n = 1 then interval '1 hour'
                                                        else interval '2 days' end
             from generate_series(1, 2500) n",
        ] {
            let query = sqlx::query(statement).bind(user).bind(now);
            query.execute(&mut superuser).await.unwrap();
        }
    }
    let expected = Purged { tombstones: 3 * 4501, requests: 3 * 2499 };
    assert_eq!(swept(&app).await, expected);
    assert_eq!(swept(&app).await, Purged::default());
    let left: Vec<(i64, i64, i64, i64)> = sqlx::query_as(
        "select (select count(*) from data.tasks t where t.user_id = s.user_id),
                (select count(*) from data.lists l where l.user_id = s.user_id),
                (select count(*) from data.requests r where r.user_id = s.user_id), s.horizon_rev
         from data.user_state s",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert_eq!(left, [(0, 1, 1, 9000); 3]);
}
