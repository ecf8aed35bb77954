//! The gRPC services: read requests, call the aggregates, write answers. They
//! know no statement and no row. `change`, `read` and `feed` hold what
//! `task.v1.TaskService` does, `lists` and `transfer` the other two services.
//!
//! Invariant: whether a caller may do it at all, and whose tasks it is about, is
//! decided from the token and the name in the request, before anything else
//! about it is said.

mod change;
mod feed;
mod lists;
mod names;
mod read;
mod requests;
mod transfer;
mod usage;

use std::sync::Arc;

use proto::task::v1 as pb;
use shared::{
    clock::SharedClock, database::Database, error::Failure, interceptor::Identity,
    page::PageTokens, secret::Key,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, metadata::MetadataValue};
use uuid::Uuid;

use crate::{
    feed::Feed,
    request::{Payload, RequestId},
    tasks::Write,
};

const DOMAIN: &str = "duet.task";
const REPLAY: &str = "x-idempotent-replay";

/// The services. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Service {
    database: Database,
    /// For exports, which read all that a user has.
    exports: Database,
    clock: SharedClock,
    tokens: Arc<PageTokens>,
    quotas: Quotas,
    feed: Feed,
    /// Cancelled when the server that this is mounted on shuts down.
    draining: CancellationToken,
}

/// How much a user may have.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Tasks that are not in the bin.
    pub tasks: u32,
    /// Lists besides the inbox.
    pub lists: u32,
}

/// A write's answer, and whether an earlier write with the same request id did
/// the work.
struct Answer<T> {
    body: T,
    replay: bool,
}

/// The scope that a service needs to read tasks and lists.
const READ: &str = "tasks:read";
/// The scope that a service needs to change them. It does not let it read.
const WRITE: &str = "tasks:write";

/// The methods of a service, each with the scope that it asks of services, and
/// done by the function of the same name that takes the caller and the request.
macro_rules! methods {
    ($($scope:ident $method:ident $request:ident $response:ident $function:ident)*) => {$(
        fn $method<'life, 'call>(
            &'life self,
            request: Request<pb::$request>,
        ) -> std::pin::Pin<
            Box<dyn Future<Output = Result<Response<pb::$response>, Status>> + Send + 'call>,
        >
        where
            'life: 'call,
            Self: 'call,
        {
            Box::pin(async move {
                let caller = Identity::with_scope(&request, $scope).map_err(status)?;
                let answer = self.$function(caller, request.into_inner()).await.map_err(status)?;
                Ok(answer.into())
            })
        }
    )*};
}

impl pb::task_service_server::TaskService for Service {
    methods! {
        WRITE create_task CreateTaskRequest CreateTaskResponse create
        READ get_task GetTaskRequest GetTaskResponse get
        READ list_tasks ListTasksRequest ListTasksResponse list
        WRITE update_task UpdateTaskRequest UpdateTaskResponse update
        WRITE delete_task DeleteTaskRequest DeleteTaskResponse delete
        WRITE undelete_task UndeleteTaskRequest UndeleteTaskResponse undelete
        WRITE complete_task CompleteTaskRequest CompleteTaskResponse complete
        WRITE reopen_task ReopenTaskRequest ReopenTaskResponse reopen
        WRITE move_task MoveTaskRequest MoveTaskResponse move_to
        WRITE batch_mutate_tasks BatchMutateTasksRequest BatchMutateTasksResponse batch
        READ sync_tasks SyncTasksRequest SyncTasksResponse sync
        READ get_usage GetUsageRequest GetUsageResponse usage
    }

    type WatchTasksStream = feed::Watch;

    fn watch_tasks<'life, 'call>(
        &'life self,
        request: Request<pb::WatchTasksRequest>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<feed::Watch>, Status>> + Send + 'call>>
    where
        'life: 'call,
        Self: 'call,
    {
        Box::pin(async move {
            let caller = Identity::with_scope(&request, READ).map_err(status)?;
            let stream = self.watch(caller, request.into_inner()).await.map_err(status)?;
            Ok(Response::new(stream))
        })
    }
}

impl pb::list_service_server::ListService for Service {
    methods! {
        WRITE create_list CreateListRequest CreateListResponse create_one
        READ get_list GetListRequest GetListResponse get_one
        READ list_lists ListListsRequest ListListsResponse list_all
        WRITE update_list UpdateListRequest UpdateListResponse update_one
        WRITE delete_list DeleteListRequest DeleteListResponse delete_one
    }
}

impl pb::transfer_service_server::TransferService for Service {
    methods! {
        WRITE import_tasks ImportTasksRequest ImportTasksResponse import
    }

    type ExportTasksStream = transfer::Export;

    fn export_tasks<'life, 'call>(
        &'life self,
        request: Request<pb::ExportTasksRequest>,
    ) -> std::pin::Pin<
        Box<dyn Future<Output = Result<Response<transfer::Export>, Status>> + Send + 'call>,
    >
    where
        'life: 'call,
        Self: 'call,
    {
        Box::pin(async move {
            let caller = Identity::with_scope(&request, READ).map_err(status)?;
            let stream = self.export(caller, request.into_inner()).await.map_err(status)?;
            Ok(Response::new(stream))
        })
    }
}

impl Service {
    /// A service on this database. Replicas share `page_key`.
    #[must_use]
    pub fn new(
        database: Database,
        clock: SharedClock,
        page_key: &Key,
        quotas: Quotas,
        feed: Feed,
    ) -> Self {
        let (tokens, draining) = (Arc::new(PageTokens::new(page_key)), CancellationToken::new());
        let exports = database.at_length(transfer::GATHER, transfer::CONNECTIONS);
        Self { database, exports, clock, tokens, quotas, feed, draining }
    }

    /// The same, with streams that end when `draining` is cancelled.
    #[must_use]
    pub fn ending_with(self, draining: CancellationToken) -> Self {
        Self { draining, ..self }
    }

    fn write(&self, user: Uuid, request: Option<Uuid>, payload: Payload) -> Write {
        let request = request.map(|id| RequestId { id, payload: payload.hash() });
        Write { user, now: self.clock.now(), request, quota: self.quotas.tasks }
    }
}

fn status(failure: Failure) -> Status {
    failure.into_status(DOMAIN)
}

impl<T> From<T> for Answer<T> {
    fn from(body: T) -> Self {
        Self { body, replay: false }
    }
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
