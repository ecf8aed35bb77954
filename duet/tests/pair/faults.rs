//! What callers see while a part of the pair is dead, and what is left when it
//! is back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use auth_service::config::Config as AuthConfig;
use clap::Parser as _;
use embedded_postgres::{Binaries, Cluster, Settings, Source, locate};
use proto::{
    auth::v1::auth_service_client::AuthServiceClient,
    task::v1::{ListTasksRequest, Task},
};
use rustix::process::{Pid, Signal, kill_process};
use shared::{
    clock::SystemClock,
    database::{Database, migrate, provision},
    program,
    secret::Key,
    testing::eventually,
};
use sqlx::{ConnectOptions as _, Connection as _};
use task_service::config::Config as TaskConfig;
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    harness::{Tasks, channel, create, descendants, folder, sign_in, sign_up, tasks},
    world::{Running, run},
};

/// A service waits two seconds for its database; the rest is for a busy machine.
const AT_MOST: Duration = Duration::from_secs(5);

/// The parts, each of which can die alone.
pub(crate) struct Parts {
    folder: TempDir,
    binaries: Binaries,
    cluster: Option<Cluster>,
    key: String,
}

impl Parts {
    pub(crate) async fn new() -> Self {
        program::install_cryptography();
        let folder = folder();
        let bin = std::env::var_os("PG_BIN").map(std::path::PathBuf::from);
        let binaries = locate(Source::Any, bin.as_deref(), &|_| {}).await.unwrap();
        let key = Key::random().to_base64().to_string();
        let mut parts = Self { folder, binaries, cluster: None, key };
        parts.start_postgres().await;
        let cluster = parts.cluster();
        let mut superuser = cluster.superuser_options("postgres").connect().await.unwrap();
        for schema in [&auth_service::SCHEMA, &task_service::SCHEMA] {
            provision(&mut superuser, schema.name, schema.name).await.unwrap();
            let owner = cluster.options(schema.name, &format!("{}_owner", schema.name));
            migrate(&owner, schema).await.unwrap();
        }
        superuser.close().await.unwrap();
        parts
    }

    pub(crate) async fn start_postgres(&mut self) {
        let settings = Settings::new(self.folder.path());
        self.cluster = Some(Cluster::start(&self.binaries, settings, &|_| {}).await.unwrap());
    }

    /// Kills it at once, and waits until it is gone.
    pub(crate) async fn kill_postgres(&mut self) {
        let cluster = self.cluster.take().unwrap();
        kill(i32::try_from(cluster.pid()).unwrap(), Signal::KILL);
        cluster.exited().await;
    }

    fn cluster(&self) -> &Cluster {
        self.cluster.as_ref().unwrap()
    }

    pub(crate) async fn auth(&self, address: &str) -> Running {
        let flags = ["auth-service", "--key-encryption-key", &self.key, "--argon2-memory=7168"];
        let config = AuthConfig::parse_from(flags);
        let database = Database::new(self.cluster().options("auth", "auth_app"), 8);
        let app = auth_service::App::open(config, database, SystemClock::shared()).await.unwrap();
        run(address, async move |listener, until| app.serve(listener, until).await).await
    }

    pub(crate) async fn task(&self, auth: &str) -> Running {
        self.task_with(&format!("--auth-url=http://{auth}")).await
    }

    async fn task_with(&self, keys: &str) -> Running {
        let cache = self.folder.path().join("trusted-keys.json");
        let flags = [
            "task-service".to_owned(),
            format!("--page-token-key={}", self.key),
            keys.to_owned(),
            format!("--key-cache-file={}", cache.display()),
        ];
        let config = TaskConfig::parse_from(flags);
        let database = Database::new(self.cluster().options("tasks", "tasks_app"), 8);
        let app = task_service::App::open(config, database, SystemClock::shared()).await.unwrap();
        let app = Arc::new(app);
        let keys = app.clone();
        let running =
            run("127.0.0.1:0", async move |listener, until| app.serve(listener, until).await).await;
        eventually("the keys are there", async || keys.is_healthy().await).await;
        running
    }
}

async fn list(tasks: &mut Tasks) -> Result<Vec<Task>, Status> {
    let request = ListTasksRequest { page_size: 500, ..ListTasksRequest::default() };
    Ok(tasks.list_tasks(request).await?.into_inner().tasks)
}

/// Tasks go on without auth-service, and task-service can even restart.
#[tokio::test(flavor = "multi_thread")]
async fn tasks_go_on_while_auth_service_is_dead() {
    let parts = Parts::new().await;
    let auth = parts.auth("127.0.0.1:0").await;
    let mut accounts = AuthServiceClient::new(channel(&auth.address));
    let session = sign_up(&mut accounts, "ada@example.org").await;
    let task = parts.task(&auth.address).await;
    create(&mut tasks(&task.address, &session.access_token), "Before").await.unwrap();

    let auth_address = auth.kill().await;
    create(&mut tasks(&task.address, &session.access_token), "During").await.unwrap();
    task.kill().await;
    let task = parts.task(&auth_address).await;
    let mut reborn = tasks(&task.address, &session.access_token);
    assert_eq!(list(&mut reborn).await.unwrap().len(), 2);
    let refused = accounts.refresh_session(proto::auth::v1::RefreshSessionRequest {
        refresh_token: session.refresh_token.clone(),
    });
    assert_eq!(refused.await.unwrap_err().code(), Code::Unavailable);

    let auth = parts.auth(&auth_address).await;
    eventually("auth-service is back", async || {
        let mut accounts = AuthServiceClient::new(channel(&auth.address));
        sign_in(&mut accounts, "ada@example.org", crate::harness::PASSWORD).await.is_ok()
    })
    .await;
    auth.stop().await;
    task.stop().await;
}

/// Keys may come by URL from any issuer; here from auth-service's own.
#[tokio::test(flavor = "multi_thread")]
async fn keys_come_by_url_too() {
    let parts = Parts::new().await;
    let auth = parts.auth("127.0.0.1:0").await;
    let session =
        sign_up(&mut AuthServiceClient::new(channel(&auth.address)), "ada@example.org").await;
    let url = format!("--jwks-url=http://{}/.well-known/jwks.json", auth.address);
    let task = parts.task_with(&url).await;
    create(&mut tasks(&task.address, &session.access_token), "By URL").await.unwrap();
    auth.stop().await;
    task.stop().await;
}

/// E2: Postgres killed under load. Callers hear UNAVAILABLE within 2 s, nothing
/// that was acknowledged is lost, and the service is back within 3 s.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_may_be_killed_under_load() {
    let mut parts = Parts::new().await;
    let auth = parts.auth("127.0.0.1:0").await;
    let session =
        sign_up(&mut AuthServiceClient::new(channel(&auth.address)), "ada@example.org").await;
    let task = parts.task(&auth.address).await;

    let (failed, mut failures) = tokio::sync::mpsc::unbounded_channel();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let mut client = tasks(&task.address, &session.access_token);
            let (failed, stopped) = (failed.clone(), stopped.clone());
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                let mut n = 0;
                while !*stopped.borrow() {
                    n += 1;
                    let began = Instant::now();
                    match create(&mut client, &format!("{writer}/{n}")).await {
                        Ok(task) => acknowledged.push(task.name),
                        Err(status) => failed.send((status, began.elapsed())).unwrap(),
                    }
                }
                acknowledged
            })
        })
        .collect();
    drop(failed);

    let cluster = parts.cluster.take().unwrap();
    kill(i32::try_from(cluster.pid()).unwrap(), Signal::KILL);
    let (status, took) = failures.recv().await.unwrap();
    unavailable(&status);
    assert!(took < AT_MOST, "{took:?}");
    cluster.exited().await;
    drop(cluster);
    parts.start_postgres().await;
    let back = Instant::now();
    let mut client = tasks(&task.address, &session.access_token);
    while create(&mut client, "Back").await.is_err() {
        assert!(back.elapsed() < 2 * AT_MOST, "it does not come back");
    }
    stop.send(true).unwrap();
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    while let Some((status, took)) = failures.recv().await {
        unavailable(&status);
        assert!(took < AT_MOST, "{took:?}");
    }

    let mut stored = std::collections::HashSet::new();
    let mut page_token = String::new();
    loop {
        let request = ListTasksRequest { page_size: 500, page_token, ..Default::default() };
        let page = client.list_tasks(request).await.unwrap().into_inner();
        stored.extend(page.tasks.into_iter().map(|task| task.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!(!acknowledged.is_empty());
    for name in acknowledged {
        assert!(stored.contains(&name), "{name} was acknowledged and is lost");
    }
    auth.stop().await;
    task.stop().await;
}

/// E2: a Postgres that hangs. Every call answers after 2 s at the latest.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_may_hang() {
    let parts = Parts::new().await;
    let auth = parts.auth("127.0.0.1:0").await;
    let mut accounts = AuthServiceClient::new(channel(&auth.address));
    let session = sign_up(&mut accounts, "ada@example.org").await;
    let task = parts.task(&auth.address).await;
    let mut client = tasks(&task.address, &session.access_token);
    create(&mut client, "Before").await.unwrap();

    let postmaster = i32::try_from(parts.cluster().pid()).unwrap();
    // First of all who could start another one meanwhile.
    kill(postmaster, Signal::STOP);
    let mut processes = descendants(postmaster);
    processes.iter().for_each(|pid| kill(*pid, Signal::STOP));
    processes.push(postmaster);
    let calls = (0..24).map(|n| {
        let (mut client, mut accounts) = (client.clone(), accounts.clone());
        tokio::spawn(async move {
            let began = Instant::now();
            let status = match n % 3 {
                0 => list(&mut client).await.err(),
                1 => create(&mut client, "During").await.err(),
                _ => sign_in(&mut accounts, "ada@example.org", "whatever-1").await.err(),
            };
            (status.unwrap(), began.elapsed())
        })
    });
    let calls: Vec<_> = calls.collect();
    for call in calls {
        let (status, took) = call.await.unwrap();
        unavailable(&status);
        assert!(took < AT_MOST, "{took:?}");
    }
    processes.iter().for_each(|pid| kill(*pid, Signal::CONT));
    eventually("the service is back", async || create(&mut client.clone(), "After").await.is_ok())
        .await;
    auth.stop().await;
    task.stop().await;
}

fn kill(pid: i32, signal: Signal) {
    // A process may have ended by itself.
    let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
}

#[track_caller]
fn unavailable(status: &Status) {
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert_eq!(status.get_details_error_info().unwrap().reason, "DATABASE_UNAVAILABLE");
    assert!(status.get_details_retry_info().unwrap().retry_delay.is_some());
}
