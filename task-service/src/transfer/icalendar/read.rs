//! Reads VTODO components into drafts; what else there is goes into the report.
//! Properties that begin with X- and are not ours are other programs' own and
//! are passed over, so is what a calendar keeps for itself.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::{
    super::{
        Fault,
        check::{Check, DueFields, Repeating},
        draft::{Draft, Drafts, Repeat},
    },
    ANCHOR, CANCELLED, LIST, NUMBER, ORDER, SERIES,
    line::{Line, unfold},
};
use crate::{
    due::Due,
    task::{Priority, Status},
};

const DUE: DueFields = DueFields { date: "DUE", time: "DUE", zone: "DUE" };

/// How deep components may lie in each other.
const DEEPEST: usize = 8;

/// Properties that say nothing about what is to be done.
const IGNORED: [&str; 6] =
    ["UID", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "CLASS", "PERCENT-COMPLETE"];

/// Where reading has got to.
#[derive(Default)]
struct Reader {
    /// The names of the components that are open.
    open: Vec<String>,
    any: bool,
    /// The lines of the VTODO that is open, and where it began.
    todo: Vec<Line>,
    todo_line: usize,
    /// The zones that the file defines and that name an IANA zone.
    zones: HashMap<String, String>,
    zone: Option<String>,
    /// The tasks, each with its place in the order if it says one.
    drafts: Vec<(i64, Draft)>,
}

/// Reads the format.
pub(in crate::transfer) fn read(text: &str, drafts: &mut Drafts) -> Result<(), Fault> {
    let mut reader = Reader::default();
    let mut last = 1;
    for (number, content) in unfold(text) {
        last = number;
        match Line::parse(number, &content) {
            Some(line) => reader.line(line, drafts)?,
            None if reader.open.is_empty() => return Err(no_calendar(number)),
            None => drafts.check(number).note("", "This line cannot be read."),
        }
    }
    if !reader.open.is_empty() {
        return Err(Fault::at(last, "The file ends too early."));
    }
    if !reader.any {
        return Err(no_calendar(last));
    }
    // Programs write tasks in any order. Ours says which was meant.
    reader.drafts.sort_by_key(|(order, _)| *order);
    reader.drafts.into_iter().try_for_each(|(_, draft)| drafts.add(draft))
}

fn no_calendar(line: usize) -> Fault {
    Fault::at(line, "The file is not iCalendar: it begins with BEGIN:VCALENDAR.")
}

impl Reader {
    fn line(&mut self, line: Line, drafts: &mut Drafts) -> Result<(), Fault> {
        match line.name.as_str() {
            "BEGIN" => self.begin(&line, drafts),
            "END" => self.end(&line, drafts),
            _ if self.open.is_empty() => Err(no_calendar(line.number)),
            _ => {
                self.property(line);
                Ok(())
            }
        }
    }

    fn begin(&mut self, line: &Line, drafts: &mut Drafts) -> Result<(), Fault> {
        let name = line.value.trim().to_ascii_uppercase();
        match (self.open.len(), name.as_str()) {
            (0, "VCALENDAR") => self.any = true,
            (0, _) => return Err(no_calendar(line.number)),
            (1, "VTODO") => (self.todo, self.todo_line) = (Vec::new(), line.number),
            (1, "VTIMEZONE") => self.zone = None,
            (1, _) => {
                let why = "Only the tasks of a calendar (VTODO) are carried over.";
                drafts.check(line.number).note(&name, why);
            }
            (2, _) if self.is_open("VTODO") => {
                let why = if name == "VALARM" {
                    "Reminders are not carried over."
                } else {
                    "This is not carried over."
                };
                drafts.check(line.number).note(&name, why);
            }
            (DEEPEST, _) => return Err(Fault::at(line.number, "Components lie too deep.")),
            _ => {}
        }
        self.open.push(name);
        Ok(())
    }

    fn end(&mut self, line: &Line, drafts: &mut Drafts) -> Result<(), Fault> {
        let name = line.value.trim().to_ascii_uppercase();
        if self.open.last() != Some(&name) {
            return Err(Fault::at(line.number, "A component ends here that did not begin."));
        }
        if self.is_open("VTODO") {
            let todo = std::mem::take(&mut self.todo);
            self.todo(todo, drafts)?;
        }
        self.open.pop();
        Ok(())
    }

    fn property(&mut self, line: Line) {
        if self.is_open("VTODO") {
            self.todo.push(line);
        } else if self.is_open("VTIMEZONE") {
            match line.name.as_str() {
                "TZID" => self.zone = Some(line.value),
                "X-LIC-LOCATION" => {
                    self.zones.extend(self.zone.clone().map(|zone| (zone, line.value)));
                }
                _ => {}
            }
        }
    }

    /// Whether this component of the calendar is open, and none within it.
    fn is_open(&self, name: &str) -> bool {
        matches!(self.open.as_slice(), [_, open] if open == name)
    }

    fn todo(&mut self, lines: Vec<Line>, drafts: &mut Drafts) -> Result<(), Fault> {
        let mut todo = Todo { lines, zones: &self.zones };
        let line = self.todo_line;
        let list = todo.take(LIST);
        let order = todo.take(ORDER).and_then(|line| line.value.trim().parse().ok());
        let Some(mut draft) = todo.draft(line, &mut drafts.check(line)) else { return Ok(()) };
        if let Some(list) = list {
            draft.list = drafts.list_named(list.number, LIST, &list.text())?;
        }
        self.drafts.push((order.unwrap_or(i64::MAX), draft));
        Ok(())
    }
}

/// The properties of a VTODO, which are taken out one by one.
struct Todo<'a> {
    lines: Vec<Line>,
    zones: &'a HashMap<String, String>,
}

impl Todo<'_> {
    fn draft(mut self, line: usize, check: &mut Check<'_>) -> Option<Draft> {
        if self.take("RECURRENCE-ID").is_some() {
            check.note("", "An occurrence that differs from its series is not carried over.");
            return None;
        }
        let key = self.take("UID").map(|line| line.value);
        let title = self.take("SUMMARY").map(|line| line.text()).unwrap_or_default();
        let title = check.title("SUMMARY", &title)?;
        let notes = self.take("DESCRIPTION").map(|line| line.text()).unwrap_or_default();
        let due = self.due(check);
        let draft = Draft {
            line,
            key,
            parent: self.parent().map(|parent| ("RELATED-TO", parent)),
            list: None,
            title,
            notes: check.notes("DESCRIPTION", &notes),
            status: self.status(check),
            priority: self.priority(check),
            labels: self.labels(check),
            repeat: self.repeat(check, due.as_ref()),
            due,
            created_at: self.moment(check, "CREATED"),
        };
        for line in self.lines {
            if !IGNORED.contains(&line.name.as_str()) && !line.name.starts_with("X-") {
                check.at(line.number).note(&line.name, "This is not carried over.");
            }
        }
        Some(draft)
    }

    /// Takes the first property of this name.
    fn take(&mut self, name: &str) -> Option<Line> {
        let found = self.lines.iter().position(|line| line.name == name)?;
        Some(self.lines.remove(found))
    }

    fn parent(&mut self) -> Option<String> {
        let is_parent = |line: &Line| {
            let kind = line.parameter("RELTYPE").unwrap_or("PARENT");
            line.name == "RELATED-TO" && kind.eq_ignore_ascii_case("PARENT")
        };
        let found = self.lines.iter().position(is_parent)?;
        Some(self.lines.remove(found).value)
    }

    fn due(&mut self, check: &mut Check<'_>) -> Option<Due> {
        let line = self.take("DUE")?;
        let mut check = check.at(line.number);
        let Some(moment) = When::parse(&line.value) else {
            check.note("DUE", "This is not a day or a time as 20260309T080000.");
            return None;
        };
        let zone = line.parameter("TZID").filter(|_| moment.time.is_some());
        let zone = zone.map(|zone| self.zones.get(zone).map_or(zone, String::as_str));
        let zone = if moment.utc { Some("UTC") } else { zone };
        check.due_at(&DUE, moment.date, moment.time, zone)
    }

    fn status(&mut self, check: &mut Check<'_>) -> Status {
        let status = self.take("STATUS");
        let word = status.as_ref().map(|line| line.value.to_ascii_uppercase());
        let completed = self.lines.iter().any(|line| line.name == "COMPLETED");
        match word.as_deref() {
            Some("COMPLETED") => Status::Done { at: self.moment(check, "COMPLETED") },
            None if completed => Status::Done { at: self.moment(check, "COMPLETED") },
            Some("CANCELLED") => {
                let ours = self.lines.iter().any(|line| line.name == CANCELLED);
                let since = if ours { CANCELLED } else { "COMPLETED" };
                Status::Cancelled { at: self.moment(check, since) }
            }
            None | Some("NEEDS-ACTION") => Status::Open,
            Some(_) => {
                let number = status.map_or(0, |line| line.number);
                check.at(number).note("STATUS", "There is no such status; it is kept as open.");
                Status::Open
            }
        }
    }

    fn priority(&mut self, check: &mut Check<'_>) -> Priority {
        let Some(line) = self.take("PRIORITY") else { return Priority::None };
        match line.value.trim().parse() {
            Ok(0) => Priority::None,
            Ok(1..=4) => Priority::High,
            Ok(5) => Priority::Medium,
            Ok(6..=9) => Priority::Low,
            _ => {
                check.at(line.number).note("PRIORITY", "A priority is between 0 and 9.");
                Priority::None
            }
        }
    }

    fn labels(&mut self, check: &mut Check<'_>) -> Vec<String> {
        let lines = std::mem::take(&mut self.lines).into_iter();
        let (labels, rest): (Vec<_>, _) = lines.partition(|line| line.name == "CATEGORIES");
        self.lines = rest;
        let labels: Vec<String> = labels.iter().flat_map(Line::texts).collect();
        let labels = labels.iter().map(|label| label.trim()).filter(|label| !label.is_empty());
        check.labels("CATEGORIES", labels)
    }

    fn repeat(&mut self, check: &mut Check<'_>, due: Option<&Due>) -> Option<Repeat> {
        let rule = self.take("RRULE")?;
        let mut check = check.at(rule.number);
        let start = self.take("DTSTART").and_then(|line| When::parse(&line.value));
        let number = self.take(NUMBER).and_then(|line| line.value.trim().parse().ok());
        let anchor = self.take(ANCHOR).map(|line| line.value);
        let repeating = Repeating {
            rule: rule.value.trim(),
            after_completion: anchor.is_some_and(|anchor| anchor == "COMPLETION"),
            // Elsewhere DTSTART is when one begins with a task, and not a day
            // that it is due.
            start: start.filter(|_| number.is_some()).map(|start| start.date),
            number,
            series: self.take(SERIES).map(|line| line.value),
        };
        check.repeat("RRULE", repeating, due)
    }

    /// Takes a moment in the past; now if there is none.
    fn moment(&mut self, check: &mut Check<'_>, name: &str) -> DateTime<Utc> {
        let Some(line) = self.take(name) else { return check.moment(name, "") };
        let mut check = check.at(line.number);
        match When::parse(&line.value) {
            Some(When { date, time, .. }) => {
                let at = date.and_time(time.unwrap_or_default()).and_utc();
                check.past(name, at)
            }
            None => {
                check.note(name, "This is not a time; the present one is taken.");
                check.moment(name, "")
            }
        }
    }
}

/// A DATE or DATE-TIME value.
struct When {
    date: NaiveDate,
    time: Option<NaiveTime>,
    utc: bool,
}

impl When {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (text, utc) = text.strip_suffix('Z').map_or((text, false), |text| (text, true));
        match text.len() {
            8 => {
                let date = NaiveDate::parse_from_str(text, "%Y%m%d").ok()?;
                Some(Self { date, time: None, utc: false })
            }
            15 => {
                let at = NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok()?;
                Some(Self { date: at.date(), time: Some(at.time()), utc })
            }
            _ => None,
        }
    }
}
