//! Makes a cluster, once. `initdb` works in a temporary folder that is renamed
//! when all is done, so a cluster is whole or absent whenever it is interrupted.
//! Roles and databases are not here.

use std::{
    fs::{self, File},
    io,
    process::{Command, Stdio},
};

use crate::{
    Binaries, Error, SUPERUSER,
    error::last_lines,
    folder::{Folder, remove_leftovers},
    parent_death,
};

/// Creates the cluster. The caller holds the folder's lock. Blocks for seconds.
pub(crate) fn initialize(binaries: &Binaries, folder: &Folder, durable: bool) -> Result<(), Error> {
    let parent = &folder.data_dir;
    let prefix = format!("postgres-{}.initdb-", binaries.major);
    remove_leftovers(parent, &prefix).map_err(Error::folder(parent))?;
    let work = tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(parent)
        .map_err(Error::folder(parent))?;
    folder.run_as.give(work.path())?;

    let program = binaries.program("initdb");
    let mut command = Command::new(&program);
    command
        .arg("--pgdata")
        .arg(work.path())
        // Whoever can enter the socket's folder may connect; there is no TCP.
        .args(["--auth=trust", "--username", SUPERUSER, "--encoding=UTF8", "--data-checksums"])
        .args(locale(binaries.major))
        .args((!durable).then_some("--no-sync"))
        .current_dir(parent)
        .env_clear()
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(Stdio::null());
    folder.run_as.apply(&mut command);
    parent_death::bind(&mut command);
    let output = command.output().map_err(Error::run(program))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(Error::Initdb {
            folder: parent.clone(),
            output: last_lines(&String::from_utf8_lossy(&said)),
        });
    }
    let place = || -> io::Result<()> {
        fs::rename(work.path(), &folder.cluster)?;
        File::open(parent)?.sync_all()
    };
    place().map_err(Error::folder(&folder.cluster))
}

/// C.UTF-8: the same order everywhere, and no index ever breaks because the
/// system's locale data changed. From 17 on the server brings it along. macOS
/// has no such locale of its own; there C orders the same way.
fn locale(major: u32) -> &'static [&'static str] {
    match (major >= 17, cfg!(target_os = "macos")) {
        (true, false) => {
            &["--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        }
        (true, true) => &["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
        (false, false) => &["--locale=C.UTF-8"],
        (false, true) => &["--locale=C"],
    }
}
