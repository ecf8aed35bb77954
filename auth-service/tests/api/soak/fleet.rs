//! Two replicas, each a process of its own that is killed and comes back, the
//! Postgres and the mail server that they share, and what a client must know
//! about calls whose answers do not come.

use std::{
    fmt::Debug,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use auth_service::{
    SCHEMA,
    service_accounts::{Scopes, file},
};
use proto::auth::v1::{
    IssueServiceTokenRequest, issue_service_token_request::Credential,
    token_service_client::TokenServiceClient,
};
use shared::{
    clock::{Clock as _, SystemClock},
    database::Database,
    program,
    testing::{ServiceProcess, TestDatabase, database, eventually},
};
use sqlx::{ConnectOptions as _, PgPool, postgres::PgPoolOptions};
use tempfile::TempDir;
use tokio::time::timeout;
use tonic::{Code, Response, Status, transport::Channel};
use tonic_types::StatusExt as _;

use super::plan::{LOOKED_AT, REPLICAS, Way};
use crate::{
    harness::key,
    smtp::{MailServer, Received},
};

/// The program as it is shipped.
const PROGRAM: &str = env!("CARGO_BIN_EXE_auth-service");
/// The longest that a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often somebody looks whether there is mail.
const MAIL_CHECKED: Duration = Duration::from_millis(20);
/// The service account of those who watch, erase and operate.
const ACCOUNT: &str = "operations";

pub(super) struct Fleet {
    pub(super) replicas: [ServiceProcess; REPLICAS],
    pub(super) mails: MailServer,
    /// The superuser's.
    pub(super) rows: PgPool,
    secret: String,
    /// Answers that did not come.
    lost: AtomicUsize,
    _folder: TempDir,
    /// Dropped last: whoever uses it is gone then.
    pub(super) database: TestDatabase,
}

impl Fleet {
    pub(super) async fn start() -> Self {
        program::install_cryptography();
        let database = database(&SCHEMA).await;
        let folder = tempfile::tempdir().expect("a folder");
        let secret = account(&database, &folder.path().join("secret")).await;
        let mails = MailServer::start().await;
        let arguments = arguments(&database, &mails);
        let [one, two] = ["1.log", "2.log"].map(|name| folder.path().join(name));
        let start = |log| ServiceProcess::start(PROGRAM, &arguments, log);
        let replicas = [start(&one).await, start(&two).await];
        let pool = PgPoolOptions::new().max_connections(4);
        let rows = pool.connect_lazy_with(database.superuser.clone());
        let lost = AtomicUsize::new(0);
        Self { replicas, mails, rows, secret, lost, _folder: folder, database }
    }

    /// Asks until somebody answers, the other replica each time; tells, too,
    /// whether an answer was lost before, so that it may have been done already.
    pub(super) async fn ask<T, F>(
        &self,
        way: Way,
        call: impl Fn(Channel) -> F,
    ) -> (Result<T, Status>, bool)
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut asks = way;
        loop {
            if let Some(answer) = self.ask_once(asks, &call).await {
                return (answer, asks.replica > way.replica);
            }
            asks = Way::patient(asks.replica + 1);
        }
    }

    /// Asks, and does without an answer if it is lost.
    pub(super) async fn ask_once<T, F>(
        &self,
        way: Way,
        call: impl Fn(Channel) -> F,
    ) -> Option<Result<T, Status>>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let replica = self.replica(way.replica).await;
        let asked = timeout(way.haste.unwrap_or(PATIENCE), call(replica.channel.clone()));
        match asked.await {
            Ok(Ok(answer)) => return Some(Ok(answer.into_inner())),
            Ok(Err(status)) if !is_lost(&status) => return Some(Err(status)),
            Ok(Err(_)) | Err(_) => {}
        }
        self.lost.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Waits until nobody does this in the database any more: who was killed may
    /// have left it behind, and what comes next would be undone by it.
    pub(super) async fn until_done(&self, function: &str) {
        let open = "select not exists (
                select from pg_stat_activity
                where usename = 'auth_app' and datname = current_database()
                    and state = 'active' and position($1 in query) > 0)";
        eventually(function, async || {
            let open = sqlx::query_scalar(open).bind(function);
            open.fetch_one(&self.rows).await.expect("it is asked")
        })
        .await;
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

    /// An access token with which trust can be watched, and everything operated.
    pub(super) async fn service_token(&self) -> String {
        self.token_by(Way::patient(0), &self.secret).await.expect("a token")
    }

    /// An access token by the secret of a service account.
    pub(super) async fn token_by(&self, way: Way, secret: &str) -> Result<String, Status> {
        let asked = self.ask(way, |channel| {
            let credential = Some(Credential::Secret(secret.to_owned()));
            let request = IssueServiceTokenRequest { credential, ..Default::default() };
            async move { TokenServiceClient::new(channel).issue_service_token(request).await }
        });
        asked.await.0.map(|issued| issued.access_token)
    }

    /// The mail with this subject.
    pub(super) async fn mailed(&self, recipient: &str, subject: &str) -> Received {
        let line = format!("Subject: {subject}\r\n");
        let mut look = tokio::time::interval(MAIL_CHECKED);
        for looked in 1_u64.. {
            look.tick().await;
            let mails = self.mails.mails();
            let fits = |mail: &Received| mail.to == [recipient] && mail.raw.contains(&line);
            if let Some(mail) = mails.into_iter().find(fits) {
                return mail;
            }
            if looked % 50 == 0 {
                self.end_leases().await;
            }
        }
        unreachable!("it is looked for for ever")
    }

    /// Has the time come when the leases of mails end: whoever has leased one may
    /// be dead.
    pub(super) async fn end_leases(&self) {
        let end = "update data.outbox set next_attempt_at = now() where next_attempt_at > now()";
        sqlx::query(end).execute(&self.rows).await.expect("the leases end");
    }

    /// What the replicas logged last.
    pub(super) fn last_words(&self) -> String {
        self.replicas.each_ref().map(ServiceProcess::last_words).join("\n")
    }

    /// Fails the test if a replica is not well; tells how many answers were lost.
    pub(super) async fn assert_well(&self) -> usize {
        for replica in &self.replicas {
            replica.assert_well().await;
        }
        self.lost.load(Ordering::Relaxed)
    }
}

/// Whether nobody knows what became of a call: the client says so itself, or the
/// service has waited for too long. Whatever else it says was not done.
pub(super) fn is_lost(status: &Status) -> bool {
    let info = status.get_details_error_info();
    info.is_none_or(|info| TOO_LONG.contains(&info.reason.as_str()))
        && LOST.contains(&status.code())
}

const TOO_LONG: [&str; 2] = ["DEADLINE_EXCEEDED", "DATABASE_UNAVAILABLE"];
/// What a client says itself when the connection breaks, too.
const LOST: [Code; 5] =
    [Code::Unavailable, Code::Unknown, Code::Cancelled, Code::Internal, Code::DeadlineExceeded];

/// Makes the service account, and tells its secret.
async fn account(database: &TestDatabase, path: &Path) -> String {
    let own = Database::new(database.app.clone(), 1);
    let name = ACCOUNT.parse().expect("a name");
    let scopes = Scopes::parse(&["admin", "trust:watch"]).expect("scopes");
    file::ensure(&own, &name, &scopes, path, SystemClock.now()).await.expect("an account");
    own.close().await;
    std::fs::read_to_string(path).expect("a secret")
}

fn arguments(database: &TestDatabase, mails: &MailServer) -> Vec<String> {
    let fixed = [
        // Few see the whole of a person's sign-ins at the default cost.
        "--argon2-memory=7168",
        "--argon2-passes=1",
        "--hashing-queue=512",
        "--issuer=https://auth.test",
        // Everybody is at the same address.
        "--sign-up-per-address=100000",
        "--sign-in-per-address=1000000",
        // Longer than any soak: whoever has to wait, waits to the end.
        "--sign-in-delay=1h",
        "--sign-in-max-delay=2h",
        "--sign-in-forget=1d",
        // Whoever asks again after a lost answer may have to wait for a replica.
        "--refresh-grace=60s",
        // Hints die with those who have not said them yet.
        "--trust-poll=200ms",
        "--log=warn",
    ];
    let mut arguments = fixed.map(str::to_owned).to_vec();
    arguments.push(format!("--database-url={}", database.app.to_url_lossy()));
    arguments.push(format!("--key-encryption-key={}", key()));
    arguments.push(format!("--erasing-services={ACCOUNT}"));
    arguments.push(format!("--sign-in-free-attempts={LOOKED_AT}"));
    arguments.extend(mails.flags());
    arguments
}

/// Fails the test with what was asked and how it was answered.
#[track_caller]
pub(super) fn unexpected(what: impl Debug, status: &Status) -> ! {
    panic!("{what:?}: {status:?}")
}
