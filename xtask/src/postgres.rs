//! A throw-away Postgres for as long as something here needs one: the program
//! `embedded-postgres` as a child process.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use anyhow::Context as _;

use crate::workspace::command;

/// A running server. It ends when this is dropped.
pub(crate) struct Postgres {
    child: Child,
    url: String,
}

impl Postgres {
    /// Starts a server with the program in `programs`, and waits until it takes
    /// connections.
    pub(crate) fn start(programs: &Path) -> anyhow::Result<Self> {
        let program = programs.join("embedded-postgres");
        let mut child = command(program, &[]).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("a child without an output")?;
        let mut postgres = Self { child, url: String::new() };
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.split_whitespace().nth(1);
        postgres.url = url.context("the throw-away Postgres did not start")?.to_owned();
        Ok(postgres)
    }

    /// How its superuser connects.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It ends in order on SIGINT. Only if that cannot be sent it is killed,
        // and the server ends with it all the same.
        let pid = self.child.id().to_string();
        let asked = command("kill", &["-INT", &pid]).status().is_ok_and(|status| status.success());
        if !asked && let Err(error) = self.child.kill() {
            eprintln!("the throw-away Postgres cannot be ended: {error}");
            return;
        }
        if let Err(error) = self.child.wait() {
            eprintln!("the throw-away Postgres cannot be waited for: {error}");
        }
    }
}
