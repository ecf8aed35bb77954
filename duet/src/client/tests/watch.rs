//! What `duet watch` shows of streams that are cut at every place.

use std::io::{self, Write};

use proto::task::v1::{
    Bookmark, Change, Changes, Current, List, Reset, Task, TaskStatus, WatchTasksRequest,
    WatchTasksResponse, change::Resource, watch_tasks_response::Event,
};
use serde_json::Value;
use shared::error::Reason;

use super::{super::Console, House, fake::Step, store::list_name};

fn tell(event: Event, token: &str) -> Step {
    Step::Tell(WatchTasksResponse { event: Some(event), resume_token: token.to_owned() })
}

fn changes(changes: Vec<Change>) -> Step {
    let token = changes.last().unwrap().revision.to_string();
    tell(Event::Changes(Changes { changes }), &token)
}

fn task(revision: i64, title: &str, status: TaskStatus) -> Change {
    let task = Task {
        name: format!("users/u/tasks/{title}"),
        title: title.to_owned(),
        status: status.into(),
        revision,
        ..Task::default()
    };
    Change { revision, resource: Some(Resource::Task(task)) }
}

fn open(revision: i64, title: &str) -> Change {
    task(revision, title, TaskStatus::Open)
}

fn removed(revision: i64, title: &str) -> Change {
    let name = format!("users/u/tasks/{title}");
    Change { revision, resource: Some(Resource::RemovedTask(name)) }
}

fn current(token: &str) -> Step {
    tell(Event::Current(Current {}), token)
}

/// What ends the watching: trying again does not help.
const END: Step = Step::Fail(Reason::FilterInvalid);

/// What a program that reads the lines is told, and what is said besides.
async fn lines(house: &House, line: &str, streams: Vec<Vec<Step>>) -> (Vec<String>, String) {
    house.asked(|script| script.streams = streams.into());
    let ran = house.duet(line, false).await;
    assert_eq!(ran.exit, 3, "{ran:?}");
    let told = ran.output.lines().map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
        let what = if line["list"].is_null() { &line["task"] } else { &line["list"] };
        let title = what["title"].as_str().unwrap_or_default();
        format!("{} {title}", line["event"].as_str().unwrap())
    });
    (told.collect(), ran.errors)
}

fn tokens(house: &House) -> Vec<String> {
    let asked = house.asked(|script| script.all::<WatchTasksRequest>());
    asked.into_iter().map(|request| request.resume_token).collect()
}

#[tokio::test]
async fn what_is_there_is_told_and_then_every_change() {
    let house = House::signed_in().await;
    let list = List {
        name: "users/u/lists/h".into(),
        title: "Home".into(),
        revision: 2,
        ..List::default()
    };
    let (told, said) = lines(
        &house,
        "watch --filter priority=HIGH",
        vec![vec![
            changes(vec![
                open(1, "milk"),
                Change { revision: 2, resource: Some(Resource::List(list)) },
                task(3, "tea", TaskStatus::Done),
            ]),
            current("3"),
            tell(Event::Bookmark(Bookmark {}), "3"),
            changes(vec![open(4, "cake"), task(5, "milk", TaskStatus::Done)]),
            changes(vec![task(6, "cake", TaskStatus::Cancelled), open(7, "milk"), open(8, "milk")]),
            changes(vec![removed(9, "tea"), removed(10, "never seen")]),
            END,
        ]],
    )
    .await;
    let expected = [
        "present milk",
        "present Home",
        "present tea",
        "current ",
        "added cake",
        "done milk",
        "cancelled cake",
        "reopened milk",
        "changed milk",
        "removed tea",
    ];
    assert_eq!(told, expected);
    assert_eq!(said, "Not now.\n");
    let request: WatchTasksRequest = house.last();
    assert_eq!(
        (request.filter.as_str(), request.time_zone.as_str()),
        ("priority=HIGH", "Asia/Tokyo")
    );
}

/// What narrows a list narrows what is watched, and closed tasks are told too.
#[tokio::test]
async fn a_part_of_the_tasks_is_watched_as_it_is_listed() {
    let house = House::signed_in().await;
    house.asked(|script| script.store.add_list("Home"));
    let line = "watch --list Home --label a --filter due:* --search milk";
    let (told, _) = lines(&house, line, vec![vec![current("1"), END]]).await;
    assert_eq!(told, ["current "]);
    let request: WatchTasksRequest = house.last();
    let list = list_name(0);
    let id = list.rsplit('/').next().unwrap();
    let filter = format!(r#"due:* AND list = "{id}" AND labels:"a" AND "milk""#);
    assert_eq!(request.filter, filter);
    // A list that is not there is no list of everything.
    assert_eq!(house.duet("watch --list Garden", false).await.exit, 5);
}

#[tokio::test]
async fn a_stream_that_is_cut_goes_on_where_it_ended() {
    let house = House::signed_in().await;
    let (told, said) = lines(
        &house,
        "watch",
        vec![
            vec![changes(vec![open(1, "milk")]), Step::Fail(Reason::ServerDraining)],
            // What was told already is told again.
            vec![
                changes(vec![open(1, "milk"), open(2, "tea")]),
                current("2"),
                Step::Fail(Reason::WatchLimit),
            ],
            vec![Step::Fail(Reason::DatabaseUnavailable)],
            vec![current("2"), changes(vec![open(3, "cake")])],
            vec![current("3"), END],
        ],
    )
    .await;
    assert_eq!(told, ["present milk", "present tea", "current ", "added cake"]);
    assert_eq!(tokens(&house), ["", "1", "2", "2", "3"]);
    let lost = "Reconnecting…\nConnected again.\n";
    assert_eq!(said, format!("{lost}{lost}{lost}Not now.\n"));
}

#[tokio::test]
async fn the_access_token_is_renewed_without_a_word() {
    let house = House::signed_in().await;
    let (told, said) = lines(
        &house,
        "watch",
        vec![
            vec![current("1"), Step::Expire("access-2")],
            vec![current("1"), Step::Expire("access-3")],
            vec![current("1"), changes(vec![open(2, "milk")]), END],
        ],
    )
    .await;
    assert_eq!(told, ["current ", "added milk"]);
    assert_eq!(said, "Not now.\n");
    assert_eq!(tokens(&house), ["", "1", "1"]);
    assert_eq!(house.asked(|script| script.refreshed.clone()), ["refresh-0", "refresh-1"]);
}

#[tokio::test]
async fn tokens_that_are_over_at_once_are_not_renewed_in_a_hurry() {
    let house = House::signed_in().await;
    let (told, said) = lines(
        &house,
        "watch",
        vec![
            vec![current("1"), Step::Expire("access-2")],
            vec![Step::Expire("access-3")],
            vec![changes(vec![open(2, "milk")]), END],
        ],
    )
    .await;
    assert_eq!(told, ["current ", "added milk"]);
    assert_eq!(said, "Reconnecting…\nConnected again.\nNot now.\n");
    assert_eq!(house.asked(|script| script.refreshed.len()), 2);
}

#[tokio::test]
async fn a_token_that_is_too_old_leads_to_differences_only() {
    let house = House::signed_in().await;
    let reset = || tell(Event::Reset(Reset {}), "");
    let (told, said) = lines(
        &house,
        "watch",
        vec![
            vec![changes(vec![open(1, "milk"), open(2, "tea"), open(3, "cake")]), current("3")],
            // Cut within what is told anew.
            vec![reset(), changes(vec![open(1, "milk")])],
            vec![
                changes(vec![task(7, "cake", TaskStatus::Done), open(8, "bread")]),
                current("8"),
                Step::Fail(Reason::SyncTokenInvalid),
            ],
            vec![changes(vec![open(1, "milk")]), current("9"), END],
        ],
    )
    .await;
    let expected = [
        "present milk",
        "present tea",
        "present cake",
        "current ",
        "done cake",
        "added bread",
        "removed tea",
        "removed bread",
        "removed cake",
    ];
    assert_eq!(told, expected);
    assert_eq!(tokens(&house), ["", "3", "1", ""]);
    assert_eq!(said.matches("Reconnecting").count(), 2, "{said}");
}

#[tokio::test]
async fn errors_as_json_tell_of_the_connection_as_json() {
    let house = House::signed_in().await;
    let (_, said) =
        lines(&house, "watch --json", vec![vec![current("1")], vec![current("1"), END]]).await;
    let start = "{\"connected\":false}\n{\"connected\":true}\n{\n  \"error\"";
    assert!(said.starts_with(start), "{said}");
}

#[tokio::test]
async fn what_cannot_get_better_ends_at_once() {
    let house = House::signed_in().await;
    for (reason, exit) in [
        (Reason::FilterInvalid, 3),
        (Reason::SessionRevoked, 16),
        // As with every other command, if it was never there.
        (Reason::DatabaseUnavailable, 14),
    ] {
        house.asked(|script| script.streams = vec![vec![Step::Fail(reason)]].into());
        let ran = house.duet("watch", false).await;
        assert_eq!((ran.exit, ran.output.as_str()), (exit, ""));
        assert_eq!(ran.errors, "Not now.\n");
    }
}

#[tokio::test]
async fn a_session_that_is_over_ends_the_watching() {
    let house = House::signed_in().await;
    house.asked(|script| {
        script.streams = vec![
            vec![current("1"), Step::Fail(Reason::SessionRevoked)],
            vec![Step::Fail(Reason::SessionRevoked)],
        ]
        .into();
    });
    assert_eq!(house.duet("watch", false).await.exit, 16);
}

/// A stream ends in the same way when the key of its token was withdrawn: the
/// session lives, and nobody is told.
#[tokio::test]
async fn a_session_that_is_not_over_goes_on_watching() {
    let house = House::signed_in().await;
    let (told, said) = lines(
        &house,
        "watch",
        vec![
            vec![current("1"), Step::Withdraw("access-2")],
            vec![current("1"), changes(vec![open(2, "milk")]), END],
        ],
    )
    .await;
    assert_eq!(told, ["current ", "added milk"]);
    assert_eq!(said, "Not now.\n");
    assert_eq!(tokens(&house), ["", "1"]);
    assert_eq!(house.asked(|script| script.refreshed.clone()), ["refresh-0"]);
}

#[tokio::test]
async fn nobody_reads_any_more_and_it_ends_quietly() {
    let house = House::signed_in().await;
    house.asked(|script| {
        script.streams =
            vec![vec![current("1"), changes(vec![open(2, "milk")]), Step::Stay]].into();
    });
    let mut errors = Vec::new();
    let mut console = Console {
        input: &mut io::empty(),
        person: &mut super::Person::default(),
        output: &mut Full,
        errors: &mut errors,
        terminal: false,
        is_read: || true,
    };
    assert_eq!(house.run(&["watch"], &mut console).await, 0);
    assert!(errors.is_empty());
}

#[tokio::test]
async fn it_notices_that_nobody_reads_while_nothing_happens() {
    let house = House::signed_in().await;
    house.asked(|script| {
        let bookmark = tell(Event::Bookmark(Bookmark {}), "1");
        script.streams = vec![vec![current("1"), bookmark, Step::Stay]].into();
    });
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let mut console = Console {
        input: &mut io::empty(),
        person: &mut super::Person::default(),
        output: &mut output,
        errors: &mut errors,
        terminal: false,
        is_read: || false,
    };
    assert_eq!(house.run(&["watch"], &mut console).await, 0);
    assert!(errors.is_empty() && output.starts_with(b"{\"event\":\"current\""));
}

#[tokio::test]
async fn a_terminal_shows_the_open_tasks_and_what_happened() {
    let house = House::signed_in().await;
    let mut many: Vec<Change> = (1..=40).map(|n| open(n, &format!("task {n:02}"))).collect();
    many.push(task(41, "tea", TaskStatus::Done));
    house.asked(|script| {
        script.streams = vec![
            vec![changes(many), current("41"), changes(vec![open(42, "milk\u{1b}[2J")])],
            vec![current("42"), changes(vec![removed(43, "task 01")]), END],
        ]
        .into();
    });
    let ran = house.duet("watch", true).await;
    assert_eq!(ran.exit, 3);
    assert!(ran.errors.starts_with("Reconnecting…\n"), "{ran:?}");
    let inside = ran.output.strip_prefix("\u{1b}[?1049h\u{1b}[?25l").unwrap();
    let inside = inside.strip_suffix("\u{1b}[?25h\u{1b}[?1049l").unwrap();
    let drawn: Vec<&str> = inside.split("\u{1b}[H").skip(1).collect();
    assert!(drawn[0].starts_with("40 open tasks") && drawn[0].contains("☐  task 02"));
    assert!(drawn[0].contains(" more") && !drawn[0].contains("tea"), "{}", drawn[0]);
    assert!(drawn[1].starts_with("41 open tasks") && drawn[1].contains("added      milk\u{fffd}"));
    let last = drawn.last().unwrap();
    assert!(last.starts_with("40 open tasks") && last.contains("removed    task 01"), "{last}");
    // Nothing but what steers the drawing steers the terminal.
    let rest = last.replace("\u{1b}[K", "").replace("\u{1b}[J", "");
    assert!(!rest.contains('\u{1b}'), "{rest:?}");
}

/// A pipe that nobody reads.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
