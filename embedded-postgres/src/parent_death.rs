//! Ties a child process to the thread that spawned it, so that no server is
//! left behind, not even after kill -9 of its parent. This is the one place
//! with unsafe code: the request must be made between fork and exec. Systems
//! other than Linux have no such signal; there [`crate::watcher`] steps in.

use std::process::Command;

/// Has the kernel send SIGINT (to PostgreSQL a clean "fast" shutdown) to the
/// child as soon as the *thread* that spawns it ends. Call it last: changing
/// the user would clear the request, and std runs `pre_exec` after that.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "`pre_exec` is unsafe; the hook makes two system calls and allocates nothing"
)]
pub(crate) fn bind(command: &mut Command) {
    use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};
    use std::os::unix::process::CommandExt;

    let parent = getpid();
    let hook = move || {
        set_parent_process_death_signal(Some(Signal::INT))?;
        // A parent that died before the call above sends no signal any more.
        if getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
    };
    // SAFETY: between fork and exec only async-signal-safe work is allowed:
    // prctl and getppid are plain system calls, and building an `io::Error`
    // from an errno does not allocate.
    unsafe {
        command.pre_exec(hook);
    }
}

/// Nothing to ask for on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn bind(_command: &mut Command) {}
