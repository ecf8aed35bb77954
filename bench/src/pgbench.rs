//! The baseline of the database: `pgbench -M prepared` with the plain
//! statement, on the same server, on a table of the same columns and indexes
//! with as many rows; no function, no row level security, no counter, no
//! request log.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::{
    callers::{NOTES, PAGE, TITLE},
    load::processors,
    measure::Sample,
    process,
    stage::Stage,
    users::{TASKS, USERS},
};

/// Clients at once.
pub(crate) const CLIENTS: usize = 32;

/// One of its own: a service does not start where a table lacks row security.
const DATABASE: &str = "tasks_baseline";

/// The user with number `:u`.
const USER: &str = "lpad(to_hex(:u::int), 32, '0')::uuid";

/// A plain statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statement {
    /// Makes a task.
    Insert,
    /// Reads the newest tasks of a user.
    Select,
}

/// pgbench, with a table to work on.
pub(crate) struct Pgbench {
    program: PathBuf,
    socket_dir: PathBuf,
    /// The process that is the parent of all of Postgres.
    postgres: u32,
    insert: PathBuf,
    select: PathBuf,
}

impl Pgbench {
    /// Makes the table. None if this Postgres came without pgbench.
    pub(crate) async fn prepare(stage: &Stage) -> anyhow::Result<Option<Self>> {
        let program = stage.binaries.bin_dir.join("pgbench");
        if !program.is_file() {
            return Ok(None);
        }
        stage.make_database(DATABASE).await?;
        let mut superuser = stage.cluster.superuser_options(DATABASE).connect().await?;
        sqlx::raw_sql(AssertSqlSafe(table())).execute(&mut superuser).await?;
        superuser.close().await?;
        let script = |name: &str, text: String| -> anyhow::Result<PathBuf> {
            let path = stage.folder().join(name);
            fs::write(&path, text)?;
            Ok(path)
        };
        Ok(Some(Self {
            program,
            socket_dir: stage.cluster.socket_dir().to_owned(),
            postgres: stage.cluster.pid(),
            insert: script("insert.sql", insert())?,
            select: script("select.sql", select())?,
        }))
    }

    /// Runs one statement over and over.
    pub(crate) fn run(&self, statement: Statement, time: Duration) -> anyhow::Result<Sample> {
        let before = (process::family_cpu(self.postgres)?, process::reaped_cpu()?);
        let per_second = self.rate(statement, time)?;
        // What connecting took is spread over the calls.
        let calls = per_second * time.as_secs_f64();
        let postgres = process::family_cpu(self.postgres)?.saturating_sub(before.0);
        let generator = process::reaped_cpu()?.saturating_sub(before.1);
        Ok(Sample {
            postgres_cpu: Some(postgres.as_secs_f64() / calls),
            generator: Some(generator.as_secs_f64() / time.as_secs_f64()),
            ..Sample::rate(per_second)
        })
    }

    fn rate(&self, statement: Statement, time: Duration) -> anyhow::Result<f64> {
        let script = match statement {
            Statement::Insert => &self.insert,
            Statement::Select => &self.select,
        };
        let output = Command::new(&self.program)
            .args(["--no-vacuum", "--protocol=prepared", "--username=postgres"])
            .args(["--client", &CLIENTS.to_string(), "--jobs", &processors().to_string()])
            .args(["--time", &time.as_secs().max(1).to_string()])
            .args(["--port", &embedded_postgres::PORT.to_string()])
            .arg("--host")
            .arg(&self.socket_dir)
            .arg("--file")
            .arg(script)
            .arg(DATABASE)
            .stdin(Stdio::null())
            .output()
            .context("cannot run pgbench")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let rate = output.status.success().then(|| rate(&said)).flatten();
        rate.filter(|rate| *rate > 0.0).with_context(|| {
            format!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr).trim())
        })
    }
}

/// Transactions per second, from what pgbench says.
fn rate(said: &str) -> Option<f64> {
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split(' ').next()?.parse().ok()
}

fn table() -> String {
    format!(
        "create schema baseline;
         create table baseline.tasks (like data.tasks including all);
         insert into baseline.tasks
             (user_id, id, title, notes, created_at, updated_at, position, rev)
         select lpad(to_hex(u), 32, '0')::uuid, lpad(to_hex(n), 32, '0')::uuid,
             '{TITLE}', '{NOTES}', now(), now(), 5000000000000000 - n, n
         from generate_series(1, {USERS}) u, generate_series(1, {TASKS}) n;
         analyze;"
    )
}

fn insert() -> String {
    format!(
        r"\set u random(1, {USERS})
\set rev random(1000, 4611686018427387904)
insert into baseline.tasks (user_id, id, title, notes, created_at, updated_at, position, rev) values ({USER}, gen_random_uuid(), '{TITLE}', '{NOTES}', now(), now(), 5000000000000000 - :rev, :rev);
"
    )
}

fn select() -> String {
    format!(
        r"\set u random(1, {USERS})
select id, title, notes, completed_at, cancelled, due_date, due_minute, due_zone, list_id, parent_id, priority, labels, position::text, rrule, rrule_after, rrule_start, rrule_number, series_id, created_at, updated_at, deleted_at, rev from baseline.tasks where user_id = {USER} and deleted_at is null order by created_at desc, id desc limit {PAGE};
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_found_among_what_pgbench_says() {
        let said = "latency average = 1.7 ms\ntps = 18791.5 (without initial connection time)\n";
        assert_eq!(rate(said), Some(18791.5));
        assert_eq!(rate("pgbench (15.18)\n"), None);
    }
}
