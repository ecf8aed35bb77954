//! What all soaks of a run share: two replicas, each a process, the Postgres
//! they use, and what a test must know about both. All of it is killed and
//! comes back, and nothing that was acknowledged may be lost by that.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicUsize, Ordering},
};

use chrono::TimeDelta;
use serde_json::json;
use shared::{
    clock::{Clock as _, SystemClock},
    program,
    secret::Key,
    testing::{ServiceProcess, TestIssuer, TestPostgres},
};
use sqlx::{PgPool, postgres::PgPoolOptions};
use task_service::SCHEMA;
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::plan::{Harm, REPLICAS};
use crate::replica::{Caller, PURGE, ROWS};

/// The program as it is shipped.
const PROGRAM: &str = env!("CARGO_BIN_EXE_task-service");

/// What a user has: ids, revisions and titles.
pub(super) type Rows = Vec<(Uuid, i64, String)>;

pub(super) struct Fleet {
    replicas: [ServiceProcess; REPLICAS],
    postgres: TestPostgres,
    rows: PgPool,
    issuer: TestIssuer,
    /// Answers that did not come.
    lost: AtomicUsize,
    _folder: TempDir,
}

impl Fleet {
    pub(super) async fn start() -> Self {
        program::install_cryptography();
        let postgres = TestPostgres::start(&SCHEMA).await;
        let rows = PgPoolOptions::new().connect_lazy_with(postgres.superuser.clone());
        sqlx::raw_sql(PURGE).execute(&rows).await.expect("the purge is made");

        let issuer = TestIssuer::new();
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys.json");
        let remembered = json!({ "fetched_at": SystemClock.now(), "keys": [issuer.jwk()] });
        std::fs::write(&keys, remembered.to_string()).expect("the keys are written");
        let key = Key::random().to_base64();
        let arguments = [
            format!("--database-url={}", postgres.url),
            format!("--page-token-key={}", &*key),
            format!("--issuer={}", issuer.name()),
            // Nobody listens there, so that the keys are those in the file.
            "--auth-url=http://127.0.0.1:1".to_owned(),
            format!("--key-cache-file={}", keys.display()),
            // Hints die with those who have not said them yet.
            "--watch-poll=200ms".to_owned(),
            "--log=warn".to_owned(),
        ];
        let [one, two] = ["1.log", "2.log"].map(|name| folder.path().join(name));
        let start = |log| ServiceProcess::start(PROGRAM, &arguments, log);
        let replicas = [start(&one).await, start(&two).await];
        Self { replicas, postgres, rows, issuer, lost: AtomicUsize::new(0), _folder: folder }
    }

    /// A user with a token that is good for as long as a soak takes.
    pub(super) fn caller(&self, user: Uuid) -> Caller {
        let claims = self.issuer.claims(user, "task-service", SystemClock.now());
        Caller::new(&claims, &self.issuer.token(&claims))
    }

    /// The same with a token that is good for less than a second, by the five
    /// that clocks may differ.
    pub(super) fn hasty_caller(&self, user: Uuid) -> Caller {
        let issued = SystemClock.now() - TimeDelta::seconds(304);
        let claims = self.issuer.claims(user, "task-service", issued);
        Caller::new(&claims, &self.issuer.token(&claims))
    }

    /// This replica, or the other while it is down.
    pub(super) async fn replica(&self, n: usize) -> &ServiceProcess {
        let [one, other] = [n, n + 1].map(|n| &self.replicas[n % REPLICAS]);
        if !one.is_up() && other.is_up() {
            return other;
        }
        one.up().await;
        one
    }

    /// After `what` failed: returns when it is worth trying again.
    ///
    /// # Panics
    /// If it did not fail because something was killed or a token was too old.
    pub(super) async fn recovered(&self, what: &(impl Debug + Sync), status: &Status) {
        let passes = match status.get_details_error_info() {
            Some(info) => PASSING.contains(&info.reason.as_str()),
            // The client says so itself: nobody answered it.
            None => LOST.contains(&status.code()),
        };
        assert!(passes, "{what:?}: {status:?}");
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.postgres.is_up().await;
    }

    /// Does it, and returns when everything is back.
    pub(super) async fn harm(&self, what: Harm, users: &[Uuid]) {
        match what {
            Harm::Replica(n) => self.replicas[n].kill().await,
            Harm::Postgres(how) => self.postgres.crash(how).await,
            Harm::Purge(user) => loop {
                let purge = sqlx::query("select public.purge($1)").bind(users[user]);
                match purge.execute(&self.rows).await {
                    Ok(_) => return,
                    Err(_) => self.postgres.is_up().await,
                }
            },
        }
    }

    /// The tasks and lists that a user has, and the user's last revision.
    pub(super) async fn stored(&self, user: Uuid) -> (Rows, i64) {
        let rows = sqlx::query_as(ROWS).bind(user).fetch_all(&self.rows).await;
        let head = "select head_rev from data.user_state where user_id = $1";
        let head = sqlx::query_scalar(head).bind(user).fetch_one(&self.rows).await;
        (rows.expect("the rows are read"), head.expect("the head is read"))
    }

    /// What the replicas logged last.
    pub(super) fn last_words(&self) -> String {
        self.replicas.each_ref().map(ServiceProcess::last_words).join("\n")
    }

    /// Fails the test if a replica is not well, or nothing was ever lost.
    pub(super) async fn assert_well(&self) {
        for replica in &self.replicas {
            replica.assert_well().await;
        }
        assert!(self.lost.load(Ordering::Relaxed) > 0, "nothing was in anybody's way");
    }
}

/// Reasons of the service that pass.
const PASSING: [&str; 4] =
    ["DATABASE_UNAVAILABLE", "TRUST_STALE", "DEADLINE_EXCEEDED", "TOKEN_EXPIRED"];

/// What the client's library says when a connection breaks or an answer is late.
const LOST: [Code; 5] =
    [Code::Unknown, Code::Unavailable, Code::Cancelled, Code::Internal, Code::DeadlineExceeded];
