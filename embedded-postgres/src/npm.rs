//! Runs `npm pack`. It works in one empty folder, its cache included, so that
//! nothing is left in the user's own and the bytes that arrive can be counted.
//! What is in the package is judged elsewhere.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, time::interval};

use crate::{Error, binaries::how_to_install, error::first_lines};

/// How often the bytes are counted.
const TICK: Duration = Duration::from_millis(100);

/// Fetches a package (`name@version`) into the empty folder `work`; returns its
/// archive. `arrived` is told about how many bytes are here.
pub(crate) async fn pack(
    npm: &Path,
    package: &str,
    work: &Path,
    arrived: impl Fn(u64),
) -> Result<PathBuf, Error> {
    let cache = work.join("npm-cache");
    let mut command = Command::new(npm);
    command
        .args(["pack", package, "--ignore-scripts", "--loglevel=error", "--no-update-notifier"])
        .args(["--no-audit", "--no-fund", "--fetch-retries=2", "--fetch-retry-mintimeout=1000"])
        .arg("--cache")
        .arg(&cache)
        .current_dir(work)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let run = command.output();
    tokio::pin!(run);
    let mut tick = interval(TICK);
    let output = loop {
        tokio::select! {
            output = &mut run => break output,
            _ = tick.tick() => arrived(size_of_folder(&cache)),
        }
    };
    let output = output.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::NpmMissing,
        _ => Error::run(npm)(error),
    })?;
    let archive = fs::read_dir(work)
        .map_err(Error::folder(work))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    archive.filter(|_| output.status.success()).ok_or_else(|| Error::Npm {
        package: package.to_owned(),
        output: first_lines(&String::from_utf8_lossy(&output.stderr)),
        install: how_to_install(),
    })
}

/// The bytes in a folder, however deep; what vanishes meanwhile counts nothing.
fn size_of_folder(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size_of_folder(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}
