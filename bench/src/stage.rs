//! Everything that a load needs: a durable Postgres on disk, both services and
//! the echoes, each in a process of its own, and users. All of it is new for
//! every run and goes away with the stage.

use std::{fs::Permissions, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use embedded_postgres::{Binaries, Cluster, Settings, Source, locate};
use shared::{
    database::{migrate, provision},
    secret::Key,
};
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;
use tonic::transport::Endpoint;

use crate::{callers::User, child::ServerProcess, echo, load::Target, process, users};

/// Folders for data, the first that is there: a file system in memory would
/// make every commit free, and /tmp is one on many systems.
const PLACES: [&str; 2] = ["/var/tmp", "/tmp"];

/// What the load is put on.
pub(crate) struct Stage {
    pub(crate) users: Arc<[User]>,
    pub(crate) bare: ServerProcess,
    pub(crate) quiet: ServerProcess,
    pub(crate) whole: ServerProcess,
    pub(crate) tasks: ServerProcess,
    pub(crate) auth: ServerProcess,
    /// Resident memory of task-service before it was asked for anything, in bytes.
    pub(crate) idle: f64,
    pub(crate) binaries: Binaries,
    pub(crate) cluster: Cluster,
    /// What every task-service seals its tokens with.
    page_key: String,
    /// The last to go.
    folder: TempDir,
}

impl Stage {
    /// Starts everything and makes the users.
    pub(crate) async fn set() -> anyhow::Result<Self> {
        let folder = folder()?;
        let (binaries, cluster) = postgres(folder.path()).await?;
        let log = |name: &str| folder.path().join(format!("{name}.log"));
        let key = || Key::random().to_base64();
        let auth = ServerProcess::start(
            &["serve-auth"],
            &[
                ("AUTH_LISTEN_ADDR", "127.0.0.1:0"),
                ("AUTH_DATABASE_URL", &cluster.url("auth", "auth_app")),
                ("AUTH_KEY_ENCRYPTION_KEY", &key()),
                ("AUTH_AUDIENCE", &format!("task-service,{}", echo::AUDIENCE)),
                // Longer than a run: the load does not renew its access tokens.
                ("AUTH_ACCESS_TOKEN_TTL", "1h"),
                // Everybody is at the same address, but for those who guess.
                ("AUTH_TRUSTED_PROXIES", "127.0.0.0/8"),
                ("AUTH_SIGN_UP_PER_ADDRESS", "100000"),
            ],
            &log("auth"),
        )?;
        let page_key = key().to_string();
        let url = cluster.url("tasks", "tasks_app");
        let tasks = task_service(&url, &page_key, &auth, &log("task"))?;
        let echo =
            |kind: &str| ServerProcess::start(&["serve-echo", kind, &auth.url()], &[], &log(kind));
        let (bare, quiet, whole) = (echo("bare")?, echo("quiet")?, echo("whole")?);
        let connect = async |url| Endpoint::from_shared(url)?.connect().await;
        let channels = (connect(auth.url()).await?, connect(tasks.url()).await?);
        users::wait_for_keys(channels.1.clone()).await?;
        let idle = process::resident(tasks.pid())? as f64;
        let users = users::make(channels.0, channels.1).await?;
        Ok(Self {
            users,
            bare,
            quiet,
            whole,
            tasks,
            auth,
            idle,
            binaries,
            cluster,
            page_key,
            folder,
        })
    }

    /// Makes a database for another task-service, with the roles of the first.
    pub(crate) async fn make_database(&self, database: &str) -> anyhow::Result<()> {
        let schema = &task_service::SCHEMA;
        let mut superuser = self.cluster.superuser_options("postgres").connect().await?;
        provision(&mut superuser, schema.name, database).await?;
        superuser.close().await?;
        let owner = format!("{}_owner", schema.name);
        migrate(&self.cluster.options(database, &owner), schema).await?;
        Ok(())
    }

    /// Starts another task-service on `database`, and waits until it can tell
    /// who calls.
    pub(crate) async fn serve_tasks(&self, database: &str) -> anyhow::Result<ServerProcess> {
        let url = self.cluster.url(database, "tasks_app");
        let log = self.folder().join(format!("{database}.log"));
        let server = task_service(&url, &self.page_key, &self.auth, &log)?;
        let channel = Endpoint::from_shared(server.url())?.connect().await?;
        users::wait_for_keys(channel).await?;
        Ok(server)
    }

    /// A load on `server`.
    pub(crate) fn target(&self, server: &ServerProcess) -> Target {
        Target { address: server.address, server: server.pid(), postgres: self.cluster.pid() }
    }

    /// Where files may be left that go away with the stage.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends everything, the database last.
    pub(crate) async fn clear(self) -> anyhow::Result<()> {
        let Self { bare, quiet, whole, tasks, auth, cluster, folder, .. } = self;
        drop((bare, quiet, whole, tasks, auth));
        cluster.stop().await?;
        folder.close()?;
        Ok(())
    }
}

fn task_service(
    database_url: &str,
    page_key: &str,
    auth: &ServerProcess,
    log: &Path,
) -> anyhow::Result<ServerProcess> {
    let settings = [
        ("TASK_LISTEN_ADDR", "127.0.0.1:0"),
        ("TASK_DATABASE_URL", database_url),
        ("TASK_PAGE_TOKEN_KEY", page_key),
        ("TASK_AUTH_URL", &auth.url()),
    ];
    ServerProcess::start(&["serve-task"], &settings, log)
}

/// A new folder on disk that goes away when dropped.
pub(crate) fn folder() -> anyhow::Result<TempDir> {
    let place = PLACES.iter().find(|place| Path::new(place).is_dir()).unwrap_or(&".");
    // As root the server runs under another account and must get through.
    let through = Permissions::from_mode(0o711);
    Ok(tempfile::Builder::new().prefix("duet-bench-").permissions(through).tempdir_in(place)?)
}

/// Starts a Postgres with the databases of both services in `folder`.
pub(crate) async fn postgres(folder: &Path) -> anyhow::Result<(Binaries, Cluster)> {
    let binaries = locate(Source::Any, None, &|_| ()).await?;
    // Each task-service keeps the connections that it once needed.
    let settings = Settings { max_connections: 300, ..Settings::new(folder) };
    let cluster = Cluster::start(&binaries, settings, &|_| ()).await?;
    let mut superuser = cluster.superuser_options("postgres").connect().await?;
    for schema in [&auth_service::SCHEMA, &task_service::SCHEMA] {
        provision(&mut superuser, schema.name, schema.name).await?;
        let owner = format!("{}_owner", schema.name);
        migrate(&cluster.options(schema.name, &owner), schema).await?;
    }
    superuser.close().await?;
    Ok((binaries, cluster))
}
