//! `cargo xtask check|sql|gen`: the project's own checks, and the generators of
//! what is generated and committed.
//!
//! Invariant: this crate depends on no other crate of the workspace, so that it
//! runs whatever state they are in.
#![expect(clippy::print_stdout, reason = "a program that reports to whoever runs it")]

mod api;
mod arrows;
mod asvs;
mod check;
mod generated;
mod postgres;
mod settings;
mod sources;
mod sql;
mod typescript;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>
  check  everything that must hold before a change lands
  sql    renew the query caches: auth-service/.sqlx, task-service/.sqlx
  gen    renew what is generated: docs/api.md, docs/settings.md, and
         web/client/src/gen if `npm ci` was run in web/";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["check"] => check::run(),
        ["sql"] => sql::generate().and_then(|generated| generated.write()),
        ["gen"] => generate().and_then(|generated| generated.write()).and_then(|()| {
            if typescript::at_hand() { typescript::generate()?.write() } else { Ok(()) }
        }),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The generated pages.
fn generate() -> anyhow::Result<generated::Generated> {
    let mut generated = generated::Generated::default();
    generated.file("docs/api.md", api::page()?);
    generated.file("docs/settings.md", settings::page()?);
    Ok(generated)
}
