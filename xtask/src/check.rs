//! `cargo xtask check`: every step runs, whatever the one before it said; one
//! line each, and what failed in full.

use std::{
    io::{ErrorKind, Write as _, stdout},
    path::PathBuf,
    process::Command,
    time::Instant,
};

use crate::{
    arrows, asvs, generate,
    generated::Generated,
    sources, sql, typescript,
    workspace::{command, output, root},
};

enum Outcome {
    Passed,
    Failed(String),
    LeftOut(&'static str),
}

type Step = (&'static str, fn() -> anyhow::Result<Outcome>);

const STEPS: [Step; 12] = [
    ("format", || cargo(&["fmt", "--all", "--check", "--", "--color", "never"])),
    ("sources and links", || Ok(no_faults(&sources::faults()?))),
    ("dependency arrows", || Ok(no_faults(&arrows::faults()?))),
    ("security requirements", || Ok(no_faults(&asvs::faults()?))),
    ("clippy", clippy),
    ("documentation", documentation),
    ("query caches are fresh", || fresh(&sql::generate()?, "cargo xtask sql")),
    ("generated pages are fresh", || fresh(&generate()?, "cargo xtask gen")),
    ("generated TypeScript is fresh", typescript),
    ("types of the page", types),
    ("buf lint", buf),
    ("cargo deny", deny),
];

/// Runs every step.
///
/// # Errors
/// If one of them failed.
pub(crate) fn run() -> anyhow::Result<()> {
    let (mut passed, mut failed, mut left_out) = (0, 0, 0);
    for (name, step) in STEPS {
        print!("{name:<30} ");
        stdout().flush()?;
        let started = Instant::now();
        let outcome = step().unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        let seconds = started.elapsed().as_secs_f32();
        match outcome {
            Outcome::Passed => {
                passed += 1;
                println!("ok, {seconds:.1} s");
            }
            Outcome::LeftOut(why) => {
                left_out += 1;
                println!("left out: {why}");
            }
            Outcome::Failed(why) => {
                failed += 1;
                println!("FAILED, {seconds:.1} s\n{}\n", why.trim_end());
            }
        }
    }
    println!("check: {passed} passed, {failed} failed, {left_out} left out");
    anyhow::ensure!(failed == 0, "not everything holds");
    Ok(())
}

fn clippy() -> anyhow::Result<Outcome> {
    let everything = ["clippy", "--workspace", "--all-targets", "--all-features", "--keep-going"];
    finish(command("cargo", &everything).args(["--quiet", "--", "-D", "warnings"]))
}

fn documentation() -> anyhow::Result<Outcome> {
    let pages = ["doc", "--workspace", "--no-deps", "--all-features", "--quiet"];
    finish(command("cargo", &pages).env("RUSTDOCFLAGS", "-D warnings"))
}

fn typescript() -> anyhow::Result<Outcome> {
    if !typescript::at_hand() {
        return Ok(Outcome::LeftOut("the packages of web/ are not installed"));
    }
    fresh(&typescript::generate()?, "cargo xtask gen")
}

fn types() -> anyhow::Result<Outcome> {
    if !typescript::at_hand() {
        return Ok(Outcome::LeftOut("the packages of web/ are not installed"));
    }
    let check = ["--prefix", "web", "--silent", "run", "check"];
    finish(&mut command("npm", &check))
}

fn buf() -> anyhow::Result<Outcome> {
    if !at_hand("buf", &["--version"])? {
        return Ok(Outcome::LeftOut("buf is not at hand"));
    }
    finish(command("buf", &["lint"]).current_dir(root().join("proto")))
}

/// Advisories are left to whoever watches them: a check that asks the network
/// fails on a day when nothing was changed.
fn deny() -> anyhow::Result<Outcome> {
    if !at_hand("cargo-deny", &["--version"])? {
        return Ok(Outcome::LeftOut("cargo-deny is not at hand"));
    }
    cargo(&["deny", "--all-features", "check", "-D", "warnings", "bans", "licenses", "sources"])
}

fn at_hand(program: &str, arguments: &[&str]) -> anyhow::Result<bool> {
    match command(program, arguments).output() {
        Ok(output) => Ok(output.status.success()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn cargo(arguments: &[&str]) -> anyhow::Result<Outcome> {
    finish(&mut command("cargo", arguments))
}

fn finish(command: &mut Command) -> anyhow::Result<Outcome> {
    output(command).map(|_| Outcome::Passed)
}

fn no_faults(faults: &[String]) -> Outcome {
    if faults.is_empty() { Outcome::Passed } else { Outcome::Failed(faults.join("\n")) }
}

fn fresh(generated: &Generated, how: &str) -> anyhow::Result<Outcome> {
    let stale = generated.differing()?;
    if stale.is_empty() {
        return Ok(Outcome::Passed);
    }
    let paths: Vec<String> =
        stale.iter().map(|path: &PathBuf| path.display().to_string()).collect();
    Ok(Outcome::Failed(format!("{}\nare stale: run `{how}`", paths.join("\n"))))
}
