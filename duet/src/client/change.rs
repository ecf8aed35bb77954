//! What `edit` makes of a task: the fields it has then, and the mask that says
//! which of them to write. What is not given stays as it is.

use chrono::NaiveDate;
use prost_types::FieldMask;
use proto::task::v1::{Date, Due, Task};

use super::{due, failure::Failure};
use crate::cli::Changes;

/// Applies changes to a task. The etag stays with it, so the service refuses
/// the write if the task changed since it was read.
pub(crate) fn apply(changes: &Changes, mut task: Task) -> Result<(Task, FieldMask), Failure> {
    let Changes { title, notes, due, at, zone, all_day, no_due } = changes;
    let mut paths = Vec::new();
    if let Some(title) = title {
        task.title.clone_from(title);
        paths.push("title".to_owned());
    }
    if let Some(notes) = notes {
        task.notes.clone_from(notes);
        paths.push("notes".to_owned());
    }
    if *no_due {
        task.due = None;
        paths.push("due".to_owned());
    } else if due.is_some() || at.is_some() || zone.is_some() || *all_day {
        task.due = Some(merge(changes, task.due)?);
        paths.push("due".to_owned());
    }
    Ok((task, FieldMask { paths }))
}

fn merge(changes: &Changes, old: Option<Due>) -> Result<Due, Failure> {
    let Due { date, minute_of_day, time_zone } = old.unwrap_or_default();
    let day = changes.due.or_else(|| date.and_then(day)).ok_or_else(|| {
        Failure::usage("The task is not due on any day; name one with --due 2026-12-24.")
    })?;
    if changes.all_day {
        return Ok(due::new(day, None, None));
    }
    let minute = changes.at.or(minute_of_day);
    let zone = changes.zone.as_ref().unwrap_or(&time_zone);
    if minute.is_none() && !zone.is_empty() {
        return Err(Failure::usage(
            "A time zone needs a time of the day; name one with --at 18:00.",
        ));
    }
    Ok(due::new(day, minute, Some(zone)))
}

fn day(Date { year, month, day }: Date) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Task {
        Task {
            title: "Milk".to_owned(),
            notes: "Two".to_owned(),
            due: Some(due::new(due::date("2026-12-24").unwrap(), Some(1080), Some("Europe/Paris"))),
            etag: "\"3\"".to_owned(),
            ..Task::default()
        }
    }

    fn due_after(changes: &Changes) -> String {
        let (task, mask) = apply(changes, task()).unwrap();
        assert_eq!(mask.paths, ["due"]);
        task.due.as_ref().map(due::text).unwrap_or_default()
    }

    #[test]
    fn only_what_is_given_is_written() {
        let changes = Changes { title: Some("Tea".to_owned()), ..Changes::default() };
        let (changed, mask) = apply(&changes, task()).unwrap();
        assert_eq!(mask.paths, ["title"]);
        assert_eq!(changed, Task { title: "Tea".to_owned(), ..task() });

        let changes = Changes { notes: Some(String::new()), ..Changes::default() };
        let (changed, mask) = apply(&changes, task()).unwrap();
        assert_eq!(mask.paths, ["notes"]);
        assert_eq!(changed.notes, "");
    }

    #[test]
    fn parts_of_a_due_change_alone() {
        let day = due::date("2027-01-02").ok();
        let nothing = Changes::default;
        let to = due_after(&Changes { due: day, ..nothing() });
        assert_eq!(to, "2027-01-02 18:00 Europe/Paris");
        let to = due_after(&Changes { at: Some(0), ..nothing() });
        assert_eq!(to, "2026-12-24 00:00 Europe/Paris");
        let to = due_after(&Changes { zone: Some(String::new()), ..nothing() });
        assert_eq!(to, "2026-12-24 18:00");
        assert_eq!(due_after(&Changes { all_day: true, ..nothing() }), "2026-12-24");
        assert_eq!(due_after(&Changes { no_due: true, ..nothing() }), "");
    }

    #[test]
    fn a_time_needs_a_day_and_a_zone_needs_a_time() {
        let at = Changes { at: Some(0), ..Changes::default() };
        assert_eq!(apply(&at, Task::default()).unwrap_err().exit(), 64);
        let zone = Changes {
            due: due::date("2026-12-24").ok(),
            zone: Some("Europe/Paris".to_owned()),
            ..Changes::default()
        };
        assert_eq!(apply(&zone, Task::default()).unwrap_err().exit(), 64);
    }
}
