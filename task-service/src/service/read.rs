//! What reads tasks: GetTask, ListTasks, GetUsage.

use proto::task::v1 as pb;
use shared::{
    error::Fields,
    error::{Failure, Reason},
    interceptor::Identity,
    name,
};

use super::{Answer, Service, later::later};
use crate::{error::Error, tasks, wire};

impl Service {
    pub(super) async fn get(
        &self,
        caller: Identity,
        request: pb::GetTaskRequest,
    ) -> Result<Answer<pb::GetTaskResponse>, Failure> {
        let mut fields = Fields::new();
        let named = name::member(&mut fields, "name", wire::TASKS, &request.name, &caller)?;
        let ((user, id),) = fields.all((named,))?;

        let task = tasks::get(&self.database, user, id).await?.ok_or(Error::TaskNotFound)?;
        Ok(pb::GetTaskResponse { task: Some(wire::task(user, task)) }.into())
    }
}

later! {
    list ListTasksRequest ListTasksResponse
    usage GetUsageRequest GetUsageResponse
}
