//! What every program of the pair does around its work: cryptography first,
//! then telemetry, then the runtime; and how it is asked to stop.

use std::{future::Future, process::ExitCode};

use tokio::signal::unix::{SignalKind, signal};

use crate::telemetry::{self, LogFormat};

/// Makes the one cryptography library the one that everything uses. The first
/// thing in every program and test; more often does no harm.
pub fn install_cryptography() {
    // An error says that it was done before.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Runs a program to its end. A failure is logged and told by the exit code.
pub fn run(
    format: LogFormat,
    filter: &str,
    work: impl Future<Output = anyhow::Result<()>>,
) -> ExitCode {
    install_cryptography();
    let run = || {
        telemetry::init(format, filter)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let result = runtime.block_on(work);
        runtime.shutdown_background();
        result
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let error = format!("{error:#}");
            tracing::error!(error, "The program cannot go on.");
            ExitCode::FAILURE
        }
    }
}

/// Ends when the program is asked to stop, by SIGTERM or SIGINT. A second
/// signal after that ends the process at once.
pub async fn stopped() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::warn!("Signals cannot be heard; the program ends only by force.");
        return std::future::pending().await;
    };
    let mut next = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    next().await;
    tokio::spawn(async move {
        next().await;
        std::process::exit(1);
    });
}
