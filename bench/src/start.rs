//! How long `duet up` takes from being started to saying that it runs, with a
//! data folder that is there already. Needs the program `duet` beside this one.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    time::Instant,
};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{measure::Sample, stage};

/// `duet`, with a data folder that a first start has made.
pub(crate) struct Starts {
    program: PathBuf,
    data: TempDir,
}

impl Starts {
    /// Makes the data folder. None if there is no `duet` beside this program.
    pub(crate) fn prepare() -> anyhow::Result<Option<Self>> {
        let program = std::env::current_exe()?.with_file_name("duet");
        if !program.is_file() {
            return Ok(None);
        }
        let starts = Self { program, data: stage::folder()? };
        starts.measure()?;
        Ok(Some(starts))
    }

    /// Starts it once, and stops it. The time is the sample's latency.
    pub(crate) fn measure(&self) -> anyhow::Result<Sample> {
        let began = Instant::now();
        let mut child = Command::new(&self.program)
            .args(["up", "--data-dir"])
            .arg(self.data.path())
            .args(["--listen-addr", "127.0.0.1:0"])
            .args(["--auth-listen-addr", "127.0.0.1:0", "--task-listen-addr", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start duet")?;
        let output = BufReader::new(child.stdout.take().context("duet without output")?);
        let running = runs(output);
        let took = began.elapsed().as_secs_f64();
        let ended = stop(child);
        anyhow::ensure!(running?, "`duet up` did not say that it runs");
        ended?;
        Ok(Sample { p50: Some(took), ..Sample::default() })
    }
}

/// Reads until it says so, or says no more.
fn runs(output: BufReader<ChildStdout>) -> anyhow::Result<bool> {
    for line in output.lines() {
        if line?.starts_with("Duet is running") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn stop(mut child: Child) -> anyhow::Result<()> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        kill_process(pid, Signal::TERM)?;
    }
    child.wait()?;
    Ok(())
}
