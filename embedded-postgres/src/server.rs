//! The server process and the thread that owns it. The thread spawns the child,
//! waits for it and lives exactly as long, because the kernel's parent-death
//! signal follows the thread. No signal is ever sent to a process id that was
//! given back: reaping and signalling exclude each other.

use std::{
    convert::Infallible,
    io,
    process::{Child, Command},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

use crate::{lock::Lock, throwaway::Scratch, watcher::Watcher};

/// How long a server may take to shut down before it is made to.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same where a thread must wait for it.
const PATIENCE_IN_DROP: Duration = Duration::from_secs(10);
/// How long the kernel may take.
const AFTER_KILL: Duration = Duration::from_secs(2);

/// What the server's folder needs until the server has gone.
#[derive(Debug)]
pub(crate) struct Held {
    /// A throw-away folder is removed, before the lock is let go.
    pub(crate) scratch: Option<Scratch>,
    /// Nobody else uses the folder.
    #[expect(dead_code, reason = "held for its lock")]
    pub(crate) lock: Lock,
}

/// How a server ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// It shut down in order.
    pub(crate) clean: bool,
    /// Its status, in words.
    pub(crate) status: String,
}

/// A running server. Dropping it stops the server and waits for that.
#[derive(Debug)]
pub(crate) struct Server {
    pid: u32,
    ended: watch::Receiver<Option<Ended>>,
    /// Disconnects when the thread is done.
    thread: Mutex<mpsc::Receiver<Infallible>>,
    /// What asks it to stop: INT finishes in order, QUIT leaves the rest to recovery.
    stop: Signal,
}

impl Server {
    /// Starts the server; `held` is kept until it has gone.
    pub(crate) async fn spawn(command: Command, held: Arc<Held>) -> io::Result<Self> {
        let stop = if held.scratch.is_some() { Signal::QUIT } else { Signal::INT };
        let (started, start) = oneshot::channel();
        let (ending, ended) = watch::channel(None);
        let (done, thread) = mpsc::channel();
        thread::Builder::new().name("postgres".to_owned()).spawn(move || {
            live(command, held, started, &ending);
            drop::<mpsc::Sender<Infallible>>(done);
        })?;
        let pid = start.await.map_err(io::Error::other)??;
        Ok(Self { pid, ended, thread: Mutex::new(thread), stop })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if it has.
    pub(crate) fn status(&self) -> Option<Ended> {
        self.ended.borrow().clone()
    }

    /// Waits until it has ended.
    pub(crate) async fn exited(&self) -> Ended {
        let mut ended = self.ended.clone();
        let seen = ended.wait_for(Option::is_some).await.ok().and_then(|state| state.clone());
        seen.unwrap_or_else(|| Ended { clean: false, status: "its thread ended".to_owned() })
    }

    /// Shuts it down, more forcefully the longer it takes.
    pub(crate) async fn stop(&self) -> Ended {
        for (signal, patience) in [(self.stop, PATIENCE), (Signal::KILL, AFTER_KILL)] {
            self.signal(signal);
            if let Ok(ended) = timeout(patience, self.exited()).await {
                return ended;
            }
        }
        Ended { clean: false, status: "it could not be killed".to_owned() }
    }

    fn signal(&self, signal: Signal) {
        // The borrow keeps the thread from reaping the child meanwhile.
        let ended = self.ended.borrow();
        if ended.is_none()
            && let Some(pid) = Pid::from_raw(self.pid.cast_signed())
        {
            for signal in [signal, Signal::CONT] {
                if let Err(error) = kill_process(pid, signal) {
                    tracing::debug!(%error, "the database server could not be signalled");
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for (signal, patience) in [(self.stop, PATIENCE_IN_DROP), (Signal::KILL, AFTER_KILL)] {
            self.signal(signal);
            let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner);
            if thread.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Disconnected) {
                return;
            }
        }
    }
}

/// The thread's whole life.
fn live(
    mut command: Command,
    held: Arc<Held>,
    started: oneshot::Sender<io::Result<u32>>,
    ending: &watch::Sender<Option<Ended>>,
) {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            drop(held);
            // Nobody listens only when the caller gave up waiting.
            return drop(started.send(Err(error)));
        }
    };
    let remove = held.scratch.as_ref().map(Scratch::path);
    let watcher = Watcher::spawn(child.id(), remove).unwrap_or_else(|error| {
        tracing::warn!(%error, "the database could not be given a watcher");
        None
    });
    if started.send(Ok(child.id())).is_err()
        && let Err(error) = child.kill()
    {
        tracing::debug!(%error, "an unwanted database server could not be ended");
    }
    wait_without_reaping(&child);
    drop(watcher);
    drop(held);
    ending.send_modify(|state| {
        *state = Some(match child.wait() {
            Ok(status) => Ended { clean: status.success(), status: status.to_string() },
            Err(error) => Ended { clean: false, status: error.to_string() },
        });
    });
}

/// Returns when the child has ended and its process id is still its own.
fn wait_without_reaping(child: &Child) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    if let Err(error) =
        rustix::io::retry_on_intr(|| waitid(WaitId::Pid(Pid::from_child(child)), options))
    {
        tracing::debug!(%error, "waiting for the database server failed");
    }
}
