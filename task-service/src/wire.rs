//! How tasks look in messages: what a request says about one, and what an
//! answer shows of one.

use chrono::{DateTime, Utc};
use prost_types::{FieldMask, Timestamp};
use proto::task::v1 as pb;
use shared::{
    error::{Fields, Reason},
    name,
};
use uuid::Uuid;

use crate::{
    due::Due,
    mask::Mask,
    request,
    tasks::{Changes, Status, Task},
    text::{Notes, Title},
};

/// The segment of resource names that tasks lie under.
pub(crate) const COLLECTION: &str = "tasks";

/// Reads the fields of a task that the mask names. None if anything in them is
/// not acceptable.
pub(crate) fn read_changes(
    fields: &mut Fields,
    mask: Option<&FieldMask>,
    task: &pb::Task,
) -> Option<Changes> {
    let mask = fields.read_as(Reason::MaskInvalid, "update_mask", Mask::parse(mask, task))?;
    let title = match mask.title {
        true => fields.read("task.title", Title::parse(&task.title).map(Some)),
        false => Some(None),
    };
    let notes = match mask.notes {
        true => fields.read("task.notes", Notes::parse(&task.notes).map(Some)),
        false => Some(None),
    };
    let due = match mask.due {
        true => read_due(fields, task.due.as_ref()).map(Some),
        false => Some(None),
    };
    Some(Changes { title: title?, notes: notes?, due: due? })
}

/// Reads `task.due`: `Some(None)` if it is absent, None if it is not
/// acceptable.
pub(crate) fn read_due(fields: &mut Fields, due: Option<&pb::Due>) -> Option<Option<Due>> {
    match due {
        None => Some(None),
        Some(due) => Due::read(fields, "task.due", due).map(Some),
    }
}

/// Reads a status to filter by: whether tasks must be done, None for any.
pub(crate) fn parse_filter(status: i32) -> Result<Option<bool>, &'static str> {
    match pb::TaskStatus::try_from(status) {
        Ok(pb::TaskStatus::Unspecified) => Ok(None),
        Ok(pb::TaskStatus::Open) => Ok(Some(false)),
        Ok(pb::TaskStatus::Done) => Ok(Some(true)),
        Err(_) => Err("There is no such status."),
    }
}

/// A task of this user as answers show it.
pub(crate) fn message(user: Uuid, task: Task) -> pb::Task {
    let Task { id, title, notes, status, due, created_at, updated_at, revision } = task;
    let (status, completed_at) = match status {
        Status::Open => (pb::TaskStatus::Open, None),
        Status::Done { at } => (pb::TaskStatus::Done, Some(at)),
    };
    pb::Task {
        name: name::of_member(user, COLLECTION, id),
        title,
        notes,
        status: status.into(),
        due: due.map(Into::into),
        create_time: Some(timestamp(created_at)),
        update_time: Some(timestamp(updated_at)),
        complete_time: completed_at.map(timestamp),
        revision,
        etag: request::etag(revision),
    }
}

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: at.timestamp(),
        // Less than 2^31: a leap second counts up to two billion.
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}
