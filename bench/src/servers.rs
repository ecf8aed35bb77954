//! The servers, each in a process of its own so that its CPU and memory are
//! its own: this program, started again by itself. A server tells its address
//! in one line on standard output and serves until its standard input ends,
//! which it does at the latest with the process that started it.

use std::io::{Read as _, Write as _};

use clap::Parser as _;
use shared::{
    config::{self, Settings},
    program,
    telemetry::{self, LogFormat},
};
use tokio::{net::TcpListener, sync::oneshot};
use tracing::subscriber::NoSubscriber;

use crate::echo::{self, Kind};

/// Serves auth-service, with the logs that it always writes.
pub(crate) fn auth() -> anyhow::Result<()> {
    let config: auth_service::config::Config = read("auth-service")?;
    telemetry::init(config.log_format, &config.log)?;
    serve(async |listener, until| auth_service::serve(config, listener, until).await)
}

/// Serves task-service, with the logs that it always writes.
pub(crate) fn task() -> anyhow::Result<()> {
    let config: task_service::config::Config = read("task-service")?;
    telemetry::init(config.log_format, &config.log)?;
    serve(async |listener, until| task_service::serve(config, listener, until).await)
}

/// Serves the echo.
pub(crate) fn echo(kind: Kind, auth_url: String) -> anyhow::Result<()> {
    if kind != Kind::Whole {
        // As long as nobody says that nobody listens, tracing formats every
        // span of the libraries for the `log` crate.
        tracing::subscriber::set_global_default(NoSubscriber::default())?;
    }
    if kind == Kind::Bare {
        return serve(async |listener, until| echo::serve_bare(listener, until).await);
    }
    if kind == Kind::Whole {
        telemetry::init(LogFormat::Json, telemetry::DEFAULT_FILTER)?;
    }
    let issuer = auth_service::config::Config::try_parse_from(["auth-service"])?.issuer;
    serve(async |listener, until| echo::serve_stacked(auth_url, issuer, listener, until).await)
}

fn read<C: Settings>(name: &str) -> anyhow::Result<C> {
    config::read([name.into()]).map_err(|refusal| match refusal {
        config::Refusal::Clap(error) => error.into(),
        refusal @ config::Refusal::Faults(_) => anyhow::Error::msg(refusal.to_string()),
    })
}

/// Runs `work` on a listener of its own, on the runtime that the services use.
fn serve(work: impl AsyncFnOnce(TcpListener, Until) -> anyhow::Result<()>) -> anyhow::Result<()> {
    program::install_cryptography();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut out = std::io::stdout();
        writeln!(out, "{}", listener.local_addr()?)?;
        out.flush()?;
        work(listener, input_ended()?).await
    })?;
    runtime.shutdown_background();
    Ok(())
}

/// Ends when standard input does. Boxed, for one name.
type Until = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn input_ended() -> anyhow::Result<Until> {
    let (sender, ended) = oneshot::channel::<()>();
    let wait = move || {
        // Whatever it says, and however it ends.
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        drop(sender);
    };
    std::thread::Builder::new().name("input".to_owned()).spawn(wait)?;
    Ok(Box::pin(async move { drop(ended.await) }))
}
