//! The program `auth-service`: reads its configuration and does what it says.

use std::process::ExitCode;

use anyhow::Context as _;
use auth_service::{
    SCHEMA,
    config::{Command, Config, ServiceAccountCommand},
};
use shared::{config, database, probe, program};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
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
            probe::ready(config.admin_addr.context("AUTH_ADMIN_ADDR is missing")?).await
        }
        Some(Command::ServiceAccount(ServiceAccountCommand::Ensure(ref account))) => {
            auth_service::ensure_service_account(&config, account).await
        }
        None => {
            let address = config.listen_addr;
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("AUTH_LISTEN_ADDR: cannot listen on {address}"))?;
            auth_service::serve(config, listener, program::stopped()).await
        }
    }
}
