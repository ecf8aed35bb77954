//! Reads the requests that change tasks into operations, for the single methods
//! and for batches alike.
//!
//! Invariant: every name in a request lies under one user.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use prost_types::Timestamp;
use proto::task::v1 as pb;
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name,
};
use uuid::Uuid;

use super::names;
use crate::{
    due::Due,
    mask::Mask,
    operations::{Change, Changes, Completion, Destination, NewTask, Operation, Place, Repetition},
    recurrence::Rule,
    request,
    task::Priority,
    text::{Labels, Notes, Title},
    wire::TASKS,
};

/// What a request asks for, and of whom; None where a field was not good.
pub(super) type Asked = Result<Option<(Uuid, Operation)>, Failure>;

/// What reading needs to know besides the request.
pub(super) struct Reader<'a> {
    pub(super) caller: &'a Identity,
    pub(super) now: DateTime<Utc>,
    pub(super) fields: &'a mut Fields,
}

impl Reader<'_> {
    /// Reads a request that makes a task for `user`. `id` is the one it gets if
    /// the client chose none.
    pub(super) fn create(
        &mut self,
        user: Uuid,
        id: Uuid,
        request: &pb::CreateTaskRequest,
    ) -> Asked {
        let blank = pb::Task::default();
        let task = request.task.as_ref().unwrap_or(&blank);
        let list = self.list(user, "task.list", &task.list)?;
        let parent = self.task(user, "task.parent_task", &task.parent_task)?;
        let id = self.fields.read("task_id", chosen_id(&request.task_id, id));
        let title = self.fields.read("task.title", Title::parse(&task.title));
        let notes = self.fields.read("task.notes", Notes::parse(&task.notes));
        let due = self.due(task.due.as_ref());
        let priority = self.fields.read("task.priority", priority(task.priority));
        let labels = self.fields.read("task.labels", Labels::parse(&task.labels));
        let repeat = match (&task.recurrence, &due) {
            (None, _) => Some(None),
            (Some(_), Some(None)) => self.without_due(),
            (Some(recurrence), Some(Some(due))) => self.repetition(recurrence, Some(due)).map(Some),
            (Some(_), None) => None,
        };
        Ok((|| {
            let change = Change::Create(NewTask {
                title: title?,
                notes: notes?,
                due: due?,
                list: list?,
                parent: parent?,
                priority: priority?,
                labels: labels?,
                repeat: repeat?,
            });
            Some((user, Operation { id: id?, etag: None, change }))
        })())
    }

    pub(super) fn update(&mut self, request: &pb::UpdateTaskRequest) -> Asked {
        let blank = pb::Task::default();
        let task = request.task.as_ref().unwrap_or(&blank);
        let named = self.named("task.name", &task.name)?;
        let mask = Mask::parse(request.update_mask.as_ref(), task);
        let mask = self.fields.read_as(Reason::MaskInvalid, "update_mask", mask);
        let changes = mask.and_then(|mask| self.changes(mask, task));
        let etag = self.fields.read("task.etag", request::parse_etag(&task.etag));
        Ok(operation(named, etag, changes.map(Change::Update)))
    }

    pub(super) fn complete(&mut self, request: &pb::CompleteTaskRequest) -> Asked {
        let pb::CompleteTaskRequest {
            name,
            etag,
            request_id: _,
            force,
            cancel,
            complete_time,
            time_zone,
        } = request;
        let named = self.named("name", name)?;
        let etag = self.fields.read("etag", request::parse_etag(etag));
        let at = complete_time.as_ref().map(|time| moment(time, self.now)).transpose();
        let at = self.fields.read("complete_time", at);
        let zone = self.fields.read("time_zone", zone(time_zone));
        let change = at.zip(zone).map(|(at, zone)| {
            Change::Complete(Completion { force: *force, cancel: *cancel, at, zone })
        });
        Ok(operation(named, etag, change))
    }

    pub(super) fn move_to(&mut self, request: &pb::MoveTaskRequest) -> Asked {
        let pb::MoveTaskRequest { name, etag, request_id: _, list, parent_task, place } = request;
        let named = self.named("name", name)?;
        let user = named.map_or(self.caller.subject(), |(user, _)| user);
        let list = match list {
            Some(list) if list.is_empty() => {
                self.fields.refuse("list", "A list is named, or left out.");
                None
            }
            Some(list) => self.list(user, "list", list)?,
            None => Some(None),
        };
        let parent = match parent_task {
            Some(parent) => self.task(user, "parent_task", parent)?.map(Some),
            None => Some(None),
        };
        let place = match place {
            None => Some(Place::First),
            Some(pb::move_task_request::Place::After(other)) => self
                .task(user, "after", other)?
                .and_then(|other| self.beside("after", other))
                .map(Place::After),
            Some(pb::move_task_request::Place::Before(other)) => self
                .task(user, "before", other)?
                .and_then(|other| self.beside("before", other))
                .map(Place::Before),
        };
        let etag = self.fields.read("etag", request::parse_etag(etag));
        let change =
            (|| Some(Change::Move(Destination { list: list?, parent: parent?, place: place? })))();
        Ok(operation(named, etag, change))
    }

    /// Reads a request that names a task and says no more about it.
    pub(super) fn target(&mut self, name: &str, etag: &str, change: Change) -> Asked {
        let named = self.named("name", name)?;
        let etag = self.fields.read("etag", request::parse_etag(etag));
        Ok(operation(named, etag, Some(change)))
    }

    fn changes(&mut self, mask: Mask, task: &pb::Task) -> Option<Changes> {
        let title = mask.title.then(|| self.fields.read("task.title", Title::parse(&task.title)));
        let notes = mask.notes.then(|| self.fields.read("task.notes", Notes::parse(&task.notes)));
        let due = mask.due.then(|| self.due(task.due.as_ref()));
        let priority =
            mask.priority.then(|| self.fields.read("task.priority", priority(task.priority)));
        let labels =
            mask.labels.then(|| self.fields.read("task.labels", Labels::parse(&task.labels)));
        let repeat = mask.recurrence.then(|| match (&task.recurrence, &due) {
            (None, _) => Some(None),
            (Some(_), Some(Some(None))) => self.without_due(),
            (Some(recurrence), Some(Some(due))) => {
                self.repetition(recurrence, due.as_ref()).map(Some)
            }
            // When it is due the database knows.
            (Some(recurrence), None) => self.repetition(recurrence, None).map(Some),
            (Some(_), Some(None)) => None,
        });
        Some(Changes {
            title: all_or(title)?,
            notes: all_or(notes)?,
            due: all_or(due)?,
            priority: all_or(priority)?,
            labels: all_or(labels)?,
            repeat: all_or(repeat)?,
        })
    }

    fn due(&mut self, due: Option<&pb::Due>) -> Option<Option<Due>> {
        match due {
            None => Some(None),
            Some(due) => Due::read(self.fields, "task.due", due).map(Some),
        }
    }

    /// Reads how a task comes back; `due` is None where it is not said.
    fn repetition(&mut self, recurrence: &pb::Recurrence, due: Option<&Due>) -> Option<Repetition> {
        let pb::Recurrence { rrule, anchor, series: _ } = recurrence;
        let rule = match due {
            Some(due) => Rule::parse(rrule, due.date()),
            None => Rule::parse_undated(rrule, self.now.date_naive()),
        };
        let rule = self.fields.read_as(Reason::RruleInvalid, "task.recurrence.rrule", rule);
        let after = match pb::RecurrenceAnchor::try_from(*anchor) {
            Ok(pb::RecurrenceAnchor::Unspecified | pb::RecurrenceAnchor::Due) => Ok(false),
            Ok(pb::RecurrenceAnchor::Completion) => Ok(true),
            Err(_) => Err("There is no such anchor."),
        };
        let after = self.fields.read("task.recurrence.anchor", after);
        Some(Repetition { rule: rule?.as_str().to_owned(), after_completion: after? })
    }

    fn without_due<T>(&mut self) -> Option<T> {
        let why = "A task that comes back needs a due date.";
        self.fields.read_as(Reason::RruleInvalid, "task.recurrence", Err(why))
    }

    fn named(&mut self, field: &str, value: &str) -> Result<Option<(Uuid, Uuid)>, Failure> {
        name::member(self.fields, field, TASKS, value, self.caller)
    }

    /// A task of this user, or none if the field is empty.
    fn task(
        &mut self,
        user: Uuid,
        field: &str,
        value: &str,
    ) -> Result<Option<Option<Uuid>>, Failure> {
        if value.is_empty() {
            return Ok(Some(None));
        }
        let named = self.named(field, value)?;
        Ok(self.under(user, field, named))
    }

    /// A list of this user, or none if the field is empty.
    fn list(
        &mut self,
        user: Uuid,
        field: &str,
        value: &str,
    ) -> Result<Option<Option<Uuid>>, Failure> {
        if value.is_empty() {
            return Ok(Some(None));
        }
        let named = names::list(self.fields, field, value, self.caller)?;
        Ok(self.under(user, field, named))
    }

    fn under(
        &mut self,
        user: Uuid,
        field: &str,
        named: Option<(Uuid, Uuid)>,
    ) -> Option<Option<Uuid>> {
        let (owner, id) = named?;
        if owner == user {
            return Some(Some(id));
        }
        self.fields.refuse(field, "All names in a request lie under one user.");
        None
    }

    fn beside(&mut self, field: &str, other: Option<Uuid>) -> Option<Uuid> {
        if other.is_none() {
            self.fields.refuse(field, "A task to stand beside is named.");
        }
        other
    }
}

fn operation(
    named: Option<(Uuid, Uuid)>,
    etag: Option<Option<i64>>,
    change: Option<Change>,
) -> Option<(Uuid, Operation)> {
    let (user, id) = named?;
    Some((user, Operation { id, etag: etag?, change: change? }))
}

/// `Some(None)` for a field that is not to be read, None for one that is not
/// good.
fn all_or<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

fn chosen_id(text: &str, otherwise: Uuid) -> Result<Uuid, &'static str> {
    match request::RequestId::parse(text) {
        Ok(None) => Ok(otherwise),
        Ok(Some(id)) if !id.is_nil() => Ok(id),
        _ => Err("The id of a task is a UUID."),
    }
}

fn priority(number: i32) -> Result<Priority, &'static str> {
    match pb::Priority::try_from(number) {
        Ok(pb::Priority::Unspecified) => Ok(Priority::None),
        Ok(pb::Priority::Low) => Ok(Priority::Low),
        Ok(pb::Priority::Medium) => Ok(Priority::Medium),
        Ok(pb::Priority::High) => Ok(Priority::High),
        Err(_) => Err("There is no such priority."),
    }
}

fn zone(text: &str) -> Result<Option<Tz>, &'static str> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| "There is no such time zone."),
    }
}

/// A moment in the past.
fn moment(time: &Timestamp, now: DateTime<Utc>) -> Result<DateTime<Utc>, &'static str> {
    let nanos = u32::try_from(time.nanos).map_err(|_| "This is no time.")?;
    match DateTime::from_timestamp(time.seconds, nanos) {
        Some(at) if at > now => Err("This is still to come."),
        Some(at) if at.timestamp() >= 0 => Ok(at),
        Some(_) => Err("This is before 1970."),
        None => Err("This is no time."),
    }
}
