//! The connections of a service to its Postgres. sqlx's own pool asks the server
//! after every use whether the connection still lives, which is a second round
//! trip for a service that makes one per call. Here a connection is asked only
//! if its state is in doubt: its call was dropped half-way, or could not read
//! the answer.
//!
//! Invariant: never more connections than permits; one that is in doubt keeps
//! its permit. Deliberately not here: repeating calls.

use std::{
    fmt, io,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions as _, Connection as _, Error, PgConnection,
    error::DatabaseError,
    postgres::{PgConnectOptions, PgDatabaseError, PgSeverity},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{sleep, timeout},
};

use super::idle::{Era, Idle, Live};

/// The longest a caller waits for a connection, opening one included.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest a connection in doubt may take to answer, or one to be closed.
/// As long as the server lets a statement run, for that may be what it does.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Pauses between attempts to open a connection.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A pool that connects when it must. Clones share it.
#[derive(Clone)]
pub(super) struct Pool(Arc<Shared>);

struct Shared {
    options: PgConnectOptions,
    size: u32,
    permits: Arc<Semaphore>,
    idle: Mutex<Idle<PgConnection>>,
}

/// A connection that is in use or in doubt.
pub(super) struct Held {
    live: Live<PgConnection>,
    /// Released when the connection lies ready or is closed.
    permit: OwnedSemaphorePermit,
    pool: Pool,
}

/// A connection, lent for one call. Dropping it hands it back.
pub struct Lease(Option<(Held, oneshot::Sender<Held>)>);

/// Where a lease is handed back to. A call that is dropped half-way drops it
/// with the connection inside or still to come.
struct HandedBack(oneshot::Receiver<Held>);

impl Pool {
    pub(super) fn new(options: PgConnectOptions, size: u32) -> Self {
        let permits = Arc::new(Semaphore::new(size as usize));
        Self(Arc::new(Shared { options, size, permits, idle: Mutex::new(Idle::new()) }))
    }

    /// A connection: one that lies ready, or else a new one.
    ///
    /// # Errors
    /// `PoolTimedOut` if none was free within a second; why none could be
    /// opened; `PoolClosed`.
    pub(super) async fn acquire(&self) -> Result<Held, Error> {
        let mut failed = None;
        let acquired = timeout(ACQUIRE_TIMEOUT, self.take_or_open(&mut failed)).await;
        acquired.unwrap_or_else(|_| Err(failed.unwrap_or(Error::PoolTimedOut)))
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.0.options
    }

    /// Lends nothing any more, and closes every connection when it comes back.
    pub(super) async fn close(&self) {
        let ready = self.idle().close();
        for connection in ready {
            part_from(connection).await;
        }
        // Those in use, and those in doubt. An error says that this was done.
        if self.0.permits.acquire_many(self.0.size).await.is_ok() {
            self.0.permits.close();
        }
    }

    async fn take_or_open(&self, failed: &mut Option<Error>) -> Result<Held, Error> {
        let permit = self.0.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|_| Error::PoolClosed)?;
        let (old, ready) = {
            let mut idle = self.idle();
            if idle.is_closed() {
                return Err(Error::PoolClosed);
            }
            (idle.retire(Instant::now()), idle.take())
        };
        for connection in old {
            tokio::spawn(part_from(connection));
        }
        let live = match ready {
            Some(live) => live,
            None => self.open(failed).await?,
        };
        Ok(Held { live, permit, pool: self.clone() })
    }

    /// Opens a connection, and tries again while the server is not there or
    /// takes no more; the last such error is noted in `failed`.
    async fn open(&self, failed: &mut Option<Error>) -> Result<Live<PgConnection>, Error> {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let (era, opened) = (self.idle().era(), Instant::now());
            match self.0.options.connect().await.map_err(greeting) {
                Ok(connection) => return Ok(Live::new(connection, opened, era)),
                Err(error) if is_passing(&error) => *failed = Some(error),
                Err(error) => return Err(error),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Closes what was opened before a connection of `era` was found dead.
    fn distrust(&self, era: Era) {
        let dead = self.idle().end(era);
        drop(dead);
    }

    fn idle(&self) -> MutexGuard<'_, Idle<PgConnection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows no options: they contain a password.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ready = self.idle().len();
        f.debug_struct("Pool").field("size", &self.0.size).field("ready", &ready).finish()
    }
}

impl Held {
    /// Makes a call, and judges by its result what becomes of the connection.
    ///
    /// # Errors
    /// Those of the call.
    pub(super) async fn lend<T, F, Fut>(self, call: F) -> Result<T, Error>
    where
        F: FnOnce(Lease) -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        let (back, handed_back) = oneshot::channel();
        let mut handed_back = HandedBack(handed_back);
        let result = call(Lease(Some((self, back)))).await;
        if let Ok(held) = handed_back.0.try_recv() {
            match &result {
                Ok(_) => held.give_back(),
                Err(error) if was_answered(error) => held.give_back(),
                Err(error) if is_severed(error) => held.pool.distrust(held.live.era()),
                Err(_) => held.doubt(),
            }
        }
        result
    }

    /// Lays the connection ready for the next call.
    fn give_back(self) {
        let Self { live, permit, pool } = self;
        let refused = pool.idle().put(live, Instant::now());
        if let (Err(connection), Ok(runtime)) = (refused, Handle::try_current()) {
            runtime.spawn(async move {
                part_from(connection).await;
                drop(permit);
            });
        }
    }

    /// Finds out whether the connection is still good. Where no runtime is left
    /// to do that, it is closed.
    fn doubt(self) {
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(self.ask());
        }
    }

    async fn ask(mut self) {
        let connection = &mut self.live.connection;
        let answer = timeout(ANSWER_TIMEOUT, async {
            match connection.ping().await {
                // What the call that was dropped would have been told.
                Err(error) if was_answered(&error) => connection.ping().await,
                answer => answer,
            }
        });
        match answer.await {
            Ok(Ok(())) => self.give_back(),
            Ok(Err(_)) => self.pool.distrust(self.live.era()),
            // It may be busy, which says nothing about others.
            Err(_) => {}
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some((held, back)) = self.0.take()
            && let Err(held) = back.send(held)
        {
            held.doubt();
        }
    }
}

impl Drop for HandedBack {
    fn drop(&mut self) {
        self.0.close();
        if let Ok(held) = self.0.try_recv() {
            held.doubt();
        }
    }
}

#[expect(clippy::expect_used, reason = "only dropping a lease takes its connection")]
impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0.as_ref().expect("a lease has a connection").0.live.connection
    }
}

#[expect(clippy::expect_used, reason = "only dropping a lease takes its connection")]
impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0.as_mut().expect("a lease has a connection").0.live.connection
    }
}

/// The server answered with an error and takes the next statement.
fn was_answered(error: &Error) -> bool {
    match error {
        Error::RowNotFound => true,
        Error::Database(error) => !is_fatal(&**error),
        _ => false,
    }
}

/// The connection is of no use any more.
fn is_severed(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed => true,
        Error::Database(error) => is_fatal(&**error),
        _ => false,
    }
}

/// The server ended the connection with this error.
fn is_fatal(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<PgDatabaseError>();
    error.is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
}

/// A server that crashes may answer the very first question, whether it speaks
/// TLS, with an error, which a client must be prepared for (PostgreSQL's manual,
/// "SSL Session Encryption") and sqlx is not. It is as if it were not there.
fn greeting(error: Error) -> Error {
    match error {
        Error::Protocol(said) => Error::Io(io::Error::new(io::ErrorKind::ConnectionReset, said)),
        error => error,
    }
}

/// The server is not there, is starting, or takes no more connections now.
fn is_passing(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    matches!(error, Error::Io(_)) || matches!(code.as_deref(), Some("57P03" | "53300"))
}

/// Says good-bye, so that the server knows at once.
async fn part_from(connection: PgConnection) {
    // One that cannot be told will notice.
    let _ = timeout(ANSWER_TIMEOUT, connection.close()).await;
}
