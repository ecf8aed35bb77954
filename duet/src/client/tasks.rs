//! The commands about tasks: `add`, `ls`, `show`, `edit`, `done`, `reopen` and
//! `rm`.
//!
//! Invariant: every write carries a fresh `request_id`, so a call that is
//! repeated because its answer was lost does nothing twice.

use comfy_table::{Cell, Color, Row};
use proto::task::v1::{
    CompleteTaskRequest, CreateTaskRequest, DeleteTaskRequest, GetTaskRequest, ListTasksRequest,
    ReopenTaskRequest, Task, TaskStatus, UpdateTaskRequest,
    task_service_client::TaskServiceClient as Client,
};
use serde_json::json;
use shared::rng;

use super::{
    change, due,
    failure::Failure,
    id::{self, Named},
    json,
    output::{self, Output},
    session::Session,
};
use crate::cli::{Add, Edit, Ls};

/// The most a page can have.
const PAGE_SIZE: u32 = 500;

/// `duet add`
pub(crate) async fn add(
    session: &mut Session,
    args: &Add,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Add { title, notes, due, at, zone } = args;
    let task = Task {
        title: title.join(" "),
        notes: notes.clone(),
        due: due.map(|day| due::new(day, *at, zone.as_deref())),
        ..Task::default()
    };
    let request =
        CreateTaskRequest { task: Some(task), request_id: request_id(), ..Default::default() };
    let answer = session
        .tasks(request, async |channel, request| Client::new(channel).create_task(request).await)
        .await?;
    show_one(answer.task, output)
}

/// `duet ls`
pub(crate) async fn ls(
    session: &mut Session,
    args: &Ls,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Ls { open: _, done, all, limit } = args;
    let status = match (done, all) {
        (true, _) => TaskStatus::Done,
        (_, true) => TaskStatus::Unspecified,
        _ => TaskStatus::Open,
    };
    let tasks = list(session, status, *limit).await?;
    let table = match (tasks.is_empty(), status) {
        (true, TaskStatus::Open) => "There is nothing to do.".to_owned(),
        (true, TaskStatus::Done) => "Nothing is done yet.".to_owned(),
        (true, TaskStatus::Unspecified | TaskStatus::Cancelled) => "There are no tasks.".to_owned(),
        (false, _) => output::table(&["", "Title", "Due", "ID"], tasks.iter().map(row)),
    };
    show_all(tasks, || table, output)
}

/// `duet show`
pub(crate) async fn show(
    session: &mut Session,
    text: &str,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let task = get(session, text).await?;
    let details = details(&task);
    Ok(output.show(&json::Task::from(task), || details)?)
}

/// `duet edit`
pub(crate) async fn edit(
    session: &mut Session,
    args: &Edit,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    // What is written builds on what was read; its etag sees to that.
    let task = get(session, &args.task).await?;
    let (task, update_mask) = change::apply(&args.changes, task)?;
    let request = UpdateTaskRequest {
        task: Some(task),
        update_mask: Some(update_mask),
        request_id: request_id(),
    };
    let answer = session
        .tasks(request, async |channel, request| Client::new(channel).update_task(request).await)
        .await?;
    show_one(answer.task, output)
}

/// `duet done`
pub(crate) async fn done(
    session: &mut Session,
    texts: &[String],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let names = find(session, texts).await?;
    write_each(names, output, async |name| {
        let request = CompleteTaskRequest { name, request_id: request_id(), ..Default::default() };
        session
            .tasks(request, async |channel, request| {
                Client::new(channel).complete_task(request).await
            })
            .await
            .map(|answer| answer.task.unwrap_or_default())
    })
    .await
}

/// `duet reopen`
pub(crate) async fn reopen(
    session: &mut Session,
    texts: &[String],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let names = find(session, texts).await?;
    write_each(names, output, async |name| {
        let request = ReopenTaskRequest { name, etag: String::new(), request_id: request_id() };
        session
            .tasks(request, async |channel, request| {
                Client::new(channel).reopen_task(request).await
            })
            .await
            .map(|answer| answer.task.unwrap_or_default())
    })
    .await
}

/// `duet rm`
pub(crate) async fn rm(
    session: &mut Session,
    texts: &[String],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mut deleted = Vec::new();
    let mut result = Ok(());
    for name in find(session, texts).await? {
        let request =
            DeleteTaskRequest { name: name.clone(), etag: String::new(), request_id: request_id() };
        let answer = session
            .tasks(request, async |channel, request| {
                Client::new(channel).delete_task(request).await
            })
            .await;
        if let Err(failure) = answer {
            result = Err(failure);
            break;
        }
        deleted.push(name);
    }
    if !deleted.is_empty() {
        let text = || {
            let ids: Vec<_> = deleted.iter().map(|name| output::line(&id::short(name))).collect();
            format!("Deleted {}.", ids.join(", "))
        };
        output.show(&json!({ "deleted": deleted }), text)?;
    }
    result
}

/// Writes to one task after the other, up to the first failure, and shows what
/// became of them.
async fn write_each(
    names: Vec<String>,
    output: &mut Output<'_>,
    mut write: impl AsyncFnMut(String) -> Result<Task, Failure>,
) -> Result<(), Failure> {
    let mut tasks = Vec::new();
    let mut result = Ok(());
    for name in names {
        match write(name).await {
            Ok(task) => tasks.push(task),
            Err(failure) => {
                result = Err(failure);
                break;
            }
        }
    }
    if !tasks.is_empty() {
        let table = output::table(&[], tasks.iter().map(row));
        show_all(tasks, || table, output)?;
    }
    result
}

/// The names of the tasks that the user named, all of them before anything is
/// done to one.
async fn find(session: &mut Session, texts: &[String]) -> Result<Vec<String>, Failure> {
    let named: Vec<Named> =
        texts.iter().map(|text| Named::parse(text, "tasks")).collect::<Result<_, _>>()?;
    let tasks = if named.iter().any(|named| matches!(named, Named::Partly(_))) {
        list(session, TaskStatus::Unspecified, None).await?
    } else {
        Vec::new()
    };
    named
        .into_iter()
        .map(|named| {
            named.among(tasks.iter().map(|task| (task.name.as_str(), task.title.as_str())))
        })
        .collect()
}

async fn get(session: &mut Session, text: &str) -> Result<Task, Failure> {
    let name = find(session, &[text.to_owned()]).await?.swap_remove(0);
    let answer = session
        .tasks(GetTaskRequest { name, read_mask: None }, async |channel, request| {
            Client::new(channel).get_task(request).await
        })
        .await?;
    Ok(answer.task.unwrap_or_default())
}

async fn list(
    session: &mut Session,
    status: TaskStatus,
    limit: Option<u32>,
) -> Result<Vec<Task>, Failure> {
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    let page_size = i32::try_from(limit.min(PAGE_SIZE as usize)).unwrap_or_default();
    let mut tasks = Vec::new();
    let mut request =
        ListTasksRequest { page_size, filter: filter(status), ..ListTasksRequest::default() };
    loop {
        let page = session
            .tasks(request.clone(), async |channel, request| {
                Client::new(channel).list_tasks(request).await
            })
            .await?;
        tasks.extend(page.tasks);
        if page.next_page_token.is_empty() || tasks.len() >= limit {
            tasks.truncate(limit);
            return Ok(tasks);
        }
        request.page_token = page.next_page_token;
    }
}

fn request_id() -> String {
    rng::uuid_v4().to_string()
}

fn show_one(task: Option<Task>, output: &mut Output<'_>) -> Result<(), Failure> {
    let task = task.unwrap_or_default();
    let table = output::table(&[], [row(&task)]);
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

fn row(task: &Task) -> Row {
    let texts = [
        mark(task).to_owned(),
        output::line(&task.title),
        task.due.as_ref().map(due_text).unwrap_or_default(),
        output::line(&id::short(&task.name)),
    ];
    let done = task.status() == TaskStatus::Done;
    Row::from(texts.map(|text| {
        let cell = Cell::new_owned(text);
        if done { cell.fg(Color::DarkGrey) } else { cell }
    }))
}

fn details(task: &Task) -> String {
    let mut text = format!("{} {}\n", mark(task), output::line(&task.title));
    let facts = [
        ("Due", task.due.as_ref().map(due_text).unwrap_or_default()),
        ("Created", output::time(task.create_time.as_ref())),
        ("Changed", output::time(task.update_time.as_ref())),
        ("Done", output::time(task.complete_time.as_ref())),
        ("Name", output::line(&task.name)),
    ];
    for (label, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        text += &format!("{label:<8} {fact}\n");
    }
    if !task.notes.is_empty() {
        text += &format!("\n{}\n", output::lines(&task.notes));
    }
    text
}

fn due_text(due: &proto::task::v1::Due) -> String {
    output::line(&due::text(due))
}

fn mark(task: &Task) -> &'static str {
    if task.status() == TaskStatus::Done { "☑" } else { "☐" }
}

fn filter(status: TaskStatus) -> String {
    match status {
        TaskStatus::Unspecified => String::new(),
        TaskStatus::Open => "status = OPEN".to_owned(),
        TaskStatus::Done => "status = DONE".to_owned(),
        TaskStatus::Cancelled => "status = CANCELLED".to_owned(),
    }
}
