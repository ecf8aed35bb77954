//! A running auth-service, and people who use it.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use auth_service::{App, SCHEMA, config::Config};
use clap::Parser as _;
use proto::auth::v1::{
    Credentials, SignInRequest, SignUpRequest, SignUpResponse,
    account_service_client::AccountServiceClient, auth_service_client::AuthServiceClient,
    token_service_client::TokenServiceClient,
};
use shared::{
    database::Database,
    program,
    server::{Limits, Server},
    testing::{ManualClock, StatementCounter, TestDatabase, database},
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{
    Code, Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;

pub(crate) const PASSWORD: &str = "walnut-Trombone-91";

/// A running service.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) clock: ManualClock,
    pub(crate) statements: StatementCounter,
    pub(crate) database: TestDatabase,
    pub(crate) channel: Channel,
    /// How many hashes of passwords were computed.
    pub(crate) hashes: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<anyhow::Result<()>>>,
}

/// Somebody who signed up.
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) credentials: Credentials,
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts with more settings, as flags.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        program::install_cryptography();
        let database = database(&SCHEMA).await;
        Self::start_on(database, ManualClock::new(), &key(), flags).await
    }

    /// Starts one that speaks to the database only for whoever calls.
    pub(crate) async fn start_alone() -> Self {
        program::install_cryptography();
        let database = database(&SCHEMA).await;
        Self::start_alone_on(database, ManualClock::new(), &key(), &[]).await
    }

    /// The same on a database that may have been used before.
    pub(crate) async fn start_alone_on(
        database: TestDatabase,
        clock: ManualClock,
        key: &str,
        flags: &[&str],
    ) -> Self {
        Self::open(database, clock, key, flags, async |app, listener, until| {
            let server = Server::new(Limits::default()).descriptors(proto::DESCRIPTORS);
            app.mount(server).serve(listener, until).await
        })
        .await
    }

    /// Starts on a database that may have been used before.
    pub(crate) async fn start_on(
        database: TestDatabase,
        clock: ManualClock,
        key: &str,
        flags: &[&str],
    ) -> Self {
        let serve = async |app: App, listener, until| app.serve(listener, until).await;
        Self::open(database, clock, key, flags, serve).await
    }

    async fn open<F>(
        database: TestDatabase,
        clock: ManualClock,
        key: &str,
        flags: &[&str],
        serve: impl FnOnce(App, TcpListener, Pin<Box<dyn Future<Output = ()> + Send>>) -> F,
    ) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let statements = StatementCounter::before(&database.app).unwrap();
        let pool = Database::new(statements.through(&database.app), 24);
        let app = App::open(config(key, flags), pool, clock.shared()).await.unwrap();
        let hashes = app.hashes();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(serve(app, listener, Box::pin(async { drop(stopped.await) })));
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self {
            address,
            clock,
            statements,
            database,
            channel: endpoint.connect_lazy(),
            hashes,
            stop: Some(stop),
            running: Some(running),
        }
    }

    /// Stops the service; its database stays.
    pub(crate) async fn stop(mut self) -> (TestDatabase, ManualClock) {
        drop(self.stop.take());
        self.running.take().unwrap().await.unwrap().unwrap();
        (self.database, self.clock)
    }

    pub(crate) fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(self.channel.clone())
    }

    pub(crate) fn tokens(&self) -> TokenServiceClient<Channel> {
        TokenServiceClient::new(self.channel.clone())
    }

    /// The account methods, called with this access token.
    pub(crate) fn account(
        &self,
        token: &str,
    ) -> AccountServiceClient<InterceptedService<Channel, Bearer>> {
        AccountServiceClient::with_interceptor(self.channel.clone(), Bearer(token.to_owned()))
    }

    pub(crate) async fn sign_up(&self, name: &str) -> Result<SignUpResponse, Status> {
        let request = SignUpRequest {
            email: format!("{name}@example.org"),
            password: PASSWORD.to_owned(),
            display_name: name.to_owned(),
            ..SignUpRequest::default()
        };
        self.auth().sign_up(request).await.map(tonic::Response::into_inner)
    }

    pub(crate) async fn signed_up(&self, name: &str) -> Person {
        let SignUpResponse { user, credentials } = self.sign_up(name).await.unwrap();
        let user = user.unwrap();
        Person { email: user.email, name: user.name, credentials: credentials.unwrap() }
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<Credentials, Status> {
        let request = SignInRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            ..SignInRequest::default()
        };
        let answer = self.auth().sign_in(request).await?;
        Ok(answer.into_inner().credentials.unwrap())
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<Credentials, Status> {
        let request = proto::auth::v1::RefreshSessionRequest { refresh_token: token.to_owned() };
        let answer = self.auth().refresh_session(request).await?;
        Ok(answer.into_inner().credentials.unwrap())
    }
}

/// A key-encryption key.
pub(crate) fn key() -> String {
    shared::secret::Key::random().to_base64().to_string()
}

/// The configuration of a service, with more settings as flags.
pub(crate) fn config(key: &str, flags: &[&str]) -> Config {
    let fixed = [
        "auth-service",
        "--key-encryption-key",
        key,
        "--argon2-memory=7168",
        "--argon2-passes=1",
        "--hashing-queue=512",
        "--issuer=https://auth.test",
        // Everybody in a test is at the same address.
        "--sign-up-per-address=1000",
    ];
    Config::try_parse_from(fixed.into_iter().chain(flags.iter().copied())).unwrap()
}

/// Sends an access token along.
#[derive(Clone)]
pub(crate) struct Bearer(pub(crate) String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if !self.0.is_empty() {
            let header = format!("Bearer {}", self.0).parse().unwrap();
            request.metadata_mut().insert("authorization", header);
        }
        Ok(request)
    }
}

/// What a status says to programs.
pub(crate) trait Told {
    fn reason(&self) -> String;
    fn fields(&self) -> Vec<String>;
    /// Asserts the code and the reason, and that both go together.
    fn is(&self, code: Code, reason: &str);
}

impl Told for Status {
    fn reason(&self) -> String {
        let info = self.get_details_error_info().expect("every error has an ErrorInfo");
        assert_eq!(info.domain, "duet.auth");
        info.reason
    }

    fn fields(&self) -> Vec<String> {
        let violations = self.get_details_bad_request().map(|bad| bad.field_violations);
        violations.into_iter().flatten().map(|violation| violation.field).collect()
    }

    #[track_caller]
    fn is(&self, code: Code, reason: &str) {
        assert_eq!((self.code(), self.reason().as_str()), (code, reason), "{self:?}");
        assert!(!self.message().is_empty());
    }
}

pub(crate) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

pub(crate) const fn days(days: u64) -> Duration {
    Duration::from_secs(86_400 * days)
}
