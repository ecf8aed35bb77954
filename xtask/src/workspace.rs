//! Where the workspace is, which files it has, and how its tools are run.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context as _;

/// The workspace's folder.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// A program that runs in the workspace's folder and is never asked anything.
pub(crate) fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

/// Builds programs and examples of these crates, all in one go: Cargo chooses
/// the features of a dependency for what is built together, and would build
/// much of it anew for each crate alone. Returns the folder they are in.
///
/// # Errors
/// If one of them does not compile.
pub(crate) fn build(packages: &[&str]) -> anyhow::Result<PathBuf> {
    let mut build = command("cargo", &["build", "--quiet", "--bins", "--examples"]);
    for package in packages {
        build.args(["--package", package]);
    }
    output(&mut build)?;
    // This program was built beside them.
    let here = std::env::current_exe()?;
    Ok(here.parent().context("a program without a folder")?.to_owned())
}

/// Runs a command to its end and returns what it printed.
///
/// # Errors
/// If it fails, with everything it said.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{program} cannot be run"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::bail!("{program}: {}\n{text}{said}", output.status);
    }
    Ok(text)
}

/// The files of the workspace whose name ends in `ending`: those that are
/// committed, and those that could be.
///
/// # Errors
/// If git cannot tell.
pub(crate) fn files(ending: &str) -> anyhow::Result<Vec<String>> {
    let pattern = format!("*{ending}");
    let list = ["ls-files", "--cached", "--others", "--exclude-standard", "--", &pattern];
    let text = output(&mut command("git", &list))?;
    let mut files: Vec<String> = text.lines().map(str::to_owned).collect();
    files.retain(|file| root().join(file).is_file());
    Ok(files)
}
