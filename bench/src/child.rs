//! A server as seen by the process that started it: its address, its process
//! id, its end. Dropping it ends it and waits for that.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;

/// How long a server may take to drain before it is killed.
const PATIENCE: Duration = Duration::from_secs(12);
const POLL: Duration = Duration::from_millis(5);

/// A running server.
pub(crate) struct ServerProcess {
    child: Child,
    /// The server ends when this does.
    input: Option<ChildStdin>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl ServerProcess {
    /// Starts this program again as a server. Its logs go to `log`.
    pub(crate) fn start(
        args: &[&str],
        settings: &[(&str, &str)],
        log: &Path,
    ) -> anyhow::Result<Self> {
        let logs = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(args)
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(logs)
            .spawn()
            .context("cannot start a server")?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("a server without output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().map_err(|_| {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            anyhow::anyhow!("{} did not start: {}", args.join(" "), said.trim())
        })?;
        Ok(Self { child, input, address })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens, as a URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.input.take());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(POLL),
                Ok(Some(_)) | Err(_) => return,
            }
        }
        // It may have ended this very moment.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
