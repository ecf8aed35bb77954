//! Files that only the user can read: what the client remembers lies in them.
//!
//! Invariants: a file is replaced as a whole or not at all; it is never used
//! while others can read it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde::Serialize;
use shared::rng;

use super::failure::Failure;

/// A file of mode 0600.
#[derive(Clone, Debug)]
pub(crate) struct PrivateFile {
    path: PathBuf,
}

impl PrivateFile {
    /// The file at `path`, which need not be there.
    pub(crate) const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A path that differs from the file's own by its end.
    pub(crate) fn beside(&self, end: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(end);
        path.into()
    }

    /// What it holds.
    pub(crate) fn read(&self) -> io::Result<String> {
        let file = File::open(&self.path)?;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            let message = "others can read it; take that from them with chmod 600, and sign out \
                           if somebody may have";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        io::read_to_string(file)
    }

    /// Replaces what it holds with this as JSON. Its folder must be there.
    pub(crate) fn replace(&self, contents: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(contents)
            .map_err(|error| Failure::file(&self.path, &error.into()))?;
        let new = self.beside(&format!(".{}", rng::uuid_v4().simple()));
        let written = write_new(&new, text.as_bytes())
            .and_then(|()| fs::rename(&new, &self.path))
            .map_err(|error| Failure::file(&self.path, &error));
        if written.is_err() {
            // Nobody needs half a file; that it may not be there is no matter.
            drop(fs::remove_file(&new));
        }
        written
    }

    /// Removes it, if it is there.
    pub(crate) fn remove(&self) -> Result<(), Failure> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::file(&self.path, &error))
            }
            _ => Ok(()),
        }
    }
}

fn write_new(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}
