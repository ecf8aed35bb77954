//! What a user does with tasks beyond making, reading and changing one.

use proto::task::v1 as pb;
use tonic::{Response, Status};

use crate::app::User;

impl User {
    /// A step of another task.
    pub(crate) async fn step(&self, title: &str, parent: &str) -> pb::Task {
        let (title, parent_task) = (title.to_owned(), parent.to_owned());
        let task = pb::Task { title, parent_task, ..pb::Task::default() };
        self.create_with(task, "").await.expect("a task is made").into_inner()
    }

    pub(crate) async fn undelete(&self, name: &str) -> Result<pb::Task, Status> {
        let request = pb::UndeleteTaskRequest { name: name.to_owned(), ..Default::default() };
        let answer = self.client.clone().undelete_task(request).await?.into_inner();
        Ok(answer.task.expect("a task"))
    }

    pub(crate) async fn move_under(&self, name: &str, parent: &str) -> Result<pb::Task, Status> {
        self.move_with(pb::MoveTaskRequest {
            name: name.to_owned(),
            parent_task: Some(parent.to_owned()),
            ..Default::default()
        })
        .await
    }

    /// Puts a task elsewhere in the manual order; None for first.
    pub(crate) async fn place(
        &self,
        name: &str,
        place: Option<pb::move_task_request::Place>,
    ) -> Result<pb::Task, Status> {
        let name = name.to_owned();
        self.move_with(pb::MoveTaskRequest { name, place, ..Default::default() }).await
    }

    pub(crate) async fn move_with(&self, request: pb::MoveTaskRequest) -> Result<pb::Task, Status> {
        let answer = self.client.clone().move_task(request).await?.into_inner();
        Ok(answer.task.expect("a task"))
    }

    pub(crate) async fn batch(
        &self,
        operations: Vec<pb::TaskOperation>,
    ) -> Result<Vec<pb::Task>, Status> {
        self.batch_with(operations, "").await
    }

    pub(crate) async fn batch_with(
        &self,
        operations: Vec<pb::TaskOperation>,
        request_id: &str,
    ) -> Result<Vec<pb::Task>, Status> {
        Ok(self.batch_answer(operations, request_id).await?.into_inner().tasks)
    }

    pub(crate) async fn batch_answer(
        &self,
        operations: Vec<pb::TaskOperation>,
        request_id: &str,
    ) -> Result<Response<pb::BatchMutateTasksResponse>, Status> {
        let request_id = request_id.to_owned();
        let parent = String::new();
        let request = pb::BatchMutateTasksRequest { parent, operations, request_id };
        self.client.clone().batch_mutate_tasks(request).await
    }

    pub(crate) async fn usage(&self) -> pb::GetUsageResponse {
        let request = pb::GetUsageRequest::default();
        self.client.clone().get_usage(request).await.expect("the usage").into_inner()
    }

    /// All tasks in the manual order.
    pub(crate) async fn in_order(&self) -> Vec<pb::Task> {
        let order_by = "position".to_owned();
        let mut request = pb::ListTasksRequest { order_by, page_size: 500, ..Default::default() };
        let mut tasks = Vec::new();
        loop {
            let page = self.list(request.clone()).await.expect("a page");
            tasks.extend(page.tasks);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return tasks;
            }
        }
    }

    /// The steps of a task, in their order.
    pub(crate) async fn children(&self, name: &str) -> Vec<pb::Task> {
        self.in_order().await.into_iter().filter(|task| task.parent_task == name).collect()
    }
}
