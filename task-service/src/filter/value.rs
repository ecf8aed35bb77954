//! The values that stand in a filter: of which kind each is, and what was
//! expected where it is none of that kind.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use shared::name::{self, Who};
use uuid::Uuid;

use super::day::{Day, Moment};
use crate::{
    task::{INBOX, Priority},
    wire::{INBOX_ID, LISTS},
};

/// The farthest that `days(n)` reaches: a hundred years.
const MAX_DAYS: i64 = 36_525;
const LIST: &str = "expected a list: inbox, an id, or a name such as users/me/lists/inbox.";
const TASK: &str = "expected a task: an id, or a name such as users/me/tasks/{id}.";
const DATE: &str = "expected a date such as 2026-11-21, today() or days(7).";
const TIME: &str = "expected a time such as 2026-11-21T09:00:00Z, or a date such as 2026-11-21, \
                    today() or days(7).";

/// What stands after a comparison's sign.
#[derive(Clone, Debug)]
pub(super) enum Argument {
    Value(Value),
    /// So many days after today.
    Today {
        days: i64,
    },
}

/// What was written for a value.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) quoted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Open,
    Done,
    Cancelled,
}

/// A list or a task, and under which user it was named, if under any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) id: Uuid,
    pub(super) owner: Option<Who>,
}

impl Argument {
    /// The number in `days(n)`.
    pub(super) fn days(self) -> Option<i64> {
        let Self::Value(Value { text, quoted: false }) = self else { return None };
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let days: i64 =
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())??;
        (-MAX_DAYS..=MAX_DAYS).contains(&days).then_some(days)
    }

    /// The star of a presence test.
    pub(super) fn is_star(&self) -> bool {
        matches!(self, Self::Value(Value { text, quoted: false }) if text == "*")
    }

    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Value(value) => Some(value.text),
            Self::Today { .. } => None,
        }
    }
}

pub(super) fn status(argument: Argument) -> Result<Status, &'static str> {
    match argument.text().as_deref() {
        Some("OPEN") => Ok(Status::Open),
        Some("DONE") => Ok(Status::Done),
        Some("CANCELLED") => Ok(Status::Cancelled),
        _ => Err("expected OPEN, DONE or CANCELLED."),
    }
}

pub(super) fn priority(argument: Argument) -> Result<Priority, &'static str> {
    match argument.text().as_deref() {
        Some("LOW") => Ok(Priority::Low),
        Some("MEDIUM") => Ok(Priority::Medium),
        Some("HIGH") => Ok(Priority::High),
        _ => Err("expected LOW, MEDIUM or HIGH."),
    }
}

pub(super) fn something(text: String) -> Result<String, &'static str> {
    if text.is_empty() { Err("expected something between the quotes.") } else { Ok(text) }
}

pub(super) fn reference(collection: &str, argument: Argument) -> Result<Reference, &'static str> {
    let expected = if collection == LISTS { LIST } else { TASK };
    let text = argument.text().ok_or(expected)?;
    if let Some(id) = inbox_or_id(collection, &text) {
        return Ok(Reference { id, owner: None });
    }
    let word = (collection == LISTS).then_some((INBOX_ID, INBOX));
    name::parse_member_or(collection, word, &text)
        .map(|(who, id)| Reference { id, owner: Some(who) })
        .map_err(|_| expected)
}

/// An id without a name around it.
fn inbox_or_id(collection: &str, text: &str) -> Option<Uuid> {
    if collection == LISTS && text == INBOX_ID {
        return Some(INBOX);
    }
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

pub(super) fn day(argument: Argument) -> Result<Day, &'static str> {
    match argument {
        Argument::Today { days } => Ok(Day::Today { days }),
        Argument::Value(value) => date(&value.text).map(Day::On).ok_or(DATE),
    }
}

pub(super) fn moment(argument: Argument) -> Result<Moment, &'static str> {
    if let Argument::Value(value) = &argument
        && let Ok(at) = DateTime::parse_from_rfc3339(&value.text)
    {
        return in_microseconds(at.to_utc()).map(Moment::At);
    }
    day(argument).map(Moment::Start).map_err(|_| TIME)
}

/// `YYYY-MM-DD`, in the years that a due date can be in.
fn date(text: &str) -> Option<NaiveDate> {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    let is_written = text.len() == 10 && text.bytes().enumerate().all(shape);
    let date: Option<NaiveDate> = is_written.then(|| text.parse().ok()).flatten();
    date.filter(|date| date.year() >= 1)
}

/// Times are kept in microseconds; what is finer would compare as something
/// else than it says.
fn in_microseconds(at: DateTime<Utc>) -> Result<DateTime<Utc>, &'static str> {
    if at.timestamp_subsec_nanos().is_multiple_of(1_000) {
        Ok(at)
    } else {
        Err("a second has at most six digits after the point.")
    }
}
