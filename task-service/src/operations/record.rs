//! Operations as records of the database: one column for everything that any of
//! them can say. What is not said is left out.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Change, Changes, Completion, Destination, NewTask, Next, Operation, Place, Repetition,
};
use crate::{
    due::{Columns, Due},
    task::Priority,
    text::{Labels, Notes, Title},
};

/// An operation in the columns of the database's record.
#[derive(Debug, Default, Serialize)]
pub(super) struct Record<'a> {
    op: usize,
    pub(super) id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<&'a str>,
    set_due: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_minute: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Uuid>,
    top: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a [String]>,
    set_rrule: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rrule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rrule_after: Option<bool>,
    force: bool,
    cancel: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_date: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_start: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_number: Option<i64>,
}

impl Operation {
    pub(super) fn record<'a>(&'a self, op: usize, next: Option<&'a Next>) -> Record<'a> {
        let Self { id, etag, change } = self;
        let record = Record { op, id: Some(*id), etag: *etag, ..Record::default() };
        match change {
            Change::Create(new) => new.record(record),
            Change::Update(changes) => changes.record(record),
            Change::Complete(completion) => completion.record(record, next),
            Change::Move(destination) => destination.record(record),
            Change::Reopen | Change::Delete | Change::Undelete => record,
        }
    }
}

impl NewTask {
    fn record<'a>(&'a self, record: Record<'a>) -> Record<'a> {
        let Self { title, notes, due, list, parent, priority, labels, repeat } = self;
        Record {
            title: Some(title.as_str()),
            notes: Some(notes.as_str()),
            list: *list,
            parent: *parent,
            priority: Some(priority.number()),
            labels: Some(labels.as_slice()),
            ..record.due(due.as_ref()).repeat(repeat.as_ref())
        }
    }
}

impl Changes {
    fn record<'a>(&'a self, record: Record<'a>) -> Record<'a> {
        let Self { title, notes, due, priority, labels, repeat } = self;
        Record {
            title: title.as_ref().map(Title::as_str),
            notes: notes.as_ref().map(Notes::as_str),
            set_due: due.is_some(),
            priority: priority.map(Priority::number),
            labels: labels.as_ref().map(Labels::as_slice),
            set_rrule: repeat.is_some(),
            ..record
                .due(due.as_ref().and_then(Option::as_ref))
                .repeat(repeat.as_ref().and_then(Option::as_ref))
        }
    }
}

impl Completion {
    fn record<'a>(&'a self, record: Record<'a>, next: Option<&'a Next>) -> Record<'a> {
        let Self { force, cancel, at, zone: _ } = self;
        let following = next.and_then(|next| next.following.as_ref());
        Record {
            force: *force,
            cancel: *cancel,
            at: *at,
            known: next.map(|next| &next.known),
            next_date: following.map(|following| following.date),
            next_start: following.map(|following| following.start),
            next_number: following.map(|following| following.number),
            ..record
        }
    }
}

impl Destination {
    fn record<'a>(&'a self, record: Record<'a>) -> Record<'a> {
        let Self { list, parent, place } = *self;
        let (after, before) = match place {
            Place::First => (None, None),
            Place::After(other) => (Some(other), None),
            Place::Before(other) => (None, Some(other)),
        };
        let top = parent == Some(None);
        Record { list, parent: parent.flatten(), top, after, before, ..record }
    }
}

impl<'a> Record<'a> {
    fn due(self, due: Option<&'a Due>) -> Self {
        let Columns { date, minute, zone } = due.map(Due::columns).unwrap_or_default();
        Self { due_date: date, due_minute: minute, due_zone: zone, ..self }
    }

    fn repeat(self, repeat: Option<&'a Repetition>) -> Self {
        Self {
            rrule: repeat.map(|repeat| repeat.rule.as_str()),
            rrule_after: repeat.map(|repeat| repeat.after_completion),
            ..self
        }
    }
}
