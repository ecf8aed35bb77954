//! How a service talks to its Postgres: calls with every timeout set, repeated
//! when that is safe, migrations and functions, and the refusal to run with more
//! rights than the service needs. The connections themselves are the pool's.
//!
//! Invariant: a service calls functions; no statement here or there names a table.

pub mod hints;
mod idle;
mod pool;

use std::time::{Duration, Instant};

use anyhow::Context as _;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, migrate::Migrator,
    postgres::PgConnectOptions,
};

pub use self::pool::Lease;
use self::pool::Pool;
use crate::{
    call,
    error::{Failure, Reason},
};

/// The longest a call to the database takes, repetitions included.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// Pauses between repetitions, after the first, which is made at once.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// What the server itself enforces.
const SERVER_TIMEOUTS: [(&str, &str); 3] = [
    ("statement_timeout", "2s"),
    ("lock_timeout", "1s"),
    ("idle_in_transaction_session_timeout", "5s"),
];

/// A service's database. Cheap to clone; clones share one pool.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    /// The longest a call takes.
    most: Duration,
}

/// Whether a call may be made again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It reads, or doing it twice is the same as doing it once.
    Safe,
    /// Doing it twice could show. It is repeated only if the database said
    /// that it did not happen.
    Unsafe,
}

/// What a service brings to its database.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The database's name; its roles are `{name}_owner` and `{name}_app`.
    pub name: &'static str,
    /// The migrations.
    pub migrator: &'static Migrator,
    /// The functions, file name and text each, applied after the migrations.
    pub functions: &'static [(&'static str, &'static str)],
}

impl Database {
    /// A pool that connects when it is first needed.
    #[must_use]
    pub fn new(options: PgConnectOptions, max_connections: u32) -> Self {
        let options = options.options(SERVER_TIMEOUTS).disable_statement_logging();
        Self { pool: Pool::new(options, max_connections), most: CALL_TIMEOUT }
    }

    /// The same database for calls that may take as long as `most`, by
    /// connections of their own: they are in nobody's way.
    #[must_use]
    pub fn at_length(&self, most: Duration, max_connections: u32) -> Self {
        // What is said last counts.
        let limit = [("statement_timeout", format!("{}ms", most.as_millis()))];
        let options = self.options().clone().options(limit);
        Self { pool: Pool::new(options, max_connections), most }
    }

    /// Calls the database: once, or again at once where that is safe, for at
    /// most two seconds, unless it is `at_length`, and no longer than the caller
    /// waits. A call is one
    /// statement outside of any transaction, read to its end; it may be dropped
    /// at any time.
    ///
    /// # Errors
    /// Whatever sqlx says last; see `Failure::from`.
    pub async fn call<T, F, Fut>(&self, repeat: Repeat, call: F) -> Result<T, sqlx::Error>
    where
        F: Fn(Lease) -> Fut,
        Fut: Future<Output = Result<T, sqlx::Error>>,
    {
        let attempts = async {
            let mut pause = Duration::ZERO;
            loop {
                match self.pool.acquire().await?.lend(&call).await {
                    Err(error) if did_not_happen(&error) => {}
                    Err(error) if connection_died(&error) && repeat == Repeat::Safe => {}
                    result => return result,
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
            }
        };
        tokio::time::timeout(call::time_left(self.most), attempts)
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Whether the database answers.
    pub async fn answers(&self) -> bool {
        let ask = |mut connection: Lease| async move { connection.ping().await };
        self.call(Repeat::Safe, ask).await.is_ok()
    }

    /// Waits for the database to answer, and makes sure that the service runs
    /// with no more rights than it needs.
    ///
    /// # Errors
    /// In words for the operator: it did not answer within `patience`, or the
    /// role may do too much.
    pub async fn ready(&self, patience: Duration) -> anyhow::Result<()> {
        let give_up = Instant::now() + patience;
        loop {
            let asked = self.call(Repeat::Safe, |mut connection| async move {
                sqlx::query_scalar::<_, String>(TOO_MANY_RIGHTS).fetch_all(&mut *connection).await
            });
            match asked.await {
                Ok(faults) if faults.is_empty() => return Ok(()),
                Ok(faults) => anyhow::bail!(
                    "the database role may do more than this service needs: {}",
                    faults.join("; ")
                ),
                Err(error) if unavailable(&error) && Instant::now() < give_up => {
                    tracing::warn!(%error, "The database does not answer yet; trying again.");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(error) => return Err(error).context("the database does not answer"),
            }
        }
    }

    /// How the service reaches the database, for a connection that is no call's.
    #[must_use]
    pub fn options(&self) -> &PgConnectOptions {
        self.pool.options()
    }

    /// Closes the connections, those in use when their calls have ended.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// One row for every right that a service must not have.
const TOO_MANY_RIGHTS: &str = "
    select 'it is a superuser' from pg_roles where rolname = current_user and rolsuper
    union all
    select 'it bypasses row level security' from pg_roles
        where rolname = current_user and rolbypassrls
    union all
    select 'it owns this database' from pg_database
        where datname = current_database() and pg_has_role(datdba, 'member')
    union all
    select 'it owns ' || oid::regclass from pg_class where pg_has_role(relowner, 'member')
    union all
    select 'it may read or write ' || oid::regclass from pg_class
        where relkind in ('r', 'p') and relnamespace = to_regnamespace('data')
        and has_table_privilege(oid, 'select, insert, update, delete, truncate')
    union all
    select 'row level security is not forced on ' || oid::regclass from pg_class c
        where relkind in ('r', 'p') and not (relrowsecurity and relforcerowsecurity)
        and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'user_id')";

/// Applies what is new: the migrations in order, then every function whose
/// text changed. Replicas that start together take turns.
///
/// # Errors
/// In words for the operator, naming the migration or the function.
pub async fn migrate(owner: &PgConnectOptions, schema: &Schema) -> anyhow::Result<()> {
    // Tables that are there already are no news.
    let quiet = owner.clone().options([("client_min_messages", "warning")]);
    let mut connection = quiet.connect().await.context("cannot connect as the owner")?;
    schema.migrator.run(&mut connection).await.context("a migration failed")?;
    let lock = "select pg_advisory_xact_lock(hashtext('functions'))";
    let mut transaction = connection.begin().await?;
    sqlx::query(lock).execute(&mut *transaction).await?;
    sqlx::query(
        "create table if not exists public.functions (file text primary key, text text not null)",
    )
    .execute(&mut *transaction)
    .await?;
    let applied: Vec<(String, String)> = sqlx::query_as("select file, text from public.functions")
        .fetch_all(&mut *transaction)
        .await?;
    for &(file, text) in schema.functions {
        if applied.iter().any(|(name, old)| name == file && old == text) {
            continue;
        }
        sqlx::raw_sql(text)
            .execute(&mut *transaction)
            .await
            .with_context(|| format!("the function in {file} cannot be applied"))?;
        sqlx::query(
            "insert into public.functions (file, text) values ($1, $2)
             on conflict (file) do update set text = excluded.text",
        )
        .bind(file)
        .bind(text)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

/// Makes the two roles of a schema, and `database` for them, unless they are
/// there: the owner owns it, the service may connect, nobody else may.
///
/// # Errors
/// If the superuser's connection fails.
pub async fn provision(
    superuser: &mut PgConnection,
    schema: &str,
    database: &str,
) -> anyhow::Result<()> {
    for role in ["owner", "app"] {
        let statement = format!(
            "do $$ begin create role {schema}_{role} login nosuperuser nobypassrls;
             exception when duplicate_object or unique_violation then null; end $$"
        );
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *superuser).await?;
    }
    let there: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = $1")
        .bind(database)
        .fetch_optional(&mut *superuser)
        .await?;
    if there.is_none() {
        let statement = format!("create database {database} owner {schema}_owner");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *superuser).await?;
    }
    restrict(superuser, schema, database).await
}

/// Lets nobody but the two roles connect to `database`.
///
/// # Errors
/// If the superuser's connection fails.
pub async fn restrict(
    superuser: &mut PgConnection,
    schema: &str,
    database: &str,
) -> anyhow::Result<()> {
    let statement = format!(
        "revoke all on database {database} from public;
         grant connect on database {database} to {schema}_app;"
    );
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(superuser).await?;
    Ok(())
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if unavailable(&error) || did_not_happen(&error) {
            tracing::warn!(%error, "The database did not answer a call.");
            Self::new(
                Reason::DatabaseUnavailable,
                "This does not work at the moment. Please try again shortly.",
            )
            .retry_after(Duration::from_secs(1))
        } else {
            Self::internal(error)
        }
    }
}

/// The database undid the call by itself: serialization failure, deadlock.
fn did_not_happen(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some("40001" | "40P01"))
}

/// The connection is of no use any more, and whether the call happened is not
/// known.
fn connection_died(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed)
        || matches!(code(error).as_deref(), Some("57P01" | "57P02"))
}

/// The database cannot serve the call now, and may soon.
fn unavailable(error: &sqlx::Error) -> bool {
    use sqlx::Error::{PoolClosed, PoolTimedOut, Tls};
    connection_died(error)
        || matches!(error, PoolTimedOut | PoolClosed | Tls(_))
        // Connection trouble, too few resources, operator's intervention, a
        // lock not to be had in time, a standby that cannot be written to.
        || code(error).is_some_and(|code| {
            ["08", "53", "57"].contains(&code.get(..2).unwrap_or_default())
                || ["55P03", "25006"].contains(&code.as_str())
        })
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}
