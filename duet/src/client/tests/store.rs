//! The few tasks and lists that the services of these tests hold. It keeps the
//! rules that commands depend on and no others: filters, for one, are only
//! remembered.

use proto::task::v1::{self as pb, List, Task, TaskStatus};
use shared::error::Reason;

use crate::client::id;

/// What there is.
#[derive(Default)]
pub(super) struct Store {
    pub(super) tasks: Vec<Task>,
    pub(super) lists: Vec<List>,
    /// The pieces of the exported file, and where it breaks off.
    pub(super) file: Vec<Option<Vec<u8>>>,
    /// What an import answers.
    pub(super) import: pb::ImportTasksResponse,
}

/// The name of the task with this number.
pub(super) fn name(number: usize) -> String {
    format!("users/u/tasks/0197a2b4-1111-7aaa-8aaa-{number:012}")
}

/// The name of the list with this number.
pub(super) fn list_name(number: usize) -> String {
    format!("users/u/lists/0197a2b4-2222-7bbb-8bbb-{number:012}")
}

type Answer<T> = Result<T, Reason>;

impl Store {
    /// Puts an open task there, the first one is number 0.
    pub(super) fn add(&mut self, task: Task) {
        let name = name(self.tasks.len());
        self.tasks.push(Task { name, status: TaskStatus::Open.into(), ..task });
    }

    /// Puts a list there, the first one is number 0.
    pub(super) fn add_list(&mut self, title: &str) {
        let name = list_name(self.lists.len());
        self.lists.push(List { name, title: title.to_owned(), ..List::default() });
    }

    fn task(&mut self, name: &str) -> Answer<&mut Task> {
        let same = |task: &&mut Task| id::last(&task.name) == id::last(name);
        self.tasks.iter_mut().find(same).ok_or(Reason::TaskNotFound)
    }

    fn list(&mut self, name: &str) -> Answer<&mut List> {
        let same = |list: &&mut List| id::last(&list.name) == id::last(name);
        self.lists.iter_mut().find(same).ok_or(Reason::ListNotFound)
    }

    pub(super) fn create_task(
        &mut self,
        request: pb::CreateTaskRequest,
    ) -> Answer<pb::CreateTaskResponse> {
        self.add(request.task.unwrap_or_default());
        Ok(pb::CreateTaskResponse { task: self.tasks.last().cloned() })
    }

    pub(super) fn get_task(&mut self, request: pb::GetTaskRequest) -> Answer<pb::GetTaskResponse> {
        Ok(pb::GetTaskResponse { task: Some(self.task(&request.name)?.clone()) })
    }

    /// A page for each task, named by its place.
    pub(super) fn list_tasks(
        &mut self,
        request: pb::ListTasksRequest,
    ) -> Answer<pb::ListTasksResponse> {
        let binned_only = request.filter.contains("delete_time");
        let wanted = |task: &&Task| match task.delete_time {
            Some(_) => request.show_deleted,
            None => !binned_only,
        };
        let tasks: Vec<&Task> = self.tasks.iter().filter(wanted).collect();
        let at: usize = request.page_token.parse().unwrap_or(0);
        let more = at + 1 < tasks.len();
        Ok(pb::ListTasksResponse {
            tasks: tasks.into_iter().skip(at).take(1).cloned().collect(),
            next_page_token: if more { (at + 1).to_string() } else { String::new() },
            sync_token: String::new(),
        })
    }

    pub(super) fn update_task(
        &mut self,
        request: pb::UpdateTaskRequest,
    ) -> Answer<pb::UpdateTaskResponse> {
        let task = request.task.unwrap_or_default();
        *self.task(&task.name)? = task.clone();
        Ok(pb::UpdateTaskResponse { task: Some(task) })
    }

    pub(super) fn delete_task(
        &mut self,
        request: pb::DeleteTaskRequest,
    ) -> Answer<pb::DeleteTaskResponse> {
        let task = self.task(&request.name)?;
        task.delete_time = Some(prost_types::Timestamp { seconds: 1_800_000_000, nanos: 0 });
        Ok(pb::DeleteTaskResponse { task: Some(task.clone()) })
    }

    pub(super) fn undelete_task(
        &mut self,
        request: pb::UndeleteTaskRequest,
    ) -> Answer<pb::UndeleteTaskResponse> {
        let task = self.task(&request.name)?;
        task.delete_time.take().ok_or(Reason::TaskNotDeleted)?;
        Ok(pb::UndeleteTaskResponse { task: Some(task.clone()) })
    }

    pub(super) fn complete_task(
        &mut self,
        request: pb::CompleteTaskRequest,
    ) -> Answer<pb::CompleteTaskResponse> {
        let parent = self.task(&request.name)?.name.clone();
        if !request.force && self.tasks.iter().any(|task| task.parent_task == parent) {
            return Err(Reason::OpenSubtasks);
        }
        let made = self.tasks.len();
        // Another time with every task that is made.
        let now = prost_types::Timestamp { seconds: i64::try_from(made).unwrap(), nanos: 6 };
        let task = self.task(&request.name)?;
        let next = task.recurrence.as_ref().map(|_| Task {
            name: name(made),
            create_time: Some(now),
            ..task.clone()
        });
        let status = if request.cancel { TaskStatus::Cancelled } else { TaskStatus::Done };
        task.set_status(status);
        task.update_time = Some(now);
        let task = Some(task.clone());
        self.tasks.extend(next.clone());
        Ok(pb::CompleteTaskResponse { task, next })
    }

    pub(super) fn reopen_task(
        &mut self,
        request: pb::ReopenTaskRequest,
    ) -> Answer<pb::ReopenTaskResponse> {
        let task = self.task(&request.name)?;
        task.set_status(TaskStatus::Open);
        Ok(pb::ReopenTaskResponse { task: Some(task.clone()) })
    }

    pub(super) fn move_task(
        &mut self,
        request: pb::MoveTaskRequest,
    ) -> Answer<pb::MoveTaskResponse> {
        let task = self.task(&request.name)?;
        task.list = request.list.unwrap_or_else(|| task.list.clone());
        task.parent_task = request.parent_task.unwrap_or_else(|| task.parent_task.clone());
        Ok(pb::MoveTaskResponse { task: Some(task.clone()) })
    }

    /// All or none; a refusal comes with the place of the operation.
    pub(super) fn batch_mutate_tasks(
        &mut self,
        request: pb::BatchMutateTasksRequest,
    ) -> Result<pb::BatchMutateTasksResponse, (usize, Reason)> {
        let before = self.tasks.clone();
        let operations = request.operations.into_iter().filter_map(|it| it.operation);
        let tasks = operations.enumerate().map(|(op, operation)| {
            self.mutate_task(operation)
                .map_err(|reason| (op, reason))
                .map(Option::unwrap_or_default)
        });
        let tasks: Result<Vec<_>, _> = tasks.collect();
        tasks.map(|tasks| pb::BatchMutateTasksResponse { tasks }).inspect_err(|_| {
            self.tasks = before;
        })
    }

    fn mutate_task(&mut self, operation: pb::task_operation::Operation) -> Answer<Option<Task>> {
        use pb::task_operation::Operation;
        Ok(match operation {
            Operation::Update(request) => self.update_task(request)?.task,
            Operation::Move(request) => self.move_task(request)?.task,
            Operation::Complete(request) => self.complete_task(request)?.task,
            Operation::Reopen(request) => self.reopen_task(request)?.task,
            Operation::Delete(request) => self.delete_task(request)?.task,
            Operation::Undelete(request) => self.undelete_task(request)?.task,
            Operation::Create(_) => return Err(Reason::MethodUnknown),
        })
    }

    pub(super) fn get_usage(&mut self, _: pb::GetUsageRequest) -> Answer<pb::GetUsageResponse> {
        Ok(pb::GetUsageResponse {
            tasks: self.tasks.len().try_into().unwrap(),
            tasks_limit: 10_000,
            lists: self.lists.len().try_into().unwrap(),
            lists_limit: 200,
            open_tasks: 1,
        })
    }

    pub(super) fn create_list(
        &mut self,
        request: pb::CreateListRequest,
    ) -> Answer<pb::CreateListResponse> {
        self.add_list(&request.list.unwrap_or_default().title);
        Ok(pb::CreateListResponse { list: self.lists.last().cloned() })
    }

    /// A page for each list, named by its place.
    pub(super) fn list_lists(
        &mut self,
        request: pb::ListListsRequest,
    ) -> Answer<pb::ListListsResponse> {
        let at: usize = request.page_token.parse().unwrap_or(0);
        let more = at + 1 < self.lists.len();
        Ok(pb::ListListsResponse {
            lists: self.lists.iter().skip(at).take(1).cloned().collect(),
            next_page_token: if more { (at + 1).to_string() } else { String::new() },
        })
    }

    pub(super) fn update_list(
        &mut self,
        request: pb::UpdateListRequest,
    ) -> Answer<pb::UpdateListResponse> {
        let new = request.list.unwrap_or_default();
        let list = self.list(&new.name)?;
        for path in request.update_mask.unwrap_or_default().paths {
            match path.as_str() {
                "title" => list.title.clone_from(&new.title),
                "archived" => list.archived = new.archived,
                _ => return Err(Reason::MaskInvalid),
            }
        }
        Ok(pb::UpdateListResponse { list: Some(list.clone()) })
    }

    pub(super) fn delete_list(
        &mut self,
        request: pb::DeleteListRequest,
    ) -> Answer<pb::DeleteListResponse> {
        let name = self.list(&request.name)?.name.clone();
        if !request.force && self.tasks.iter().any(|task| task.list == name) {
            return Err(Reason::ListNotEmpty);
        }
        self.lists.retain(|list| list.name != name);
        Ok(pb::DeleteListResponse {})
    }

    pub(super) fn import_tasks(
        &mut self,
        _: pb::ImportTasksRequest,
    ) -> Answer<pb::ImportTasksResponse> {
        Ok(self.import.clone())
    }
}
