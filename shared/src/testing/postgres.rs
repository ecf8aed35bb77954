//! A Postgres of a test's own that crashes and comes back.
//!
//! Invariant: what it acknowledged survives. A commit is handed to the system
//! before it is acknowledged; it need not be on the disk, because only processes
//! die here and the system does not.

use anyhow::Context as _;
use embedded_postgres::{Binaries, Cluster, Settings, Source, locate};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::sync::{Mutex, watch};

use super::{database::pg_bin, folder::folder};
use crate::database::{Schema, migrate, provision};

/// A server with one migrated database. Dropping it stops the server.
pub struct TestPostgres {
    cluster: Mutex<Option<Cluster>>,
    up: watch::Sender<bool>,
    binaries: Binaries,
    /// How the service connects.
    pub app: PgConnectOptions,
    /// The same as an address.
    pub url: String,
    /// How the superuser connects; for looking, never for serving.
    pub superuser: PgConnectOptions,
    folder: TempDir,
}

/// How a server ends without shutting down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Its first process is killed. The others end when they notice, some of
    /// them after what they were just doing.
    Killed,
    /// All of its processes end at once.
    Aborted,
}

impl TestPostgres {
    /// A server with the tables and functions of `schema`.
    ///
    /// # Panics
    /// If there is no Postgres to run, or the schema cannot be applied.
    #[expect(clippy::expect_used, reason = "this is how a test fails")]
    pub async fn start(schema: &Schema) -> Self {
        Self::try_start(schema).await.expect("a Postgres for the test")
    }

    async fn try_start(schema: &Schema) -> anyhow::Result<Self> {
        let binaries = locate(Source::Any, pg_bin().as_deref(), &|_| {}).await?;
        let folder = folder();
        let cluster = run(&binaries, &folder).await?;
        let mut superuser = cluster.superuser_options("postgres").connect().await?;
        provision(&mut superuser, schema.name, schema.name).await?;
        superuser.close().await?;
        migrate(&cluster.options(schema.name, &format!("{}_owner", schema.name)), schema).await?;
        let app = format!("{}_app", schema.name);
        Ok(Self {
            app: cluster.options(schema.name, &app),
            url: cluster.url(schema.name, &app),
            superuser: cluster.superuser_options(schema.name),
            cluster: Mutex::new(Some(cluster)),
            up: watch::Sender::new(true),
            binaries,
            folder,
        })
    }

    /// Has it crash, and returns when it is back.
    ///
    /// # Panics
    /// If it had ended by itself, or does not come back.
    #[expect(clippy::expect_used, reason = "this is how a test fails")]
    pub async fn crash(&self, how: Crash) {
        self.try_crash(how).await.expect("Postgres crashes and comes back");
    }

    async fn try_crash(&self, how: Crash) -> anyhow::Result<()> {
        // Who crashes it meanwhile waits until it is back.
        let mut place = self.cluster.lock().await;
        let cluster = place.take().context("it did not come back from the last crash")?;
        self.up.send_replace(false);
        let signal = match how {
            Crash::Killed => Signal::KILL,
            Crash::Aborted => Signal::QUIT,
        };
        let pid = Pid::from_raw(cluster.pid().cast_signed()).context("no process")?;
        kill_process(pid, signal).context("it had ended by itself")?;
        cluster.exited().await;
        drop(cluster);
        *place = Some(run(&self.binaries, &self.folder).await?);
        self.up.send_replace(true);
        Ok(())
    }

    /// Waits until it answers: at once, unless it is coming back from a crash.
    pub async fn is_up(&self) {
        // It cannot be closed: we hold the sender.
        let _ = self.up.subscribe().wait_for(|up| *up).await;
    }
}

async fn run(binaries: &Binaries, folder: &TempDir) -> anyhow::Result<Cluster> {
    let settings = Settings {
        durable: false,
        max_connections: 200,
        shared_buffers_mib: 32,
        // Of what is not durable only this: the rest loses commits, or leaves
        // half-written pages, when a process is killed.
        parameters: [("synchronous_commit", "on"), ("full_page_writes", "on")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Settings::new(folder.path())
    };
    Ok(Cluster::start(binaries, settings, &|_| {}).await?)
}

#[cfg(test)]
mod tests {
    use sqlx::migrate::Migrator;

    use super::*;

    static SCHEMA: Schema =
        Schema { name: "crashing", migrator: &Migrator::DEFAULT, functions: &[] };

    #[tokio::test]
    async fn what_was_acknowledged_survives_every_crash() {
        let postgres = TestPostgres::start(&SCHEMA).await;
        let table = "create table public.t (n bigint)";
        let mut before = postgres.superuser.connect().await.unwrap();
        sqlx::query(table).execute(&mut before).await.unwrap();
        for (n, how) in [(1_i64, Crash::Killed), (2, Crash::Aborted)] {
            let mut superuser = postgres.superuser.connect().await.unwrap();
            let write = sqlx::query("insert into public.t values ($1)");
            write.bind(n).execute(&mut superuser).await.unwrap();
            postgres.crash(how).await;
            sqlx::query("select").execute(&mut superuser).await.unwrap_err();
            let mut superuser = postgres.superuser.connect().await.unwrap();
            let count: i64 = sqlx::query_scalar("select count(*) from public.t")
                .fetch_one(&mut superuser)
                .await
                .unwrap();
            assert_eq!(count, n);
        }
        sqlx::query("select").execute(&mut before).await.unwrap_err();
    }
}
