//! Tasks as VTODO components. What RFC 5545 has no property for is in properties
//! of our own, which other programs pass over.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{
    super::{
        Pieces,
        export::{self, Entry, List},
    },
    ANCHOR, CANCELLED, LIST, NUMBER, ORDER, SERIES,
    line::{escape, write},
};
use crate::{
    due::{Columns, Due},
    task::{Priority, Recurrence, Status, Task},
};

/// Writes the format.
pub(in crate::transfer) struct Writer(Pieces);

impl Writer {
    pub(in crate::transfer) fn new() -> Self {
        let mut writer = Self(Pieces::default());
        for line in ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Duet//Tasks//EN"] {
            writer.line(line);
        }
        writer
    }

    fn line(&mut self, line: &str) {
        write(&mut self.0, line);
    }

    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.line(&format!("{name}:{}", escape(text)));
        }
    }

    fn status(&mut self, status: Status) {
        match status {
            Status::Open => self.line("STATUS:NEEDS-ACTION"),
            Status::Done { at } => {
                self.line("STATUS:COMPLETED");
                self.line(&format!("COMPLETED:{}", utc(at)));
            }
            // To many programs a task with COMPLETED is done.
            Status::Cancelled { at } => {
                self.line("STATUS:CANCELLED");
                self.line(&format!("{CANCELLED}:{}", utc(at)));
            }
        }
    }

    fn recurrence(&mut self, recurrence: &Recurrence, due: Option<&Due>, series: Option<usize>) {
        let Recurrence { rule, after_completion, start, number, series: _ } = recurrence;
        // Of the same type as DUE, as the RFC wants it.
        self.line(&format!("DTSTART{}", when(*start, due)));
        self.line(&format!("RRULE:{rule}"));
        self.line(&format!("{NUMBER}:{number}"));
        if *after_completion {
            self.line(&format!("{ANCHOR}:COMPLETION"));
        }
        if let Some(series) = series {
            self.line(&format!("{SERIES}:{series}"));
        }
    }
}

impl export::Writer for Writer {
    fn list(&mut self, _: &List) {}

    fn task(&mut self, entry: &Entry, list: Option<&List>) {
        let Entry { number, parent, series, task } = entry;
        let Task {
            id,
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
            updated_at,
            deleted_at: _,
            revision: _,
        } = task;
        self.line("BEGIN:VTODO");
        self.line(&format!("UID:{}", uid(*id)));
        self.line(&format!("DTSTAMP:{}", utc(*updated_at)));
        self.line(&format!("CREATED:{}", utc(*created_at)));
        self.text("SUMMARY", title);
        self.text("DESCRIPTION", notes);
        self.status(*status);
        if let Some(due) = due {
            self.line(&format!("DUE{}", when(due.date(), Some(due))));
        }
        if let Some(priority) = self::priority(*priority) {
            self.line(&format!("PRIORITY:{priority}"));
        }
        if !labels.is_empty() {
            let labels: Vec<_> = labels.iter().map(|label| escape(label)).collect();
            self.line(&format!("CATEGORIES:{}", labels.join(",")));
        }
        if let Some((_, parent)) = parent {
            self.line(&format!("RELATED-TO:{}", uid(*parent)));
        }
        if let Some(recurrence) = recurrence {
            self.recurrence(recurrence, due.as_ref(), *series);
        }
        self.text(LIST, list.map(|list| list.title.as_str()).unwrap_or_default());
        self.line(&format!("{ORDER}:{number}"));
        self.line("END:VTODO");
    }

    fn end(mut self: Box<Self>) -> Pieces {
        self.line("END:VCALENDAR");
        self.0
    }
}

fn uid(id: Uuid) -> String {
    id.to_string()
}

fn utc(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// What follows the name of a property that holds this day, at the time and in
/// the zone of `due`.
fn when(date: NaiveDate, due: Option<&Due>) -> String {
    let date = date.format("%Y%m%d");
    let Columns { minute, zone, .. } = due.map(Due::columns).unwrap_or_default();
    let Some(minute) = minute else { return format!(";VALUE=DATE:{date}") };
    let time = format!("{:02}{:02}00", minute / 60, minute % 60);
    match zone {
        None => format!(":{date}T{time}"),
        Some("UTC") => format!(":{date}T{time}Z"),
        Some(zone) => format!(";TZID={zone}:{date}T{time}"),
    }
}

fn priority(priority: Priority) -> Option<u8> {
    match priority {
        Priority::None => None,
        Priority::Low => Some(9),
        Priority::Medium => Some(5),
        Priority::High => Some(1),
    }
}
