//! Our own format, version 1: everything that a user has, and nothing that
//! belongs to the account. Each list and each task is an object on a line of its
//! own.
//!
//! Invariant: the same lists and tasks always give the same bytes. Ids are places
//! in the file, order is the manual one, fields that say nothing are left out.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Fault, Pieces,
    check::{Check, DueFields, Repeating},
    draft::{Draft, DraftList, Drafts, Repeat},
    export::{self, Entry, List},
    object::{self, Object},
    words::{self, clock, moment},
};
use crate::{
    due::{Columns, Due},
    task::{Recurrence, Task},
};

const FORMAT: &str = "duet-tasks";
const VERSION: u64 = 1;

const DUE: DueFields = DueFields { date: "due.date", time: "due.time", zone: "due.zone" };

/// Writes the format.
pub(super) struct Writer {
    file: Pieces,
    /// Whether tasks are being written, and whether there was an item before.
    tasks: bool,
    any: bool,
}

#[derive(Serialize)]
struct ListLine<'a> {
    id: usize,
    title: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    archived: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
struct TaskLine<'a> {
    id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<usize>,
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    notes: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    complete_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<DueLine<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    priority: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    labels: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrence: Option<RecurrenceLine<'a>>,
    create_time: String,
}

#[derive(Serialize)]
struct DueLine<'a> {
    date: NaiveDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
}

#[derive(Serialize)]
struct RecurrenceLine<'a> {
    rrule: &'a str,
    anchor: &'static str,
    start: NaiveDate,
    number: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<usize>,
}

impl Writer {
    pub(super) fn new() -> Self {
        let mut file = Pieces::default();
        file.push(&format!("{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\n\"lists\":["));
        Self { file, tasks: false, any: false }
    }

    fn line(&mut self, line: &impl Serialize) {
        self.file.push(if self.any { ",\n" } else { "\n" });
        self.any = true;
        // Text and numbers can always be written.
        self.file.push(&serde_json::to_string(line).unwrap_or_default());
    }

    fn begin_tasks(&mut self) {
        if !self.tasks {
            self.file.push("\n],\n\"tasks\":[");
            (self.tasks, self.any) = (true, false);
        }
    }
}

impl export::Writer for Writer {
    fn list(&mut self, list: &List) {
        let List { number, title, archived } = list;
        self.line(&ListLine { id: *number, title, archived: *archived });
    }

    fn task(&mut self, entry: &Entry, list: Option<&List>) {
        self.begin_tasks();
        let Entry { number, parent, series, task } = entry;
        let Task { title, notes, status, due, priority, labels, recurrence, created_at, .. } = task;
        let recurrence = recurrence.as_ref().map(|recurrence| {
            let Recurrence { rule, after_completion, start, number, series: _ } = recurrence;
            let anchor = words::anchor(*after_completion);
            RecurrenceLine { rrule: rule, anchor, start: *start, number: *number, series: *series }
        });
        let (status, complete_time) = words::status(*status);
        self.line(&TaskLine {
            id: *number,
            parent: parent.map(|(number, _)| number),
            list: list.map(|list| list.number),
            title,
            notes,
            status,
            complete_time: complete_time.map(moment),
            due: due.as_ref().map(due_line),
            priority: words::priority(*priority),
            labels,
            recurrence,
            create_time: moment(*created_at),
        });
    }

    fn end(mut self: Box<Self>) -> Pieces {
        self.begin_tasks();
        self.file.push("\n]}\n");
        self.file
    }
}

fn due_line(due: &Due) -> DueLine<'_> {
    let Columns { date, minute, zone } = due.columns();
    DueLine { date: date.unwrap_or_default(), time: minute.map(clock), zone }
}

#[derive(Deserialize)]
struct File<'a> {
    format: String,
    version: u64,
    #[serde(borrow)]
    lists: Option<&'a RawValue>,
    #[serde(borrow)]
    tasks: Option<&'a RawValue>,
}

/// Reads the format.
pub(super) fn read(text: &str, drafts: &mut Drafts) -> Result<(), Fault> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    if file.format != FORMAT {
        return Err(Fault::at(1, "The file does not say that it holds tasks of Duet."));
    }
    if file.version != VERSION {
        return Err(Fault::at(1, format!("Version {} of the format is not known.", file.version)));
    }
    let mut lists = HashMap::new();
    if let Some(raw) = file.lists {
        for (line, raw) in object::parts(text, raw, "lists")? {
            read_list(line, raw, drafts, &mut lists)?;
        }
    }
    if let Some(raw) = file.tasks {
        for (line, raw) in object::parts(text, raw, "tasks")? {
            if let Some(draft) = read_task(line, raw, drafts, &lists) {
                drafts.add(draft)?;
            }
        }
    }
    Ok(())
}

/// What is wrong with a file that cannot be read as JSON.
pub(super) fn unreadable(error: &serde_json::Error) -> Fault {
    use serde_json::error::Category;
    let reason = match error.classify() {
        Category::Eof => "The file ends too early.",
        Category::Syntax | Category::Io => "The file is not JSON.",
        Category::Data => "The file is JSON, but does not hold what it should.",
    };
    Fault::at(error.line(), reason)
}

fn read_list(
    line: usize,
    raw: &RawValue,
    drafts: &mut Drafts,
    lists: &mut HashMap<i64, usize>,
) -> Result<(), Fault> {
    let mut check = drafts.check(line);
    let Some(mut object) = check.keep("", Object::read(line, raw).ok_or("This is no list.")) else {
        return Ok(());
    };
    let id = object.number(&mut check, "id");
    let archived = object.flag(&mut check, "archived");
    let title = object.text(&mut check, "title");
    let title = check.list_title("title", &title);
    object.end(&mut check);
    let Some(title) = title else { return Ok(()) };
    let list = drafts.add_list(DraftList { title, archived })?;
    if let Some(id) = id {
        lists.entry(id).or_insert(list);
    }
    Ok(())
}

fn read_task(
    line: usize,
    raw: &RawValue,
    drafts: &mut Drafts,
    lists: &HashMap<i64, usize>,
) -> Option<Draft> {
    let mut check = drafts.check(line);
    let check = &mut check;
    let mut object = check.keep("", Object::read(line, raw).ok_or("This is no task."))?;
    let title = object.text(check, "title");
    let title = check.title("title", &title)?;
    let notes = object.text(check, "notes");
    let (status, since) = (object.text(check, "status"), object.text(check, "complete_time"));
    let status = words::read_status(check, ("status", &status), ("complete_time", &since));
    let due = object.object(check, "due").and_then(|due| read_due(check, due));
    let priority = object.text(check, "priority");
    let labels = object.texts(check, "labels");
    let recurrence = object.object(check, "recurrence");
    let created = object.text(check, "create_time");
    let list = object.number(check, "list").and_then(|id| {
        let list = lists.get(&id).copied();
        check.keep("list", list.ok_or("This list is not there; it is taken as none."))
    });
    let key = object.number(check, "id").map(|id| id.to_string());
    let parent = object.number(check, "parent").map(|id| ("parent", id.to_string()));
    let draft = Draft {
        line,
        key,
        parent,
        list,
        title,
        notes: check.notes("notes", &notes),
        status,
        priority: words::read_priority(check, "priority", &priority),
        labels: check.labels("labels", labels.iter().map(String::as_str)),
        repeat: recurrence.and_then(|object| read_recurrence(check, object, due.as_ref())),
        due,
        created_at: check.moment("create_time", &created),
    };
    object.end(check);
    Some(draft)
}

fn read_due(check: &mut Check<'_>, mut object: Object) -> Option<Due> {
    let [date, time, zone] = ["date", "time", "zone"].map(|name| object.text(check, name));
    object.end(check);
    check.due(&DUE, &date, &time, &zone)
}

fn read_recurrence(check: &mut Check<'_>, mut object: Object, due: Option<&Due>) -> Option<Repeat> {
    let [rule, anchor, start] = ["rrule", "anchor", "start"].map(|name| object.text(check, name));
    let number = object.number(check, "number");
    let series = object.number(check, "series").map(|series| series.to_string());
    object.end(check);
    let repeating = Repeating {
        rule: &rule,
        after_completion: words::read_anchor(check, "recurrence.anchor", &anchor),
        start: check.day("recurrence.start", &start),
        number,
        series,
    };
    check.repeat("recurrence", repeating, due)
}
