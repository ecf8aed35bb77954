//! The commands that change tasks which are there.
//!
//! Invariant: what the user named is found before anything is done to it, and of
//! several tasks all are changed or none, 500 at a time.

use std::collections::HashSet;

use proto::task::v1::{
    BatchMutateTasksRequest, CompleteTaskRequest, DeleteTaskRequest, ListTasksRequest,
    MoveTaskRequest, ReopenTaskRequest, Task, TaskOperation, UndeleteTaskRequest,
    UpdateTaskRequest, move_task_request, task_operation::Operation,
    task_service_client::TaskServiceClient as Client,
};
use serde_json::json;
use shared::clock::{Clock as _, SystemClock};

use super::{get, show_all, show_one, titles};
use crate::{
    cli::{
        Options,
        tasks::{Done, Edit, Mv, Place},
    },
    client::{
        change,
        connection::LARGEST_ANSWER,
        failure::Failure,
        find::{self, Among},
        id, json,
        output::{self, Output},
        session::{Session, request_id},
        view, zone,
    },
};

/// The most changes that the service makes at once. More are made in several
/// calls, each of which is all or none.
const LARGEST_BATCH: usize = 500;

/// `duet edit`
pub(crate) async fn edit(
    session: &mut Session,
    args: &Edit,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let changes = &args.changes;
    // What is written builds on what was read; its etag sees to that.
    let task = get(session, &args.task, Among::Live).await?;
    let list = find::optional_list(session, changes.list.as_deref()).await?;
    let mut parent_task = find::optional_task(session, changes.parent.as_deref()).await?;
    if changes.top {
        parent_task = Some(String::new());
    }
    let name = task.name.clone();
    let (task, update_mask) = change::apply(changes, task)?;
    let moves = list.is_some() || parent_task.is_some();
    let writes = !update_mask.paths.is_empty();
    let update = UpdateTaskRequest {
        task: Some(task),
        update_mask: Some(update_mask),
        request_id: request_id(),
    };
    let request_id = request_id();
    let move_to =
        MoveTaskRequest { name, list, parent_task, request_id, ..MoveTaskRequest::default() };
    let task = match (writes, moves) {
        (true, true) => both(session, update, move_to).await?,
        (false, _) => move_one(session, move_to).await?,
        (true, false) => {
            session
                .tasks(update, async |channel, request| {
                    Client::new(channel).update_task(request).await
                })
                .await?
                .task
        }
    };
    show_one(session, task, output).await
}

/// Changes a task and moves it, or neither.
async fn both(
    session: &mut Session,
    update: UpdateTaskRequest,
    move_to: MoveTaskRequest,
) -> Result<Option<Task>, Failure> {
    let operations = vec![Operation::Update(update), Operation::Move(move_to)];
    // Both are of one task, which needs no name.
    let done = batch(session, operations).await;
    Ok(done.map_err(|failure| failure.within::<&str>(&[]))?.pop())
}

/// Makes changes, all or none; tells for each its task as it is after all.
async fn batch(session: &mut Session, operations: Vec<Operation>) -> Result<Vec<Task>, Failure> {
    let operation = |operation| TaskOperation { operation: Some(operation) };
    let request = BatchMutateTasksRequest {
        operations: operations.into_iter().map(operation).collect(),
        request_id: request_id(),
        ..BatchMutateTasksRequest::default()
    };
    let answer = session
        .tasks(request, async |channel, request| {
            let client = Client::new(channel);
            client.max_decoding_message_size(LARGEST_ANSWER).batch_mutate_tasks(request).await
        })
        .await?;
    Ok(answer.tasks)
}

/// `duet mv`
pub(crate) async fn mv(
    session: &mut Session,
    args: &Mv,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Place { list, parent, top, after, before, first: _ } = &args.to;
    let named = [Some(&args.task), parent.as_ref(), after.as_ref(), before.as_ref()];
    let texts: Vec<String> = named.into_iter().flatten().cloned().collect();
    let mut names = find::tasks(session, &texts, Among::Live).await?.into_iter();
    let mut next = |text: Option<&String>| text.and_then(|_| names.next());
    let name = next(Some(&args.task)).unwrap_or_default();
    let parent_task = next(parent.as_ref()).or_else(|| top.then(String::new));
    let after = next(after.as_ref()).map(move_task_request::Place::After);
    let place = after.or_else(|| next(before.as_ref()).map(move_task_request::Place::Before));
    let request = MoveTaskRequest {
        name,
        list: find::optional_list(session, list.as_deref()).await?,
        parent_task,
        place,
        request_id: request_id(),
        ..MoveTaskRequest::default()
    };
    let task = move_one(session, request).await?;
    show_one(session, task, output).await
}

async fn move_one(
    session: &mut Session,
    request: MoveTaskRequest,
) -> Result<Option<Task>, Failure> {
    let answer = session
        .tasks(request, async |channel, request| Client::new(channel).move_task(request).await)
        .await?;
    Ok(answer.task)
}

/// `duet done`
pub(crate) async fn done(
    session: &mut Session,
    options: &Options,
    args: &Done,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let Done { tasks, force, cancel, at } = args;
    let at = at.map(|moment| {
        zone::instant(options, moment, SystemClock.now())
            .ok_or_else(|| Failure::usage("There was no such time."))
    });
    let complete_time = at.transpose()?.map(|at| prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos: at.timestamp_subsec_nanos().cast_signed(),
    });
    let names = find::tasks(session, tasks, Among::Live).await?;
    let (tasks, result) = each(session, names, |name| {
        Operation::Complete(CompleteTaskRequest {
            name,
            force: *force,
            cancel: *cancel,
            complete_time,
            time_zone: zone::name(options),
            ..CompleteTaskRequest::default()
        })
    })
    .await;
    let result = result
        .map_err(|failure| failure.hint("OPEN_SUBTASKS", "With --force they are closed too."));
    if !tasks.is_empty() {
        let next = following(session, &tasks).await?;
        let shown: Vec<Task> = tasks.iter().chain(&next).cloned().collect();
        let titles = titles(session, &shown, output).await?;
        let text = || {
            let rows: Vec<_> = shown.iter().map(|task| (0, task)).collect();
            view::table(&rows, &titles, false)
        };
        let [tasks, next] =
            [tasks, next].map(|all| all.into_iter().map(json::Task::from).collect::<Vec<_>>());
        output.show(&json!({ "tasks": tasks, "next": next }), text)?;
    }
    result
}

/// The occurrences that were made by closing tasks, which a batch does not tell:
/// those of the same series that are as old as the closing.
async fn following(session: &mut Session, closed: &[Task]) -> Result<Vec<Task>, Failure> {
    let made = |task: &Task| {
        let series = task.recurrence.as_ref().map(|recurrence| recurrence.series.clone());
        series.zip(task.create_time)
    };
    let wanted: HashSet<_> = closed
        .iter()
        .filter_map(|task| Some((task.recurrence.as_ref()?.series.clone(), task.update_time?)))
        .map(|(series, time)| (series, time.seconds, time.nanos))
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let filter = "status = OPEN AND recurrence:*".to_owned();
    let request = ListTasksRequest { filter, ..ListTasksRequest::default() };
    let mut tasks = find::list(session, request, None).await?;
    tasks.retain(|task| {
        made(task)
            .is_some_and(|(series, time)| wanted.contains(&(series, time.seconds, time.nanos)))
    });
    Ok(tasks)
}

/// `duet reopen`
pub(crate) async fn reopen(
    session: &mut Session,
    texts: &[String],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let change =
        |name| Operation::Reopen(ReopenTaskRequest { name, ..ReopenTaskRequest::default() });
    each_shown(session, texts, Among::Live, change, output).await
}

/// `duet restore`
pub(crate) async fn restore(
    session: &mut Session,
    texts: &[String],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let change =
        |name| Operation::Undelete(UndeleteTaskRequest { name, ..UndeleteTaskRequest::default() });
    each_shown(session, texts, Among::Binned, change, output).await
}

/// Makes the same change of each task that the user named, and shows them.
async fn each_shown(
    session: &mut Session,
    texts: &[String],
    among: Among,
    change: impl Fn(String) -> Operation,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let names = find::tasks(session, texts, among).await?;
    let (tasks, result) = each(session, names, change).await;
    if tasks.is_empty() {
        return result;
    }
    let titles = titles(session, &tasks, output).await?;
    let rows: Vec<_> = tasks.iter().map(|task| (0, task)).collect();
    let table = view::table(&rows, &titles, false);
    show_all(tasks, || table, output).and(result)
}

/// `duet rm`
pub(crate) async fn rm(
    session: &mut Session,
    texts: &[String],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let names = find::tasks(session, texts, Among::Live).await?;
    let (tasks, result) = each(session, names, |name| {
        Operation::Delete(DeleteTaskRequest { name, ..DeleteTaskRequest::default() })
    })
    .await;
    if !tasks.is_empty() {
        let deleted: Vec<_> = tasks.into_iter().map(|task| task.name).collect();
        let text = || {
            let ids: Vec<_> = deleted.iter().map(|name| output::line(&id::short(name))).collect();
            format!("Deleted {}; `duet restore` brings back what is in the bin.", ids.join(", "))
        };
        output.show(&json!({ "deleted": deleted }), text)?;
    }
    result
}

/// Makes the same change of each task, of one that is named twice once: as many
/// at a time as a batch takes, up to the first batch that is refused.
async fn each(
    session: &mut Session,
    mut names: Vec<String>,
    change: impl Fn(String) -> Operation,
) -> (Vec<Task>, Result<(), Failure>) {
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let mut changed = Vec::new();
    for names in names.chunks(LARGEST_BATCH) {
        match batch(session, names.iter().cloned().map(&change).collect()).await {
            Ok(tasks) => changed.extend(tasks),
            Err(failure) => {
                let ids: Vec<_> = names.iter().map(|name| id::short(name)).collect();
                return (changed, Err(failure.within(&ids)));
            }
        }
    }
    (changed, Ok(()))
}
