//! The command-line client: it speaks to the two services like any other
//! client, with nothing but their addresses and a credentials file.
//!
//! Invariant: a failure is one friendly sentence on standard error and an exit
//! code that follows the gRPC code. Passwords and tokens are never printed.

mod account;
mod admin;
mod change;
mod connection;
mod credentials;
pub(crate) mod due;
mod factors;
mod failure;
mod find;
mod id;
mod json;
mod lists;
mod output;
mod owner;
mod passes;
mod password;
mod private_file;
mod prompt;
mod proof;
pub(crate) mod query;
mod recurrence;
pub(crate) mod repeat;
mod session;
mod tasks;
#[cfg(test)]
mod tests;
mod transfer;
mod view;
mod watch;
pub(crate) mod zone;

use std::{
    io::{self, IsTerminal as _, Read, Write},
    process::ExitCode,
};

use clap::CommandFactory as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

pub use self::prompt::{ControllingTerminal, Echo, Terminal};
use self::{failure::Failure, output::Output, prompt::Answers, session::Session};
use crate::cli::{Cli, ClientCommand, Options, Sessions};

/// Where a command reads and writes.
pub struct Console<'a> {
    /// Where a password comes from with `--password-stdin`.
    pub input: &'a mut dyn Read,
    /// Where a person is asked.
    pub person: &'a mut dyn Terminal,
    /// Where answers go.
    pub output: &'a mut dyn Write,
    /// Where failures are told.
    pub errors: &'a mut dyn Write,
    /// Whether a person looks at the output: tables then, JSON otherwise.
    pub terminal: bool,
    /// Whether somebody is there to read the output.
    pub is_read: fn() -> bool,
}

/// Runs a command of the client on the standard streams.
#[must_use]
pub fn main(options: &Options, command: &ClientCommand) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("The client cannot start: {error}.");
            return ExitCode::FAILURE;
        }
    };
    let mut console = Console {
        input: &mut io::stdin(),
        person: &mut ControllingTerminal,
        output: &mut io::stdout(),
        errors: &mut io::stderr(),
        terminal: io::stdout().is_terminal(),
        is_read: is_stdout_read,
    };
    ExitCode::from(runtime.block_on(run(options, command, &mut console)))
}

/// Whether the other end of standard output is open, if it is a pipe.
fn is_stdout_read() -> bool {
    let stdout = io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let asked = poll(&mut polled, Some(&Timespec::default()));
    asked.is_err() || !polled[0].revents().contains(PollFlags::ERR)
}

/// Runs a command of the client and tells the exit code: 0, the number of the
/// gRPC code, 64 for bad usage, 74 if a file cannot be read or written.
pub async fn run(options: &Options, command: &ClientCommand, console: &mut Console<'_>) -> u8 {
    let json = options.json || !console.terminal;
    let mut output = Output::new(console.output, json, console.terminal, console.is_read);
    let mut answers = Answers::new(console.input, console.person);
    let result = execute(options, command, &mut answers, console.errors, &mut output).await;
    let result = result.and_then(|()| Ok(console.output.flush()?));
    match result {
        Ok(()) => 0,
        Err(failure) => {
            // If nobody listens, there is nobody to tell.
            drop(failure.report(console.errors, options.json));
            failure.exit()
        }
    }
}

async fn execute(
    options: &Options,
    command: &ClientCommand,
    answers: &mut Answers<'_>,
    errors: &mut dyn Write,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    use ClientCommand as C;

    let session = || Session::open(options);
    match command {
        C::SignUp(args) => account::sign_up(options, args, answers, output).await,
        C::SignIn(args) => account::sign_in(options, args, answers, output).await,
        C::SignOut => account::sign_out(options, output).await,
        C::Whoami => account::whoami(&mut session()?, output).await,
        C::Sessions { command: None } => account::list_sessions(&mut session()?, output).await,
        C::Sessions { command: Some(Sessions::Revoke { session: named }) } => {
            account::revoke_session(&mut session()?, named, output).await
        }
        C::Sessions { command: Some(Sessions::RevokeOthers) } => {
            account::revoke_other_sessions(&mut session()?, output).await
        }
        C::Passwd(args) => account::change_password(&mut session()?, args, answers, output).await,
        C::Factors { command } => {
            factors::run(&mut session()?, command.as_ref(), answers, output).await
        }
        C::Add(args) => tasks::add(&mut session()?, args, output).await,
        C::Ls(args) => tasks::ls(&mut session()?, options, args, output).await,
        C::Show { task } => tasks::show(&mut session()?, task, output).await,
        C::Edit(args) => tasks::edit(&mut session()?, args, output).await,
        C::Done(args) => tasks::done(&mut session()?, options, args, output).await,
        C::Reopen(args) => tasks::reopen(&mut session()?, &args.tasks, output).await,
        C::Mv(args) => tasks::mv(&mut session()?, args, output).await,
        C::Rm(args) => tasks::rm(&mut session()?, &args.tasks, output).await,
        C::Bin => tasks::bin(&mut session()?, output).await,
        C::Restore(args) => tasks::restore(&mut session()?, &args.tasks, output).await,
        C::Watch(args) => watch::watch(session()?, options, args, output, errors).await,
        C::Lists { command } => lists::run(&mut session()?, command.as_ref(), output).await,
        C::Export(args) => transfer::export(&mut session()?, args, answers, output).await,
        C::Import(args) => transfer::import(&mut session()?, args, answers.input, output).await,
        C::Usage => lists::usage(&mut session()?, output).await,
        C::Activity(args) => owner::activity(&mut session()?, args, output).await,
        C::DeleteAccount(args) => owner::delete(session()?, args, answers, errors, output).await,
        C::Deletion(args) => owner::deletion(options, args, output).await,
        C::Admin { proof, command } => {
            admin::run(&mut session()?, proof, command, answers, output).await
        }
        C::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "duet", &mut script);
            Ok(output.raw(&script)?)
        }
    }
}
