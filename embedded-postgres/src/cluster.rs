//! A running PostgreSQL on its data folder: initialised once, started, ready
//! when it answers a query, stopped when dropped. One process at a time uses a
//! folder. Settings are arguments of the server, so they always follow this
//! source and never a file that an earlier version wrote (see `command`).

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    Binaries, Error, Progress,
    account::RunAs,
    aside::aside,
    command::command,
    error::last_lines,
    folder::Folder,
    initdb,
    lock::{Attempt, Lock},
    log::Log,
    pid_file::{self, Holder},
    server::{Ended, Held, Server},
    throwaway::Scratch,
};

/// The port in the socket's name. Every cluster has a folder of its own.
pub const PORT: u16 = 5432;

/// The role that owns a new cluster.
pub const SUPERUSER: &str = "postgres";

/// How long another process may take to let go of the folder.
const HANDOVER: Duration = Duration::from_secs(5);
/// How long the server may take to become ready.
const READY: Duration = Duration::from_secs(30);
/// How often it is looked at meanwhile.
const POLL: Duration = Duration::from_millis(10);

/// What a cluster is run with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The parent folder; the cluster lies in `postgres-<major>` below it.
    pub data_dir: PathBuf,
    /// Whether a commit is on disk when it is acknowledged. Off only for tests.
    pub durable: bool,
    /// Connections at once.
    pub max_connections: u32,
    /// Memory for the server's own cache.
    pub shared_buffers_mib: u32,
    /// Further server settings, by name; they win over all others.
    pub parameters: Vec<(String, String)>,
}

impl Settings {
    /// Durable, 100 connections, 128 MiB.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            durable: true,
            max_connections: 100,
            shared_buffers_mib: 128,
            parameters: Vec::new(),
        }
    }
}

/// A running server. Dropping it stops the server and waits for that (well
/// below a second as a rule, at most 12 s).
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    folder: Folder,
    log: Log,
}

impl Cluster {
    /// Starts the server, making the data folder and the cluster first when they
    /// are missing, and returns when it answers `SELECT 1`.
    ///
    /// # Errors
    /// See [`Error`]. A folder in use is waited for during 5 s, a server that
    /// does not become ready during 30 s.
    pub async fn start(
        binaries: &Binaries,
        settings: Settings,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Self, Error> {
        Self::start_in(binaries, &settings, None, progress).await
    }

    /// Starts a server whose data goes away with it, for tests: nothing is
    /// flushed to disk, and the folder is in memory when there is room. It is
    /// removed however this process ends.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn throwaway(binaries: &Binaries) -> Result<Self, Error> {
        let scratch = Scratch::create(&RunAs::current()?)?;
        let settings = Settings {
            durable: false,
            max_connections: 300,
            shared_buffers_mib: 64,
            ..Settings::new(scratch.path())
        };
        Self::start_in(binaries, &settings, Some(scratch), &|_| ()).await
    }

    async fn start_in(
        binaries: &Binaries,
        settings: &Settings,
        scratch: Option<Scratch>,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Self, Error> {
        let run_as = RunAs::current()?;
        run_as.check_entry(&binaries.bin_dir)?;
        let folder = Folder::prepare(&settings.data_dir, binaries.major, run_as)?;
        let deadline = Instant::now() + HANDOVER;
        let lock = Lock::acquire(&folder.lock_file, Some(deadline));
        let lock = match lock.await.map_err(Error::folder(&folder.data_dir))? {
            Attempt::Held(lock) => lock,
            Attempt::Refused { holder } => {
                return Err(Error::InUse { folder: folder.cluster, pid: holder });
            }
        };
        let held = Arc::new(Held { scratch, lock });
        if !folder.is_initialized() {
            progress(Progress::Initializing);
            let (binaries, folder, durable) = (binaries.clone(), folder.clone(), settings.durable);
            let held = Arc::clone(&held);
            let work = aside(move || {
                let made = initdb::initialize(&binaries, &folder, durable);
                drop(held);
                made
            });
            work.await.map_err(Error::run("initdb"))??;
        }
        progress(Progress::Starting);
        loop {
            let stale = wait_for_holder(&folder, deadline).await?;
            let log = Log::open(&folder.log_file)?;
            let command = command(binaries, settings, &folder, &log, stale)?;
            let program = binaries.program("postgres");
            let server =
                Server::spawn(command, Arc::clone(&held)).await.map_err(Error::run(program))?;
            let cluster = Self { server, folder: folder.clone(), log };
            match cluster.ready().await {
                Ok(()) => return Ok(cluster),
                Err(_) if cluster.log.shows_handover() && Instant::now() < deadline => {
                    sleep(POLL).await
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The folder of the socket.
    pub fn socket_dir(&self) -> &Path {
        &self.folder.socket_dir
    }

    /// The port in the socket's name.
    pub fn port(&self) -> u16 {
        PORT
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// The folder of the cluster itself.
    pub fn cluster_dir(&self) -> &Path {
        &self.folder.cluster
    }

    /// Where the server's messages go. They hold no statement and no value of a row.
    pub fn log_file(&self) -> &Path {
        &self.folder.log_file
    }

    /// How the superuser connects.
    pub fn superuser_options(&self, database: &str) -> PgConnectOptions {
        self.options(database, SUPERUSER)
    }

    /// How a role connects: over the socket, without a password.
    pub fn options(&self, database: &str, role: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.folder.socket_dir)
            .port(PORT)
            .ssl_mode(PgSslMode::Disable)
            .username(role)
            .database(database)
    }

    /// The same as an address: `postgres://role@localhost/database?host=…&port=…`.
    pub fn url(&self, database: &str, role: &str) -> String {
        let host = encode(&self.folder.socket_dir.to_string_lossy());
        format!(
            "postgres://{}@localhost/{}?host={host}&port={PORT}",
            encode(role),
            encode(database)
        )
    }

    /// Waits until the server has ended without having been asked to, and says
    /// why as far as its log knows.
    pub async fn exited(&self) -> Error {
        let ended = self.server.exited().await;
        self.failure(format!("ended ({})", ended.status))
    }

    /// Shuts the server down in order: open transactions are rolled back,
    /// everything committed is written.
    ///
    /// # Errors
    /// [`Error::Server`] when it did not end in order; the next start recovers.
    pub async fn stop(self) -> Result<(), Error> {
        let Ended { clean, status } = self.server.stop().await;
        if clean { Ok(()) } else { Err(self.failure(format!("did not stop in order ({status})"))) }
    }

    /// Waits until a query is answered; the postmaster's pid file tells when it
    /// makes sense to ask, so that recovery does not fill the log with refusals.
    async fn ready(&self) -> Result<(), Error> {
        let deadline = Instant::now() + READY;
        let options = self.superuser_options("postgres");
        while Instant::now() < deadline {
            if let Some(ended) = self.server.status() {
                return Err(self.failure(format!("did not start ({})", ended.status)));
            }
            if pid_file::says_ready(&self.folder.cluster, self.server.pid())
                && let Ok(Ok(())) = timeout(Duration::from_secs(2), answers(&options)).await
            {
                tracing::debug!(pid = self.server.pid(), "PostgreSQL is ready");
                return Ok(());
            }
            sleep(POLL).await;
        }
        Err(self.failure(format!("was not ready after {} s", READY.as_secs())))
    }

    fn failure(&self, what: String) -> Error {
        Error::Server {
            what,
            log_file: self.folder.log_file.clone(),
            output: last_lines(&self.log.text()),
        }
    }
}

/// Waits for a server that another process left, which may still be shutting
/// down. Returns the process id in a lock file that means nothing any more.
async fn wait_for_holder(folder: &Folder, deadline: Instant) -> Result<Option<u32>, Error> {
    loop {
        match pid_file::holder(&folder.cluster) {
            Holder::Nobody => return Ok(None),
            Holder::Stranger(pid) => return Ok(Some(pid)),
            Holder::Server(pid) if Instant::now() >= deadline => {
                return Err(Error::InUse { folder: folder.cluster.clone(), pid });
            }
            Holder::Server(_) => sleep(POLL).await,
        }
    }
}

async fn answers(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    sqlx::query("SELECT 1").execute(&mut connection).await?;
    connection.close().await
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn encode(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    });
    encoded.collect()
}
