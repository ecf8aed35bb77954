//! What each kind of caller calls, and what a good answer is. Every caller
//! speaks for users of its own, one after the other.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use proto::{
    auth::v1::{
        RefreshSessionRequest, SignInRequest, VerifyTokenRequest,
        auth_service_client::AuthServiceClient, token_service_client::TokenServiceClient,
    },
    task::v1::{
        CreateTaskRequest, GetTaskRequest, ListTasksRequest, Task, UpdateTaskRequest,
        task_service_client::TaskServiceClient,
    },
};
use shared::rng;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

use crate::{
    echo::v1::{EchoRequest, echo_service_client::EchoServiceClient},
    load::Caller,
};

/// Tasks on a page, and what every user has before anything is measured.
pub(crate) const PAGE: usize = 50;

/// The longest that a guess waits to be made again; the load has to end.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The title of every task.
pub(crate) const TITLE: &str = "Return the library books before Thursday";
/// The notes of every task.
pub(crate) const NOTES: &str = "The two on bird song are due; the third may stay a week longer.";

/// A user whom the load speaks for.
pub(crate) struct User {
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) access_token: String,
    /// The token in its header.
    pub(crate) bearer: MetadataValue<Ascii>,
    /// The refresh token that is good at the moment.
    pub(crate) refresh: Mutex<String>,
    /// The names of some of the user's tasks.
    pub(crate) tasks: Vec<String>,
}

impl User {
    /// The user's id, as the names of tasks have it.
    pub(crate) fn id(&self) -> &str {
        self.tasks.first().and_then(|name| name.split('/').nth(1)).unwrap_or_default()
    }

    /// A request by this user.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.bearer.clone());
        request
    }
}

/// The users of one caller, in turn. The number of callers divides the number
/// of users, so no two callers share one.
pub(crate) struct Turns {
    users: Arc<[User]>,
    /// Those of them that take part.
    among: Range<usize>,
    next: usize,
    step: usize,
}

impl Turns {
    /// The turns of caller `number` of `callers`.
    pub(crate) fn of(users: &Arc<[User]>, number: usize, callers: usize) -> Self {
        Self::among(users, 0..users.len(), number, callers)
    }

    /// The same where only some of the users take part.
    pub(crate) fn among(
        users: &Arc<[User]>,
        among: Range<usize>,
        number: usize,
        callers: usize,
    ) -> Self {
        Self { users: users.clone(), among, next: number, step: callers }
    }

    pub(crate) fn next(&mut self) -> &User {
        let at = self.next % self.among.len();
        self.next = at + self.step;
        &self.users[self.among.start + at]
    }
}

/// Calls the echo.
pub(crate) struct Echoes {
    pub(crate) client: EchoServiceClient<Channel>,
    pub(crate) turns: Turns,
}

impl Caller for Echoes {
    async fn call(&mut self) -> Result<(), Status> {
        let user = self.turns.next();
        let request = user.request(EchoRequest { text: TITLE.to_owned() });
        let answer = self.client.echo(request).await?.into_inner();
        good(answer.text == TITLE)
    }
}

/// Signs in with a password.
pub(crate) struct SignIns {
    pub(crate) client: AuthServiceClient<Channel>,
    pub(crate) turns: Turns,
}

impl Caller for SignIns {
    async fn call(&mut self) -> Result<(), Status> {
        let user = self.turns.next();
        let request = SignInRequest {
            email: user.email.clone(),
            password: user.password.clone(),
            ..SignInRequest::default()
        };
        let answer = self.client.sign_in(request).await?.into_inner();
        good(answer.credentials.is_some())
    }
}

/// Guesses passwords, each for another e-mail and all of them from an address of
/// its own: what throttles cannot stop and only the hashing queue bounds. Who is
/// told to come back later does.
pub(crate) struct Guesses {
    pub(crate) client: AuthServiceClient<Channel>,
    pub(crate) number: usize,
    pub(crate) made: usize,
}

impl Caller for Guesses {
    async fn call(&mut self) -> Result<(), Status> {
        let (number, made) = (self.number, self.made);
        self.made += 1;
        let mut request = Request::new(SignInRequest {
            email: format!("nobody-{number}-{made}@example.org"),
            password: "walnut-Trombone-91".to_owned(),
            ..SignInRequest::default()
        });
        let address = format!("198.18.{}.{}", number / 256, number % 256);
        let address = address.parse().map_err(|_| Status::internal("no address"))?;
        request.metadata_mut().insert("x-forwarded-for", address);
        let Err(refused) = self.client.sign_in(request).await else { return good(false) };
        if refused.code() == Code::Unauthenticated {
            return Ok(());
        }
        let told = refused.get_details_retry_info().and_then(|info| info.retry_delay);
        let (Code::ResourceExhausted, Some(wait)) = (refused.code(), told) else {
            return Err(refused);
        };
        tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
        Ok(())
    }
}

/// Exchanges refresh tokens.
pub(crate) struct Refreshes {
    pub(crate) client: AuthServiceClient<Channel>,
    pub(crate) turns: Turns,
}

impl Caller for Refreshes {
    async fn call(&mut self) -> Result<(), Status> {
        let user = self.turns.next();
        let refresh_token = user.refresh.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let request = RefreshSessionRequest { refresh_token };
        let answer = self.client.refresh_session(request).await?.into_inner();
        let token = answer.credentials.map(|credentials| credentials.refresh_token);
        let token = token.ok_or_else(|| Status::data_loss("no credentials"))?;
        *user.refresh.lock().unwrap_or_else(PoisonError::into_inner) = token;
        Ok(())
    }
}

/// Has access tokens introspected.
pub(crate) struct Verifies {
    pub(crate) client: TokenServiceClient<Channel>,
    pub(crate) turns: Turns,
}

impl Caller for Verifies {
    async fn call(&mut self) -> Result<(), Status> {
        let token = self.turns.next().access_token.clone();
        let answer = self.client.verify_token(VerifyTokenRequest { token }).await?.into_inner();
        good(answer.active)
    }
}

/// Makes tasks, each under a request id.
pub(crate) struct Creates {
    pub(crate) client: TaskServiceClient<Channel>,
    pub(crate) turns: Turns,
}

impl Caller for Creates {
    async fn call(&mut self) -> Result<(), Status> {
        let user = self.turns.next();
        let request = user.request(new_task());
        let answer = self.client.create_task(request).await?.into_inner();
        good(answer.task.is_some())
    }
}

/// Reads single tasks.
pub(crate) struct Gets {
    pub(crate) client: TaskServiceClient<Channel>,
    pub(crate) turns: Turns,
    pub(crate) at: usize,
}

impl Caller for Gets {
    async fn call(&mut self) -> Result<(), Status> {
        let user = self.turns.next();
        self.at = (self.at + 1) % user.tasks.len();
        let request =
            user.request(GetTaskRequest { name: user.tasks[self.at].clone(), read_mask: None });
        let answer = self.client.get_task(request).await?.into_inner();
        good(answer.task.is_some())
    }
}

/// Changes tasks.
pub(crate) struct Updates {
    pub(crate) client: TaskServiceClient<Channel>,
    pub(crate) turns: Turns,
    pub(crate) at: usize,
}

impl Caller for Updates {
    async fn call(&mut self) -> Result<(), Status> {
        self.at += 1;
        update(&mut self.client, self.turns.next(), self.at).await.map(drop)
    }
}

/// Writes another title, and tells the revision that it has made.
pub(crate) async fn update(
    client: &mut TaskServiceClient<Channel>,
    user: &User,
    at: usize,
) -> Result<i64, Status> {
    let name = user.tasks[at % user.tasks.len()].clone();
    let task = Task { name, title: format!("{TITLE}, {at}"), ..Task::default() };
    let request = UpdateTaskRequest { task: Some(task), ..UpdateTaskRequest::default() };
    let answer = client.update_task(user.request(request)).await?.into_inner();
    let task = answer.task.ok_or_else(|| Status::data_loss("no task"))?;
    Ok(task.revision)
}

/// Reads a page of tasks.
pub(crate) struct Lists {
    pub(crate) client: Grpc<Channel>,
    pub(crate) turns: Turns,
    /// Which page; empty for the first.
    pub(crate) page_token: String,
}

/// `ListTasksResponse`, of which only the number of tasks is looked at: reading
/// them is the work of clients, who have machines of their own.
#[derive(Clone, PartialEq, prost::Message)]
struct Page {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    tasks: Vec<Bytes>,
}

impl Caller for Lists {
    async fn call(&mut self) -> Result<(), Status> {
        let page_token = self.page_token.clone();
        let request = ListTasksRequest { page_token, ..ListTasksRequest::default() };
        let request = self.turns.next().request(request);
        let path = PathAndQuery::from_static("/task.v1.TaskService/ListTasks");
        let codec = ProstCodec::<ListTasksRequest, Page>::default();
        self.client.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let answer = self.client.unary(request, path, codec).await?;
        good(answer.into_inner().tasks.len() == PAGE)
    }
}

/// A task to be made.
pub(crate) fn new_task() -> CreateTaskRequest {
    let (title, notes) = (TITLE.to_owned(), NOTES.to_owned());
    CreateTaskRequest {
        task: Some(Task { title, notes, ..Task::default() }),
        request_id: rng::uuid_v4().to_string(),
        ..CreateTaskRequest::default()
    }
}

fn good(answer: bool) -> Result<(), Status> {
    if answer { Ok(()) } else { Err(Status::data_loss("the answer is not what was asked for")) }
}
