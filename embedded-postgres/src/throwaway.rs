//! Folders of throw-away clusters: in memory when there is room, named after
//! the process that made them, removed when dropped. Those of processes that
//! were killed before they could do so are removed by the next one.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use rustix::{
    fs::Access,
    io::Errno,
    process::{Pid, test_kill_process},
};

use crate::{Error, account::RunAs};

/// How the folders' names begin; the process id and a number follow.
const PREFIX: &str = "duet-test-";

/// Where files are in memory.
const MEMORY: &str = "/dev/shm";

/// Memory that must be free: containers often have 64 MiB only.
const ROOM_BYTES: u64 = 1 << 30;

/// Numbers the folders of this process.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// A folder that is removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one, after removing what killed processes left.
    pub(crate) fn create(run_as: &RunAs) -> Result<Self, Error> {
        let places = [PathBuf::from(MEMORY), std::env::temp_dir()];
        places.iter().for_each(|place| remove_orphans(place));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        let make = |place: &PathBuf| {
            let folder = place.join(&name);
            let made = fs::DirBuilder::new().mode(run_as.folder_mode()).create(&folder);
            made.map(|()| Self(folder))
        };
        let place = quick_place();
        make(&place).map_err(Error::folder(&place))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "a throw-away database could not be removed");
        }
    }
}

/// Where folders go that need not outlive the machine: in memory when there is room,
/// so that nothing waits for a disk; otherwise wherever temporary files go.
#[must_use]
pub fn quick_place() -> PathBuf {
    let has_room = rustix::fs::statvfs(MEMORY)
        .is_ok_and(|stat| stat.f_bavail.saturating_mul(stat.f_frsize) >= ROOM_BYTES);
    let is_open = rustix::fs::access(MEMORY, Access::WRITE_OK).is_ok();
    if has_room && is_open { PathBuf::from(MEMORY) } else { std::env::temp_dir() }
}

/// Removes the folders of processes that are no more; other users' stay.
fn remove_orphans(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(owner);
        if owner.is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
            && let Err(error) = fs::remove_dir_all(entry.path())
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(folder = %entry.path().display(), %error, "a leftover database could not be removed");
        }
    }
}

/// The process that made a folder of this name.
fn owner(name: &str) -> Option<Pid> {
    let (pid, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
    Pid::from_raw(pid.parse().ok()?)
}
