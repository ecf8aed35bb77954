//! What changes tasks: the writing methods of `task.v1.TaskService`.

use proto::task::v1 as pb;
use shared::{
    error::{Failure, Reason},
    interceptor::Identity,
};

use super::{Answer, Service};

macro_rules! later {
    ($($function:ident $request:ident $response:ident)*) => {
        impl Service {$(
            pub(super) async fn $function(
                &self,
                _caller: Identity,
                _request: pb::$request,
            ) -> Result<Answer<pb::$response>, Failure> {
                Err(Failure::new(Reason::MethodUnknown, "Not yet."))
            }
        )*}
    };
}
pub(super) use later;

later! {
    create CreateTaskRequest CreateTaskResponse
    update UpdateTaskRequest UpdateTaskResponse
    delete DeleteTaskRequest DeleteTaskResponse
    undelete UndeleteTaskRequest UndeleteTaskResponse
    complete CompleteTaskRequest CompleteTaskResponse
    reopen ReopenTaskRequest ReopenTaskResponse
    move_to MoveTaskRequest MoveTaskResponse
    batch BatchMutateTasksRequest BatchMutateTasksResponse
}
