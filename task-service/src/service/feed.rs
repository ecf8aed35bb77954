//! What tells changes: SyncTasks and WatchTasks.

use std::pin::Pin;

use proto::task::v1 as pb;
use shared::{
    error::{Failure, Reason},
    interceptor::Identity,
};
use tonic::Status;

use super::{Answer, Service, later::later};

/// A stream of WatchTasks.
pub(super) type Watch =
    Pin<Box<dyn futures_util::Stream<Item = Result<pb::WatchTasksResponse, Status>> + Send>>;

later! {
    sync SyncTasksRequest SyncTasksResponse
}

impl Service {
    pub(super) async fn watch(
        &self,
        _caller: Identity,
        _request: pb::WatchTasksRequest,
    ) -> Result<Watch, Failure> {
        Err(Failure::new(Reason::MethodUnknown, "Not yet."))
    }
}
