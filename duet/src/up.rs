//! `duet up`: an embedded Postgres, both services, and both of them together on
//! one origin for browsers. First every port and setting, then the database,
//! then the services: whatever can be refused is refused before anything runs.

mod banner;
mod demo;
mod home;
mod identity;
mod page;
mod postgres;
mod settings;

use std::{net::SocketAddr, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Args;
use shared::{
    clock::SystemClock,
    config::EXIT_USAGE,
    database::Database,
    memory, program,
    secret::Secret,
    server::{Limits, Server},
    telemetry::{self, LogFormat},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::{banner::Banner, home::Home, page::Page, postgres::Postgres, settings::Settings};

/// How long the pair may take from its first to its last sign of life.
const PATIENCE: Duration = Duration::from_secs(30);

/// What `duet up` can be told. The services read their own settings, AUTH_… and
/// TASK_…, from the environment; `auth-service --help` and `task-service --help`
/// list them.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of `up`")]
pub struct Up {
    /// Address for browsers: the page and both services on one origin.
    #[arg(long, env = "DUET_LISTEN_ADDR", default_value = "127.0.0.1:8080")]
    pub listen_addr: SocketAddr,
    /// Address of auth-service.
    #[arg(long, env = "AUTH_LISTEN_ADDR", default_value = "127.0.0.1:50051")]
    pub auth_listen_addr: SocketAddr,
    /// Address of task-service.
    #[arg(long, env = "TASK_LISTEN_ADDR", default_value = "127.0.0.1:50052")]
    pub task_listen_addr: SocketAddr,
    /// Folder for the database and the secrets [default: /var/lib/duet for root,
    /// else duet in the folder of the user's data].
    #[arg(long, env = "DUET_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<std::path::PathBuf>,
    /// Run the packaged Postgres, even if one is installed.
    #[arg(long, env = "DUET_FETCH")]
    pub fetch: bool,
    /// Folder with the programs of the Postgres to run.
    #[arg(long, env = "PG_BIN", value_name = "FOLDER")]
    pub pg_bin: Option<std::path::PathBuf>,
    /// Postgres for auth-service instead of the embedded one; needs
    /// --task-database-url too.
    #[arg(long, env = "AUTH_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub auth_database_url: Option<Secret>,
    /// Postgres for task-service instead of the embedded one; needs
    /// --auth-database-url too.
    #[arg(long, env = "TASK_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub task_database_url: Option<Secret>,
    /// Whether the session cookie is for HTTPS only: true behind a proxy that
    /// speaks TLS.
    #[arg(long, env = "AUTH_COOKIE_SECURE", default_value_t = false, action = clap::ArgAction::Set)]
    pub auth_cookie_secure: bool,
    /// How log lines look.
    #[arg(long, env = "DUET_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// What is logged: by itself what goes wrong, and each mail; `info` shows every
    /// call.
    #[arg(long, env = "DUET_LOG", default_value = "warn,auth_service::mail=info")]
    pub log: String,
}

/// Runs the pair until it is asked to stop.
#[must_use]
pub fn main(up: &Up) -> ExitCode {
    let run = || -> anyhow::Result<ExitCode> {
        telemetry::init(up.log_format, &up.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let code = runtime.block_on(run(up))?;
        runtime.shutdown_background();
        Ok(code)
    };
    run().unwrap_or_else(|error| {
        eprintln!("Duet cannot run: {error:#}.");
        ExitCode::FAILURE
    })
}

async fn run(up: &Up) -> anyhow::Result<ExitCode> {
    let home = Home::open(up.data_dir.as_deref())?;
    let ports = Ports::bind(up).await?;
    let Settings { auth, mut task, origins } = match Settings::read(up, &home, &ports) {
        Ok(settings) => settings,
        Err(faults) => {
            eprintln!("{faults}");
            return Ok(ExitCode::from(EXIT_USAGE));
        }
    };
    let postgres = Postgres::start(up, &home, &auth, &task).await?;
    // Not before: what it starts would inherit that.
    memory::small_pages();
    let (auth_options, task_options) = postgres.options(&auth, &task)?;
    let clock = SystemClock::shared();
    let auth_database = Database::new(auth_options, auth.database_connections);
    let task_database = Database::new(task_options, task.database_connections);
    identity::give(&mut task, &auth_database, &home, &clock).await?;
    let mail = auth.mail.mail_dir.clone();
    let limits = Limits { max_message_bytes: auth_service::MAX_MESSAGE_BYTES, ..auth.limits() };
    let (auth, task) = tokio::try_join!(
        auth_service::App::open(auth, auth_database.clone(), clock.clone()),
        task_service::App::open(task, task_database.clone(), clock),
    )?;

    let stop = CancellationToken::new();
    let banner = Banner::new(&ports, &home, &postgres, mail.as_deref());
    let Ports { web, auth: auth_listener, task: task_listener, addresses } = ports;
    let both = task
        .mount(auth.mount(Server::new(limits)))
        .descriptors(proto::DESCRIPTORS)
        .allow_origins(origins)
        .http(page::routes(Page::embedded(&addresses)).merge(auth.routes()));
    let greet = async {
        let demo = demo::account(&home, &postgres, addresses.auth).await?;
        wait_for_keys(&task).await?;
        banner.print(demo.as_ref());
        std::future::pending().await
    };
    let served = async {
        tokio::try_join!(
            auth.serve(auth_listener, stop.cancelled()),
            task.serve(task_listener, stop.cancelled()),
            both.serve(web, stop.cancelled()),
        )
    };
    let asked_to_stop = async {
        program::stopped().await;
        stop.cancel();
        std::future::pending::<()>().await;
    };
    let result = tokio::select! {
        served = served => served.map(|_| ()),
        failed = greet => failed,
        () = asked_to_stop => Ok(()),
        error = postgres.exited() => Err(error),
    };
    auth_database.close().await;
    task_database.close().await;
    postgres.stop().await?;
    result.map(|()| ExitCode::SUCCESS)
}

/// The ports, bound.
struct Ports {
    web: TcpListener,
    auth: TcpListener,
    task: TcpListener,
    addresses: Addresses,
}

/// Where everything listens.
#[derive(Clone, Copy)]
struct Addresses {
    web: SocketAddr,
    auth: SocketAddr,
    task: SocketAddr,
}

impl Ports {
    async fn bind(up: &Up) -> anyhow::Result<Self> {
        let web = bind(up.listen_addr, "--listen-addr").await?;
        let auth = bind(up.auth_listen_addr, "--auth-listen-addr").await?;
        let task = bind(up.task_listen_addr, "--task-listen-addr").await?;
        let addresses = Addresses {
            web: web.local_addr()?,
            auth: auth.local_addr()?,
            task: task.local_addr()?,
        };
        Ok(Self { web, auth, task, addresses })
    }
}

async fn bind(address: SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "cannot listen on {address}; perhaps Duet is running already: \
             stop it, or choose another address with {flag}"
        )
    })
}

/// task-service verifies nobody before it has fetched the keys.
async fn wait_for_keys(task: &task_service::App) -> anyhow::Result<()> {
    let wait = async {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while !task.is_healthy().await {
            look.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .context("task-service cannot fetch the signing keys of auth-service")
}
