//! What changes tasks: the writing methods of `task.v1.TaskService`. A single
//! method is a batch of one.

use proto::task::v1 as pb;
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name, rng,
};
use uuid::Uuid;

use super::{
    Answer, Service,
    requests::{Asked, Reader},
};
use crate::{
    error::Error,
    operations::{Change, Destination, Operation, Place},
    request::{Payload, RequestId},
    tasks::{self, Refusal, Write, Written},
    wire,
};

/// The most operations of a batch.
const MAX_OPERATIONS: usize = 500;

impl Service {
    pub(super) async fn create(
        &self,
        caller: Identity,
        request: pb::CreateTaskRequest,
    ) -> Result<Answer<pb::CreateTaskResponse>, Failure> {
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &request.parent, &caller)?;
        let now = self.clock.now();
        let mut reader = Reader { caller: &caller, now, fields: &mut fields };
        // Whose they are is known before names are compared with it.
        let asked = reader.create(user.unwrap_or(caller.subject()), rng::uuid_v7(now), &request)?;
        let request_id = fields.read("request_id", RequestId::parse(&request.request_id));
        let (_, (user, operation), request_id) = fields.all((user, asked, request_id))?;

        let chosen = !request.task_id.is_empty();
        let payload = Payload::of("CreateTask").part(&operation.asked(chosen));
        let write = self.write(user, request_id, payload);
        let plain = match &operation.change {
            Change::Create(new) if !chosen => Some(new),
            _ => None,
        };
        let plain =
            plain.filter(|new| new.list.is_none() && new.parent.is_none() && new.repeat.is_none());
        let written = match plain {
            Some(new) => {
                let written = tasks::create(&self.database, write, operation.id, new).await?;
                self.tell(user, &written);
                written
            }
            None => self.one(write, operation).await?,
        };
        present(user, written, |task, _| pb::CreateTaskResponse { task })
    }

    pub(super) async fn update(
        &self,
        caller: Identity,
        request: pb::UpdateTaskRequest,
    ) -> Result<Answer<pb::UpdateTaskResponse>, Failure> {
        let asked = |reader: &mut Reader<'_>| reader.update(&request);
        let (user, written) =
            self.single("UpdateTask", &caller, &request.request_id, asked).await?;
        present(user, written, |task, _| pb::UpdateTaskResponse { task })
    }

    pub(super) async fn delete(
        &self,
        caller: Identity,
        request: pb::DeleteTaskRequest,
    ) -> Result<Answer<pb::DeleteTaskResponse>, Failure> {
        let pb::DeleteTaskRequest { name, etag, request_id } = &request;
        let asked = |reader: &mut Reader<'_>| reader.target(name, etag, Change::Delete);
        let (user, written) = self.single("DeleteTask", &caller, request_id, asked).await?;
        present(user, written, |task, _| pb::DeleteTaskResponse { task })
    }

    pub(super) async fn undelete(
        &self,
        caller: Identity,
        request: pb::UndeleteTaskRequest,
    ) -> Result<Answer<pb::UndeleteTaskResponse>, Failure> {
        let pb::UndeleteTaskRequest { name, etag, request_id } = &request;
        let asked = |reader: &mut Reader<'_>| reader.target(name, etag, Change::Undelete);
        let (user, written) = self.single("UndeleteTask", &caller, request_id, asked).await?;
        present(user, written, |task, _| pb::UndeleteTaskResponse { task })
    }

    pub(super) async fn complete(
        &self,
        caller: Identity,
        request: pb::CompleteTaskRequest,
    ) -> Result<Answer<pb::CompleteTaskResponse>, Failure> {
        let asked = |reader: &mut Reader<'_>| reader.complete(&request);
        let (user, written) =
            self.single("CompleteTask", &caller, &request.request_id, asked).await?;
        present(user, written, |task, next| pb::CompleteTaskResponse { task, next })
    }

    pub(super) async fn reopen(
        &self,
        caller: Identity,
        request: pb::ReopenTaskRequest,
    ) -> Result<Answer<pb::ReopenTaskResponse>, Failure> {
        let pb::ReopenTaskRequest { name, etag, request_id } = &request;
        let asked = |reader: &mut Reader<'_>| reader.target(name, etag, Change::Reopen);
        let (user, written) = self.single("ReopenTask", &caller, request_id, asked).await?;
        present(user, written, |task, _| pb::ReopenTaskResponse { task })
    }

    pub(super) async fn move_to(
        &self,
        caller: Identity,
        request: pb::MoveTaskRequest,
    ) -> Result<Answer<pb::MoveTaskResponse>, Failure> {
        let asked = |reader: &mut Reader<'_>| reader.move_to(&request);
        let (user, written) = self.single("MoveTask", &caller, &request.request_id, asked).await?;
        present(user, written, |task, _| pb::MoveTaskResponse { task })
    }

    pub(super) async fn batch(
        &self,
        caller: Identity,
        request: pb::BatchMutateTasksRequest,
    ) -> Result<Answer<pb::BatchMutateTasksResponse>, Failure> {
        let pb::BatchMutateTasksRequest { parent, operations, request_id } = request;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &caller)?;
        let request_id = fields.read("request_id", RequestId::parse(&request_id));
        let many = match operations.len() {
            0 => fields.read("operations", Err("A batch has at least one operation.")),
            1..=MAX_OPERATIONS => Some(()),
            _ => {
                let why = Err("A batch has at most 500 operations.");
                fields.read_as(Reason::BatchTooLarge, "operations", why)
            }
        };
        let (user, request_id, ()) = fields.all((user, request_id, many))?;

        let (operations, payload) = self.read_batch(user, &caller, &operations)?;
        let write = self.write(user, request_id, payload);
        let written = tasks::mutate(&self.database, write, &operations).await;
        let written = written.map_err(|refusal| {
            let op = refusal.op;
            op_index(refuse(&operations, refusal, true), op)
        })?;
        self.tell(user, &written);
        // What was deleted for good since an earlier write made it is blank.
        let message = |task: Option<_>| task.map(|task| wire::task(user, task)).unwrap_or_default();
        let tasks = written.tasks.into_iter().map(message).collect();
        Ok(Answer { body: pb::BatchMutateTasksResponse { tasks }, replay: written.replay })
    }

    /// Makes the one change that a request asks for.
    async fn single(
        &self,
        method: &str,
        caller: &Identity,
        request_id: &str,
        asked: impl Fn(&mut Reader<'_>) -> Asked,
    ) -> Result<(Uuid, Written), Failure> {
        let mut fields = Fields::new();
        let now = self.clock.now();
        let asked = asked(&mut Reader { caller, now, fields: &mut fields })?;
        let request_id = fields.read("request_id", RequestId::parse(request_id));
        let ((user, operation), request_id) = fields.all((asked, request_id))?;

        let payload = Payload::of(method).part(&operation.asked(true));
        let write = self.write(user, request_id, payload);
        Ok((user, self.one(write, operation).await?))
    }

    async fn one(&self, write: Write, operation: Operation) -> Result<Written, Failure> {
        let operations = [operation];
        let written = tasks::mutate(&self.database, write, &operations).await;
        let written = written.map_err(|refusal| refuse(&operations, refusal, false))?;
        self.tell(write.user, &written);
        Ok(written)
    }

    /// Wakes those who watch this user's tasks.
    fn tell(&self, user: Uuid, written: &Written) {
        if !written.replay {
            self.feed.changed(user, written.head);
        }
    }

    /// Reads the operations of a batch. What is wrong with the first bad one
    /// is told.
    fn read_batch(
        &self,
        user: Uuid,
        caller: &Identity,
        operations: &[pb::TaskOperation],
    ) -> Result<(Vec<Operation>, Payload), Failure> {
        use pb::task_operation::Operation as Kind;

        let now = self.clock.now();
        let mut payload = Payload::of("BatchMutateTasks");
        let mut read = Vec::with_capacity(operations.len());
        for (op, pb::TaskOperation { operation }) in operations.iter().enumerate() {
            let mut fields = Fields::new();
            fields.enter(within(op, operation.as_ref()));
            let mut reader = Reader { caller, now, fields: &mut fields };
            let mut chosen = true;
            let asked = match operation {
                Some(Kind::Create(create)) => {
                    chosen = !create.task_id.is_empty();
                    reader.create(user, rng::uuid_v7(now), create)
                }
                Some(Kind::Update(update)) => reader.update(update),
                Some(Kind::Complete(complete)) => reader.complete(complete),
                Some(Kind::Reopen(pb::ReopenTaskRequest { name, etag, .. })) => {
                    reader.target(name, etag, Change::Reopen)
                }
                Some(Kind::Move(to)) => reader.move_to(to),
                Some(Kind::Delete(pb::DeleteTaskRequest { name, etag, .. })) => {
                    reader.target(name, etag, Change::Delete)
                }
                Some(Kind::Undelete(pb::UndeleteTaskRequest { name, etag, .. })) => {
                    reader.target(name, etag, Change::Undelete)
                }
                None => {
                    reader.fields.refuse("operation", "An operation says what it does.");
                    Ok(None)
                }
            };
            let one = asked.and_then(|asked| {
                if asked.as_ref().is_some_and(|(owner, _)| *owner != user) {
                    fields.refuse("name", "All names in a batch lie under its parent.");
                }
                fields.all((asked,))
            });
            let ((_, operation),) = one.map_err(|failure| op_index(failure, Some(op)))?;
            payload = payload.part(&operation.asked(chosen));
            read.push(operation);
        }
        Ok((read, payload))
    }
}

/// The path of an operation's request, to put before its fields.
fn within(op: usize, operation: Option<&pb::task_operation::Operation>) -> String {
    use pb::task_operation::Operation as Kind;
    let kind = match operation {
        Some(Kind::Create(_)) => "create.",
        Some(Kind::Update(_)) => "update.",
        Some(Kind::Complete(_)) => "complete.",
        Some(Kind::Reopen(_)) => "reopen.",
        Some(Kind::Move(_)) => "move.",
        Some(Kind::Delete(_)) => "delete.",
        Some(Kind::Undelete(_)) => "undelete.",
        None => "",
    };
    format!("operations[{op}].{kind}")
}

/// A refusal as the caller learns of it, with the field to blame.
fn refuse(operations: &[Operation], refusal: Refusal, batch: bool) -> Failure {
    let Refusal { error, op } = refusal;
    let change = op.and_then(|op| operations.get(op)).map(|operation| &operation.change);
    let (moved, before) = match change {
        Some(Change::Move(Destination { place, .. })) => (true, matches!(place, Place::Before(_))),
        _ => (false, false),
    };
    let field = match (&error, moved) {
        (Error::TooDeep, true) => "parent_task",
        (Error::TooDeep, false) => "task.parent_task",
        (Error::ListMismatch, true) => "list",
        (Error::ListMismatch, false) => "task.list",
        (Error::PlaceNotFound, _) if before => "before",
        (Error::PlaceNotFound, _) => "after",
        (Error::DueMissing, _) => "task.recurrence",
        _ => return error.into(),
    };
    let reason = match error {
        Error::DueMissing => Reason::RruleInvalid,
        _ => Reason::FieldInvalid,
    };
    let within = match op.filter(|_| batch) {
        Some(op) if moved => format!("operations[{op}].move."),
        Some(op) if matches!(change, Some(Change::Create(_))) => {
            format!("operations[{op}].create.")
        }
        Some(op) => format!("operations[{op}].update."),
        None => String::new(),
    };
    Failure::field(reason, &format!("{within}{field}"), error.to_string())
}

fn op_index(failure: Failure, op: Option<usize>) -> Failure {
    match op {
        Some(op) => failure.metadata("op_index", op.to_string()),
        None => failure,
    }
}

/// The answer for the one task that a write left.
fn present<T>(
    user: Uuid,
    written: Written,
    body: impl FnOnce(Option<pb::Task>, Option<pb::Task>) -> T,
) -> Result<Answer<T>, Failure> {
    let Written { tasks, next, replay, head: _ } = written;
    let task = tasks.into_iter().next().flatten().ok_or(Error::TaskNotFound)?;
    let next = next.into_iter().next().map(|(_, task)| wire::task(user, task));
    Ok(Answer { body: body(Some(wire::task(user, task)), next), replay })
}
