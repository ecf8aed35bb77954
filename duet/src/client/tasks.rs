//! The commands about tasks: `add`, `ls`, `show`, `edit`, `done`, `reopen`,
//! `mv`, `rm`, `restore` and `bin`.
//!
//! Invariant: every write carries a fresh `request_id`, so a call that is
//! repeated because its answer was lost does nothing twice.

mod write;

use proto::task::v1::{
    CreateTaskRequest, GetTaskRequest, ListTasksRequest, Priority, Recurrence, RecurrenceAnchor,
    Task, task_service_client::TaskServiceClient as Client,
};
use serde_json::json;

pub(crate) use self::write::{done, edit, mv, reopen, restore, rm};
use super::{
    due,
    failure::Failure,
    find::{self, Among},
    json,
    output::Output,
    query,
    session::{Session, request_id},
    view::{self, Titles},
    zone,
};
use crate::cli::{
    Options,
    tasks::{Add, Level, Ls},
};

/// `duet add`
pub(crate) async fn add(
    session: &mut Session,
    args: &Add,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Add { title, notes, due, at, zone, list, parent, priority: level, labels, .. } = args;
    let list = find::optional_list(session, list.as_deref()).await?;
    let parent_task = find::optional_task(session, parent.as_deref()).await?;
    let task = Task {
        title: title.join(" "),
        notes: notes.clone(),
        due: due.map(|day| due::new(day, *at, zone.as_deref())),
        list: list.unwrap_or_default(),
        parent_task: parent_task.unwrap_or_default(),
        priority: level.map(priority).unwrap_or_default().into(),
        labels: labels.clone(),
        recurrence: args.repeat.as_deref().map(|rule| recurrence(rule, args.after_completion)),
        ..Task::default()
    };
    let request =
        CreateTaskRequest { task: Some(task), request_id: request_id(), ..Default::default() };
    let answer = session
        .tasks(request, async |channel, request| Client::new(channel).create_task(request).await)
        .await?;
    show_one(session, answer.task, output).await
}

/// `duet ls`
pub(crate) async fn ls(
    session: &mut Session,
    options: &Options,
    args: &Ls,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let name = find::optional_list(session, args.which.list.as_deref()).await?;
    let request = ListTasksRequest {
        filter: query::filter(&args.which, query::status(args), name.as_deref()),
        order_by: query::order(args),
        time_zone: zone::name(options),
        ..ListTasksRequest::default()
    };
    let everything = request.filter.is_empty();
    let tasks = find::list(session, request, args.limit).await?;
    let titles = titles(session, &tasks, output).await?;
    let text = match (tasks.is_empty(), everything) {
        (true, true) => "There are no tasks.".to_owned(),
        (true, false) if *args == Ls::default() => "There is nothing to do.".to_owned(),
        (true, false) => "There are no such tasks.".to_owned(),
        (false, _) => view::table(&view::tree(&tasks.iter().collect::<Vec<_>>()), &titles, true),
    };
    show_all(tasks, || text, output)
}

/// `duet show`
pub(crate) async fn show(
    session: &mut Session,
    text: &str,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let task = get(session, text, Among::All).await?;
    let titles = titles(session, std::slice::from_ref(&task), output).await?;
    let details = view::details(&task, &titles);
    Ok(output.show(&json::Task::from(task), || details)?)
}

/// `duet bin`
pub(crate) async fn bin(session: &mut Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let tasks = find::list(session, find::binned(), None).await?;
    let text = if tasks.is_empty() { "The bin is empty.".to_owned() } else { view::bin(&tasks) };
    show_all(tasks, || text, output)
}

/// The priority of a level.
pub(crate) fn priority(level: Level) -> Priority {
    match level {
        Level::Low => Priority::Low,
        Level::Medium => Priority::Medium,
        Level::High => Priority::High,
    }
}

/// How a task comes back.
pub(crate) fn recurrence(rule: &str, after_completion: bool) -> Recurrence {
    let anchor =
        if after_completion { RecurrenceAnchor::Completion } else { RecurrenceAnchor::Due };
    Recurrence { rrule: rule.to_owned(), anchor: anchor.into(), series: String::new() }
}

async fn get(session: &mut Session, text: &str, among: Among) -> Result<Task, Failure> {
    let name = find::task(session, text, among).await?;
    let answer = session
        .tasks(GetTaskRequest { name, read_mask: None }, async |channel, request| {
            Client::new(channel).get_task(request).await
        })
        .await?;
    Ok(answer.task.unwrap_or_default())
}

/// What the lists are called, if people are to read it.
async fn titles(
    session: &mut Session,
    tasks: &[Task],
    output: &Output<'_>,
) -> Result<Titles, Failure> {
    if output.is_json() { Ok(Titles::default()) } else { Titles::of(session, tasks).await }
}

async fn show_one(
    session: &mut Session,
    task: Option<Task>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let task = task.unwrap_or_default();
    let titles = titles(session, std::slice::from_ref(&task), output).await?;
    let table = view::table(&[(0, &task)], &titles, false);
    Ok(output.show(&json::Task::from(task), || table)?)
}

fn show_all(
    tasks: Vec<Task>,
    text: impl FnOnce() -> String,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let tasks: Vec<_> = tasks.into_iter().map(json::Task::from).collect();
    Ok(output.show(&json!({ "tasks": tasks }), text)?)
}
