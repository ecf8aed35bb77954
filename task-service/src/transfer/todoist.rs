//! The CSV that Todoist writes for a project: rows of tasks, sections and notes
//! in the order of the page, steps told by their indent. It has no name for the
//! project, so the tasks go into the list that the caller names.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::{
    Fault,
    check::{Check, DueFields},
    draft::{Draft, Drafts},
    table::{Record, Table},
};
use crate::{
    due::Due,
    task::{Priority, Status},
};

const DUE: DueFields = DueFields { date: "DATE", time: "DATE", zone: "TIMEZONE" };

/// What is read or, like the author, says nothing about the task.
const KNOWN: [&str; 16] = [
    "type",
    "content",
    "description",
    "is_collapsed",
    "priority",
    "indent",
    "author",
    "responsible",
    "date",
    "date_lang",
    "timezone",
    "duration",
    "duration_unit",
    "deadline",
    "deadline_lang",
    "meta",
];

/// The ways to write a day that do not depend on today.
const DAYS: [&str; 4] = ["%Y-%m-%d", "%b %d %Y", "%B %d %Y", "%d %b %Y"];
/// The same with a time.
const TIMES: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%b %d %Y %H:%M",
    "%d %b %Y %H:%M",
];

/// Reads the format.
pub(super) fn read(text: &str, drafts: &mut Drafts) -> Result<(), Fault> {
    let mut table = Table::of(text, &["type", "content"])?;
    for column in table.others(&KNOWN).into_iter().filter(|column| !column.trim().is_empty()) {
        drafts.check(1).note(&column, "This column is not carried over.");
    }
    // The row of the last task at each indent, from 1.
    let mut above: Vec<usize> = Vec::new();
    while let Some(record) = table.next(&mut drafts.report)? {
        let check = &mut drafts.check(record.line);
        match record.cell("type").trim() {
            "task" => {
                if let Some(draft) = read_task(&record, check, &mut above) {
                    drafts.add(draft)?;
                }
            }
            "section" => check.note("TYPE", "Sections are not carried over; their tasks are."),
            "note" => check.note("TYPE", "Comments on tasks are not carried over."),
            // How the project is shown.
            "meta" => {}
            _ => check.note("TYPE", "A row is a task, a section or a note."),
        }
    }
    Ok(())
}

fn read_task(record: &Record<'_>, check: &mut Check<'_>, above: &mut Vec<usize>) -> Option<Draft> {
    let cell = |name: &str| record.cell(name).trim();
    let parent = indent(check, cell("indent"), above);
    above.push(record.line);
    let (title, labels) = labels(cell("content"));
    let title = check.title("CONTENT", &title)?;
    for (column, field) in [("responsible", "RESPONSIBLE"), ("deadline", "DEADLINE")] {
        if !cell(column).is_empty() {
            check.note(field, "This is not carried over.");
        }
    }
    if !matches!(cell("duration"), "" | "None") {
        check.note("DURATION", "This is not carried over.");
    }
    Some(Draft {
        line: record.line,
        key: Some(record.line.to_string()),
        parent: parent.map(|row| ("INDENT", row.to_string())),
        list: None,
        title,
        notes: check.notes("DESCRIPTION", record.cell("description")),
        status: Status::Open,
        due: due(check, cell("date"), cell("timezone")),
        priority: priority(check, cell("priority")),
        labels: check.labels("CONTENT", labels),
        repeat: None,
        created_at: check.moment("", ""),
    })
}

/// The row that a task with this indent is a step of; leaves the rows above it.
fn indent(check: &mut Check<'_>, text: &str, above: &mut Vec<usize>) -> Option<usize> {
    let asked = if text.is_empty() { Some(1) } else { text.parse().ok().filter(|&n| n > 0) };
    let indent: usize = check.keep("INDENT", asked.ok_or("An indent is 1 or more.")).unwrap_or(1);
    if indent > above.len() + 1 {
        check.note("INDENT", "No task above is one indent less; the one above is taken.");
    }
    above.truncate(indent - 1);
    above.last().copied()
}

/// What is to be done, and the words of it that are labels.
fn labels(content: &str) -> (String, Vec<&str>) {
    let is_label = |word: &&str| word.len() > 1 && word.starts_with('@');
    let labels: Vec<&str> = content.split_whitespace().filter(is_label).collect();
    if labels.is_empty() {
        return (content.to_owned(), labels);
    }
    let words: Vec<&str> = content.split_whitespace().filter(|word| !is_label(word)).collect();
    (words.join(" "), labels.into_iter().map(|label| &label[1..]).collect())
}

fn priority(check: &mut Check<'_>, text: &str) -> Priority {
    match text {
        "1" => Priority::High,
        "2" => Priority::Medium,
        "3" => Priority::Low,
        "4" | "" => Priority::None,
        _ => {
            check.note("PRIORITY", "A priority is between 1 and 4.");
            Priority::None
        }
    }
}

fn due(check: &mut Check<'_>, text: &str, zone: &str) -> Option<Due> {
    if text.is_empty() {
        return None;
    }
    let Some((date, time)) = when(text) else {
        check.note("DATE", "Only days of the calendar as 2026-03-09 are carried over.");
        return None;
    };
    check.due_at(&DUE, date, time, time.and(Some(zone)))
}

fn when(text: &str) -> Option<(NaiveDate, Option<NaiveTime>)> {
    let day = |form: &&str| NaiveDate::parse_from_str(text, form).ok().map(|date| (date, None));
    let time = |form: &&str| {
        let at = NaiveDateTime::parse_from_str(text, form).ok()?;
        Some((at.date(), Some(at.time())))
    };
    DAYS.iter().find_map(day).or_else(|| TIMES.iter().find_map(time))
}
