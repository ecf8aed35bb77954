//! Slow, blocking work beside the runtime, on a thread of its own. The thread
//! lasts until the work is done, even when nobody waits for it any more, so
//! what the work must not lose (a lock) is moved into it.

use std::{io, thread};

use tokio::sync::oneshot;

/// Runs `work` on a new thread and waits for its result.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    thread::Builder::new().name("postgres-setup".to_owned()).spawn(move || {
        // Nobody listens only when the caller gave up waiting.
        drop(done.send(work()));
    })?;
    result.await.map_err(io::Error::other)
}
