//! The client: what a person types and sees, against the real pair.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::harness::{PASSWORD, Up, duet, folder};

/// Somebody at a terminal's other end, with credentials of their own.
pub(crate) struct Person {
    auth: String,
    task: String,
    credentials: PathBuf,
}

impl Person {
    pub(crate) fn new(up: &Up, folder: &Path, name: &str) -> Self {
        let credentials = folder.join(name).join("credentials.json");
        let url = |address| format!("http://{address}");
        Self { auth: url(&up.auth), task: url(&up.task), credentials }
    }

    /// The same, with an account.
    pub(crate) async fn signed_up(up: &Up, folder: &Path, name: &str) -> Self {
        let person = Self::new(up, folder, name);
        let email = format!("{name}@example.org");
        person.gets(&["sign-up", &email, "--password-stdin"]).await;
        person
    }

    /// A command, ready to be started.
    pub(crate) fn command(&self, line: &[&str]) -> Command {
        let mut command = duet(line);
        command
            .env("DUET_AUTH_URL", &self.auth)
            .env("DUET_TASK_URL", &self.task)
            .env("DUET_CREDENTIALS", &self.credentials)
            .env("DUET_TIME_ZONE", "Europe/Paris");
        command
    }

    /// Runs a command: its exit code, what it printed, what it complained of.
    pub(crate) async fn types(&self, line: &[&str], input: &str) -> (i32, String, String) {
        let mut command = self.command(line);
        command.stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// The same for what must go well; its JSON.
    pub(crate) async fn gets(&self, line: &[&str]) -> Value {
        let (code, printed, complaint) = self.types(line, PASSWORD).await;
        assert_eq!((code, complaint.as_str()), (0, ""), "{line:?}");
        if printed.is_empty() { Value::Null } else { serde_json::from_str(&printed).unwrap() }
    }
}

pub(crate) fn tasks(list: &Value) -> Vec<Value> {
    list["tasks"].as_array().cloned().unwrap_or_default()
}

pub(crate) fn titles(list: &Value) -> Vec<String> {
    tasks(list).iter().map(|task| task["title"].as_str().unwrap().to_owned()).collect()
}

/// S1.1, S2.1, S4.1, S5.1, S5.2 and the five basic features, on a terminal's
/// other end.
#[tokio::test]
async fn a_person_works_with_tasks() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::new(&up, data.path(), "ada");
    ada.gets(&["sign-up", "ada@example.org", "--name", "Ada", "--password-stdin"]).await;
    let mode = ada.credentials.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let who = ada.gets(&["whoami"]).await.to_string();
    assert!(who.contains("ada@example.org") && who.contains("Ada"), "{who}");

    let due = ["--due", "2026-12-24", "--at", "18:00", "--zone", "Europe/Paris"];
    ada.gets(&[&["add", "Buy", "milk"][..], &due].concat()).await;
    ada.gets(&["add", "Write home", "--notes", "a line"]).await;
    let list = ada.gets(&["ls"]).await;
    assert_eq!(titles(&list), ["Write home", "Buy milk"]);
    assert_eq!(tasks(&list)[1]["due"]["minuteOfDay"], 1080);
    let name = tasks(&list)[1]["name"].as_str().unwrap().to_owned();
    let short = &name[name.len() - 8..];

    ada.gets(&["done", short]).await;
    assert_eq!(titles(&ada.gets(&["ls"]).await), ["Write home"]);
    assert_eq!(titles(&ada.gets(&["ls", "--done"]).await), ["Buy milk"]);
    ada.gets(&["reopen", short]).await;
    ada.gets(&["edit", short, "--title", "Buy oat milk", "--no-due"]).await;
    let shown = ada.gets(&["show", &name]).await.to_string();
    assert!(shown.contains("Buy oat milk") && !shown.contains("minuteOfDay"), "{shown}");
    ada.gets(&["rm", short]).await;
    assert_eq!(titles(&ada.gets(&["ls", "--all"]).await), ["Write home"]);
    assert_eq!(titles(&ada.gets(&["bin"]).await), ["Buy oat milk"]);
    assert!(ada.gets(&["show", short]).await["deleteTime"].is_string());
    ada.gets(&["restore", short]).await;
    assert_eq!(titles(&ada.gets(&["ls", "--all"]).await), ["Write home", "Buy oat milk"]);
    let nobody = name.replace(short, "ffffffff");
    let (code, _, complaint) = ada.types(&["show", &nobody], "").await;
    assert_eq!(code, 5, "{complaint}");
    assert_eq!(complaint.trim().lines().count(), 1);

    let sessions = ada.gets(&["sessions"]).await;
    assert!(sessions.to_string().contains("duet"), "{sessions}");
    ada.gets(&["sign-out"]).await;
    let (code, _, complaint) = ada.types(&["ls"], "").await;
    assert_eq!(code, 16);
    assert!(complaint.contains("sign-in"), "{complaint}");
    up.stop().await;
}

/// S2.2, S1.2, S1.3: complaints are one sentence, and the code follows gRPC's.
#[tokio::test]
async fn mistakes_are_told_in_a_sentence() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::new(&up, data.path(), "ada");
    ada.gets(&["sign-up", "ada@example.org", "--password-stdin"]).await;
    let again = ["sign-up", "ada@example.org", "--password-stdin"];
    for (line, input, code, said) in [
        (&again[..], PASSWORD, 6, "already registered"),
        (&["sign-in", "ada@example.org", "--password-stdin"], "wrong-One-1", 16, "Invalid"),
        (&["sign-up", "bob@example.org", "--password-stdin"], "short", 3, "8 characters"),
        (&["sign-up", "nobody", "--password-stdin"], PASSWORD, 3, "email"),
        (&["add", "x", "--due", "tomorrow"], "", 64, "--due"),
        (&["show", "ffffffff"], "", 5, ""),
        (&["nonsense"], "", 64, "nonsense"),
    ] {
        let (exit, _, complaint) = ada.types(line, input).await;
        assert_eq!(exit, code, "{line:?}: {complaint}");
        assert!(complaint.contains(said), "{line:?}: {complaint}");
        assert!(!complaint.contains(PASSWORD));
    }
    up.stop().await;
    let again = ["sign-in", "ada@example.org", "--password-stdin"];
    let (exit, _, complaint) = ada.types(&again, PASSWORD).await;
    assert_eq!(exit, 14);
    assert!(complaint.contains("duet up"), "{complaint}");
}

/// E1: the access token is refreshed by itself, by several commands at once too.
#[tokio::test]
async fn a_session_goes_on_by_itself() {
    let data = folder();
    // Shorter than the client's margin: every command has to refresh.
    let up = Up::start_with(data.path(), &[("AUTH_ACCESS_TOKEN_TTL", "1s")]).await;
    let ada = Person::new(&up, data.path(), "ada");
    ada.gets(&["sign-up", "ada@example.org", "--password-stdin"]).await;
    let adds = (0..6).map(|n| {
        let ada = &ada;
        async move { ada.gets(&["add", &format!("Task {n}")]).await }
    });
    futures_util::future::join_all(adds).await;
    assert_eq!(tasks(&ada.gets(&["ls"]).await).len(), 6);
    up.stop().await;
}

/// Completions for the usual shells.
#[tokio::test]
async fn shells_can_complete() {
    for shell in ["bash", "zsh", "fish"] {
        let output = crate::harness::finish(duet(&["completions", shell])).await;
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains("sign-in"));
    }
}
