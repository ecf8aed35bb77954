//! Somebody who writes, and asks under the same request id again and again until
//! somebody answers; and so knows in the end what must be there.

use std::{collections::BTreeMap, time::Duration};

use proto::task::v1::{
    self as pb, list_service_client::ListServiceClient, task_operation::Operation,
    task_service_client::TaskServiceClient,
};
use shared::rng;
use tonic::{Code, Request, Status, transport::Channel};
use uuid::Uuid;

use super::{
    fleet::Fleet,
    plan::{What, Write},
};
use crate::replica::Caller;

/// How long a client waits for an answer, if it is in no haste.
const PATIENCE: Duration = Duration::from_secs(5);

/// The rows that one writer made.
#[derive(Default)]
pub(super) struct Writer {
    made: Vec<Made>,
}

struct Made {
    user: usize,
    name: String,
    title: String,
    live: bool,
}

/// A write as it is asked for.
#[derive(Clone)]
enum Call {
    CreateTask(pb::CreateTaskRequest),
    CreateList(pb::CreateListRequest),
    Batch(pb::BatchMutateTasksRequest),
    UpdateTask(pb::UpdateTaskRequest),
    UpdateList(pb::UpdateListRequest),
    DeleteTask(pb::DeleteTaskRequest),
    DeleteList(pb::DeleteListRequest),
    UndeleteTask(pb::UndeleteTaskRequest),
}

/// A name and a title.
type Named = (String, String);

impl Writer {
    /// Writes, until it is answered.
    pub(super) async fn write(
        &mut self,
        fleet: &Fleet,
        caller: &Caller,
        write: &Write,
        shared: &str,
    ) {
        let Write { user, what, ref title, .. } = *write;
        let call = self.call(what, title, shared);
        let there = until_answered(fleet, caller, write, &call).await;
        let said: Vec<&str> = there.iter().map(|(_, title)| title.as_str()).collect();
        match what {
            What::MakeTask | What::MakeList | What::MakeTwo => {
                assert!(said.iter().all(|said| said == title), "{write:?}: {there:?}");
                let made = |(name, title)| Made { user, name, title, live: true };
                self.made.extend(there.into_iter().map(made));
            }
            What::RenameTask(n) | What::RenameList(n) => {
                assert_eq!(said, [title], "{write:?}");
                self.made[n].title.clone_from(title);
            }
            What::UndeleteTask(n) => {
                assert_eq!(said, [&self.made[n].title], "{write:?}");
                self.made[n].live = true;
            }
            What::DeleteTask(n) | What::DeleteList(n) => self.made[n].live = false,
            // Others rename it, too.
            What::RenameShared => {}
        }
    }

    /// What must be there in the end: titles by id, for each user.
    pub(super) fn add_to(self, expected: &mut [BTreeMap<Uuid, String>]) {
        for Made { user, name, title, .. } in self.made.into_iter().filter(|made| made.live) {
            let doubled = expected[user].insert(id(&name), title);
            assert_eq!(doubled, None, "{name} was made twice");
        }
    }

    fn call(&self, what: What, title: &str, shared: &str) -> Call {
        let (title, request_id) = (title.to_owned(), rng::uuid_v4().to_string());
        let name = |n: usize| self.made[n].name.clone();
        let task = |name| Some(pb::Task { name, title: title.clone(), ..Default::default() });
        let list = |name| Some(pb::List { name, title: title.clone(), ..Default::default() });
        let update = |name, request_id| {
            let task = task(name);
            Call::UpdateTask(pb::UpdateTaskRequest { task, request_id, ..Default::default() })
        };
        match what {
            What::MakeTask => {
                let task = task(String::new());
                Call::CreateTask(pb::CreateTaskRequest { task, request_id, ..Default::default() })
            }
            What::MakeList => {
                let list = list(String::new());
                Call::CreateList(pb::CreateListRequest { list, request_id, ..Default::default() })
            }
            What::MakeTwo => {
                let task = task(String::new());
                let make = pb::CreateTaskRequest { task, ..Default::default() };
                let make = pb::TaskOperation { operation: Some(Operation::Create(make)) };
                let operations = vec![make.clone(), make];
                let parent = String::new();
                Call::Batch(pb::BatchMutateTasksRequest { parent, operations, request_id })
            }
            What::RenameTask(n) => update(name(n), request_id),
            What::RenameShared => update(shared.to_owned(), request_id),
            What::RenameList(n) => {
                let list = list(name(n));
                Call::UpdateList(pb::UpdateListRequest { list, request_id, ..Default::default() })
            }
            What::DeleteTask(n) => {
                let (name, etag) = (name(n), String::new());
                Call::DeleteTask(pb::DeleteTaskRequest { name, etag, request_id })
            }
            What::DeleteList(n) => {
                let name = name(n);
                Call::DeleteList(pb::DeleteListRequest { name, request_id, ..Default::default() })
            }
            What::UndeleteTask(n) => {
                let (name, etag) = (name(n), String::new());
                Call::UndeleteTask(pb::UndeleteTaskRequest { name, etag, request_id })
            }
        }
    }
}

/// Makes a task of everybody's, and tells its name.
pub(super) async fn make_shared(fleet: &Fleet, caller: &Caller, write: &Write) -> String {
    let call = Writer::default().call(What::MakeTask, &write.title, "");
    let mut there = until_answered(fleet, caller, write, &call).await;
    there.pop().expect("a task").0
}

/// The id in a name.
pub(super) fn id(name: &str) -> Uuid {
    name.rsplit('/').next().expect("an id").parse().expect("a UUID")
}

/// Asks until it is answered, one replica after the other, under the same
/// request id: whether a write happened whose answer was lost nobody knows.
async fn until_answered(fleet: &Fleet, caller: &Caller, write: &Write, call: &Call) -> Vec<Named> {
    let mut patience = write.haste.unwrap_or(PATIENCE);
    let mut replica = write.replica;
    loop {
        let channel = fleet.replica(replica).await.channel.clone();
        match send(channel, caller, call.clone(), patience).await {
            Ok(there) => return there,
            // It was deleted and forgotten before anybody asked again, the
            // service itself perhaps. Without a test that takes 30 days, and a
            // request id lives for one.
            Err(status) if write.forgets && is_gone(call, &status) => return Vec::new(),
            Err(status) => fleet.recovered(write, &status).await,
        }
        replica += 1;
        patience = PATIENCE;
    }
}

fn is_gone(call: &Call, status: &Status) -> bool {
    matches!(call, Call::DeleteTask(_)) && status.code() == Code::NotFound
}

/// Asks once, and tells what is there then.
async fn send(
    channel: Channel,
    caller: &Caller,
    call: Call,
    patience: Duration,
) -> Result<Vec<Named>, Status> {
    let (mut tasks, mut lists) =
        (TaskServiceClient::new(channel.clone()), ListServiceClient::new(channel));
    let task = |task: Option<pb::Task>| task.map(|task| (task.name, task.title));
    let list = |list: Option<pb::List>| list.map(|list| (list.name, list.title));
    let there = match call {
        Call::CreateTask(request) => {
            task(tasks.create_task(within(patience, caller.with(request))).await?.into_inner().task)
        }
        Call::CreateList(request) => {
            list(lists.create_list(within(patience, caller.with(request))).await?.into_inner().list)
        }
        Call::UpdateTask(request) => {
            task(tasks.update_task(within(patience, caller.with(request))).await?.into_inner().task)
        }
        Call::UpdateList(request) => {
            list(lists.update_list(within(patience, caller.with(request))).await?.into_inner().list)
        }
        Call::UndeleteTask(request) => {
            let request = within(patience, caller.with(request));
            task(tasks.undelete_task(request).await?.into_inner().task)
        }
        Call::DeleteTask(request) => {
            tasks.delete_task(within(patience, caller.with(request))).await?;
            None
        }
        Call::DeleteList(request) => {
            lists.delete_list(within(patience, caller.with(request))).await?;
            None
        }
        Call::Batch(request) => {
            let request = within(patience, caller.with(request));
            let made = tasks.batch_mutate_tasks(request).await?.into_inner().tasks;
            return Ok(made.into_iter().map(|task| (task.name, task.title)).collect());
        }
    };
    Ok(there.into_iter().collect())
}

fn within<T>(patience: Duration, mut request: Request<T>) -> Request<T> {
    request.set_timeout(patience);
    request
}
