//! A table for spreadsheets: a task a row, a header above.
//!
//! Invariant: no cell begins like a formula. Where one would, an apostrophe
//! stands before it, and is taken away again when the table is read.

use std::borrow::Cow;

use super::{
    Fault, Pieces,
    check::{Check, DueFields, Repeating},
    draft::{Draft, Drafts},
    export::{self, Entry, List},
    table::{Record, Table},
    words::{self, clock, moment},
};
use crate::{
    due::{Columns, Due},
    task::{Recurrence, Task},
};

const HEADER: [&str; 17] = [
    "id",
    "parent",
    "list",
    "title",
    "notes",
    "status",
    "complete_time",
    "due_date",
    "due_time",
    "due_zone",
    "priority",
    "labels",
    "rrule",
    "rrule_anchor",
    "rrule_start",
    "rrule_number",
    "create_time",
];

const DUE: DueFields = DueFields { date: "due_date", time: "due_time", zone: "due_zone" };

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// Writes the format.
pub(super) struct Writer(Pieces);

impl Writer {
    pub(super) fn new() -> Self {
        let mut writer = Self(Pieces::default());
        writer.row(HEADER.map(Cow::Borrowed));
        writer
    }

    fn row(&mut self, cells: [Cow<'_, str>; HEADER.len()]) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                self.0.push(",");
            }
            let cell = harmless(cell);
            if cell.contains([',', '"', '\r', '\n']) {
                self.0.push(&format!("\"{}\"", cell.replace('"', "\"\"")));
            } else {
                self.0.push(&cell);
            }
        }
        self.0.push("\r\n");
    }
}

impl export::Writer for Writer {
    fn list(&mut self, _: &List) {}

    fn task(&mut self, entry: &Entry, list: Option<&List>) {
        let Entry { number, parent, series: _, task } = entry;
        let Task {
            id: _,
            title,
            notes,
            status,
            due,
            list: _,
            parent: _,
            priority,
            labels,
            position: _,
            recurrence,
            created_at,
            updated_at: _,
            deleted_at: _,
            revision: _,
        } = task;
        let (status, completed) = words::status(*status);
        let Columns { date, minute, zone } = due.as_ref().map(Due::columns).unwrap_or_default();
        let recurring = |show: fn(&Recurrence) -> String| {
            recurrence.as_ref().map(show).unwrap_or_default().into()
        };
        self.row([
            number.to_string().into(),
            parent.map(|(number, _)| number.to_string()).unwrap_or_default().into(),
            list.map(|list| list.title.as_str()).unwrap_or_default().into(),
            title.into(),
            notes.into(),
            status.into(),
            completed.map(moment).unwrap_or_default().into(),
            date.map(|date| date.to_string()).unwrap_or_default().into(),
            minute.map(clock).unwrap_or_default().into(),
            zone.unwrap_or_default().into(),
            words::priority(*priority).into(),
            join(labels).into(),
            recurring(|recurrence| recurrence.rule.clone()),
            recurring(|recurrence| words::anchor(recurrence.after_completion).to_owned()),
            recurring(|recurrence| recurrence.start.to_string()),
            recurring(|recurrence| recurrence.number.to_string()),
            moment(*created_at).into(),
        ]);
    }

    fn end(self: Box<Self>) -> Pieces {
        self.0
    }
}

/// Whether a cell begins like a formula, apostrophes before it not counted.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA)
}

fn harmless(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { format!("'{cell}").into() } else { cell.into() }
}

fn as_meant(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Labels in one cell: semicolons between them, a backslash before every
/// semicolon and backslash in them.
fn join(labels: &[String]) -> String {
    let labels = labels.iter().map(|label| label.replace('\\', "\\\\").replace(';', "\\;"));
    labels.collect::<Vec<_>>().join(";")
}

fn split(cell: &str) -> Vec<String> {
    let mut labels = vec![String::new()];
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        match c {
            ';' => labels.push(String::new()),
            c => {
                let c = if c == '\\' { chars.next().unwrap_or(c) } else { c };
                labels.last_mut().into_iter().for_each(|label| label.push(c));
            }
        }
    }
    labels
}

/// Reads the format.
pub(super) fn read(text: &str, drafts: &mut Drafts) -> Result<(), Fault> {
    let mut table = Table::of(text, &["title"])?;
    for column in table.others(&HEADER) {
        drafts.check(1).note(&column, "This column is not carried over.");
    }
    while let Some(record) = table.next(&mut drafts.report)? {
        let Some(mut draft) = read_task(&record, &mut drafts.check(record.line)) else { continue };
        draft.list = drafts.list_named(record.line, "list", as_meant(record.cell("list")))?;
        drafts.add(draft)?;
    }
    Ok(())
}

fn read_task(record: &Record<'_>, check: &mut Check<'_>) -> Option<Draft> {
    let cell = |name: &str| as_meant(record.cell(name));
    let short = |name: &str| cell(name).trim();
    let title = check.title("title", cell("title"))?;
    let [date, time, zone] = [DUE.date, DUE.time, DUE.zone].map(short);
    let due = check.due(&DUE, date, time, zone);
    let labels = split(cell("labels"));
    let labels = labels.iter().map(|label| label.trim()).filter(|label| !label.is_empty());
    let repeating = Repeating {
        rule: short("rrule"),
        after_completion: words::read_anchor(check, "rrule_anchor", short("rrule_anchor")),
        start: check.day("rrule_start", short("rrule_start")),
        number: number(check, "rrule_number", short("rrule_number")),
        series: None,
    };
    let since = ("complete_time", short("complete_time"));
    let key = |name: &str| Some(short(name)).filter(|key| !key.is_empty()).map(str::to_owned);
    Some(Draft {
        line: record.line,
        key: key("id"),
        parent: key("parent").map(|parent| ("parent", parent)),
        list: None,
        title,
        notes: check.notes("notes", cell("notes")),
        status: words::read_status(check, ("status", short("status")), since),
        priority: words::read_priority(check, "priority", short("priority")),
        labels: check.labels("labels", labels),
        repeat: if repeating.rule.is_empty() {
            None
        } else {
            check.repeat("rrule", repeating, due.as_ref())
        },
        due,
        created_at: check.moment("create_time", short("create_time")),
    })
}

fn number(check: &mut Check<'_>, field: &str, text: &str) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    check.keep(field, text.parse().map_err(|_| "This is not a whole number."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_harmless_and_comes_back() {
        for formula in ["=1+1", "+1", "-1", "@a", "\tb", "\rc", "\n=1", "'=1", "''@x"] {
            let cell = harmless(formula);
            assert!(cell.starts_with('\''), "{formula:?}");
            assert_eq!(as_meant(&cell), formula);
        }
        for text in ["", "a=1", "'", "'quoted'", "''", "1-1", " =1"] {
            assert_eq!(harmless(text), text);
            assert_eq!(as_meant(text), text);
        }
    }

    #[test]
    fn labels_come_back_from_their_cell() {
        for labels in [&[] as &[&str], &["a"], &["a;b", "c\\", "d"], &["\\;", ";"], &["a, b"]] {
            let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
            let split = split(&join(&labels));
            assert_eq!(
                split.into_iter().filter(|label| !label.is_empty()).collect::<Vec<_>>(),
                labels
            );
        }
    }
}
