//! The program `task-service`: reads its configuration and does what it says.

use std::process::ExitCode;

use anyhow::Context as _;
use shared::{config, database, memory, probe, program};
use task_service::{
    SCHEMA,
    config::{Command, Config},
};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    memory::small_pages();
    let config: Config = match config::read(std::env::args_os()) {
        Ok(config) => config,
        Err(refusal) => return refusal.report(),
    };
    program::run(config.log_format, &config.log.clone(), run(config))
}

async fn run(config: Config) -> anyhow::Result<()> {
    match config.command {
        Some(Command::Migrate) => {
            let owner = config.owner_database().map_err(anyhow::Error::msg)?;
            database::migrate(&owner, &SCHEMA).await
        }
        Some(Command::Health) => {
            probe::ready(config.admin_addr.context("TASK_ADMIN_ADDR is missing")?).await
        }
        None => {
            let address = config.listen_addr;
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("TASK_LISTEN_ADDR: cannot listen on {address}"))?;
            task_service::serve(config, listener, program::stopped()).await
        }
    }
}
