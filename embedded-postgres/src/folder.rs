//! Where a cluster lies. In the data folder, for major version 18:
//! `postgres-18` (the cluster, whole or absent), `postgres-18.lock`,
//! `postgres-18.log` and `postgres-18.socket`. Everything is checked here, before
//! any program runs; nothing here looks inside the cluster beyond PG_VERSION.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use rustix::process::geteuid;

use crate::{Error, PORT, account::RunAs};

/// The longest path of a socket that every system takes.
const SOCKET_PATH_MAX: usize = 99;

/// The places of one cluster.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// The parent of everything, absolute.
    pub(crate) data_dir: PathBuf,
    /// The cluster itself, owned by the server's account.
    pub(crate) cluster: PathBuf,
    /// Held while a process uses the cluster.
    pub(crate) lock_file: PathBuf,
    /// What the server prints.
    pub(crate) log_file: PathBuf,
    /// Where it listens; only its account (and root) can enter.
    pub(crate) socket_dir: PathBuf,
    /// Who the server runs as.
    pub(crate) run_as: RunAs,
}

impl Folder {
    /// Makes the data folder when it is missing and refuses one that will not do.
    pub(crate) fn prepare(data_dir: &Path, major: u32, run_as: RunAs) -> Result<Self, Error> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(run_as.folder_mode())
            .create(data_dir)
            .map_err(Error::folder(data_dir))?;
        let data_dir = fs::canonicalize(data_dir).map_err(Error::folder(data_dir))?;
        run_as.check_entry(&data_dir)?;
        let cluster = data_dir.join(format!("postgres-{major}"));
        check_major(&data_dir, &cluster, major)?;
        check_owner(&cluster, &run_as)?;
        let socket_dir = short_enough(&data_dir.join(format!("postgres-{major}.socket")), &run_as)?;
        make_private(&socket_dir, &run_as)?;
        Ok(Self {
            lock_file: data_dir.join(format!("postgres-{major}.lock")),
            log_file: data_dir.join(format!("postgres-{major}.log")),
            data_dir,
            cluster,
            socket_dir,
            run_as,
        })
    }

    /// Whether the cluster was made already.
    pub(crate) fn is_initialized(&self) -> bool {
        self.cluster.join("PG_VERSION").is_file()
    }
}

/// Removes the folders in `parent` whose names begin with `prefix`.
pub(crate) fn remove_leftovers(parent: &Path, prefix: &str) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Refuses a cluster of another major version, also when ours would lie beside
/// it: after an upgrade of the system's server a user's data must not seem gone.
fn check_major(data_dir: &Path, cluster: &Path, major: u32) -> Result<(), Error> {
    let version_of = |cluster: &Path| fs::read_to_string(cluster.join("PG_VERSION")).ok();
    let other = |folder: PathBuf, found: String| {
        Err(Error::OtherMajor { folder, found: found.trim().to_owned(), running: major })
    };
    if let Some(found) = version_of(cluster) {
        return if found.trim() == major.to_string() {
            Ok(())
        } else {
            other(cluster.to_owned(), found)
        };
    }
    for entry in fs::read_dir(data_dir).map_err(Error::folder(data_dir))? {
        let entry = entry.map_err(Error::folder(data_dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let numbered =
            name.strip_prefix("postgres-").is_some_and(|rest| rest.parse::<u32>().is_ok());
        if numbered && let Some(found) = version_of(&entry.path()) {
            return other(entry.path(), found);
        }
    }
    Ok(())
}

/// Refuses a cluster that another user's server made.
fn check_owner(cluster: &Path, run_as: &RunAs) -> Result<(), Error> {
    match fs::metadata(cluster) {
        Ok(meta) if meta.uid() != run_as.uid() => Err(Error::Owner {
            folder: cluster.to_owned(),
            owner: meta.uid(),
            running: run_as.uid(),
        }),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::folder(cluster)(error)),
    }
}

/// The wanted folder, or one in a temporary place, named by a hash of it, when
/// a socket in it would have too long a path.
fn short_enough(wanted: &Path, run_as: &RunAs) -> Result<PathBuf, Error> {
    let fits = |folder: &Path| {
        folder.join(format!(".s.PGSQL.{PORT}")).as_os_str().len() <= SOCKET_PATH_MAX
    };
    if fits(wanted) {
        return Ok(wanted.to_owned());
    }
    let hash = digest::digest(&digest::SHA256, wanted.as_os_str().as_encoded_bytes());
    let hash: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let name = format!("duet-{}-{hash}", run_as.uid());
    [std::env::temp_dir(), PathBuf::from("/var/tmp")]
        .into_iter()
        .filter(|place| run_as.check_entry(place).is_ok())
        .map(|place| place.join(&name))
        .find(|folder| fits(folder))
        .ok_or_else(|| Error::folder(wanted)(io::Error::other("the path is too long for a socket")))
}

/// Makes a folder that only the server's account can enter. One that is there
/// already must be ours: in a place open to all it may be somebody's trap.
fn make_private(folder: &Path, run_as: &RunAs) -> Result<(), Error> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::folder(folder)(error));
        }
        _ => {}
    }
    let meta = fs::symlink_metadata(folder).map_err(Error::folder(folder))?;
    if !meta.is_dir() {
        return Err(Error::folder(folder)(io::ErrorKind::NotADirectory.into()));
    }
    if meta.uid() != run_as.uid() && meta.uid() != geteuid().as_raw() {
        return Err(Error::Owner {
            folder: folder.to_owned(),
            owner: meta.uid(),
            running: run_as.uid(),
        });
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
        .map_err(Error::folder(folder))?;
    run_as.give(folder)
}
