//! Operators in the terminal, against the real pair: made at the machine by what
//! the program of auth-service runs, and then what they do to accounts, services
//! and keys.

use std::{fs, path::Path};

use auth_service::{cli, config::Config};
use clap::Parser as _;
use proto::task::v1::ListTasksRequest;
use serde_json::{Value, json};
use shared::testing::{TestDatabase, database, eventually};
use sqlx::ConnectOptions as _;
use tempfile::TempDir;

use crate::{
    client::{Person, titles},
    harness::{PASSWORD, Up, folder, sign_in},
    world::{kid, signed_with},
};

/// A password of another system, and its hash there.
const FOREIGN: (&str, &str) =
    ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i");

/// A pair whose databases the test has at hand, and an operator.
struct Operated {
    up: Up,
    root: Person,
    data: TempDir,
    _databases: [TestDatabase; 2],
}

impl Operated {
    async fn start() -> Self {
        let data = folder();
        let databases =
            [database(&auth_service::SCHEMA).await, database(&task_service::SCHEMA).await];
        let [accounts, tasks] = databases.each_ref().map(|it| it.app.to_url_lossy().to_string());
        let variables = [("AUTH_DATABASE_URL", &*accounts), ("TASK_DATABASE_URL", &*tasks)];
        let up = Up::start_with(data.path(), &variables).await;
        make_operator(&accounts, data.path()).await;
        let root = Person::new(&up, data.path(), "root");
        root.gets(&["sign-in", "root@example.org", "--password-stdin"]).await;
        Self { up, root, data, _databases: databases }
    }

    async fn person(&self, name: &str) -> Person {
        Person::signed_up(&self.up, self.data.path(), name).await
    }

    /// What an operator is answered.
    async fn admin(&self, line: &[&str]) -> Value {
        self.root.gets(&[&["admin"], line].concat()).await
    }

    /// What happened lately, to an account or to the service itself.
    async fn kinds(&self, line: &[&str]) -> Vec<String> {
        let log = self.admin(&[&["audit"], line].concat()).await;
        let kind = |event: &Value| event["kind"].as_str().unwrap().to_owned();
        log["events"].as_array().unwrap().iter().map(kind).collect()
    }

    async fn stop(self) {
        self.up.stop().await;
    }
}

/// `auth-service admin create`
async fn make_operator(accounts: &str, data: &Path) {
    let password = data.join("password");
    fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let line = ["auth-service", "--database-url", accounts, "admin", "create", "root@example.org"];
    let file = ["--password-file", password.to_str().unwrap()];
    cli::run(Config::parse_from(line.iter().chain(&file))).await.unwrap();
}

#[tokio::test]
async fn an_operator_closes_opens_and_imports_accounts() {
    let pair = Operated::start().await;
    let (ada, bob) = (pair.person("ada").await, pair.person("bob").await);
    ada.gets(&["add", "Milk"]).await;
    let (code, _, complaint) = bob.types(&["admin", "users"], "").await;
    assert_eq!(code, 7, "{complaint}");

    let users = pair.admin(&["users"]).await;
    let told = |user: &Value| (user["user"]["email"].clone(), user["admin"].clone());
    let told: Vec<_> = users["users"].as_array().unwrap().iter().map(told).collect();
    let expected = [("bob", false), ("ada", false), ("root", true)];
    assert_eq!(told, expected.map(|(name, is)| (json!(format!("{name}@example.org")), json!(is))));

    pair.admin(&["suspend", "ada@example.org", "--reason", "It was stolen."]).await;
    let one = pair.admin(&["users", "--email", "ada@example.org"]).await;
    assert!(one["users"][0]["suspendTime"].is_string(), "{one}");
    eventually("nothing is answered", async || ada.types(&["ls"], "").await.0 == 16).await;
    let again = ["sign-in", "ada@example.org", "--password-stdin"];
    let (code, _, complaint) = ada.types(&again, PASSWORD).await;
    assert_eq!(code, 7, "{complaint}");
    assert_eq!(titles(&bob.gets(&["ls"]).await), Vec::<String>::new());
    pair.admin(&["reinstate", "ada@example.org"]).await;
    ada.gets(&again).await;
    assert_eq!(titles(&ada.gets(&["ls"]).await), ["Milk"]);
    let kinds = pair.kinds(&["ada@example.org"]).await;
    for kind in ["admin.user.suspended", "admin.user.reinstated"] {
        assert!(kinds.iter().any(|known| known == kind), "{kinds:?}");
    }

    let file = pair.data.path().join("users.jsonl");
    let line = |email: &str| json!({ "email": email, "passwordHash": FOREIGN.1 }).to_string();
    let lines = [line("ada@example.org"), line("carol@example.org")];
    fs::write(&file, lines.join("\n")).unwrap();
    let report = pair.admin(&["import", file.to_str().unwrap()]).await;
    assert_eq!(report["made"], 1, "{report}");
    assert_eq!(
        (&report["refused"][0]["line"], &report["refused"][0]["field"]),
        (&json!(1), &json!("email"))
    );
    let carol = Person::new(&pair.up, pair.data.path(), "carol");
    let line = ["sign-in", "carol@example.org", "--password-stdin"];
    let (code, _, complaint) = carol.types(&line, FOREIGN.0).await;
    assert_eq!(code, 0, "{complaint}");
    carol.gets(&["add", "Tea"]).await;
    pair.stop().await;
}

#[tokio::test]
async fn an_operator_lets_services_in_and_out() {
    let pair = Operated::start().await;
    let ada = pair.person("ada").await;
    ada.gets(&["add", "Milk"]).await;
    let parent = ada.gets(&["whoami"]).await["name"].as_str().unwrap().to_owned();
    let create = ["service-accounts", "create", "reporter", "--scope", "tasks:read"];
    let made = pair.admin(&create).await;
    let secret = made["secret"].as_str().unwrap();
    let token = pair.up.service_token(secret, &[]).await.unwrap().access_token;
    let mut tasks = pair.up.tasks(&token);
    let request = ListTasksRequest { parent, ..ListTasksRequest::default() };
    let listed = tasks.list_tasks(request.clone()).await.unwrap().into_inner().tasks;
    assert_eq!(listed[0].title, "Milk");

    let accounts = pair.admin(&["service-accounts"]).await.to_string();
    assert!(accounts.contains("serviceAccounts/reporter"), "{accounts}");
    assert!(accounts.contains("serviceAccounts/task-service") && !accounts.contains(secret));
    pair.admin(&["service-accounts", "delete", "reporter"]).await;
    eventually("its token is good no more", async || {
        tasks.clone().list_tasks(request.clone()).await.is_err()
    })
    .await;
    pair.up.service_token(secret, &[]).await.unwrap_err();
    let accounts = pair.admin(&["service-accounts", "list"]).await.to_string();
    assert!(!accounts.contains("reporter"), "{accounts}");
    let kinds = pair.kinds(&[]).await;
    for kind in ["service_account.created", "service_account.deleted"] {
        assert!(kinds.iter().any(|known| known == kind), "{kinds:?}");
    }
    pair.stop().await;
}

/// The operator's own token is of the key that is withdrawn, too.
#[tokio::test]
async fn an_operator_exchanges_the_signing_keys() {
    let pair = Operated::start().await;
    pair.person("ada").await;
    let mut auth = pair.up.auth();
    let before = sign_in(&mut auth, "ada@example.org", PASSWORD).await.unwrap();
    let rotated = pair.admin(&["keys", "rotate"]).await;
    let new = rotated["kid"].as_str().unwrap();
    let session = signed_with(new, &mut auth, before.clone()).await;
    let mut old = pair.up.tasks(&before.access_token);
    old.list_tasks(ListTasksRequest::default()).await.unwrap();

    pair.admin(&["keys", "revoke", &kid(&before.access_token)]).await;
    eventually("its tokens are good no more", async || {
        old.clone().list_tasks(ListTasksRequest::default()).await.is_err()
    })
    .await;
    let mut new = pair.up.tasks(&session.access_token);
    new.list_tasks(ListTasksRequest::default()).await.unwrap();
    let kinds = pair.kinds(&["--limit", "10"]).await;
    for kind in ["admin.signing_key.rotated", "admin.signing_key.revoked"] {
        assert!(kinds.iter().any(|known| known == kind), "{kinds:?}");
    }
    pair.stop().await;
}
