//! Every method with every name that its request can have. A method that is
//! missing here fails the tests that walk the contract.

use bytes::Bytes;
use prost::Message;
use proto::task::v1::{self as pb, move_task_request, task_operation, update_list_request};
use shared::{name, rng};
use uuid::Uuid;

use crate::raw;

/// Names of what belongs to one user.
pub(crate) struct Owned {
    pub(crate) user: String,
    pub(crate) task: String,
    pub(crate) list: String,
}

/// A method, the scope that it asks of a service, and requests in each of which
/// one name is another user's. The first names nothing besides.
pub(crate) struct Row {
    pub(crate) method: raw::Method,
    pub(crate) scope: &'static str,
    pub(crate) requests: Vec<Bytes>,
}

const READ: &str = "tasks:read";
const WRITE: &str = "tasks:write";

impl Owned {
    /// Names of a task and a list that nobody has.
    pub(crate) fn made_up(user: Uuid) -> Self {
        Self {
            user: name::of_user(user),
            task: name::of_member(user, "tasks", rng::uuid_v4()),
            list: name::of_member(user, "lists", rng::uuid_v4()),
        }
    }

    fn inbox(&self) -> String {
        format!("{}/lists/inbox", self.user)
    }
}

/// The matrix, one row for every method of the contract.
pub(crate) fn rows(own: &Owned, other: &Owned) -> Vec<Row> {
    let mut known = task_rows(own, other);
    known.extend(change_rows(own, other));
    known.extend(list_rows(own, other));
    let row = |method: raw::Method| {
        let place = known.iter().position(|(name, ..)| *name == method.name);
        let place = place.unwrap_or_else(|| panic!("{} has no row in the matrix", method.name));
        let (_, scope, requests) = known.swap_remove(place);
        Row { method, scope, requests }
    };
    let rows = raw::all().into_iter().map(row).collect();
    assert!(known.is_empty(), "there is a row for a method that is not there");
    rows
}

type Known = (&'static str, &'static str, Vec<Bytes>);

fn task_rows(own: &Owned, other: &Owned) -> Vec<Known> {
    let parent = || other.user.clone();
    let filters = [&other.list, &other.inbox()].map(|list| format!("list = \"{list}\""));
    let [list, inbox] = filters.each_ref();
    let steps = format!("parent_task = \"{}\"", other.task);
    let listing = |parent: &str, filter: &str| {
        let (parent, filter) = (parent.to_owned(), filter.to_owned());
        bytes(&pb::ListTasksRequest { parent, filter, ..Default::default() })
    };
    let watching = |parent: &str, filter: &str| {
        let (parent, filter) = (parent.to_owned(), filter.to_owned());
        bytes(&pb::WatchTasksRequest { parent, filter, ..Default::default() })
    };
    let own = own.user.as_str();
    vec![
        (
            "GetTask",
            READ,
            vec![bytes(&pb::GetTaskRequest { name: other.task.clone(), ..Default::default() })],
        ),
        (
            "ListTasks",
            READ,
            vec![
                listing(&other.user, ""),
                listing(own, list),
                listing(own, inbox),
                listing(own, &steps),
            ],
        ),
        (
            "SyncTasks",
            READ,
            vec![bytes(&pb::SyncTasksRequest { parent: parent(), ..Default::default() })],
        ),
        (
            "WatchTasks",
            READ,
            vec![
                watching(&other.user, ""),
                watching(own, list),
                watching(own, inbox),
                watching(own, &steps),
            ],
        ),
        ("GetUsage", READ, vec![bytes(&pb::GetUsageRequest { parent: parent() })]),
        (
            "ExportTasks",
            READ,
            vec![bytes(&pb::ExportTasksRequest { parent: parent(), ..Default::default() })],
        ),
        ("ImportTasks", WRITE, {
            let import = |parent: &str, list: &str| {
                let (parent, list) = (parent.to_owned(), list.to_owned());
                let format = pb::TransferFormat::Json.into();
                bytes(&pb::ImportTasksRequest { parent, list, format, ..Default::default() })
            };
            vec![import(&other.user, ""), import(own, &other.list), import(own, &other.inbox())]
        }),
    ]
}

fn change_rows(own: &Owned, other: &Owned) -> Vec<Known> {
    let single = |method| (method, WRITE, vec![bytes(&target(&other.task))]);
    let mut rows =
        ["DeleteTask", "UndeleteTask", "CompleteTask", "ReopenTask"].map(single).to_vec();
    rows.push(("CreateTask", WRITE, creating(own, other).iter().map(bytes).collect()));
    let update = pb::UpdateTaskRequest { task: Some(named(&other.task)), ..Default::default() };
    rows.push(("UpdateTask", WRITE, vec![bytes(&update)]));
    rows.push(("MoveTask", WRITE, moving(own, other).iter().map(bytes).collect()));
    rows.push(("BatchMutateTasks", WRITE, {
        use task_operation::Operation;
        let mut operations = vec![
            Operation::Update(update),
            Operation::Complete(pb::CompleteTaskRequest {
                name: other.task.clone(),
                ..Default::default()
            }),
            Operation::Reopen(target(&other.task)),
            Operation::Delete(pb::DeleteTaskRequest {
                name: other.task.clone(),
                ..Default::default()
            }),
            Operation::Undelete(pb::UndeleteTaskRequest {
                name: other.task.clone(),
                ..Default::default()
            }),
        ];
        // The parent of an operation says nothing: that of the batch counts.
        let elsewhere = creating(own, other).into_iter().skip(1);
        operations.extend(elsewhere.map(Operation::Create));
        operations.extend(moving(own, other).into_iter().map(Operation::Move));
        let batch = |parent: &str, operation| {
            let operations = vec![pb::TaskOperation { operation: Some(operation) }];
            let parent = parent.to_owned();
            bytes(&pb::BatchMutateTasksRequest { parent, operations, ..Default::default() })
        };
        let mine = Operation::Reopen(target(&other.task));
        let mut requests = vec![batch(&other.user, mine)];
        requests.extend(operations.into_iter().map(|operation| batch(&own.user, operation)));
        requests
    }));
    rows
}

fn creating(own: &Owned, other: &Owned) -> Vec<pb::CreateTaskRequest> {
    let task = || pb::Task { title: "Stolen".to_owned(), ..Default::default() };
    let create = |parent: &str, task| pb::CreateTaskRequest {
        parent: parent.to_owned(),
        task: Some(task),
        ..Default::default()
    };
    vec![
        create(&other.user, task()),
        create(&own.user, pb::Task { list: other.list.clone(), ..task() }),
        create(&own.user, pb::Task { list: other.inbox(), ..task() }),
        create(&own.user, pb::Task { parent_task: other.task.clone(), ..task() }),
    ]
}

fn moving(own: &Owned, other: &Owned) -> Vec<pb::MoveTaskRequest> {
    use move_task_request::Place;
    let request = |name: &str| pb::MoveTaskRequest { name: name.to_owned(), ..Default::default() };
    let mine = || request(&own.task);
    let theirs = || other.task.clone();
    vec![
        request(&other.task),
        pb::MoveTaskRequest { list: Some(other.list.clone()), ..mine() },
        pb::MoveTaskRequest { list: Some(other.inbox()), ..mine() },
        pb::MoveTaskRequest { parent_task: Some(theirs()), ..mine() },
        pb::MoveTaskRequest { place: Some(Place::After(theirs())), ..mine() },
        pb::MoveTaskRequest { place: Some(Place::Before(theirs())), ..mine() },
    ]
}

fn list_rows(own: &Owned, other: &Owned) -> Vec<Known> {
    use update_list_request::Place;
    let titled = |name: &str| {
        Some(pb::List { name: name.to_owned(), title: "Stolen".to_owned(), ..Default::default() })
    };
    let update = |name: &str, place| {
        bytes(&pb::UpdateListRequest { list: titled(name), place, ..Default::default() })
    };
    let create = pb::CreateListRequest {
        parent: other.user.clone(),
        list: titled(""),
        ..Default::default()
    };
    let delete = |name: &str| {
        bytes(&pb::DeleteListRequest { name: name.to_owned(), force: true, ..Default::default() })
    };
    vec![
        ("CreateList", WRITE, vec![bytes(&create)]),
        (
            "GetList",
            READ,
            [&other.list, &other.inbox()]
                .map(|name| bytes(&pb::GetListRequest { name: name.clone() }))
                .to_vec(),
        ),
        (
            "ListLists",
            READ,
            vec![bytes(&pb::ListListsRequest { parent: other.user.clone(), ..Default::default() })],
        ),
        (
            "UpdateList",
            WRITE,
            vec![
                update(&other.list, None),
                update(&other.inbox(), None),
                update(&own.list, Some(Place::After(other.list.clone()))),
                update(&own.list, Some(Place::After(other.inbox()))),
                update(&own.list, Some(Place::Before(other.list.clone()))),
            ],
        ),
        ("DeleteList", WRITE, vec![delete(&other.list), delete(&other.inbox())]),
    ]
}

/// A request that has a name and nothing else; those of several methods look
/// the same.
fn target(name: &str) -> pb::ReopenTaskRequest {
    pb::ReopenTaskRequest { name: name.to_owned(), ..Default::default() }
}

fn named(name: &str) -> pb::Task {
    pb::Task { name: name.to_owned(), title: "Stolen".to_owned(), ..Default::default() }
}

fn bytes(request: &impl Message) -> Bytes {
    request.encode_to_vec().into()
}
