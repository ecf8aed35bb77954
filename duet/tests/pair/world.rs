//! Two replicas of each service in this process, and a clock that the test moves.

use std::{sync::Arc, time::Duration};

use auth_service::{
    config::Config as AuthConfig,
    service_accounts::{Scopes, file},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use clap::Parser as _;
use proto::auth::v1::{
    Credentials, IssueServiceTokenRequest, RefreshSessionRequest,
    admin_service_client::AdminServiceClient, auth_service_client::AuthServiceClient,
    issue_service_token_request::Credential, token_service_client::TokenServiceClient,
};
use shared::{
    clock::Clock as _,
    database::Database,
    program,
    secret::Key,
    testing::{ManualClock, TestDatabase, database, eventually},
};
use sqlx::ConnectOptions as _;
use task_service::config::Config as TaskConfig;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::timeout};
use tonic::{Status, service::interceptor::InterceptedService, transport::Channel};

use crate::harness::{Bearer, channel, folder};

/// The longest a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Two replicas of each service. Those of task-service watch one of
/// auth-service each.
pub(crate) struct World {
    pub(crate) auth: Vec<Running>,
    pub(crate) task: Vec<Running>,
    pub(crate) clock: ManualClock,
    key: String,
    folder: TempDir,
    pub(crate) accounts: TestDatabase,
    pub(crate) tasks: TestDatabase,
}

impl World {
    pub(crate) async fn start() -> Self {
        program::install_cryptography();
        let mut world = Self {
            auth: Vec::new(),
            task: Vec::new(),
            clock: ManualClock::new(),
            key: Key::random().to_base64().to_string(),
            folder: folder(),
            accounts: database(&auth_service::SCHEMA).await,
            tasks: database(&task_service::SCHEMA).await,
        };
        world.service_account("task-service", "trust:watch").await;
        world.service_account("operations", "admin").await;
        for n in 0..2 {
            let auth = world.auth("127.0.0.1:0").await;
            let task = world.task(n, &auth.address).await;
            world.auth.push(auth);
            world.task.push(task);
        }
        world.watched().await;
        world
    }

    /// Leaves a secret in the file of that name.
    async fn service_account(&self, name: &str, scope: &str) {
        let own = Database::new(self.accounts.app.clone(), 1);
        let (account, scopes) = (name.parse().unwrap(), Scopes::parse(&[scope]).unwrap());
        let path = self.folder.path().join(name);
        file::ensure(&own, &account, &scopes, &path, self.clock.now()).await.unwrap();
        own.close().await;
    }

    pub(crate) async fn auth(&self, address: &str) -> Running {
        let flags = ["auth-service", "--key-encryption-key", &self.key, "--argon2-memory=7168"];
        let own = Database::new(self.accounts.app.clone(), 8);
        let config = AuthConfig::parse_from(flags);
        let app = auth_service::App::open(config, own, self.clock.shared()).await.unwrap();
        run(address, async move |listener, until| app.serve(listener, until).await).await
    }

    pub(crate) async fn task(&self, n: usize, auth: &str) -> Running {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let flags = [
            "task-service".to_owned(),
            format!("--page-token-key={}", self.key),
            format!("--auth-url=http://{auth}"),
            format!("--service-secret-file={}", at("task-service")),
            format!("--key-cache-file={}", at(&format!("keys-{n}.json"))),
        ];
        let own = Database::new(self.tasks.app.clone(), 8);
        let config = TaskConfig::parse_from(flags);
        let app = task_service::App::open(config, own, self.clock.shared()).await.unwrap();
        let app = Arc::new(app);
        let serving = app.clone();
        let running =
            run("127.0.0.1:0", async move |at, until| serving.serve(at, until).await).await;
        eventually("the keys are there", async || app.is_healthy().await).await;
        running
    }

    /// Waits until both replicas of task-service watch, and that is known anew.
    pub(crate) async fn watched(&self) {
        let since = self.clock.now();
        eventually("the trust feed is watched", async || {
            self.clock.advance(Duration::from_secs(1));
            let mut rows = self.accounts.superuser.connect().await.unwrap();
            let watchers = "select coalesce(sum(watchers), 0)::bigint from data.trust_replicas
                where seen_at > $1";
            let watchers = sqlx::query_scalar::<_, i64>(watchers).bind(since);
            watchers.fetch_one(&mut rows).await.unwrap() == 2
        })
        .await;
    }

    pub(crate) fn auth_client(&self, n: usize) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(channel(&self.auth[n % 2].address))
    }

    /// The operators' methods, with a service account that may call them.
    pub(crate) async fn admin(
        &self,
        n: usize,
    ) -> AdminServiceClient<InterceptedService<Channel, Bearer>> {
        let secret = std::fs::read_to_string(self.folder.path().join("operations")).unwrap();
        let credential = Some(Credential::Secret(secret));
        let request = IssueServiceTokenRequest { credential, ..Default::default() };
        let channel = channel(&self.auth[n % 2].address);
        let mut tokens = TokenServiceClient::new(channel.clone());
        let token = tokens.issue_service_token(request).await.unwrap().into_inner().access_token;
        AdminServiceClient::with_interceptor(channel, Bearer(token))
    }

    pub(crate) async fn stop(self) {
        for service in self.task.into_iter().chain(self.auth) {
            service.stop().await;
        }
    }
}

/// The session after a refresh.
pub(crate) async fn refreshed(
    auth: &mut AuthServiceClient<Channel>,
    session: &Credentials,
) -> Result<Credentials, Status> {
    let request = RefreshSessionRequest { refresh_token: session.refresh_token.clone() };
    Ok(auth.refresh_session(request).await?.into_inner().credentials.unwrap())
}

/// Refreshes until this key signs.
pub(crate) async fn signed_with(
    key: &str,
    auth: &mut AuthServiceClient<Channel>,
    mut session: Credentials,
) -> Credentials {
    let signed = async {
        loop {
            session = refreshed(auth, &session).await.unwrap();
            if kid(&session.access_token) == key {
                return session;
            }
        }
    };
    timeout(PATIENCE, signed).await.expect("it signs")
}

/// The id of the key that a token is signed with.
pub(crate) fn kid(token: &str) -> String {
    let header = token.split('.').next().unwrap();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// A service in this process, on an address of its own.
pub(crate) struct Running {
    pub(crate) address: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Ends it as kill -9 would: nothing is finished, nothing is said.
    pub(crate) async fn kill(self) -> String {
        self.task.abort();
        let _ = self.task.await;
        self.address
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.task.await.unwrap().unwrap();
    }
}

/// Runs a service on this address.
pub(crate) async fn run<F>(
    address: &str,
    serve: impl FnOnce(TcpListener, std::pin::Pin<Box<dyn Future<Output = ()> + Send>>) -> F,
) -> Running
where
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(serve(listener, Box::pin(async { drop(stopped.await) })));
    Running { address, stop, task }
}
