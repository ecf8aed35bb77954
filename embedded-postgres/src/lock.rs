//! An advisory lock on a file, held by one process at a time and given back by
//! the kernel however that process ends. The file stays: removing it would let
//! two processes lock two different files of one name.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use tokio::time::{Instant, sleep};

/// How often a held lock is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// A held lock; dropping it lets go.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

/// What came of asking for a lock.
pub(crate) enum Attempt {
    /// It is ours.
    Held(Lock),
    /// The named process kept it until the deadline.
    Refused { holder: u32 },
}

impl Lock {
    /// Takes the lock, waiting for its holder until `deadline` (for ever without one).
    pub(crate) async fn acquire(path: &Path, deadline: Option<Instant>) -> io::Result<Attempt> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) => {
                    if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                        return Ok(Attempt::Refused { holder: holder(&mut file)? });
                    }
                    sleep(RETRY).await;
                }
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Attempt::Held(Self(file)))
    }
}

/// The process id that the holder wrote; 0 in the instant before it has.
fn holder(file: &mut File) -> io::Result<u32> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text.trim().parse().unwrap_or(0))
}
