//! A shell that outlives this process by a moment to clean up after it: it
//! removes a throw-away folder (a `static` cluster is never dropped), and where
//! the kernel sends no parent-death signal it also stops the server. It wakes
//! when its standard input closes, however this process ended.

use std::{
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

/// `$1` is the server's process id, `$2` the folder to remove, if any.
const SCRIPT: &str = r#"
read -r _
kill -INT "$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
[ -z "$2" ] || rm -rf -- "$2"
"#;

/// Waits for this process to end.
pub(crate) struct Watcher(Child);

impl Watcher {
    /// Watches over a server; `None` where nothing would be left to do.
    pub(crate) fn spawn(server: u32, remove: Option<&Path>) -> io::Result<Option<Self>> {
        if remove.is_none() && cfg!(target_os = "linux") {
            return Ok(None);
        }
        let child = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "sh", &server.to_string()])
            .arg(remove.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            .process_group(0) // Ctrl-C is for this process, not for its watcher
            .spawn()?;
        Ok(Some(Self(child)))
    }
}

impl Drop for Watcher {
    /// The server is gone already: the shell must not see its input close.
    fn drop(&mut self) {
        let ended = self.0.kill().and_then(|()| self.0.wait());
        if let Err(error) = ended {
            tracing::debug!(%error, "the watcher of the database could not be ended");
        }
    }
}
