//! The program `notes`, beside a running `duet up`.

use std::process::ExitCode;

use clap::Parser;
use shared::{program, telemetry::LogFormat, verify::Rules};
use tokio::net::TcpListener;
use tonic::transport::Endpoint;

/// Tokens must name this service in their audience: start auth-service with
/// AUTH_AUDIENCE=task-service,notes.
#[derive(Parser)]
struct Config {
    #[arg(long, default_value = "127.0.0.1:50053")]
    listen_addr: String,
    #[arg(long, default_value = "http://127.0.0.1:50051")]
    auth_url: String,
    #[arg(long, default_value = "http://localhost:50051")]
    issuer: String,
}

fn main() -> ExitCode {
    program::run(LogFormat::Text, "info", async {
        let Config { listen_addr, auth_url, issuer } = Config::parse();
        let max_lifetime = std::time::Duration::from_secs(3600);
        let rules = Rules { issuer, audience: "notes".to_owned(), max_lifetime };
        let auth = Endpoint::from_shared(auth_url)?.connect_lazy();
        let listener = TcpListener::bind(listen_addr).await?;
        notes::serve(rules, auth, listener, program::stopped()).await
    })
}
