//! The server's command line: every setting is on it, and nothing of this
//! process's environment is passed on (it may hold secrets). Who the server runs
//! as and what becomes of it are decided elsewhere.

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use crate::{Binaries, Error, PORT, Settings, folder::Folder, log::Log, parent_death, pid_file};

/// The command that runs the server. `stale` is a process id in its lock file
/// that is known to be somebody else's.
pub(crate) fn command(
    binaries: &Binaries,
    settings: &Settings,
    folder: &Folder,
    log: &Log,
    stale: Option<u32>,
) -> Result<Command, Error> {
    let mut command = Command::new(binaries.program("postgres"));
    command.arg("-D").arg(&folder.cluster);
    for (name, value) in parameters(settings, &folder.socket_dir) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    let output = || log.handle().map_err(Error::folder(&folder.log_file));
    command
        .env_clear()
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .envs(stale.map(pid_file::disregard))
        .current_dir(&folder.data_dir)
        .stdin(Stdio::null())
        .stdout(output()?)
        .stderr(output()?)
        .process_group(0); // Ctrl-C is for this process: the services drain first
    folder.run_as.apply(&mut command);
    parent_death::bind(&mut command);
    Ok(command)
}

/// The server's settings.
fn parameters(settings: &Settings, socket_dir: &Path) -> Vec<(String, String)> {
    // A list of quoted names: the path may hold a comma or a blank.
    let socket = format!("\"{}\"", socket_dir.to_string_lossy().replace('"', "\"\""));
    let fixed = [
        ("listen_addresses", ""),
        ("unix_socket_directories", &socket),
        ("unix_socket_permissions", "0700"),
        ("port", &PORT.to_string()),
        ("max_connections", &settings.max_connections.to_string()),
        ("shared_buffers", &format!("{}MB", settings.shared_buffers_mib)),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("lc_messages", "C"),
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
        ("log_line_prefix", "%m [%p] "),
        // Statements and the details of violations hold people's data and secrets.
        ("log_min_error_statement", "panic"),
        ("log_error_verbosity", "terse"),
        ("jit", "off"), // for long analytic queries; costs short ones dearly
    ];
    let forgetful = [
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("autovacuum", "off"),
        ("wal_level", "minimal"),
        ("max_wal_senders", "0"),
        ("min_wal_size", "32MB"),
        ("max_wal_size", "256MB"),
    ];
    let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let forgetful = (!settings.durable).then_some(forgetful).into_iter().flatten();
    fixed.into_iter().chain(forgetful).map(own).chain(settings.parameters.clone()).collect()
}
