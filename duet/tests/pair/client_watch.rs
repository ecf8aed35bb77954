//! `duet watch` against the real pair: live, over restarts of everything, and
//! to its different ends.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout},
};

use crate::{
    client::Person,
    harness::{Up, folder},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A running `duet watch`.
struct Watching {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    errors: Lines<BufReader<ChildStderr>>,
}

impl Watching {
    fn start(person: &Person, words: &[&str]) -> Self {
        let mut command = person.command(&[&["watch"], words].concat());
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines, errors }
    }

    /// What is told next, with the title of what it is told of.
    async fn told(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("a line");
        let line: Value = serde_json::from_str(&line.unwrap().expect("no end")).unwrap();
        let title = line["task"]["title"].as_str().unwrap_or_default();
        format!("{} {title}", line["event"].as_str().unwrap()).trim_end().to_owned()
    }

    /// What is said of the connection next.
    async fn said(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.errors.next_line()).await.expect("a line");
        line.unwrap().expect("no end")
    }

    /// Waits for its end: the exit code and what is left to read.
    async fn ended(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        let wait = async {
            self.errors.into_inner().read_to_string(&mut rest).await.unwrap();
            self.child.wait().await.unwrap().code()
        };
        let code = tokio::time::timeout(PATIENCE, wait).await.expect("it ends");
        (code, rest)
    }

    async fn interrupted(self) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
        assert_eq!(self.ended().await, (Some(0), String::new()));
    }
}

/// A new life of the pair, at the same addresses.
async fn again(data: &Path, auth: &str, task: &str) -> Up {
    Up::start_with(data, &[("AUTH_LISTEN_ADDR", auth), ("TASK_LISTEN_ADDR", task)]).await
}

#[tokio::test]
async fn changes_are_told_as_they_happen() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let bob = Person::signed_up(&up, data.path(), "bob").await;
    let milk = ada.gets(&["add", "Milk", "--label", "shop"]).await;
    let milk = milk["name"].as_str().unwrap();
    let mut all = Watching::start(&ada, &[]);
    let mut some = Watching::start(&ada, &["--filter", "labels:shop"]);
    for watching in [&mut all, &mut some] {
        assert_eq!(watching.told().await, "present Milk");
        assert_eq!(watching.told().await, "current");
    }
    bob.gets(&["add", "Not yours"]).await;
    // Told one by one: what changes faster than it is read comes as it is at last.
    ada.gets(&["add", "Tea"]).await;
    assert_eq!(all.told().await, "added Tea");
    ada.gets(&["done", milk]).await;
    assert_eq!(all.told().await, "done Milk");
    assert_eq!(some.told().await, "done Milk");
    ada.gets(&["edit", milk, "--remove-label", "shop"]).await;
    assert_eq!(all.told().await, "changed Milk");
    assert_eq!(some.told().await, "removed Milk");
    ada.gets(&["rm", milk]).await;
    assert_eq!(all.told().await, "removed Milk");
    all.interrupted().await;
    some.interrupted().await;
    let ended = Watching::start(&ada, &["--filter", "due > hello"]).ended().await;
    assert_eq!(ended.0, Some(3), "{}", ended.1);
    up.stop().await;
}

/// The services and their Postgres are killed and started again.
#[tokio::test]
async fn the_watching_goes_on_over_restarts() {
    let data = folder();
    let mut up = Up::start(data.path()).await;
    let (auth, task) = (up.auth.clone(), up.task.clone());
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let mut watching = Watching::start(&ada, &[]);
    assert_eq!(watching.told().await, "current");
    for (n, signal) in [Signal::INT, Signal::KILL, Signal::TERM].into_iter().enumerate() {
        ada.gets(&["add", &format!("Before {n}")]).await;
        up.signal(signal);
        up.ended().await;
        up = again(data.path(), &auth, &task).await;
        ada.gets(&["add", &format!("After {n}")]).await;
        assert_eq!(watching.told().await, format!("added Before {n}"));
        assert_eq!(watching.told().await, format!("added After {n}"));
        assert_eq!(watching.said().await, "Reconnecting…");
        assert_eq!(watching.said().await, "Connected again.");
    }
    watching.interrupted().await;
    up.stop().await;
}

/// Access tokens that end all the time are no trouble, and are not told.
#[tokio::test]
async fn the_watching_outlives_its_access_token() {
    let data = folder();
    let up = Up::start_with(data.path(), &[("AUTH_ACCESS_TOKEN_TTL", "3s")]).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let mut watching = Watching::start(&ada, &[]);
    assert_eq!(watching.told().await, "current");
    let start = Instant::now();
    let mut n = 0;
    while start.elapsed() < Duration::from_secs(8) {
        ada.gets(&["add", &format!("Task {n}")]).await;
        assert_eq!(watching.told().await, format!("added Task {n}"));
        n += 1;
    }
    watching.interrupted().await;
    up.stop().await;
}

#[tokio::test]
async fn a_closed_pipe_ends_it_quietly() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let mut watching = Watching::start(&ada, &[]);
    assert_eq!(watching.told().await, "current");
    let Watching { mut child, lines, errors } = watching;
    drop(lines);
    ada.gets(&["add", "Unseen"]).await;
    let mut rest = String::new();
    errors.into_inner().read_to_string(&mut rest).await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await.expect("it ends");
    assert_eq!((ended.unwrap().code(), rest.as_str()), (Some(0), ""));
    up.stop().await;
}
