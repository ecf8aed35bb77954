//! The database of `duet up`: the embedded one, made ready for both services,
//! or the one that the user named.

use std::{io::IsTerminal as _, time::Duration};

use anyhow::Context as _;
use auth_service::config::Config as AuthConfig;
use embedded_postgres::{Cluster, Progress, Source, locate};
use indicatif::{ProgressBar, ProgressStyle};
use shared::database::{Schema, migrate, provision};
use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};
use task_service::config::Config as TaskConfig;

use super::{Home, Up};

/// Connections that both services and the operator may have.
const MAX_CONNECTIONS: u32 = 100;

/// The database.
pub(super) enum Postgres {
    /// A private server, with its version.
    Embedded { cluster: Box<Cluster>, version: String },
    /// Somebody else's.
    External,
}

impl Postgres {
    /// Starts the embedded server, unless other databases were named, and
    /// brings the databases up to date.
    pub(super) async fn start(
        up: &Up,
        home: &Home,
        auth: &AuthConfig,
        task: &TaskConfig,
    ) -> anyhow::Result<Self> {
        if up.auth_database_url.is_some() {
            // Whoever keeps the owners' URLs to themselves migrates by hand.
            if let Ok(owner) = auth.owner_database() {
                migrate(&owner, &auth_service::SCHEMA).await?;
            }
            if let Ok(owner) = task.owner_database() {
                migrate(&owner, &task_service::SCHEMA).await?;
            }
            return Ok(Self::External);
        }
        let source = if up.fetch { Source::Packaged } else { Source::Any };
        let display = Display::new();
        let progress = |progress| display.show(&progress);
        let binaries = locate(source, up.pg_bin.as_deref(), &progress).await?;
        let mut settings = embedded_postgres::Settings::new(home.folder());
        settings.max_connections = MAX_CONNECTIONS;
        let cluster = Cluster::start(&binaries, settings, &progress).await?;
        display.clear();

        let mut superuser = cluster.superuser_options("postgres").connect().await?;
        for schema in [&auth_service::SCHEMA, &task_service::SCHEMA] {
            provision(&mut superuser, schema.name, schema.name).await?;
        }
        superuser.close().await?;
        let bring_up = async |schema: &'static Schema| {
            migrate(&cluster.options(schema.name, &format!("{}_owner", schema.name)), schema).await
        };
        tokio::try_join!(bring_up(&auth_service::SCHEMA), bring_up(&task_service::SCHEMA))?;
        Ok(Self::Embedded { cluster: Box::new(cluster), version: binaries.version })
    }

    /// How each service connects.
    pub(super) fn options(
        &self,
        auth: &AuthConfig,
        task: &TaskConfig,
    ) -> anyhow::Result<(PgConnectOptions, PgConnectOptions)> {
        match self {
            Self::Embedded { cluster, .. } => {
                let app = |name: &str| cluster.options(name, &format!("{name}_app"));
                Ok((app(auth_service::SCHEMA.name), app(task_service::SCHEMA.name)))
            }
            Self::External => {
                let words = anyhow::Error::msg;
                Ok((auth.database().map_err(words)?, task.database().map_err(words)?))
            }
        }
    }

    /// What it is, for people.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Embedded { version, .. } => format!("PostgreSQL {version}, private"),
            Self::External => "PostgreSQL elsewhere".to_owned(),
        }
    }

    /// Ends when the embedded server has ended without being asked.
    pub(super) async fn exited(&self) -> anyhow::Error {
        match self {
            Self::Embedded { cluster, .. } => cluster.exited().await.into(),
            Self::External => std::future::pending().await,
        }
    }

    /// Stops the embedded server.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        match self {
            Self::Embedded { cluster, .. } => cluster.stop().await.context("stopping Postgres"),
            Self::External => Ok(()),
        }
    }
}

/// Shows on a terminal what takes time.
struct Display(ProgressBar);

impl Display {
    fn new() -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::no_length()
        } else {
            ProgressBar::hidden()
        };
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    fn show(&self, progress: &Progress) {
        let (message, download) = match progress {
            Progress::Downloading { package, total_bytes, bytes } => {
                self.0.set_length(*total_bytes);
                self.0.set_position(*bytes);
                (format!("Fetching {package}"), true)
            }
            Progress::Unpacking => ("Unpacking Postgres".to_owned(), false),
            Progress::Initializing => ("Making the database".to_owned(), false),
            Progress::Starting => ("Starting Postgres".to_owned(), false),
        };
        let template = if download {
            "{spinner} {msg} {wide_bar} {bytes}/{total_bytes}"
        } else {
            "{spinner} {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
        self.0.set_message(message);
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}
