//! What `edit` makes of a task: the fields it has then, and the mask that says
//! which of them to write. What is not given stays as it is.

use chrono::NaiveDate;
use prost_types::FieldMask;
use proto::task::v1::{Date, Due, Recurrence, RecurrenceAnchor, Task};

use super::{due, failure::Failure, tasks};
use crate::cli::tasks::Changes;

/// Applies changes to a task. The etag stays with it, so the service refuses
/// the write if the task changed since it was read.
pub(crate) fn apply(changes: &Changes, mut task: Task) -> Result<(Task, FieldMask), Failure> {
    let Changes { title, notes, due, at, zone, all_day, no_due, priority, no_priority, .. } =
        changes;
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
    if *no_priority || priority.is_some() {
        task.priority = priority.map(tasks::priority).unwrap_or_default().into();
        paths.push("priority".to_owned());
    }
    let Changes { labels: added, remove_labels: removed, no_labels, .. } = changes;
    if *no_labels || !added.is_empty() || !removed.is_empty() {
        task.labels.retain(|label| !no_labels && !removed.contains(label));
        task.labels.extend(added.iter().cloned());
        task.labels.sort();
        task.labels.dedup();
        paths.push("labels".to_owned());
    }
    let Changes { repeat, after_completion, after_due, no_repeat, .. } = changes;
    if *no_repeat {
        task.recurrence = None;
        paths.push("recurrence".to_owned());
    } else if repeat.is_some() || *after_completion || *after_due {
        task.recurrence = Some(returns(changes, task.recurrence)?);
        paths.push("recurrence".to_owned());
    }
    Ok((task, FieldMask { paths }))
}

fn returns(changes: &Changes, old: Option<Recurrence>) -> Result<Recurrence, Failure> {
    let after_completion = match &old {
        _ if changes.after_due => false,
        Some(old) if old.anchor() == RecurrenceAnchor::Completion => true,
        _ => changes.after_completion,
    };
    let rule = changes.repeat.clone().or(old.map(|old| old.rrule)).ok_or_else(|| {
        Failure::usage("The task does not come back; say how with --repeat, as --repeat weekly.")
    })?;
    Ok(tasks::recurrence(&rule, after_completion))
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
    use proto::task::v1::Priority;

    use super::*;
    use crate::cli::tasks::Level;

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

    fn changed(changes: &Changes, old: Task, path: &str) -> Task {
        let (task, mask) = apply(changes, old).unwrap();
        assert_eq!(mask.paths, [path]);
        task
    }

    #[test]
    fn labels_are_added_and_removed() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let old = || Task { labels: words(&["b", "c"]), ..task() };
        for (add, remove, clear, expected) in [
            (&["a", "b"][..], &[][..], false, &["a", "b", "c"][..]),
            (&["a"], &["b", "x"], false, &["a", "c"]),
            (&["a"], &[], true, &["a"]),
            (&[], &[], true, &[]),
        ] {
            let changes = Changes {
                labels: words(add),
                remove_labels: words(remove),
                no_labels: clear,
                ..Changes::default()
            };
            assert_eq!(changed(&changes, old(), "labels").labels, expected);
        }
    }

    #[test]
    fn a_priority_is_set_and_taken_away() {
        let high = Changes { priority: Some(Level::High), ..Changes::default() };
        let task = changed(&high, task(), "priority");
        assert_eq!(task.priority(), Priority::High);
        let none = Changes { no_priority: true, ..Changes::default() };
        assert_eq!(changed(&none, task, "priority").priority(), Priority::Unspecified);
    }

    #[test]
    fn parts_of_a_recurrence_change_alone() {
        let nothing = Changes::default;
        let rule = |text: &str| Some(text.to_owned());
        let weekly = Changes { repeat: rule("FREQ=WEEKLY"), after_completion: true, ..nothing() };
        let task = changed(&weekly, task(), "recurrence");
        let told = |task: &Task| {
            let recurrence = task.recurrence.clone().unwrap();
            (recurrence.anchor() == RecurrenceAnchor::Completion, recurrence.rrule)
        };
        assert_eq!(told(&task), (true, "FREQ=WEEKLY".to_owned()));
        let daily = Changes { repeat: rule("FREQ=DAILY"), ..nothing() };
        let task = changed(&daily, task, "recurrence");
        assert_eq!(told(&task), (true, "FREQ=DAILY".to_owned()));
        let task = changed(&Changes { after_due: true, ..nothing() }, task, "recurrence");
        assert_eq!(told(&task), (false, "FREQ=DAILY".to_owned()));
        let task = changed(&Changes { no_repeat: true, ..nothing() }, task, "recurrence");
        assert_eq!(task.recurrence, None);
        let after = Changes { after_completion: true, ..nothing() };
        assert_eq!(apply(&after, task).unwrap_err().exit(), 64);
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
