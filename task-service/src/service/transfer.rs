//! `task.v1.TransferService`.

use std::pin::Pin;

use proto::task::v1 as pb;
use shared::{
    error::{Failure, Reason},
    interceptor::Identity,
};
use tonic::Status;

use super::{Answer, Service, later::later};

/// A stream of ExportTasks.
pub(super) type Export =
    Pin<Box<dyn futures_util::Stream<Item = Result<pb::ExportTasksResponse, Status>> + Send>>;

later! {
    import ImportTasksRequest ImportTasksResponse
}

impl Service {
    pub(super) async fn export(
        &self,
        _caller: Identity,
        _request: pb::ExportTasksRequest,
    ) -> Result<Export, Failure> {
        Err(Failure::new(Reason::MethodUnknown, "Not yet."))
    }
}
