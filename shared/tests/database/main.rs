//! What a call to the database costs, and what becomes of a connection whose
//! call was dropped, failed, or lost the server.
#![cfg(test)]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use shared::{
    database::{Database, Lease, Repeat, Schema},
    testing::{self, StatementCounter, TestDatabase, eventually},
};
use sqlx::{
    ConnectOptions as _, Error, PgConnection, migrate::Migrator, postgres::PgConnectOptions,
};
use tokio::{
    io::AsyncWriteExt as _,
    net::UnixListener,
    sync::{Barrier, Semaphore},
};

static MIGRATOR: Migrator = Migrator::DEFAULT;
static SCHEMA: Schema = Schema { name: "probe", migrator: &MIGRATOR, functions: &[] };

/// The connections of the pools under test.
const SIZE: u32 = 4;

/// Asks the database to say `number` back, and for the backend that did.
async fn echo(database: &Database, number: i64) -> Result<(i64, i32), Error> {
    let call = |mut connection: Lease| async move {
        sqlx::query_as("select $1::bigint, pg_backend_pid()")
            .bind(number)
            .fetch_one(&mut *connection)
            .await
    };
    database.call(Repeat::Unsafe, call).await
}

/// Executes a statement.
async fn execute(database: &Database, statement: &'static str) -> Result<(), Error> {
    let call = |mut connection: Lease| async move {
        sqlx::query(statement).execute(&mut *connection).await.map(drop)
    };
    database.call(Repeat::Unsafe, call).await
}

/// Uses all connections of a pool at once, and tells their backends.
async fn all_at_once(database: &Database) -> Vec<i32> {
    let barrier = Arc::new(Barrier::new(SIZE as usize));
    let calls: Vec<_> = (0..SIZE)
        .map(|_| {
            let (database, barrier) = (database.clone(), barrier.clone());
            tokio::spawn(async move {
                let call = |mut connection: Lease| {
                    let barrier = barrier.clone();
                    async move {
                        barrier.wait().await;
                        sqlx::query_scalar("select pg_backend_pid()")
                            .fetch_one(&mut *connection)
                            .await
                    }
                };
                database.call(Repeat::Unsafe, call).await.unwrap()
            })
        })
        .collect();
    let mut backends: Vec<i32> = Vec::new();
    for call in calls {
        backends.push(call.await.unwrap());
    }
    backends.sort_unstable();
    backends
}

/// The backends that serve the role of the service.
async fn backends(superuser: &mut PgConnection) -> Vec<i32> {
    sqlx::query_scalar(
        "select pid from pg_stat_activity
         where datname = current_database() and usename = 'probe_app' order by pid",
    )
    .fetch_all(superuser)
    .await
    .unwrap()
}

async fn start() -> (TestDatabase, PgConnection) {
    let database = testing::database(&SCHEMA).await;
    let superuser = database.superuser.connect().await.unwrap();
    (database, superuser)
}

/// P6: nothing is asked before or after a call.
#[tokio::test]
async fn a_call_is_one_round_trip() {
    let (own, _) = start().await;
    let counter = StatementCounter::before(&own.app).unwrap();
    let database = Database::new(counter.through(&own.app), 1);
    echo(&database, 0).await.unwrap();
    let _ = (counter.take(), counter.take_round_trips());
    for number in 0..100 {
        echo(&database, number).await.unwrap();
    }
    assert_eq!((counter.take(), counter.take_round_trips()), (100, 100));
}

/// An error that the server answers with is an answer: the connection is as
/// good as before, and nothing is asked either.
#[tokio::test]
async fn a_refused_statement_costs_no_connection() {
    let (own, _) = start().await;
    let counter = StatementCounter::before(&own.app).unwrap();
    let database = Database::new(counter.through(&own.app), 1);
    let (_, backend) = echo(&database, 0).await.unwrap();
    let refused = "select 1 / (pg_backend_pid() - pg_backend_pid())";
    for _ in 0..2 {
        execute(&database, refused).await.unwrap_err();
    }
    let _ = counter.take_round_trips();
    execute(&database, refused).await.unwrap_err();
    assert_eq!(echo(&database, 1).await.unwrap(), (1, backend));
    assert_eq!(counter.take_round_trips(), 2);
}

/// Whatever moment a call is dropped in, the next gets its own answer, and
/// neither connections nor permits are lost.
#[tokio::test]
async fn a_thousand_dropped_calls_leave_nothing_behind() {
    let (own, mut superuser) = start().await;
    let database = Database::new(own.app.clone(), SIZE);
    for number in 0..1000 {
        let slow = execute(&database, "select pg_sleep(0.001)");
        let moment = async {
            for _ in 0..number % 50 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            ended = slow => ended.unwrap(),
            () = moment => {}
        }
        assert_eq!(echo(&database, number).await.unwrap().0, number);
    }
    let used = all_at_once(&database).await;
    eventually("the server has no other connections", async || {
        backends(&mut own.superuser.connect().await.unwrap()).await == used
    })
    .await;
    assert_eq!(backends(&mut superuser).await.len(), SIZE as usize);
}

/// The answer to a call that was dropped is never another's, and the connection
/// is used again once the server is done with it.
#[tokio::test]
async fn a_call_dropped_while_the_server_works_spoils_nothing() {
    let (own, mut superuser) = start().await;
    let counter = StatementCounter::before(&own.app).unwrap();
    let database = Database::new(counter.through(&own.app), 1);
    let (_, backend) = echo(&database, 0).await.unwrap();
    for gets_the_lock in [true, false] {
        sqlx::query("select pg_advisory_lock(1)").execute(&mut superuser).await.unwrap();
        execute(&database, "set lock_timeout = '50ms'").await.unwrap();
        if gets_the_lock {
            execute(&database, "set lock_timeout = 0").await.unwrap();
        }
        let _ = counter.take();
        let sent = async {
            eventually("the statement was sent", async || counter.take() > 0).await;
        };
        tokio::select! {
            ended = execute(&database, "select pg_advisory_lock(1), pg_advisory_unlock(1)") =>
                panic!("this waits for the lock: {ended:?}"),
            () = sent => {}
        }
        if gets_the_lock {
            sqlx::query("select pg_advisory_unlock(1)").execute(&mut superuser).await.unwrap();
        }
        assert_eq!(echo(&database, 7).await.unwrap(), (7, backend));
        sqlx::query("select pg_advisory_unlock_all()").execute(&mut superuser).await.unwrap();
    }
}

/// A row that cannot be read leaves the rest of its answer unread.
#[tokio::test]
async fn an_answer_read_by_half_spoils_nothing() {
    let (own, _) = start().await;
    let database = Database::new(own.app.clone(), 1);
    let (_, backend) = echo(&database, 0).await.unwrap();
    let call = |mut connection: Lease| async move {
        sqlx::query_scalar::<_, i64>("select n::text from generate_series(1, 10000) n")
            .fetch_all(&mut *connection)
            .await
    };
    let unread = database.call(Repeat::Unsafe, call).await.unwrap_err();
    assert!(matches!(unread, Error::ColumnDecode { .. }), "{unread:?}");
    assert_eq!(echo(&database, 1).await.unwrap(), (1, backend));
}

/// One connection found dead is reason not to use any as old as it. Only the
/// call that finds out may fail, and only if it must not be made twice.
#[tokio::test]
async fn one_dead_connection_speaks_for_all() {
    let (own, mut superuser) = start().await;
    let database = Database::new(own.app.clone(), SIZE);
    let old = all_at_once(&database).await;
    sqlx::query("select pg_terminate_backend(pid) from unnest($1) pid")
        .bind(&old)
        .execute(&mut superuser)
        .await
        .unwrap();
    eventually("they are gone", async || {
        backends(&mut own.superuser.connect().await.unwrap()).await.is_empty()
    })
    .await;
    echo(&database, 0).await.unwrap_err();
    let new = all_at_once(&database).await;
    assert!(new.iter().all(|backend| !old.contains(backend)));

    sqlx::query("select pg_terminate_backend(pid) from unnest($1) pid")
        .bind(&new)
        .execute(&mut superuser)
        .await
        .unwrap();
    assert!(database.answers().await, "a call that may be repeated is repeated");
}

/// The cap holds, and whoever waits in vain hears so after a second.
#[tokio::test]
async fn there_are_never_more_connections_than_agreed() {
    let (own, mut superuser) = start().await;
    let database = Database::new(own.app.clone(), SIZE);
    let (taken, free) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let holders: Vec<_> = (0..SIZE)
        .map(|_| {
            let (database, taken, free) = (database.clone(), taken.clone(), free.clone());
            tokio::spawn(async move {
                let call = |_held: Lease| {
                    taken.add_permits(1);
                    let free = free.clone();
                    async move {
                        free.acquire().await.unwrap().forget();
                        Ok(())
                    }
                };
                database.call(Repeat::Unsafe, call).await
            })
        })
        .collect();
    drop(taken.acquire_many(SIZE).await.unwrap());
    let refused = echo(&database, 0).await.unwrap_err();
    assert!(matches!(refused, Error::PoolTimedOut), "{refused:?}");
    assert_eq!(backends(&mut superuser).await.len(), SIZE as usize);
    free.add_permits(SIZE as usize);
    for holder in holders {
        holder.await.unwrap().unwrap();
    }
    assert_eq!(echo(&database, 1).await.unwrap().0, 1);
}

/// Closing ends what lies ready at once, what is in use when its call ends, and
/// lends nothing any more.
#[tokio::test]
async fn a_closed_pool_leaves_no_connection() {
    let (own, mut superuser) = start().await;
    let database = Database::new(own.app.clone(), SIZE);
    all_at_once(&database).await;
    let call = |mut connection: Lease| {
        let (database, own) = (database.clone(), &own);
        async move {
            let closing = tokio::spawn(async move { database.close().await });
            eventually("the others are gone", async || {
                backends(&mut own.superuser.connect().await.unwrap()).await.len() == 1
            })
            .await;
            let answer: i32 = sqlx::query_scalar("select 1").fetch_one(&mut *connection).await?;
            assert!(!closing.is_finished(), "one is in use");
            Ok((closing, answer))
        }
    };
    let (closing, answer) = database.call(Repeat::Unsafe, call).await.unwrap();
    closing.await.unwrap();
    assert_eq!(answer, 1);
    assert!(matches!(echo(&database, 0).await, Err(Error::PoolClosed)));
    eventually("the server has let them go", async || {
        backends(&mut own.superuser.connect().await.unwrap()).await.is_empty()
    })
    .await;
    assert!(backends(&mut superuser).await.is_empty());
}

/// E2: a server that refuses is asked again and again for a second, in peace,
/// and its reason is told. It may hang up, or answer the first question, whether
/// it speaks TLS, with an error, as one that crashes does.
#[tokio::test]
async fn a_server_that_is_away_is_not_stormed() {
    for answer in ["", "E"] {
        let folder = tempfile::tempdir().unwrap();
        let options = PgConnectOptions::new_without_pgpass().socket(folder.path());
        let socket = folder.path().join(format!(".s.PGSQL.{}", options.get_port()));
        let listener = UnixListener::bind(socket).unwrap();
        let attempts = Arc::new(AtomicUsize::new(0));
        let counted = attempts.clone();
        let server = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                // Whoever has hung up already needs no answer.
                let _ = client.write_all(answer.as_bytes()).await;
            }
        });
        let refused = echo(&Database::new(options, 1), 0).await.unwrap_err();
        server.abort();
        assert!(matches!(refused, Error::Io(_)), "{refused:?}");
        let attempts = attempts.load(Ordering::SeqCst);
        assert!((2..=20).contains(&attempts), "{attempts}");
    }
}

/// A database for long calls lets a statement take as long, by connections that
/// are none of those for the others.
#[tokio::test]
async fn long_calls_have_connections_of_their_own() {
    let there = testing::database(&SCHEMA).await;
    let database = Database::new(there.app.clone(), 1);
    let long = database.at_length(std::time::Duration::from_secs(8), 1);
    let limit = async |database: &Database| {
        let call = |mut connection: Lease| async move {
            sqlx::query_as::<_, (String, i32)>(
                "select current_setting('statement_timeout'), pg_backend_pid()",
            )
            .fetch_one(&mut *connection)
            .await
        };
        database.call(Repeat::Safe, call).await.unwrap()
    };
    let ((short, one), (eight, other)) = (limit(&database).await, limit(&long).await);
    assert_eq!((short.as_str(), eight.as_str()), ("2s", "8s"));
    assert_ne!(one, other);
}
