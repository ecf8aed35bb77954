//! Folders for what a test runs.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

use embedded_postgres::quick_place;
use tempfile::TempDir;

/// A folder that goes away with the test, in memory when there is room: a server that
/// writes there waits for no disk, however busy it is. An account without rights can
/// enter it, because a Postgres may have to run under one. If the process is killed,
/// the next throw-away cluster removes it.
///
/// # Panics
/// If it cannot be made.
#[must_use]
#[expect(clippy::expect_used, reason = "this is how a test fails")]
pub fn folder() -> TempDir {
    let prefix = format!("duet-test-{}-", std::process::id());
    let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(quick_place());
    let folder = folder.expect("a folder for the test");
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755))
        .expect("everybody may enter it");
    folder
}
