//! The command line of `duet`: every command, argument and environment
//! variable, so that `--help` is the reference. Text becomes values here; a
//! value that exists is acceptable.
//!
//! Passwords are never arguments: other users of the machine see those.

pub mod admin;
pub mod factors;
pub mod lists;
pub mod owner;
pub mod tasks;
#[cfg(test)]
mod tests;
pub mod transfer;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use shared::{config::Settings, secret::Secret};
use tonic::transport::Uri;

use self::{
    admin::Admin,
    factors::Factors,
    lists::Lists,
    owner::{Activity, DeleteAccount, Deletion, Proof},
    tasks::{Add, Done, Edit, Ls, Mv, Tasks, Watch},
    transfer::{Export, Import},
};
use crate::{client::zone, up::Up};

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

A task is named by its full name, its id, or at least 4 characters its id begins
or ends with; a list by its title, in the same ways as a task, or by inbox. Of
several tasks (up to 500) a command changes all or none.

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
    /// Where the session is kept, and beside it what makes this device known
    /// [default: duet/credentials.json in the folder of the user's
    /// configuration].
    #[arg(long, env = "DUET_CREDENTIALS", value_name = "FILE", global = true)]
    pub credentials: Option<PathBuf>,
    /// The time zone of your days and of the times you write, as Europe/Paris
    /// [default: that of the system].
    #[arg(long, env = "DUET_TIME_ZONE", value_name = "ZONE", global = true, value_parser = zone::parse)]
    pub time_zone: Option<chrono_tz::Tz>,
    /// Where the system's own time zone may be found; anything may stand there.
    #[arg(long, env = "TZ", hide = true)]
    pub tz: Option<String>,
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
    /// Sign in. If you have a second factor, its code is asked for, too; a recovery
    /// code does as well.
    SignIn(SignIn),
    /// End the session.
    ///
    /// The device stays known: what others try with your e-mail address does not
    /// delay your next sign-in here. What makes it so lies beside the credentials,
    /// in a file that ends with .passes, with that address; remove it where you
    /// will not be back.
    SignOut,
    /// Show who is signed in.
    Whoami,
    /// Add a task.
    Add(Box<Add>),
    /// List tasks, newest first: the open ones unless told otherwise. Subtasks
    /// stand under their parents.
    Ls(Box<Ls>),
    /// Show a task with everything it has.
    Show {
        /// The task.
        #[arg(value_name = "ID", help = TASK_HELP)]
        task: String,
    },
    /// Change a task.
    Edit(Box<Edit>),
    /// Mark tasks as done, or as cancelled. One that recurs comes back as a new
    /// task.
    Done(Done),
    /// Mark tasks as open again, with the subtasks that were closed with them.
    Reopen(Tasks),
    /// Put a task elsewhere: to another place in the manual order, another list,
    /// another parent.
    Mv(Mv),
    /// Move tasks and their subtasks to the bin, where they stay for 30 days.
    Rm(Tasks),
    /// List what is in the bin, newest first.
    Bin,
    /// Bring tasks back from the bin.
    Restore(Tasks),
    /// Show the tasks and then what changes, as it changes, until Ctrl-C.
    ///
    /// What narrows `ls` narrows this; a task that is not among them any more is
    /// told as removed. On a terminal the open tasks (with --filter, those it lets
    /// through) are drawn anew. As JSON there is one object in each line: its `event` is
    /// present, current (all that was there has been told), added, changed,
    /// done, cancelled, reopened or removed; `time` is when it was told; `task`
    /// or `list` is as it is now or, if removed, as it was last.
    ///
    /// If the connection is lost, it says so on standard error (with --json, as
    /// {"connected":false}) and comes back by itself, without missing or
    /// repeating anything.
    Watch(Watch),
    /// List the lists, or change them.
    Lists {
        /// What to do; nothing means to list them.
        #[command(subcommand)]
        command: Option<Lists>,
    },
    /// Write all tasks and lists to a file, those in the bin excepted; or, with
    /// --account, everything that is known of you.
    Export(Export),
    /// Read tasks and lists from a file, all or none, and report what could not
    /// be carried over.
    Import(Import),
    /// Show how much of what you may have is used.
    Usage,
    /// List the sessions of the account, or end some.
    Sessions {
        /// What to do; nothing means to list them.
        #[command(subcommand)]
        command: Option<Sessions>,
    },
    /// Change the password. Every other session ends.
    Passwd(Passwd),
    /// List your second factors, or change them.
    Factors {
        /// What to do; nothing means to list them.
        #[command(subcommand)]
        command: Option<Factors>,
    },
    /// Show what happened to the account, newest first: sign-ins, refusals and
    /// changes.
    Activity(Activity),
    /// Delete the account and everything in it, for good. Asks for its e-mail
    /// address, and answers with a receipt for `duet deletion`.
    DeleteAccount(DeleteAccount),
    /// Show how far the deletion of an account has come.
    Deletion(Deletion),
    /// What operators of auth-service do. The first one is made at the machine:
    /// `auth-service admin create EMAIL`.
    Admin {
        /// How to prove who you are, if that was long ago.
        #[command(flatten)]
        proof: Proof,
        /// What to do.
        #[command(subcommand)]
        command: Admin,
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
    /// Read the password from the first line of standard input instead of asking
    /// for it twice.
    #[arg(long)]
    pub password_stdin: bool,
}

/// Arguments of `sign-in`.
#[derive(Debug, Args)]
pub struct SignIn {
    /// Your e-mail address.
    pub email: String,
    /// Read the password from the first line of standard input instead of asking
    /// for it.
    #[arg(long)]
    pub password_stdin: bool,
    /// The code of your authenticator, if you have a second factor; - reads it, or
    /// a recovery code, from the next line of standard input. Without it you are
    /// asked.
    #[arg(long, value_name = "CODE")]
    pub code: Option<Secret>,
}

/// Arguments of `passwd`.
#[derive(Debug, Args)]
pub struct Passwd {
    /// Read the password as it is and then the new one from lines of standard
    /// input instead of asking for them.
    #[arg(long)]
    pub password_stdin: bool,
    /// The code of your authenticator, if you have a second factor and signed in
    /// long ago; - reads it, or a recovery code, from the next line of standard
    /// input. Without it you are asked.
    #[arg(long, value_name = "CODE")]
    pub code: Option<Secret>,
}

const LIST_HELP: &str = "A list: its title, its full name, its id, at least 4 characters its id \
                         begins or ends with, or inbox";

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
