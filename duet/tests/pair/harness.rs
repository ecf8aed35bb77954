//! `duet` as a process, and people who talk to it.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use proto::{
    auth::v1::{
        Credentials, IssueServiceTokenRequest, IssueServiceTokenResponse, SignInRequest,
        SignUpRequest, auth_service_client::AuthServiceClient,
        issue_service_token_request::Credential, token_service_client::TokenServiceClient,
    },
    task::v1::{CreateTaskRequest, Task, task_service_client::TaskServiceClient},
};
use rustix::process::{Pid, Signal, kill_process};
pub(crate) use shared::testing::folder;
use shared::testing::secrets_in;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
};
use tonic::{
    Request, Status,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

pub(crate) const PASSWORD: &str = "walnut-Trombone-91";

/// The longest a test waits for a process.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program `duet`, told nothing by the environment of the test.
pub(crate) fn duet(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_duet"));
    for (name, _) in std::env::vars() {
        if ["DUET_", "AUTH_", "TASK_", "PG"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.args(args).kill_on_drop(true).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end.
pub(crate) async fn finish(mut command: Command) -> Output {
    tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap()
}

/// A running `duet up`.
pub(crate) struct Up {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What it logs, read all the time: a full pipe would stop it.
    log: JoinHandle<String>,
    pub(crate) banner: String,
    pub(crate) web: String,
    pub(crate) auth: String,
    pub(crate) task: String,
}

impl Up {
    /// Starts it on free ports and waits for its banner.
    pub(crate) async fn start(data: &Path) -> Self {
        Self::start_with(data, &[]).await
    }

    /// The same with more variables; an empty one is as if there were none.
    pub(crate) async fn start_with(data: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = duet(&[]);
        command.env("DUET_DATA_DIR", data).env("DUET_LOG", "debug");
        for port in ["DUET_LISTEN_ADDR", "AUTH_LISTEN_ADDR", "TASK_LISTEN_ADDR"] {
            command.env(port, "127.0.0.1:0");
        }
        // The launcher is tested with the installed and with the packaged server.
        if std::env::var_os("DUET_TEST_FETCH").is_some() {
            command.env("DUET_FETCH", "true");
        }
        for &(name, value) in variables {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        let log = tokio::spawn(async move {
            let mut log = String::new();
            stderr.read_to_string(&mut log).await.unwrap();
            log
        });
        let mut banner = String::new();
        let read = async {
            while !banner.contains("duet add") {
                if stdout.read_line(&mut banner).await.unwrap() == 0 {
                    return false;
                }
            }
            true
        };
        if !tokio::time::timeout(PATIENCE, read).await.expect("a banner") {
            panic!("duet did not start: {}", log.await.unwrap());
        }
        let after = |label: &str| {
            let line = banner.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
            line.split_whitespace().nth(1).unwrap().trim_start_matches("http://").to_owned()
        };
        let (web, auth, task) = (after("browser"), after("auth-service"), after("task-service"));
        Self { child, stdout, log, banner, web, auth, task }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id().unwrap()).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    /// Waits for it to end, and tells its exit code and what it logged.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let wait = async {
            let log = self.log.await.unwrap();
            let mut rest = String::new();
            self.stdout.read_to_string(&mut rest).await.unwrap();
            (self.child.wait().await.unwrap().code(), log)
        };
        let (code, log) = tokio::time::timeout(PATIENCE, wait).await.expect("it ends");
        assert_eq!(secrets_in(&log), Vec::<&str>::new());
        (code, log)
    }

    /// Stops it as Ctrl-C does.
    pub(crate) async fn stop(self) {
        self.signal(Signal::INT);
        let (code, log) = self.ended().await;
        assert_eq!(code, Some(0), "{log}");
    }

    pub(crate) fn auth(&self) -> AuthServiceClient<Channel> {
        AuthServiceClient::new(channel(&self.auth))
    }

    /// A token of the service account whose secret this is.
    pub(crate) async fn service_token(
        &self,
        secret: &str,
        scopes: &[&str],
    ) -> Result<IssueServiceTokenResponse, Status> {
        let request = IssueServiceTokenRequest {
            credential: Some(Credential::Secret(secret.to_owned())),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            ..IssueServiceTokenRequest::default()
        };
        let mut tokens = TokenServiceClient::new(channel(&self.auth));
        Ok(tokens.issue_service_token(request).await?.into_inner())
    }

    pub(crate) fn tasks(&self, token: &str) -> Tasks {
        tasks(&self.task, token)
    }
}

pub(crate) type Tasks = TaskServiceClient<InterceptedService<Channel, Bearer>>;

pub(crate) fn channel(address: &str) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}

pub(crate) fn tasks(address: &str, token: &str) -> Tasks {
    TaskServiceClient::with_interceptor(channel(address), Bearer(token.to_owned()))
}

/// Sends an access token along.
#[derive(Clone)]
pub(crate) struct Bearer(pub(crate) String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let header = format!("Bearer {}", self.0).parse().unwrap();
        request.metadata_mut().insert("authorization", header);
        Ok(request)
    }
}

pub(crate) async fn sign_up(auth: &mut AuthServiceClient<Channel>, email: &str) -> Credentials {
    let request = SignUpRequest {
        email: email.to_owned(),
        password: PASSWORD.to_owned(),
        ..SignUpRequest::default()
    };
    auth.sign_up(request).await.unwrap().into_inner().credentials.unwrap()
}

pub(crate) async fn sign_in(
    auth: &mut AuthServiceClient<Channel>,
    email: &str,
    password: &str,
) -> Result<Credentials, Status> {
    let request = SignInRequest {
        email: email.to_owned(),
        password: password.to_owned(),
        ..SignInRequest::default()
    };
    Ok(auth.sign_in(request).await?.into_inner().credentials.unwrap())
}

pub(crate) async fn create(tasks: &mut Tasks, title: &str) -> Result<Task, Status> {
    let task = Task { title: title.to_owned(), ..Task::default() };
    let request = CreateTaskRequest { task: Some(task), ..CreateTaskRequest::default() };
    Ok(tasks.create_task(request).await?.into_inner().task.unwrap())
}

/// The processes whose ancestor is `pid`, from /proc.
pub(crate) fn descendants(pid: i32) -> Vec<i32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // pid (name) state parent …; the name may hold anything.
        let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        let parent = rest.split_whitespace().nth(1).and_then(|parent| parent.parse::<i32>().ok());
        let child = entry.file_name().to_string_lossy().parse::<i32>().ok();
        parents.extend(child.zip(parent));
    }
    let mut found = vec![pid];
    let mut at = 0;
    while at < found.len() {
        let parent = found[at];
        found.extend(parents.iter().filter(|(_, p)| *p == parent).map(|(child, _)| *child));
        at += 1;
    }
    found.remove(0);
    found
}

/// The top of the project.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}
