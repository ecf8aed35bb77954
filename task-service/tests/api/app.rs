//! A running task-service for one test: a database and a port of its own, a
//! clock moved by hand, an issuer of tokens; and users who call it.

use std::{future::Future, net::SocketAddr};

use chrono::NaiveDate;
use clap::Parser as _;
use proto::task::v1::{
    self as pb, list_service_client::ListServiceClient, task_service_client::TaskServiceClient,
};
use shared::{
    clock::Clock as _,
    database::Database,
    name, program, rng,
    secret::Key,
    server::{Limits, Server},
    testing::{self, ManualClock, TestDatabase, TestIssuer},
    trust::Trust,
};
use sqlx::postgres::PgConnectOptions;
use task_service::{App, SCHEMA, config::Config};
use tokio::{net::TcpListener, sync::oneshot};
use tonic::{
    Code, Request, Response, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// The service under test.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) channel: Channel,
    /// What it lets callers in by.
    pub(crate) trust: Trust,
    pub(crate) database: TestDatabase,
    pub(crate) clock: ManualClock,
    pub(crate) issuer: TestIssuer,
    /// The server stops when this is dropped.
    _stop: oneshot::Sender<()>,
}

/// A signed-in user.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) client: TaskServiceClient<InterceptedService<Channel, Bearer>>,
    pub(crate) lists: ListServiceClient<InterceptedService<Channel, Bearer>>,
}

/// Sends a token along.
#[derive(Clone)]
pub(crate) struct Bearer(String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = MetadataValue::try_from(&self.0).expect("a token is ASCII");
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

impl TestApp {
    /// A service that runs.
    pub(crate) async fn start() -> Self {
        let database = testing::database(&SCHEMA).await;
        let app = database.app.clone();
        Self::start_on(database, app, 16).await
    }

    /// A service with settings of its own.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        let database = testing::database(&SCHEMA).await;
        let app = database.app.clone();
        Self::start_as(database, app, 16, flags).await
    }

    /// A service that reaches `database` by `options`.
    pub(crate) async fn start_on(
        database: TestDatabase,
        options: PgConnectOptions,
        connections: u32,
    ) -> Self {
        Self::start_as(database, options, connections, &[]).await
    }

    async fn start_as(
        database: TestDatabase,
        options: PgConnectOptions,
        connections: u32,
        flags: &[&str],
    ) -> Self {
        program::install_cryptography();
        let (clock, issuer) = (ManualClock::new(), TestIssuer::new());
        let config = config(&[&["--issuer", issuer.name()], flags].concat());
        let limits = Limits { slow_methods: config.limits().slow_methods, ..Limits::default() };
        let pool = Database::new(options, connections);
        let app = App::open(config, pool, clock.shared()).await.expect("the service opens");
        let trust = app.trust().clone();
        trust.set(&[issuer.jwk().clone()], clock.now());

        let server = Server::new(limits).descriptors(proto::DESCRIPTORS);
        let server = app.mount(server);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(async move {
            let until = async { drop(stopped.await) };
            server.serve(listener, until).await.expect("the service serves");
        });
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a URL");
        let channel = endpoint.connect().await.expect("the service listens");
        Self { address, channel, trust, database, clock, issuer, _stop: stop }
    }

    /// A new user, signed in.
    pub(crate) fn user(&self) -> User {
        let id = rng::uuid_v4();
        self.with_token(id, &self.token(id))
    }

    /// A good token for a user.
    pub(crate) fn token(&self, user: Uuid) -> String {
        self.issuer.token(&self.issuer.claims(user, "task-service", self.clock.now()))
    }

    /// Somebody who sends this token.
    pub(crate) fn with_token(&self, id: Uuid, token: &str) -> User {
        let bearer = Bearer(format!("Bearer {token}"));
        let lists = ListServiceClient::with_interceptor(self.channel.clone(), bearer.clone());
        let client = TaskServiceClient::with_interceptor(self.channel.clone(), bearer);
        User { id, client, lists }
    }

    /// The revision of a user's last change.
    pub(crate) async fn head(&self, user: &User) -> i64 {
        use sqlx::ConnectOptions as _;
        let mut superuser = self.database.superuser.connect().await.expect("a connection");
        sqlx::query_scalar("select head_rev from data.user_state where user_id = $1")
            .bind(user.id)
            .fetch_one(&mut superuser)
            .await
            .expect("the revision")
    }

    /// Everything stored about a user, as text.
    pub(crate) async fn stored(&self, user: Uuid) -> String {
        use sqlx::ConnectOptions as _;
        let mut superuser = self.database.superuser.connect().await.expect("a connection");
        sqlx::query_scalar(
            "select concat_ws('|',
                (select string_agg(t::text, ',' order by id) from data.tasks t where user_id = $1),
                (select string_agg(l::text, ',' order by id) from data.lists l where user_id = $1),
                (select string_agg(r::text, ',' order by id) from data.requests r
                 where user_id = $1),
                (select string_agg(s::text, ',') from data.user_state s where user_id = $1))",
        )
        .bind(user)
        .fetch_one(&mut superuser)
        .await
        .expect("what is stored")
    }
}

/// A configuration with what must be there, and with these flags.
pub(crate) fn config(flags: &[&str]) -> Config {
    let key = Key::random().to_base64();
    // Nobody listens there.
    let needed = ["task-service", "--page-token-key", &key, "--auth-url", "http://127.0.0.1:1"];
    Config::try_parse_from(needed.iter().chain(flags)).expect("a configuration")
}

impl User {
    /// `users/{user}`.
    pub(crate) fn name(&self) -> String {
        name::of_user(self.id)
    }

    pub(crate) async fn create(&self, title: &str) -> pb::Task {
        let task = pb::Task { title: title.to_owned(), ..pb::Task::default() };
        self.create_with(task, "").await.expect("a task is made").into_inner()
    }

    pub(crate) async fn create_with(
        &self,
        task: pb::Task,
        request_id: &str,
    ) -> Result<Response<pb::Task>, Status> {
        let request = pb::CreateTaskRequest {
            parent: String::new(),
            task: Some(task),
            request_id: request_id.to_owned(),
            task_id: String::new(),
        };
        let answer = self.client.clone().create_task(request).await?;
        Ok(answer.map(|answer| answer.task.expect("a task")))
    }

    pub(crate) async fn get(&self, name: &str) -> Result<pb::Task, Status> {
        let request = pb::GetTaskRequest { name: name.to_owned(), read_mask: None };
        let answer = self.client.clone().get_task(request).await?.into_inner();
        Ok(answer.task.expect("a task"))
    }

    pub(crate) async fn list(
        &self,
        request: pb::ListTasksRequest,
    ) -> Result<pb::ListTasksResponse, Status> {
        Ok(self.client.clone().list_tasks(request).await?.into_inner())
    }

    /// The titles of the first page.
    pub(crate) async fn titles(&self) -> Vec<String> {
        let page = self.list(pb::ListTasksRequest::default()).await.expect("a page");
        page.tasks.into_iter().map(|task| task.title).collect()
    }

    pub(crate) async fn update(&self, task: pb::Task, paths: &[&str]) -> Result<pb::Task, Status> {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        let update_mask = Some(prost_types::FieldMask { paths });
        let request =
            pb::UpdateTaskRequest { task: Some(task), update_mask, request_id: String::new() };
        let answer = self.client.clone().update_task(request).await?.into_inner();
        Ok(answer.task.expect("a task"))
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<(), Status> {
        self.delete_with(name, "", "").await.map(|_| ())
    }

    pub(crate) async fn delete_with(
        &self,
        name: &str,
        etag: &str,
        request_id: &str,
    ) -> Result<Response<pb::DeleteTaskResponse>, Status> {
        let (name, etag, request_id) = (name.to_owned(), etag.to_owned(), request_id.to_owned());
        self.client.clone().delete_task(pb::DeleteTaskRequest { name, etag, request_id }).await
    }

    pub(crate) async fn complete(&self, name: &str) -> Result<pb::Task, Status> {
        self.complete_with(name, "", "").await.map(Response::into_inner)
    }

    pub(crate) async fn complete_with(
        &self,
        name: &str,
        etag: &str,
        request_id: &str,
    ) -> Result<Response<pb::Task>, Status> {
        let (name, etag, request_id) = (name.to_owned(), etag.to_owned(), request_id.to_owned());
        let request = pb::CompleteTaskRequest { name, etag, request_id, ..Default::default() };
        let answer = self.client.clone().complete_task(request).await?;
        Ok(answer.map(|answer| answer.task.expect("a task")))
    }

    pub(crate) async fn reopen(&self, name: &str) -> Result<pb::Task, Status> {
        let request = pb::ReopenTaskRequest { name: name.to_owned(), ..Default::default() };
        let answer = self.client.clone().reopen_task(request).await?.into_inner();
        Ok(answer.task.expect("a task"))
    }
}

/// A task that comes back, first on this day.
pub(crate) fn repeating(title: &str, first: NaiveDate, rrule: &str) -> pb::Task {
    pb::Task {
        title: title.to_owned(),
        due: Some(due_on(first)),
        recurrence: Some(pb::Recurrence { rrule: rrule.to_owned(), ..Default::default() }),
        ..Default::default()
    }
}

pub(crate) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

/// All of this day.
pub(crate) fn due_on(date: NaiveDate) -> pb::Due {
    use chrono::Datelike as _;
    let (month, day) = (date.month().cast_signed(), date.day().cast_signed());
    pb::Due { date: Some(pb::Date { year: date.year(), month, day }), ..Default::default() }
}

/// The fields that a refusal names.
pub(crate) fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone());
    violations.unwrap_or_default().into_iter().map(|violation| violation.field).collect()
}

/// Whether a write says that an earlier one did the work.
pub(crate) fn is_replay<T>(response: &Response<T>) -> bool {
    response.metadata().get("x-idempotent-replay").is_some_and(|value| value == "true")
}

/// The reason in a status.
pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("every error has one: {status:?}"));
    assert_eq!(info.domain, "duet.task");
    info.reason.clone()
}

/// Checks code and reason of a refusal.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    result: Result<T, Status>,
    code: Code,
    expected: &str,
) -> Status {
    let status = result.expect_err("this is refused");
    assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{status:?}");
    assert!(!status.message().is_empty());
    status
}

/// Runs as many calls at once as there are, and returns their answers.
pub(crate) async fn at_once<T: Send + 'static>(
    calls: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let mut running = tokio::task::JoinSet::new();
    for call in calls {
        running.spawn(call);
    }
    running.join_all().await
}
