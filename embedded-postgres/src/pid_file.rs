//! What `postmaster.pid` in a cluster tells: which process runs it, and whether
//! that one takes connections yet. It is the server's file; nothing here writes
//! or removes it.

use std::{fs, path::Path};

use rustix::process::{Pid, test_kill_process};

/// Who a cluster's lock file names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// No file, or a process that is no more: the server sees to that itself.
    Nobody,
    /// A live server of this cluster.
    Server(u32),
    /// A live process that was given the number of a dead server, as happens
    /// when a container starts again.
    Stranger(u32),
}

/// Looks at the lock file.
pub(crate) fn holder(cluster: &Path) -> Holder {
    let named = lines(cluster).first().and_then(|line| line.trim().parse::<i32>().ok());
    let Some(pid) = named.and_then(Pid::from_raw) else { return Holder::Nobody };
    let number = pid.as_raw_nonzero().get().unsigned_abs();
    if test_kill_process(pid) == Err(rustix::io::Errno::SRCH) {
        return Holder::Nobody;
    }
    // The server's working directory is its cluster.
    let elsewhere = fs::read_link(format!("/proc/{number}/cwd")).map_or(true, |cwd| cwd != cluster);
    match cfg!(target_os = "linux") && elsewhere {
        true => Holder::Stranger(number),
        false => Holder::Server(number),
    }
}

/// The variable that has the server disregard a number in its lock file; it is
/// how `pg_ctl` says "that is me". All other checks of the server stay.
pub(crate) fn disregard(pid: u32) -> (&'static str, String) {
    ("PG_GRANDPARENT_PID", pid.to_string())
}

/// Whether this server says that it takes connections.
pub(crate) fn says_ready(cluster: &Path, server: u32) -> bool {
    let lines = lines(cluster);
    let line = |number: usize| lines.get(number - 1).map(|line| line.trim());
    line(1) == Some(server.to_string().as_str()) && line(8) == Some("ready")
}

fn lines(cluster: &Path) -> Vec<String> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_live_server_holds_a_cluster() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(holder(folder.path()), Holder::Nobody);
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(folder.path())
            .spawn()
            .unwrap();
        let cluster = fs::canonicalize(folder.path()).unwrap();
        fs::write(cluster.join("postmaster.pid"), format!("{}\n", child.id())).unwrap();
        let server = holder(&cluster);
        let me = std::process::id();
        fs::write(cluster.join("postmaster.pid"), format!("{me}\n")).unwrap();
        let stranger = holder(&cluster);
        fs::write(cluster.join("postmaster.pid"), format!("{}\n", child.id())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(server, Holder::Server(child.id()));
        assert_eq!(holder(&cluster), Holder::Nobody);
        if cfg!(target_os = "linux") {
            assert_eq!(stranger, Holder::Stranger(me));
        }
    }
}
