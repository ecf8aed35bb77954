//! The command line of `duet`: every command, argument and environment
//! variable, so that `--help` is the reference. Text becomes values here; a
//! value that exists is acceptable.
//!
//! Passwords are never arguments: other users of the machine see those.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use shared::config::Settings;
use tonic::transport::Uri;

use crate::{client::due, up::Up};

const EXIT_CODES: &str = "\
Exit codes:
  0     done
  1-16  the service or the connection failed; the number is the gRPC code:
          1 CANCELLED            9 FAILED_PRECONDITION
          2 UNKNOWN             10 ABORTED
          3 INVALID_ARGUMENT    11 OUT_OF_RANGE
          4 DEADLINE_EXCEEDED   12 UNIMPLEMENTED
          5 NOT_FOUND           13 INTERNAL
          6 ALREADY_EXISTS      14 UNAVAILABLE
          7 PERMISSION_DENIED   15 DATA_LOSS
          8 RESOURCE_EXHAUSTED  16 UNAUTHENTICATED
  64    the command line or the configuration is not acceptable
  74    a file or the terminal cannot be read or written

Lists and answers are tables on a terminal and JSON elsewhere, or with --json.
The JSON has the field names of protobuf's JSON mapping, as grpcurl prints
them: createTime, minuteOfDay; 64-bit numbers are strings.

Certificates of https:// addresses are checked against those the system trusts;
SSL_CERT_FILE names others. NO_COLOR switches colours off.";

/// Two services in one program, and their client: without a command, `up`.
#[derive(Debug, Parser)]
#[command(name = "duet", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// What holds for every command of the client.
    #[command(flatten)]
    pub options: Options,
    /// What to do; nothing at all means `up`.
    #[command(subcommand)]
    pub command: Command,
}

impl Settings for Cli {
    fn faults(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run both services, on an embedded Postgres unless another is named.
    Up(Up),
    /// A command of the client.
    #[command(flatten)]
    Client(ClientCommand),
}

/// What holds for every command of the client.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Client options")]
pub struct Options {
    /// Address of auth-service [default: where you signed in, else
    /// http://127.0.0.1:50051].
    #[arg(long, env = "DUET_AUTH_URL", value_name = "URL", global = true, value_parser = address)]
    pub auth_url: Option<Uri>,
    /// Address of task-service [default: the one given at sign-in, else
    /// http://127.0.0.1:50052].
    #[arg(long, env = "DUET_TASK_URL", value_name = "URL", global = true, value_parser = address)]
    pub task_url: Option<Uri>,
    /// Where the session is kept [default: duet/credentials.json in the folder
    /// of the user's configuration].
    #[arg(long, env = "DUET_CREDENTIALS", value_name = "FILE", global = true)]
    pub credentials: Option<PathBuf>,
    /// Print JSON, errors (on standard error) included. Without it JSON is
    /// printed where standard output is not a terminal.
    #[arg(long, global = true)]
    pub json: bool,
}

/// A command of the client.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Make an account and sign in.
    SignUp(SignUp),
    /// Sign in.
    SignIn(SignIn),
    /// End the session.
    SignOut,
    /// Show who is signed in.
    Whoami,
    /// Add a task.
    Add(Add),
    /// List tasks, newest first: the open ones unless told otherwise.
    Ls(Ls),
    /// Show a task with everything it has.
    Show {
        /// The task.
        #[arg(value_name = "ID", help = TASK_HELP)]
        task: String,
    },
    /// Change a task.
    Edit(Edit),
    /// Mark tasks as done.
    Done(Tasks),
    /// Mark tasks as open again.
    Reopen(Tasks),
    /// Delete tasks.
    Rm(Tasks),
    /// List the sessions of the account, or end some.
    Sessions {
        /// What to do; nothing means to list them.
        #[command(subcommand)]
        command: Option<Sessions>,
    },
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

const TASK_HELP: &str =
    "A task: its full name, its id, or at least 4 characters its id begins or ends with";

/// Arguments of `sign-up`.
#[derive(Debug, Args)]
pub struct SignUp {
    /// Your e-mail address.
    pub email: String,
    /// What you want to be called.
    #[arg(long = "name", value_name = "NAME", default_value = "")]
    pub display_name: String,
    /// Read the password from standard input instead of asking for it twice.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Arguments of `sign-in`.
#[derive(Debug, Args)]
pub struct SignIn {
    /// Your e-mail address.
    pub email: String,
    /// Read the password from standard input instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Arguments of `add`.
#[derive(Debug, Args)]
pub struct Add {
    /// What is to be done; several words need no quotes.
    #[arg(required = true)]
    pub title: Vec<String>,
    /// Notes on it.
    #[arg(long, default_value = "")]
    pub notes: String,
    /// The day it is due: 2026-12-24.
    #[arg(long, value_name = "DATE", value_parser = due::date)]
    pub due: Option<NaiveDate>,
    /// The time of that day: 18:00.
    #[arg(long, value_name = "TIME", value_parser = due::minute, requires = "due")]
    pub at: Option<i32>,
    /// The time zone of that time, as Europe/Paris; without it, wherever you
    /// are.
    #[arg(long, requires = "at")]
    pub zone: Option<String>,
}

/// Arguments of `ls`.
#[derive(Debug, Args)]
pub struct Ls {
    /// Those that are not done (the default).
    #[arg(long, group = "status")]
    pub open: bool,
    /// Those that are done.
    #[arg(long, group = "status")]
    pub done: bool,
    /// Both.
    #[arg(long, group = "status")]
    pub all: bool,
    /// At most so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

/// Arguments of `edit`.
#[derive(Debug, Args)]
pub struct Edit {
    /// The task.
    #[arg(value_name = "ID", help = TASK_HELP)]
    pub task: String,
    /// What to change.
    #[command(flatten)]
    pub changes: Changes,
}

/// What `edit` changes. What is not given stays as it is.
#[derive(Debug, Default, Args)]
#[group(required = true, multiple = true)]
pub struct Changes {
    /// The new title.
    #[arg(long)]
    pub title: Option<String>,
    /// The new notes; an empty text removes them.
    #[arg(long)]
    pub notes: Option<String>,
    /// The new day it is due; the time of the day stays.
    #[arg(long, value_name = "DATE", value_parser = due::date)]
    pub due: Option<NaiveDate>,
    /// The new time of the day.
    #[arg(long, value_name = "TIME", value_parser = due::minute)]
    pub at: Option<i32>,
    /// The new time zone; an empty text removes it.
    #[arg(long)]
    pub zone: Option<String>,
    /// Remove the time of the day, and its zone.
    #[arg(long, conflicts_with_all = ["at", "zone"])]
    pub all_day: bool,
    /// It is not due any more.
    #[arg(long, conflicts_with_all = ["due", "at", "zone", "all_day"])]
    pub no_due: bool,
}

/// Arguments of `done`, `reopen` and `rm`.
#[derive(Debug, Args)]
pub struct Tasks {
    /// The tasks.
    #[arg(value_name = "ID", required = true, help = TASK_HELP)]
    pub tasks: Vec<String>,
}

/// What `sessions` does.
#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// End one session.
    Revoke {
        /// A session: its full name, its id, or at least 4 characters its id
        /// begins or ends with.
        #[arg(value_name = "ID")]
        session: String,
    },
    /// End every session but this one.
    RevokeOthers,
}

/// The address of a service: scheme, host and port.
fn address(text: &str) -> Result<Uri, String> {
    const HOW: &str = "write it as http://127.0.0.1:50051 or https://duet.example";
    let uri: Uri = text.parse().map_err(|_| format!("this is no address; {HOW}"))?;
    let plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && uri.path_and_query().is_none_or(|rest| rest == "/");
    match uri.scheme_str() {
        Some("http" | "https") if plain => Ok(uri),
        Some("http" | "https") => Err(format!("only a host and a port are wanted; {HOW}")),
        _ => Err(format!("it must begin with http:// or https://; {HOW}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn refused(line: &str) -> bool {
        Cli::try_parse_from(line.split(' ')).is_err()
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
        assert!(matches!(Cli::try_parse_from(["duet", "up"]).unwrap().command, Command::Up(_)));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for line in [
            "duet add",
            "duet add x --due tomorrow",
            "duet add x --at 18:00",
            "duet add x --due 2026-12-24 --zone Europe/Paris",
            "duet add x --due 2026-12-24 --at 24:00",
            "duet edit 1234",
            "duet edit 1234 --no-due --at 18:00",
            "duet edit 1234 --all-day --zone Europe/Paris",
            "duet ls --open --done",
            "duet ls --limit 0",
            "duet done",
            "duet sign-in",
            "duet sign-in a@example.com --password hush",
            "duet whoami --auth-url 127.0.0.1:50051",
            "duet whoami --auth-url ftp://127.0.0.1",
            "duet whoami --auth-url http://me:hush@127.0.0.1",
            "duet whoami --auth-url http://127.0.0.1/auth",
        ] {
            assert!(refused(line), "{line}");
        }
    }

    #[test]
    fn what_the_readme_says_is_understood() {
        for line in [
            "duet sign-up ada@example.com --password-stdin --name Ada",
            "duet sign-in ada@example.com --password-stdin",
            "duet add Buy milk --due 2026-12-24 --at 18:00 --zone Europe/Paris --notes Two",
            "duet ls --done --limit 5 --json",
            "duet --json ls",
            "duet edit 1234 --title Tea --due 2026-12-24",
            "duet done 1234 5678",
            "duet sessions",
            "duet sessions revoke 1234",
            "duet sessions revoke-others",
            "duet completions zsh",
            "duet whoami --auth-url https://duet.example/ --credentials me.json",
        ] {
            assert!(!refused(line), "{line}");
        }
    }
}
