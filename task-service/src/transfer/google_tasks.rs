//! The JSON of Google Tasks, as Google Takeout writes it: lists with their tasks
//! as items. Every list becomes a list. Google keeps no time with a due date.

use chrono::{DateTime, NaiveDate};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Fault,
    check::{Check, DueFields},
    draft::{Draft, DraftList, Drafts},
    json::unreadable,
    object::{self, Object},
};
use crate::{
    due::Due,
    task::{Priority, Status},
};

const DUE: DueFields = DueFields { date: "due", time: "due", zone: "due" };

/// Fields that say nothing about what is to be done. `hidden` ones are done.
const IGNORED: [&str; 9] = [
    "kind",
    "etag",
    "updated",
    "selfLink",
    "webViewLink",
    "hidden",
    "task_type",
    "assignmentInfo",
    "position",
];

#[derive(Deserialize)]
struct File<'a> {
    kind: String,
    #[serde(borrow)]
    items: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(default)]
    title: String,
    #[serde(borrow)]
    items: Option<&'a RawValue>,
}

/// What decides where an item stands.
#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    position: String,
}

/// Reads the format.
pub(super) fn read(text: &str, drafts: &mut Drafts) -> Result<(), Fault> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
    if file.kind != "tasks#taskLists" {
        return Err(Fault::at(1, "The file does not say that it holds lists of Google Tasks."));
    }
    let Some(raw) = file.items else { return Ok(()) };
    for (line, raw) in object::parts(text, raw, "items")? {
        match serde_json::from_str(raw.get()) {
            Ok(list) => read_list(text, line, &list, drafts)?,
            Err(_) => drafts.check(line).note("", "This is no list."),
        }
    }
    Ok(())
}

fn read_list(text: &str, line: usize, list: &List<'_>, drafts: &mut Drafts) -> Result<(), Fault> {
    let place = match drafts.check(line).list_title("title", &list.title) {
        Some(title) => Some(drafts.add_list(DraftList { title, archived: false })?),
        None => None,
    };
    let Some(raw) = list.items else { return Ok(()) };
    let mut items = object::parts(text, raw, "items")?;
    // Takeout writes them in any order.
    items.sort_by_cached_key(|(_, raw)| {
        serde_json::from_str(raw.get())
            .map_or_else(|_| String::new(), |place: Place| place.position)
    });
    for (line, raw) in items {
        if let Some(draft) = read_task(line, raw, &mut drafts.check(line)) {
            drafts.add(Draft { list: place, ..draft })?;
        }
    }
    Ok(())
}

fn read_task(line: usize, raw: &RawValue, check: &mut Check<'_>) -> Option<Draft> {
    let mut object = check.keep("", Object::read(line, raw).ok_or("This is no task."))?;
    if object.flag(check, "deleted") {
        check.note("deleted", "Tasks that were deleted are not carried over.");
        return None;
    }
    let title = object.text(check, "title");
    let title = check.title("title", &title)?;
    let [id, parent] = ["id", "parent"].map(|name| object.text(check, name));
    let [notes, due, created] = ["notes", "due", "created"].map(|name| object.text(check, name));
    let draft = Draft {
        line,
        key: Some(id).filter(|id| !id.is_empty()),
        parent: Some(parent).filter(|id| !id.is_empty()).map(|parent| ("parent", parent)),
        list: None,
        title,
        notes: check.notes("notes", &notes),
        status: status(check, &mut object),
        due: self::due(check, &due),
        priority: Priority::None,
        labels: Vec::new(),
        repeat: None,
        created_at: check.moment("created", &created),
    };
    object.ignore(&IGNORED);
    object.end(check);
    Some(draft)
}

fn status(check: &mut Check<'_>, object: &mut Object) -> Status {
    let (status, completed) = (object.text(check, "status"), object.text(check, "completed"));
    match status.as_str() {
        "completed" => Status::Done { at: check.moment("completed", &completed) },
        "needsAction" | "" => Status::Open,
        _ => {
            check.note("status", "There is no such status; it is kept as open.");
            Status::Open
        }
    }
}

fn due(check: &mut Check<'_>, text: &str) -> Option<Due> {
    if text.is_empty() {
        return None;
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    let day = day.or_else(|_| DateTime::parse_from_rfc3339(text).map(|at| at.date_naive()));
    let day = check.keep("due", day.map_err(|_| "This is not a day in the calendar."))?;
    check.due_at(&DUE, day, None, None)
}
