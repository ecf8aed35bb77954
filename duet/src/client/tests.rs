//! The client against services that do as they are told: what happens to the
//! session when tokens end, services vanish and processes meet, and what the
//! commands ask for and show. Against the real pair they are tested in
//! `tests/pair`.

mod admin;
mod commands;
mod factors;
mod fake;
mod lists;
mod owner;
mod passes;
mod proofs;
mod store;
mod transfer;
mod watch;

use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use clap::Parser as _;
use proto::{
    auth::v1::{
        self as auth, account_service_server as account_server,
        admin_service_server as admin_server, auth_service_server as auth_server,
    },
    task::v1::{
        CreateTaskRequest, Task, list_service_server as list_server,
        task_service_server as task_server, transfer_service_server as transfer_server,
    },
};
use serde_json::Value;
use shared::{
    clock::{Clock as _, SystemClock},
    error::Reason,
    secret::Secret,
    server::{Limits, Server},
};
use tokio::net::TcpListener;

use self::fake::{Script, Services};
use super::*;
use crate::cli::Command;

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

/// Somebody at the terminal, who types these lines; without any there is none.
#[derive(Default)]
struct Person {
    lines: Vec<&'static str>,
    asked: Vec<(String, Echo)>,
}

impl Terminal for Person {
    fn ask(&mut self, question: &str, echo: Echo) -> io::Result<Secret> {
        if self.lines.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.asked.push((question.to_owned(), echo));
        Ok(Secret::from(self.lines.remove(0).to_owned()))
    }
}

impl House {
    /// Nobody is signed in yet.
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let services = Services::default();
        services.0.lock().unwrap().good = "access-new".to_owned();
        let server = Server::new(Limits::default())
            .descriptors(proto::DESCRIPTORS)
            .open(auth_server::AuthServiceServer::new(services.clone()))
            .open(account_server::AccountServiceServer::new(services.clone()))
            .open(admin_server::AdminServiceServer::new(services.clone()))
            .open(task_server::TaskServiceServer::new(services.clone()))
            .open(list_server::ListServiceServer::new(services.clone()))
            .open(transfer_server::TransferServiceServer::new(services.clone()));
        tokio::spawn(server.serve(listener, std::future::pending()));
        Self { services, folder: tempfile::tempdir().unwrap(), url }
    }

    /// Somebody is signed in.
    async fn signed_in() -> Self {
        let house = Self::new().await;
        house.sign_in("access-new", TimeDelta::hours(1)).await;
        house
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("credentials.json")
    }

    /// Signs the user in with a token that ends, by our clock, in `left`.
    async fn sign_in(&self, token: &str, left: TimeDelta) {
        let store = credentials::Store::at(Some(&self.file())).unwrap();
        let lock = store.lock().await.unwrap();
        let uri: tonic::transport::Uri = self.url.parse().unwrap();
        let user = owner::user("ada@example.com");
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
        self.told(line, terminal, "", &mut Person::default()).await
    }

    /// Runs a command that somebody at the terminal answers with these lines; and
    /// what they were asked.
    async fn asks(&self, line: &str, lines: &[&'static str]) -> (Ran, Vec<(String, Echo)>) {
        let mut person = Person { lines: lines.to_vec(), asked: Vec::new() };
        let ran = self.told(line, true, "", &mut person).await;
        (ran, person.asked)
    }

    /// Runs a command for a script that has this to say.
    async fn reads(&self, line: &str, input: &str) -> Ran {
        self.told(line, false, input, &mut Person::default()).await
    }

    async fn told(&self, line: &str, terminal: bool, input: &str, person: &mut Person) -> Ran {
        let words: Vec<&str> = line.split(' ').collect();
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let mut console = Console {
            input: &mut input.as_bytes(),
            person,
            output: &mut output,
            errors: &mut errors,
            terminal,
            is_read: || true,
        };
        let exit = self.run(&words, &mut console).await;
        let [output, errors] = [output, errors].map(|text| String::from_utf8(text).unwrap());
        for secret in ["refresh-", owner::PASS] {
            assert!(!format!("{output}{errors}").contains(secret), "{line}");
        }
        Ran { exit, output, errors }
    }

    /// What a command shows to people, when it must go well.
    async fn sees(&self, line: &str) -> String {
        let ran = self.duet(line, true).await;
        assert_eq!((ran.exit, ran.errors.as_str()), (0, ""), "{line}");
        ran.output
    }

    /// What a command tells programs, when it must go well.
    async fn gets(&self, line: &str) -> Value {
        let ran = self.duet(line, false).await;
        assert_eq!((ran.exit, ran.errors.as_str()), (0, ""), "{line}");
        serde_json::from_str(&ran.output).unwrap()
    }

    /// Runs a command whose words are told apart already.
    async fn run(&self, words: &[&str], console: &mut Console<'_>) -> u8 {
        let file = self.file();
        let before = ["duet", "--credentials", file.to_str().unwrap(), "--time-zone", "Asia/Tokyo"];
        let cli = Cli::try_parse_from(before.iter().chain(words)).unwrap();
        let Command::Client(command) = &cli.command else { panic!("{words:?}") };
        super::run(&cli.options, command, console).await
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The last request of a kind.
    fn last<T: Clone + 'static>(&self) -> T {
        self.asked(|script| script.all::<T>()).pop().expect("a request")
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
    let house = House::signed_in().await;
    house.asked(|script| script.unavailable = 1);
    let ran = house.duet("add Buy milk", true).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.output.contains("☐  Buy milk"), "{ran:?}");
    let asked = house.asked(|script| script.all::<CreateTaskRequest>());
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
    assert!(!asked[0].request_id.is_empty());

    house.asked(|script| script.unavailable = 2);
    let ran = house.duet("add Buy milk --json", true).await;
    assert_eq!(ran.exit, 14);
    let error: serde_json::Value = serde_json::from_str(&ran.errors).unwrap();
    assert_eq!(error["error"]["code"], "UNAVAILABLE");
    assert_eq!(error["error"]["reason"], "DATABASE_UNAVAILABLE");
}

#[tokio::test]
async fn a_list_follows_its_pages_to_the_limit() {
    let house = House::signed_in().await;
    house.asked(|script| {
        for title in ["one", "two\u{1b}[2J", "three"] {
            script.store.add(Task { title: title.to_owned(), ..Task::default() });
        }
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
