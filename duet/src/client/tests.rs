//! The client against services that do as they are told: what happens to the
//! session when tokens end, services vanish and processes meet. The commands
//! themselves are tested against the real pair.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use clap::Parser as _;
use proto::{
    auth::v1::{self as auth, auth_service_server as auth_server},
    task::v1::{self as task, task_service_server as task_server},
};
use shared::{
    clock::{Clock as _, SystemClock},
    error::{Failure, Reason},
    server::{Limits, Server},
};
use tokio::net::TcpListener;
use tonic::{Request, Response, Status};

use super::*;
use crate::cli::Command;

/// What the services shall do, and what was asked of them.
#[derive(Default)]
struct Script {
    /// The access token that task-service takes.
    good: String,
    /// Why refreshes are refused, if they are.
    refusal: Option<Reason>,
    /// How many calls to task-service shall find it unavailable.
    unavailable: usize,
    refreshed: Vec<String>,
    request_ids: Vec<String>,
    titles: Vec<String>,
}

#[derive(Clone, Default)]
struct Services(Arc<Mutex<Script>>);

impl Services {
    fn check<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let mut script = self.0.lock().unwrap();
        if script.unavailable > 0 {
            script.unavailable -= 1;
            let failure = Failure::new(Reason::DatabaseUnavailable, "Not now.");
            return Err(failure.into_status("duet.task"));
        }
        let expected = format!("Bearer {}", script.good);
        if request.metadata().get("authorization").unwrap().to_str().unwrap() == expected {
            return Ok(());
        }
        Err(Failure::new(Reason::TokenExpired, "Too old.").into_status("duet.task"))
    }
}

#[tonic::async_trait]
impl auth_server::AuthService for Services {
    async fn refresh_session(
        &self,
        request: Request<auth::RefreshSessionRequest>,
    ) -> Result<Response<auth::RefreshSessionResponse>, Status> {
        let mut script = self.0.lock().unwrap();
        script.refreshed.push(request.into_inner().refresh_token);
        if let Some(reason) = script.refusal {
            return Err(Failure::new(reason, "No.").into_status("duet.auth"));
        }
        let credentials = auth::Credentials {
            access_token: script.good.clone(),
            access_token_expire_time: Some(prost_types::Timestamp {
                seconds: (SystemClock.now() + TimeDelta::minutes(5)).timestamp(),
                nanos: 0,
            }),
            refresh_token: format!("refresh-{}", script.refreshed.len()),
            session: "users/u/sessions/s".to_owned(),
            ..auth::Credentials::default()
        };
        let credentials = Some(credentials);
        Ok(Response::new(auth::RefreshSessionResponse { credentials }))
    }

    async fn sign_up(
        &self,
        _: Request<auth::SignUpRequest>,
    ) -> Result<Response<auth::SignUpResponse>, Status> {
        not_asked()
    }

    async fn sign_in(
        &self,
        _: Request<auth::SignInRequest>,
    ) -> Result<Response<auth::SignInResponse>, Status> {
        not_asked()
    }

    async fn sign_out(
        &self,
        _: Request<auth::SignOutRequest>,
    ) -> Result<Response<auth::SignOutResponse>, Status> {
        not_asked()
    }
}

#[tonic::async_trait]
impl task_server::TaskService for Services {
    async fn create_task(
        &self,
        request: Request<task::CreateTaskRequest>,
    ) -> Result<Response<task::CreateTaskResponse>, Status> {
        self.0.lock().unwrap().request_ids.push(request.get_ref().request_id.clone());
        self.check(&request)?;
        Ok(Response::new(task::CreateTaskResponse { task: request.into_inner().task }))
    }

    async fn list_tasks(
        &self,
        request: Request<task::ListTasksRequest>,
    ) -> Result<Response<task::ListTasksResponse>, Status> {
        self.check(&request)?;
        // A page for each title, named by its place.
        let titles = self.0.lock().unwrap().titles.clone();
        let at: usize = request.into_inner().page_token.parse().unwrap_or(0);
        let task = titles.get(at).map(|title| task::Task {
            name: format!("users/u/tasks/0197a2b4-1111-7aaa-8aaa-{at:012}"),
            title: title.clone(),
            status: task::TaskStatus::Open.into(),
            ..task::Task::default()
        });
        let more = at + 1 < titles.len();
        Ok(Response::new(task::ListTasksResponse {
            tasks: task.into_iter().collect(),
            next_page_token: if more { (at + 1).to_string() } else { String::new() },
        }))
    }

    async fn get_task(
        &self,
        _: Request<task::GetTaskRequest>,
    ) -> Result<Response<task::GetTaskResponse>, Status> {
        not_asked()
    }

    async fn update_task(
        &self,
        _: Request<task::UpdateTaskRequest>,
    ) -> Result<Response<task::UpdateTaskResponse>, Status> {
        not_asked()
    }

    async fn delete_task(
        &self,
        _: Request<task::DeleteTaskRequest>,
    ) -> Result<Response<task::DeleteTaskResponse>, Status> {
        not_asked()
    }

    async fn complete_task(
        &self,
        _: Request<task::CompleteTaskRequest>,
    ) -> Result<Response<task::CompleteTaskResponse>, Status> {
        not_asked()
    }

    async fn reopen_task(
        &self,
        _: Request<task::ReopenTaskRequest>,
    ) -> Result<Response<task::ReopenTaskResponse>, Status> {
        not_asked()
    }
}

fn not_asked<T>() -> Result<T, Status> {
    Err(Status::unimplemented("Nobody should ask."))
}

/// A user who is signed in, and the services that do as they are told.
struct House {
    services: Services,
    folder: tempfile::TempDir,
    url: String,
}

/// What a command left behind.
#[derive(Debug)]
struct Ran {
    exit: u8,
    output: String,
    errors: String,
}

impl House {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let services = Services::default();
        services.0.lock().unwrap().good = "access-new".to_owned();
        let server = Server::new(Limits::default())
            .descriptors(proto::DESCRIPTORS)
            .open(auth_server::AuthServiceServer::new(services.clone()))
            .open(task_server::TaskServiceServer::new(services.clone()));
        tokio::spawn(server.serve(listener, std::future::pending()));
        Self { services, folder: tempfile::tempdir().unwrap(), url }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("credentials.json")
    }

    /// Signs the user in with a token that ends, by our clock, in `left`.
    async fn sign_in(&self, token: &str, left: TimeDelta) {
        let store = credentials::Store::at(Some(&self.file())).unwrap();
        let lock = store.lock().await.unwrap();
        let uri: tonic::transport::Uri = self.url.parse().unwrap();
        let user = auth::User { email: "ada@example.com".to_owned(), ..auth::User::default() };
        let given = auth::Credentials {
            access_token: token.to_owned(),
            access_token_expire_time: Some(prost_types::Timestamp {
                seconds: (SystemClock.now() + left).timestamp(),
                nanos: 0,
            }),
            refresh_token: "refresh-0".to_owned(),
            session: "users/u/sessions/s".to_owned(),
            ..auth::Credentials::default()
        };
        let new = credentials::Credentials::new(uri.clone(), uri, &user, given);
        store.write(&new, &lock).unwrap();
    }

    async fn duet(&self, line: &str, terminal: bool) -> Ran {
        let file = self.file();
        let words = ["duet", "--credentials", file.to_str().unwrap()];
        let cli = Cli::try_parse_from(words.into_iter().chain(line.split(' '))).unwrap();
        let Command::Client(command) = &cli.command else { panic!("{line}") };
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let mut console =
            Console { input: &mut io::empty(), output: &mut output, errors: &mut errors, terminal };
        let exit = run(&cli.options, command, &mut console).await;
        let [output, errors] = [output, errors].map(|text| String::from_utf8(text).unwrap());
        assert!(!format!("{output}{errors}").contains("refresh-"));
        Ran { exit, output, errors }
    }

    fn asked<T>(&self, ask: impl FnOnce(&mut Script) -> T) -> T {
        ask(&mut self.services.0.lock().unwrap())
    }
}

#[tokio::test]
async fn an_access_token_that_ends_is_renewed_and_kept() {
    let house = House::new().await;
    house.sign_in("access-old", TimeDelta::seconds(5)).await;
    assert_eq!(house.duet("ls", false).await.exit, 0);
    assert_eq!(house.duet("ls", false).await.exit, 0);
    assert_eq!(house.asked(|script| script.refreshed.clone()), ["refresh-0"]);
    let kept = std::fs::read_to_string(house.file()).unwrap();
    assert!(kept.contains("refresh-1") && kept.contains("access-new"), "{kept}");
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let house = House::new().await;
    house.sign_in("access-old", TimeDelta::hours(1)).await;
    assert_eq!(house.duet("ls", false).await.exit, 0);

    house.asked(|script| script.good = "access-newer".to_owned());
    house.asked(|script| script.refusal = Some(Reason::RefreshTokenReused));
    let ran = house.duet("ls", true).await;
    assert_eq!(ran.exit, 16);
    let told = "Your session has ended; sign in again with `duet sign-in ada@example.com";
    assert!(ran.errors.starts_with(told), "{ran:?}");
    assert_eq!(house.asked(|script| script.refreshed.clone()), ["refresh-0", "refresh-1"]);
}

#[tokio::test]
async fn many_at_once_renew_the_token_together() {
    let house = House::new().await;
    house.sign_in("access-old", TimeDelta::hours(1)).await;
    let ran = futures_util::future::join_all((0..8).map(|_| house.duet("ls", false))).await;
    assert!(ran.iter().all(|ran| ran.exit == 0), "{ran:?}");
    assert_eq!(house.asked(|script| script.refreshed.len()), 1);
}

#[tokio::test]
async fn a_write_is_repeated_as_the_same_request() {
    let house = House::new().await;
    house.sign_in("access-new", TimeDelta::hours(1)).await;
    house.asked(|script| script.unavailable = 1);
    let ran = house.duet("add Buy milk", true).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.output.contains("☐  Buy milk"), "{ran:?}");
    let ids = house.asked(|script| script.request_ids.clone());
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);

    house.asked(|script| script.unavailable = 2);
    let ran = house.duet("add Buy milk --json", true).await;
    assert_eq!(ran.exit, 14);
    let error: serde_json::Value = serde_json::from_str(&ran.errors).unwrap();
    assert_eq!(error["error"]["code"], "UNAVAILABLE");
    assert_eq!(error["error"]["reason"], "DATABASE_UNAVAILABLE");
}

#[tokio::test]
async fn a_list_follows_its_pages_to_the_limit() {
    let house = House::new().await;
    house.sign_in("access-new", TimeDelta::hours(1)).await;
    house.asked(|script| {
        script.titles = ["one", "two\u{1b}[2J", "three"].map(str::to_owned).to_vec();
    });
    let json = |ran: Ran| serde_json::from_str::<serde_json::Value>(&ran.output).unwrap();
    let all = json(house.duet("ls", false).await);
    assert_eq!(all["tasks"].as_array().unwrap().len(), 3);
    let some = json(house.duet("ls --limit 2 --json", true).await);
    assert_eq!(some["tasks"].as_array().unwrap().len(), 2);

    let table = house.duet("ls", true).await.output;
    assert!(table.contains("☐  three") && table.contains("00000002"), "{table}");
    assert!(!table.contains('\u{1b}'), "{table:?}");
}

#[tokio::test]
async fn tokens_go_only_where_the_user_signed_in() {
    let house = House::new().await;
    house.sign_in("access-old", TimeDelta::seconds(0)).await;
    let ran = house.duet("whoami --auth-url http://127.0.0.1:1", true).await;
    assert_eq!(ran.exit, 16);
    assert!(ran.errors.contains("not at http://127.0.0.1:1/"), "{ran:?}");
}

#[tokio::test]
async fn what_is_not_there_is_told_in_a_sentence() {
    let house = House::new().await;
    let ran = house.duet("ls", true).await;
    assert_eq!(ran.exit, 16);
    assert!(ran.errors.starts_with("You are not signed in."), "{ran:?}");
    assert!(house.duet("completions zsh", true).await.output.contains("sign-up"));

    house.sign_in("access-new", TimeDelta::hours(1)).await;
    // A port that was free a moment ago: nothing listens there.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let ran = house.duet(&format!("ls --task-url http://{free}"), true).await;
    assert_eq!(ran.exit, 14);
    let told = format!("Nothing listens at http://{free}/. Start it with `duet up`.\n");
    assert_eq!(ran.errors, told);
}
