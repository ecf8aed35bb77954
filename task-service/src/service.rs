//! `task.v1.TaskService`: reads requests, calls `tasks`, writes answers. It
//! knows no statement and no row.
//!
//! Invariant: whose tasks a call is about is decided from the caller's token
//! and the name in the request, before anything else about it is said.

use std::sync::Arc;

use proto::task::v1 as pb;
use shared::{
    clock::SharedClock,
    database::Database,
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name,
    page::{self, PageTokens},
    rng,
    secret::Key,
};
use tonic::{Request, Response, Status, metadata::MetadataValue};
use uuid::Uuid;

use crate::{
    error::Error,
    page::List,
    request::{self, Payload, RequestId},
    tasks::{self, Changes, NewTask, Target, Write, Written},
    text::{Notes, Title},
    wire,
};

const DOMAIN: &str = "duet.task";
const REPLAY: &str = "x-idempotent-replay";

/// The service. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct TaskService {
    database: Database,
    clock: SharedClock,
    pages: Arc<PageTokens>,
}

/// A write's answer, and whether an earlier write with the same request id did
/// the work.
struct Answer<T> {
    body: T,
    replay: bool,
}

#[tonic::async_trait]
impl pb::task_service_server::TaskService for TaskService {
    async fn create_task(
        &self,
        request: Request<pb::CreateTaskRequest>,
    ) -> Result<Response<pb::CreateTaskResponse>, Status> {
        let caller = Identity::of(&request).map_err(status)?;
        let answer = self.create(caller, request.into_inner()).await.map_err(status)?;
        Ok(answer.into())
    }

    async fn get_task(
        &self,
        request: Request<pb::GetTaskRequest>,
    ) -> Result<Response<pb::GetTaskResponse>, Status> {
        let caller = Identity::of(&request).map_err(status)?;
        let answer = self.get(caller, request.into_inner()).await.map_err(status)?;
        Ok(Response::new(answer))
    }

    async fn list_tasks(
        &self,
        request: Request<pb::ListTasksRequest>,
    ) -> Result<Response<pb::ListTasksResponse>, Status> {
        let caller = Identity::of(&request).map_err(status)?;
        let answer = self.list(caller, request.into_inner()).await.map_err(status)?;
        Ok(Response::new(answer))
    }

    async fn update_task(
        &self,
        request: Request<pb::UpdateTaskRequest>,
    ) -> Result<Response<pb::UpdateTaskResponse>, Status> {
        let caller = Identity::of(&request).map_err(status)?;
        let answer = self.update(caller, request.into_inner()).await.map_err(status)?;
        Ok(answer.into())
    }

    async fn delete_task(
        &self,
        request: Request<pb::DeleteTaskRequest>,
    ) -> Result<Response<pb::DeleteTaskResponse>, Status> {
        let caller = Identity::of(&request).map_err(status)?;
        let answer = self.delete(caller, request.into_inner()).await.map_err(status)?;
        Ok(answer.into())
    }

    async fn complete_task(
        &self,
        request: Request<pb::CompleteTaskRequest>,
    ) -> Result<Response<pb::CompleteTaskResponse>, Status> {
        let caller = Identity::of(&request).map_err(status)?;
        let answer = self.complete(caller, request.into_inner()).await.map_err(status)?;
        Ok(answer.into())
    }

    async fn reopen_task(
        &self,
        request: Request<pb::ReopenTaskRequest>,
    ) -> Result<Response<pb::ReopenTaskResponse>, Status> {
        let caller = Identity::of(&request).map_err(status)?;
        let answer = self.reopen(caller, request.into_inner()).await.map_err(status)?;
        Ok(answer.into())
    }
}

impl TaskService {
    /// A service on this database. Replicas share `page_key`.
    #[must_use]
    pub fn new(database: Database, clock: SharedClock, page_key: &Key) -> Self {
        Self { database, clock, pages: Arc::new(PageTokens::new(page_key)) }
    }

    async fn create(
        &self,
        caller: Identity,
        request: pb::CreateTaskRequest,
    ) -> Result<Answer<pb::CreateTaskResponse>, Failure> {
        let pb::CreateTaskRequest { parent, task, request_id } = request;
        let pb::Task { title, notes, due, .. } = task.unwrap_or_default();
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &caller)?;
        let title = fields.read("task.title", Title::parse(&title));
        let notes = fields.read("task.notes", Notes::parse(&notes));
        let due = wire::read_due(&mut fields, due.as_ref());
        let request = fields.read("request_id", RequestId::parse(&request_id));
        let (user, title, notes, due, request) = fields.all((user, title, notes, due, request))?;

        let payload = Payload::of("CreateTask")
            .part(Some(title.as_str().as_bytes()))
            .part(Some(notes.as_str().as_bytes()))
            .due(due.as_ref());
        let write = self.write(user, request, payload);
        let new = NewTask { id: rng::uuid_v7(write.now), title, notes, due };
        let written = tasks::create(&self.database, write, &new).await?;
        let (task, replay) = present(user, written)?;
        Ok(Answer { body: pb::CreateTaskResponse { task: Some(task) }, replay })
    }

    async fn get(
        &self,
        caller: Identity,
        request: pb::GetTaskRequest,
    ) -> Result<pb::GetTaskResponse, Failure> {
        let mut fields = Fields::new();
        let named = name::member(&mut fields, "name", wire::COLLECTION, &request.name, &caller)?;
        let ((user, id),) = fields.all((named,))?;

        let task = tasks::get(&self.database, user, id).await?.ok_or(Error::NotFound)?;
        Ok(pb::GetTaskResponse { task: Some(wire::message(user, task)) })
    }

    async fn list(
        &self,
        caller: Identity,
        request: pb::ListTasksRequest,
    ) -> Result<pb::ListTasksResponse, Failure> {
        let pb::ListTasksRequest { parent, page_size, page_token, status } = request;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &caller)?;
        let size = fields.read("page_size", page::size(page_size));
        let done = fields.read("status", wire::parse_filter(status));
        let list = user.zip(done).map(|(user, done)| List { user, done });
        // Of which list a token is cannot be told if the list is not known.
        let before = list.map_or(Some(None), |list| {
            let token = list.read_token(&self.pages, &page_token);
            fields.read_as(Reason::PageTokenInvalid, "page_token", token)
        });
        let (list, size, before) = fields.all((list, size, before))?;

        let size = usize::from(size);
        // One more than asked for tells whether there is another page.
        let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
        let mut tasks = tasks::list(&self.database, list, before, limit).await?;
        let more = tasks.len() > size;
        tasks.truncate(size);
        let last = tasks.last().filter(|_| more).map(|task| task.id);
        Ok(pb::ListTasksResponse {
            tasks: tasks.into_iter().map(|task| wire::message(list.user, task)).collect(),
            next_page_token: last
                .map(|last| list.token_after(&self.pages, last))
                .unwrap_or_default(),
        })
    }

    async fn update(
        &self,
        caller: Identity,
        request: pb::UpdateTaskRequest,
    ) -> Result<Answer<pb::UpdateTaskResponse>, Failure> {
        let pb::UpdateTaskRequest { task, update_mask, request_id } = request;
        let task = task.unwrap_or_default();
        let mut fields = Fields::new();
        let named = name::member(&mut fields, "task.name", wire::COLLECTION, &task.name, &caller)?;
        let changes = wire::read_changes(&mut fields, update_mask.as_ref(), &task);
        let etag = fields.read("task.etag", request::parse_etag(&task.etag));
        let request = fields.read("request_id", RequestId::parse(&request_id));
        let ((user, id), changes, etag, request) = fields.all((named, changes, etag, request))?;

        let Changes { title, notes, due } = &changes;
        let payload = Payload::of("UpdateTask")
            .part(Some(id.as_bytes()))
            .number(etag)
            .part(title.as_ref().map(|title| title.as_str().as_bytes()))
            .part(notes.as_ref().map(|notes| notes.as_str().as_bytes()))
            .part(due.as_ref().map(|_| b"due".as_slice()))
            .due(due.as_ref().and_then(Option::as_ref));
        let write = self.write(user, request, payload);
        let target = Target { id, etag };
        let written = tasks::update(&self.database, write, target, &changes).await?;
        let (task, replay) = present(user, written)?;
        Ok(Answer { body: pb::UpdateTaskResponse { task: Some(task) }, replay })
    }

    async fn delete(
        &self,
        caller: Identity,
        request: pb::DeleteTaskRequest,
    ) -> Result<Answer<pb::DeleteTaskResponse>, Failure> {
        let pb::DeleteTaskRequest { name, etag, request_id } = request;
        let (write, target) = self.target("DeleteTask", &caller, &name, &etag, &request_id)?;
        let replay = match tasks::delete(&self.database, write, target).await? {
            Written::Now(_) => false,
            Written::Earlier(_) => true,
        };
        Ok(Answer { body: pb::DeleteTaskResponse {}, replay })
    }

    async fn complete(
        &self,
        caller: Identity,
        request: pb::CompleteTaskRequest,
    ) -> Result<Answer<pb::CompleteTaskResponse>, Failure> {
        let pb::CompleteTaskRequest { name, etag, request_id } = request;
        let (write, target) = self.target("CompleteTask", &caller, &name, &etag, &request_id)?;
        let written = tasks::set_done(&self.database, write, target, true).await?;
        let (task, replay) = present(write.user, written)?;
        Ok(Answer { body: pb::CompleteTaskResponse { task: Some(task) }, replay })
    }

    async fn reopen(
        &self,
        caller: Identity,
        request: pb::ReopenTaskRequest,
    ) -> Result<Answer<pb::ReopenTaskResponse>, Failure> {
        let pb::ReopenTaskRequest { name, etag, request_id } = request;
        let (write, target) = self.target("ReopenTask", &caller, &name, &etag, &request_id)?;
        let written = tasks::set_done(&self.database, write, target, false).await?;
        let (task, replay) = present(write.user, written)?;
        Ok(Answer { body: pb::ReopenTaskResponse { task: Some(task) }, replay })
    }

    /// Reads a request that names a task and says no more about it.
    fn target(
        &self,
        method: &str,
        caller: &Identity,
        name: &str,
        etag: &str,
        request_id: &str,
    ) -> Result<(Write, Target), Failure> {
        let mut fields = Fields::new();
        let named = name::member(&mut fields, "name", wire::COLLECTION, name, caller)?;
        let etag = fields.read("etag", request::parse_etag(etag));
        let request = fields.read("request_id", RequestId::parse(request_id));
        let ((user, id), etag, request) = fields.all((named, etag, request))?;

        let payload = Payload::of(method).part(Some(id.as_bytes())).number(etag);
        Ok((self.write(user, request, payload), Target { id, etag }))
    }

    fn write(&self, user: Uuid, request: Option<Uuid>, payload: Payload) -> Write {
        let request = request.map(|id| RequestId { id, payload: payload.hash() });
        Write { user, now: self.clock.now(), request }
    }
}

/// The task that a write left, and whether the write was an earlier one.
fn present(user: Uuid, written: Written) -> Result<(pb::Task, bool), Error> {
    match written {
        Written::Now(task) => Ok((wire::message(user, task), false)),
        Written::Earlier(Some(task)) => Ok((wire::message(user, task), true)),
        Written::Earlier(None) => Err(Error::NotFound),
    }
}

fn status(failure: Failure) -> Status {
    failure.into_status(DOMAIN)
}

impl<T> From<Answer<T>> for Response<T> {
    fn from(Answer { body, replay }: Answer<T>) -> Self {
        let mut response = Self::new(body);
        if replay {
            response.metadata_mut().insert(REPLAY, MetadataValue::from_static("true"));
        }
        response
    }
}
