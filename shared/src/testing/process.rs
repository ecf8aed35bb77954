//! A service that is a process of its own: the program as it is shipped, killed
//! with kill -9 and started again on the same address.
//!
//! Invariant: its port is its own while it is dead, too.

use std::{
    fs::OpenOptions,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    net::{TcpSocket, TcpStream},
    process::{Child, Command},
    sync::{Mutex, watch},
};
use tonic::transport::{Channel, Endpoint};

use super::{eventually, secrets_in};

/// Lines of a log that a failing test shows.
const LAST_LINES: usize = 20;
/// What the lines of errors have.
const ERROR: &str = r#""level":"ERROR""#;

/// A running service. It ends when it is dropped.
pub struct ServiceProcess {
    /// Connects again whenever it must.
    pub channel: Channel,
    /// Where it listens.
    pub endpoint: Endpoint,
    address: SocketAddr,
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    process: Mutex<Child>,
    up: watch::Sender<bool>,
    /// Bound and not listening: while the service is dead nobody else gets its
    /// port.
    _port: TcpSocket,
}

#[expect(clippy::expect_used, reason = "this is how a test fails")]
impl ServiceProcess {
    /// A process of `program` that listens, with these settings besides its
    /// address. It logs into the file `log`.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(program: impl Into<PathBuf>, arguments: &[String], log: &Path) -> Self {
        let program = program.into();
        let port = TcpSocket::new_v4().expect("a socket");
        port.set_reuseaddr(true).expect("the process may bind it, too");
        port.bind(([127, 0, 0, 1], 0).into()).expect("a port");
        let address = port.local_addr().expect("an address");
        let mut arguments = arguments.to_vec();
        arguments.push(format!("--listen-addr={address}"));
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a URL");
        let process = Self {
            channel: endpoint.connect_lazy(),
            endpoint,
            address,
            process: Mutex::new(spawn(&program, &arguments, log)),
            program,
            arguments,
            log: log.to_owned(),
            up: watch::Sender::new(false),
            _port: port,
        };
        process.listens().await;
        process
    }

    /// Kills it, and returns when it listens again; it may not serve yet.
    ///
    /// # Panics
    /// If it had ended by itself, or does not start.
    pub async fn kill(&self) {
        // Who kills it meanwhile waits until it is back.
        let mut process = self.process.lock().await;
        self.up.send_replace(false);
        let ended = process.try_wait().expect("the process can be asked");
        assert_eq!(ended, None, "it ended by itself: {}", self.last_words());
        process.kill().await.expect("it is killed");
        *process = spawn(&self.program, &self.arguments, &self.log);
        self.listens().await;
    }

    /// Whether it listens.
    #[must_use]
    pub fn is_up(&self) -> bool {
        *self.up.borrow()
    }

    /// Waits until it listens.
    pub async fn up(&self) {
        // It cannot be closed: we hold the sender.
        let _ = self.up.subscribe().wait_for(|up| *up).await;
    }

    /// Fails the test if it ended by itself, or logged an error or a secret.
    ///
    /// # Panics
    /// That is how it fails.
    pub async fn assert_well(&self) {
        let ended = self.process.lock().await.try_wait().expect("the process can be asked");
        assert_eq!(ended, None, "it ended by itself: {}", self.last_words());
        let log = self.log();
        let errors: Vec<_> = log.lines().filter(|line| line.contains(ERROR)).collect();
        assert_eq!((errors, secrets_in(&log)), (Vec::new(), Vec::new()));
    }

    /// The errors that it logged, and the last lines.
    ///
    /// # Panics
    /// If its log cannot be read.
    #[must_use]
    pub fn last_words(&self) -> String {
        let log = self.log();
        let last = log.lines().count().saturating_sub(LAST_LINES);
        let lines = log.lines().enumerate();
        let told = lines.filter(|(n, line)| *n >= last || line.contains(ERROR));
        told.map(|(_, line)| line).collect::<Vec<_>>().join("\n")
    }

    async fn listens(&self) {
        let listens = || async { TcpStream::connect(self.address).await.is_ok() };
        eventually("the service listens", listens).await;
        self.up.send_replace(true);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("the log is read")
    }
}

#[expect(clippy::expect_used, reason = "this is how a test fails")]
fn spawn(program: &Path, arguments: &[String], log: &Path) -> Child {
    let log = OpenOptions::new().create(true).append(true).open(log).expect("a log");
    let mut command = Command::new(program);
    command.args(arguments).env_clear().kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().expect("the program starts")
}
