//! What a process has used, from the kernel's accounts in /proc: CPU time and
//! resident memory. Linux only.

use std::{fs, time::Duration};

use anyhow::Context as _;

/// The unit of CPU times in /proc: USER_HZ, 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// CPU time of a process so far, user and system, all threads.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = Stat::of(pid)?;
    Ok(TICK * (stat.user + stat.system))
}

/// The same of this process.
pub(crate) fn own_cpu() -> anyhow::Result<Duration> {
    cpu(std::process::id())
}

/// The same of the children of this process that have ended.
pub(crate) fn reaped_cpu() -> anyhow::Result<Duration> {
    Ok(TICK * Stat::of(std::process::id())?.reaped)
}

/// CPU time of a process and its children, the ended ones included.
pub(crate) fn family_cpu(pid: u32) -> anyhow::Result<Duration> {
    loop {
        let before = Stat::of(pid)?;
        let children = children_ticks(pid)?;
        let parent = Stat::of(pid)?;
        // A child that ended in between could be missing on both sides.
        if parent.reaped == before.reaped {
            return Ok(TICK * (parent.user + parent.system + parent.reaped + children));
        }
    }
}

fn children_ticks(pid: u32) -> anyhow::Result<u32> {
    let mut ticks = 0;
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(other) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process that ended since it was listed is nobody's child any more.
        if let Ok(stat) = Stat::of(other)
            && stat.parent == pid
        {
            ticks += stat.user + stat.system;
        }
    }
    Ok(ticks)
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = read(pid, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kib.context("a process without VmRSS")? * 1024)
}

/// Part of `/proc/<pid>/stat`; times in ticks.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    user: u32,
    system: u32,
    /// Of children that have ended.
    reaped: u32,
}

impl Stat {
    fn of(pid: u32) -> anyhow::Result<Self> {
        Self::parse(&read(pid, "stat")?).context("/proc/…/stat in an unknown form")
    }

    /// See proc(5). The name of the program, in brackets, may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
        Some(Self {
            parent: ticks(1)?,
            user: ticks(11)?,
            system: ticks(12)?,
            reaped: ticks(13)? + ticks(14)?,
        })
    }
}

fn read(pid: u32, file: &str) -> anyhow::Result<String> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_a_name_with_brackets_and_blanks() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 20 30 20 0 1 0 100 1 2";
        let parsed = Stat { parent: 1, user: 150, system: 50, reaped: 50 };
        assert_eq!(Stat::parse(stat), Some(parsed));
        assert_eq!(Stat::parse("7 (cut off) S 1"), None);
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(resident(std::process::id()).unwrap() > 100_000);
        assert!(family_cpu(std::process::id()).unwrap() >= own_cpu().unwrap());
    }
}
