//! A database per test: one throw-away Postgres per test process, one migrated
//! template per schema, a copy of it for each test, dropped when the test ends.

use std::{collections::HashSet, path::PathBuf, thread};

use anyhow::Context as _;
use embedded_postgres::{Cluster, Source, locate};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{OnceCell, mpsc, oneshot};

use super::logs;
use crate::{
    database::{Schema, migrate, provision, restrict},
    telemetry,
};

/// A test's own database.
pub struct TestDatabase {
    /// Its name.
    pub name: String,
    /// How the service connects.
    pub app: PgConnectOptions,
    /// How its owner connects.
    pub owner: PgConnectOptions,
    /// How the superuser connects; for looking, never for serving.
    pub superuser: PgConnectOptions,
    keeper: mpsc::UnboundedSender<Order>,
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        logs::assert_clean();
        // The keeper may be gone, and the server with it.
        let _ = self.keeper.send(Order::Drop(self.name.clone()));
    }
}

/// A new database with the tables and functions of `schema`.
///
/// # Panics
/// If there is no Postgres to run, or the schema cannot be applied.
#[expect(clippy::expect_used, reason = "this is how a test fails")]
pub async fn database(schema: &'static Schema) -> TestDatabase {
    // From now on every log line of this process is kept.
    let _ = telemetry::capture();
    static KEEPER: OnceCell<mpsc::UnboundedSender<Order>> = OnceCell::const_new();
    let keeper = KEEPER.get_or_init(async || start()).await;
    let (reply, answer) = oneshot::channel();
    // If the keeper is gone, the answer never comes.
    let _ = keeper.send(Order::Make { schema, reply });
    answer.await.expect("the keeper of the databases answers").expect("a database for the test")
}

enum Order {
    Make { schema: &'static Schema, reply: oneshot::Sender<anyhow::Result<TestDatabase>> },
    Drop(String),
}

/// Starts the server on a thread of its own, with a runtime that outlives
/// every test's.
#[expect(clippy::expect_used, reason = "this is how a test fails")]
fn start() -> mpsc::UnboundedSender<Order> {
    let (sender, orders) = mpsc::unbounded_channel();
    let keeper = sender.clone();
    let keep = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(keep(orders, keeper)).expect("a throw-away Postgres");
    };
    thread::Builder::new().name("test databases".to_owned()).spawn(keep).expect("a thread");
    sender
}

async fn keep(
    mut orders: mpsc::UnboundedReceiver<Order>,
    sender: mpsc::UnboundedSender<Order>,
) -> anyhow::Result<()> {
    let binaries = locate(Source::Any, pg_bin().as_deref(), &|_| {}).await?;
    let mut keeper = Keeper {
        cluster: Cluster::throwaway(&binaries).await?,
        templates: HashSet::new(),
        made: 0,
        sender,
    };
    let mut superuser = keeper.cluster.superuser_options("postgres").connect().await?;
    while let Some(order) = orders.recv().await {
        match order {
            Order::Make { schema, reply } => {
                let made = keeper.make(&mut superuser, schema).await;
                // Whoever asked may have given up.
                let _ = reply.send(made);
            }
            Order::Drop(name) => {
                let statement = format!("drop database if exists {name} with (force)");
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut superuser).await?;
            }
        }
    }
    Ok(())
}

struct Keeper {
    cluster: Cluster,
    templates: HashSet<&'static str>,
    made: usize,
    sender: mpsc::UnboundedSender<Order>,
}

impl Keeper {
    async fn make(
        &mut self,
        superuser: &mut PgConnection,
        schema: &'static Schema,
    ) -> anyhow::Result<TestDatabase> {
        let template = format!("template_{}", schema.name);
        let owner = format!("{}_owner", schema.name);
        if !self.templates.contains(schema.name) {
            provision(superuser, schema.name, &template).await?;
            migrate(&self.cluster.options(&template, &owner), schema).await?;
            self.templates.insert(schema.name);
        }
        self.made += 1;
        let name = format!("{}_{}", schema.name, self.made);
        let statement =
            format!("create database {name} template {template} owner {owner} strategy file_copy");
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *superuser)
            .await
            .context("cannot copy the template")?;
        restrict(superuser, schema.name, &name).await?;
        Ok(TestDatabase {
            app: self.cluster.options(&name, &format!("{}_app", schema.name)),
            owner: self.cluster.options(&name, &owner),
            superuser: self.cluster.superuser_options(&name),
            keeper: self.sender.clone(),
            name,
        })
    }
}

/// Which Postgres to test with, if not the first that is found.
#[expect(clippy::disallowed_methods, reason = "a test process has no Config")]
pub(super) fn pg_bin() -> Option<PathBuf> {
    std::env::var_os("PG_BIN").map(PathBuf::from)
}
