//! The data folder: the database's files, and a few small files of ours. What
//! is secret is readable by its owner alone.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use etcetera::BaseStrategy as _;
use shared::secret::Key;

/// The folder that everything of `duet up` lies in.
pub(super) struct Home {
    folder: PathBuf,
}

impl Home {
    /// Opens the folder that was asked for, or the usual one; makes it if it is
    /// not there.
    pub(super) fn open(asked: Option<&Path>) -> anyhow::Result<Self> {
        let folder = match asked {
            Some(folder) => std::path::absolute(folder)?,
            None if rustix::process::geteuid().is_root() => PathBuf::from("/var/lib/duet"),
            None => etcetera::choose_base_strategy()
                .context("the folder for data is not known; name one with --data-dir")?
                .data_dir()
                .join("duet"),
        };
        let home = Self { folder };
        let usable = fs::create_dir_all(&home.folder)
            .and_then(|()| fs::DirBuilder::new().mode(0o700).recursive(true).create(home.secrets()))
            .and_then(|()| tempfile::tempfile_in(home.secrets()).map(drop));
        usable.with_context(|| {
            format!(
                "cannot write in the data folder {}; change its owner or rights, \
                 or choose another one with --data-dir",
                home.folder.display()
            )
        })?;
        Ok(home)
    }

    /// The folder itself.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file with the demo user's e-mail and password.
    pub(super) fn demo_user(&self) -> PathBuf {
        self.folder.join("demo-user")
    }

    /// The file that remembers the signing keys of auth-service.
    pub(super) fn key_cache(&self) -> PathBuf {
        self.secrets().join("trusted-keys.json")
    }

    /// The file with the secret of task-service's account at auth-service.
    pub(super) fn service_secret(&self) -> PathBuf {
        self.secrets().join("task-service-secret")
    }

    /// The folder with the mails that would have been sent.
    pub(super) fn mail(&self) -> PathBuf {
        self.folder.join("mail")
    }

    /// The file with a key; made on the first run.
    pub(super) fn key(&self, name: &str) -> anyhow::Result<PathBuf> {
        let file = self.secrets().join(name);
        write_once(&file, || Key::random().to_base64().to_string())
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    fn secrets(&self) -> PathBuf {
        self.folder.join("secrets")
    }
}

/// Writes a file for its owner's eyes, unless it is there. It appears whole or
/// not at all.
pub(super) fn write_once(file: &Path, text: impl FnOnce() -> String) -> io::Result<()> {
    if file.exists() {
        return Ok(());
    }
    let new = file.with_extension("new");
    let mut opened =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    opened.write_all(text().as_bytes())?;
    opened.sync_all()?;
    fs::rename(&new, file)
}
