//! What the pair costs: `cargo run --release -p bench` starts a durable
//! Postgres and both services, loads them, and prints figures and ratios.
//!
//! Most of the load is closed loop: a caller makes its next call when the last
//! was answered, so latencies under overload look better than an independent
//! crowd would find them. The open loops are timed from when a call should have
//! begun. The comparisons with other stacks (P11, P12) are not here.

mod callers;
mod child;
mod echo;
mod goals;
mod grounds;
mod hashing;
mod load;
mod measure;
mod pgbench;
mod plan;
mod process;
mod report;
mod rounds;
mod servers;
mod stage;
mod start;
mod timing;
mod users;
mod watchers;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{echo::Kind, plan::Plan, timing::Timing};

/// The services run with it, so everything here does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures what the pair costs, on this machine, as ratios.
///
/// The servers read AUTH_… and TASK_… from the environment as they always do,
/// so that another setting can be measured; addresses, databases and secrets
/// are their own.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Cli {
    #[command(flatten)]
    plan: Plan,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What else this program does; most of it when it starts itself again, as one of
/// its servers.
#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Whether the time of an answer tells who has an account.
    Timing(Timing),
    /// auth-service, as its environment says.
    #[command(name = "serve-auth", hide = true)]
    Auth,
    /// task-service, as its environment says.
    #[command(name = "serve-task", hide = true)]
    Task,
    /// The echo.
    #[command(name = "serve-echo", hide = true)]
    Echo {
        /// What surrounds it.
        kind: Kind,
        /// Where auth-service serves its keys.
        auth_url: String,
    },
}

fn main() -> ExitCode {
    // As the services do; what this starts inherits it.
    shared::memory::small_pages();
    let Cli { plan, command } = Cli::parse();
    let result = match command {
        None => rounds::run(&plan),
        Some(Command::Timing(timing)) => timing.run(),
        Some(Command::Auth) => servers::auth(),
        Some(Command::Task) => servers::task(),
        Some(Command::Echo { kind, auth_url }) => servers::echo(kind, auth_url),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The benchmark failed: {error:#}.");
            ExitCode::FAILURE
        }
    }
}
