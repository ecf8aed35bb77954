//! GetUsage: how much a user has, and how much there may be.

use proto::task::v1 as pb;
use shared::{
    error::{Failure, Fields},
    interceptor::Identity,
    name,
};

use super::{Answer, Service};
use crate::usage::{self, Usage};

impl Service {
    pub(super) async fn usage(
        &self,
        caller: Identity,
        request: pb::GetUsageRequest,
    ) -> Result<Answer<pb::GetUsageResponse>, Failure> {
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &request.parent, &caller)?;
        let (user,) = fields.all((user,))?;

        let Usage { tasks, lists, open_tasks } = usage::of(&self.database, user).await?;
        Ok(pb::GetUsageResponse {
            tasks,
            tasks_limit: self.quotas.tasks.into(),
            lists,
            lists_limit: self.quotas.lists.into(),
            open_tasks,
        }
        .into())
    }
}
