//! Accounts that are deleted while a part of the pair is dead, or dies of it:
//! whoever comes back is told again, and in the end there is a receipt and
//! nothing else.

use std::time::Duration;

use proto::auth::v1::{
    Credentials, DeleteUserRequest, GetDeletionReceiptRequest, GetDeletionReceiptResponse,
    account_service_client::AccountServiceClient,
};
use shared::{clock::Clock as _, testing::eventually};
use sqlx::{ConnectOptions as _, PgConnection};
use uuid::Uuid;

use crate::{
    harness::{Bearer, channel, create, sign_up, tasks},
    world::World,
};

const EMAIL: &str = "ada@example.org";
/// Erased in three steps.
const MANY: i64 = 2500;

/// Somebody with tasks.
async fn settled(world: &World, email: &str, count: i64) -> (Credentials, Uuid) {
    let session = sign_up(&mut world.auth_client(0), email).await;
    create(&mut tasks(&world.task[0].address, &session.access_token), "Tea").await.unwrap();
    let (user, _) = session.session.split_once("/sessions/").unwrap();
    let user = user.strip_prefix("users/").unwrap().parse().unwrap();
    let more = "insert into data.tasks
            (user_id, id, title, notes, created_at, updated_at, rev, position)
        select $1, gen_random_uuid(), 'Milk', '', $2, $2, 1000 + n, n from generate_series(2, $3) n";
    let more = sqlx::query(more).bind(user).bind(world.clock.now()).bind(count);
    more.execute(&mut rows(world).await).await.unwrap();
    (session, user)
}

async fn rows(world: &World) -> PgConnection {
    world.tasks.superuser.connect().await.unwrap()
}

async fn left(rows: &mut PgConnection, user: Uuid) -> i64 {
    let count = "select count(*) from data.tasks where user_id = $1";
    sqlx::query_scalar(count).bind(user).fetch_one(rows).await.unwrap()
}

/// Deletes the account, and tells what leads to its receipt.
async fn delete(world: &World, session: &Credentials) -> String {
    let bearer = Bearer(session.access_token.clone());
    let mut account =
        AccountServiceClient::with_interceptor(channel(&world.auth[0].address), bearer);
    let request = DeleteUserRequest { email: EMAIL.to_owned(), ..DeleteUserRequest::default() };
    account.delete_user(request).await.unwrap().into_inner().receipt_token
}

async fn receipt(world: &World, token: &str) -> GetDeletionReceiptResponse {
    let request = GetDeletionReceiptRequest { receipt_token: token.to_owned() };
    world.auth_client(1).get_deletion_receipt(request).await.unwrap().into_inner()
}

#[track_caller]
fn is_owed(receipt: &GetDeletionReceiptResponse) {
    let [owed] = &receipt.erasures[..] else { panic!("{receipt:?}") };
    assert_eq!((owed.service.as_str(), owed.erase_time), ("task-service", None));
    assert_eq!(receipt.receipt, "");
}

/// Waits for the signed receipt.
async fn confirmed(world: &World, token: &str) {
    eventually("the receipt is signed", async || {
        let told = receipt(world, token).await;
        let signed = !told.receipt.is_empty();
        assert_eq!(signed, told.erasures[0].erase_time.is_some(), "{told:?}");
        signed
    })
    .await;
}

/// task-service is dead when the account is deleted, and auth-service is killed
/// once it has answered: both come back, and the account is erased.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_deleted_before_both_were_killed_is_erased() {
    let mut world = World::start().await;
    let (ada, id) = settled(&world, EMAIL, MANY).await;
    let (_, other) = settled(&world, "bob@example.org", 2).await;
    let mut rows = rows(&world).await;
    for task in world.task.drain(..) {
        task.kill().await;
    }
    let token = delete(&world, &ada).await;
    let mut addresses = Vec::new();
    for auth in world.auth.drain(..) {
        addresses.push(auth.kill().await);
    }
    assert_eq!(left(&mut rows, id).await, MANY);

    for address in &addresses {
        let auth = world.auth(address).await;
        world.auth.push(auth);
    }
    is_owed(&receipt(&world, &token).await);
    // Long after what every verifier is told is forgotten.
    let told = async || {
        world.clock.advance(Duration::from_secs(60));
        let told = "select count(*) from data.trust_events where kind = 'erase'";
        let mut accounts = world.accounts.superuser.connect().await.unwrap();
        sqlx::query_scalar::<_, i64>(told).fetch_one(&mut accounts).await.unwrap()
    };
    eventually("what was told is over", async || told().await == 0).await;
    let task = world.task(0, &addresses[0]).await;
    world.task.push(task);
    confirmed(&world, &token).await;
    assert_eq!((left(&mut rows, id).await, left(&mut rows, other).await), (0, 2));
    world.stop().await;
}

/// task-service is killed half-way through erasing: nothing is confirmed, and
/// when it comes back it is told again and finishes.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_service_that_was_killed_while_it_erased_finishes() {
    let mut world = World::start().await;
    let (ada, id) = settled(&world, EMAIL, MANY).await;
    let mut rows = rows(&world).await;
    // It gets as far as the last step, and no further.
    let mut held = self::rows(&world).await;
    let last = "select from data.tasks where user_id = $1 order by id desc limit 1 for update";
    sqlx::raw_sql("begin").execute(&mut held).await.unwrap();
    sqlx::query(last).bind(id).execute(&mut held).await.unwrap();

    let token = delete(&world, &ada).await;
    let half = MANY % 1000;
    eventually("it is half-way", async || left(&mut self::rows(&world).await, id).await == half)
        .await;
    for task in world.task.drain(..) {
        task.kill().await;
    }
    // What it has asked for ends with it.
    let end = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and usename = 'tasks_app'";
    sqlx::query(end).execute(&mut rows).await.unwrap();
    sqlx::raw_sql("rollback").execute(&mut held).await.unwrap();
    assert_eq!(left(&mut rows, id).await, half);
    is_owed(&receipt(&world, &token).await);

    for n in 0..2 {
        let task = world.task(n, &world.auth[n].address).await;
        world.task.push(task);
    }
    confirmed(&world, &token).await;
    assert_eq!(left(&mut rows, id).await, 0);
    world.stop().await;
}
