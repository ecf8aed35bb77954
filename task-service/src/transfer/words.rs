//! The words that our own formats use for what is not a text: status, priority,
//! anchor, times. Written in one way, and read as leniently as is safe.

use chrono::{DateTime, SecondsFormat, Utc};

use super::check::Check;
use crate::task::{Priority, Status};

/// The minute of a day as `14:30`.
pub(super) fn clock(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// A moment as RFC 3339 writes it.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// A status in a word, and since when.
pub(super) fn status(status: Status) -> (&'static str, Option<DateTime<Utc>>) {
    match status {
        Status::Open => ("open", None),
        Status::Done { at } => ("done", Some(at)),
        Status::Cancelled { at } => ("cancelled", Some(at)),
    }
}

/// A priority in a word, empty for none.
pub(super) fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::None => "",
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
    }
}

/// What the next occurrence is counted from, in a word.
pub(super) fn anchor(after_completion: bool) -> &'static str {
    if after_completion { "completion" } else { "due" }
}

/// Reads a status and since when it holds.
pub(super) fn read_status(
    check: &mut Check<'_>,
    (field, word): (&str, &str),
    (time_field, time): (&str, &str),
) -> Status {
    match word.to_ascii_lowercase().as_str() {
        "done" => Status::Done { at: check.moment(time_field, time) },
        "cancelled" => Status::Cancelled { at: check.moment(time_field, time) },
        "open" | "" => {
            if !time.is_empty() {
                check.note(time_field, "A task that is open was not completed.");
            }
            Status::Open
        }
        _ => {
            check.note(field, "A status is open, done or cancelled; it is kept as open.");
            Status::Open
        }
    }
}

/// Reads a priority.
pub(super) fn read_priority(check: &mut Check<'_>, field: &str, word: &str) -> Priority {
    let word = word.to_ascii_lowercase();
    let found = Priority::ALL.into_iter().find(|&known| priority(known) == word);
    check.keep(field, found.ok_or("A priority is low, medium or high.")).unwrap_or_default()
}

/// Reads whether the next occurrence is counted from completion.
pub(super) fn read_anchor(check: &mut Check<'_>, field: &str, word: &str) -> bool {
    match word {
        "completion" => true,
        "due" | "" => false,
        _ => {
            check.note(field, "It is counted from due or from completion; due is taken.");
            false
        }
    }
}
