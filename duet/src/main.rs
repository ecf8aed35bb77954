//! The program `duet`.

use std::process::ExitCode;

use duet::{
    cli::{Cli, Command},
    client, up,
};
use shared::{config, program};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    program::install_cryptography();
    let mut args: Vec<_> = std::env::args_os().collect();
    if args.len() < 2 {
        args = ["duet", "up"].map(Into::into).to_vec();
    }
    let Cli { options, command } = match config::read(args) {
        Ok(cli) => cli,
        Err(refusal) => return refusal.report(),
    };
    match command {
        Command::Client(command) => client::main(&options, &command),
        Command::Up(up) => up::main(&up),
    }
}
