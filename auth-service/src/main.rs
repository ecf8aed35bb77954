//! The program `auth-service`: reads its configuration and does what it says.

use std::process::ExitCode;

use auth_service::{cli, config::Config};
use shared::{config, memory, program};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    memory::small_pages();
    let config: Config = match config::read(std::env::args_os()) {
        Ok(config) => config,
        Err(refusal) => return refusal.report(),
    };
    program::run(config.log_format, &config.log.clone(), cli::run(config))
}
