//! The commands that change tasks which are there.
//!
//! Invariant: what the user named is found before anything is done to it. Of
//! several, one after the other is done up to the first failure, and what was
//! done is shown.

use proto::task::v1::{
    BatchMutateTasksRequest, CompleteTaskRequest, DeleteTaskRequest, MoveTaskRequest,
    ReopenTaskRequest, Task, TaskOperation, UndeleteTaskRequest, UpdateTaskRequest,
    move_task_request, task_operation::Operation, task_service_client::TaskServiceClient as Client,
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
        failure::Failure,
        find::{self, Among},
        id, json,
        output::{self, Output},
        session::{Session, request_id},
        view, zone,
    },
};

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
    let operations = [Operation::Update(update), Operation::Move(move_to)]
        .map(|operation| TaskOperation { operation: Some(operation) });
    let request = BatchMutateTasksRequest {
        operations: operations.into(),
        request_id: request_id(),
        ..BatchMutateTasksRequest::default()
    };
    let mut answer = session
        .tasks(request, async |channel, request| {
            Client::new(channel).batch_mutate_tasks(request).await
        })
        .await?;
    Ok(answer.tasks.pop())
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
    let mut next = Vec::new();
    let names = find::tasks(session, tasks, Among::Live).await?;
    let (tasks, result) = each(names, async |name| {
        let request = CompleteTaskRequest {
            name,
            request_id: request_id(),
            force: *force,
            cancel: *cancel,
            complete_time,
            time_zone: zone::name(options),
            ..CompleteTaskRequest::default()
        };
        let answer = session
            .tasks(request, async |channel, request| {
                Client::new(channel).complete_task(request).await
            })
            .await
            .map_err(|failure| {
                failure.hint("OPEN_SUBTASKS", "With --force they are closed too.")
            })?;
        next.extend(answer.next);
        Ok(answer.task.unwrap_or_default())
    })
    .await;
    if !tasks.is_empty() {
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

/// `duet reopen`
pub(crate) async fn reopen(
    session: &mut Session,
    texts: &[String],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let names = find::tasks(session, texts, Among::Live).await?;
    let (tasks, result) = each(names, async |name| {
        let request = ReopenTaskRequest { name, etag: String::new(), request_id: request_id() };
        session
            .tasks(request, async |channel, request| {
                Client::new(channel).reopen_task(request).await
            })
            .await
            .map(|answer| answer.task.unwrap_or_default())
    })
    .await;
    show_written(session, tasks, output).await.and(result)
}

/// `duet restore`
pub(crate) async fn restore(
    session: &mut Session,
    texts: &[String],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let names = find::tasks(session, texts, Among::Binned).await?;
    let (tasks, result) = each(names, async |name| {
        let request = UndeleteTaskRequest { name, etag: String::new(), request_id: request_id() };
        session
            .tasks(request, async |channel, request| {
                Client::new(channel).undelete_task(request).await
            })
            .await
            .map(|answer| answer.task.unwrap_or_default())
    })
    .await;
    show_written(session, tasks, output).await.and(result)
}

/// `duet rm`
pub(crate) async fn rm(
    session: &mut Session,
    texts: &[String],
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let names = find::tasks(session, texts, Among::Live).await?;
    let (deleted, result) = each(names, async |name| {
        let request =
            DeleteTaskRequest { name: name.clone(), etag: String::new(), request_id: request_id() };
        session
            .tasks(request, async |channel, request| {
                Client::new(channel).delete_task(request).await
            })
            .await
            .map(|_| name)
    })
    .await;
    if !deleted.is_empty() {
        let text = || {
            let ids: Vec<_> = deleted.iter().map(|name| output::line(&id::short(name))).collect();
            format!("Deleted {}; `duet restore` brings back what is in the bin.", ids.join(", "))
        };
        output.show(&json!({ "deleted": deleted }), text)?;
    }
    result
}

/// Writes to one task after the other, up to the first failure.
async fn each<T>(
    names: Vec<String>,
    mut write: impl AsyncFnMut(String) -> Result<T, Failure>,
) -> (Vec<T>, Result<(), Failure>) {
    let mut written = Vec::new();
    for name in names {
        match write(name).await {
            Ok(one) => written.push(one),
            Err(failure) => return (written, Err(failure)),
        }
    }
    (written, Ok(()))
}

async fn show_written(
    session: &mut Session,
    tasks: Vec<Task>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if tasks.is_empty() {
        return Ok(());
    }
    let titles = titles(session, &tasks, output).await?;
    let rows: Vec<_> = tasks.iter().map(|task| (0, task)).collect();
    let table = view::table(&rows, &titles, false);
    show_all(tasks, || table, output)
}
