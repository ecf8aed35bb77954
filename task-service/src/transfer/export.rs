//! What is taken out of an account: one call reads everything as of one moment,
//! and each row is written into the file as it arrives.
//!
//! Invariant: rows are never held all at once, only the file that they become.

use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use shared::database::{Database, Lease, Repeat};
use uuid::Uuid;

use super::{Format, Pieces, csv, icalendar, json};
use crate::{
    error::Error,
    row::{row, task_query},
    task::Task,
};

/// A list, as files show it.
pub(super) struct List {
    /// Its place among the lists, from 1.
    pub(super) number: usize,
    pub(super) title: String,
    pub(super) archived: bool,
}

/// A task, as files show it.
pub(super) struct Entry {
    /// Its place among the tasks, from 1.
    pub(super) number: i64,
    /// That of its parent.
    pub(super) parent: Option<(i64, Uuid)>,
    /// The place of its series among those of the file, from 1.
    pub(super) series: Option<usize>,
    pub(super) task: Task,
}

/// What writes a format. First come the lists, then the tasks, both in order.
pub(super) trait Writer: Send {
    /// Writes a list; the inbox is none.
    fn list(&mut self, list: &List);
    /// Writes a task of a list; None for the inbox.
    fn task(&mut self, entry: &Entry, list: Option<&List>);
    /// Ends the file.
    fn end(self: Box<Self>) -> Pieces;
}

/// Writes everything that a user has into a file.
///
/// # Errors
/// `Database`, `Impossible`.
pub async fn export(database: &Database, user: Uuid, format: Format) -> Result<Pieces, Error> {
    let call = async |mut connection: Lease| {
        let mut export = Export::new(format);
        let mut rows = task_query!(
            "list_id as new_list, list_title, list_archived, task_id,"
            "api.export_tasks($1)",
            user
        )
        .fetch(&mut *connection);
        while let Some(record) = rows.try_next().await? {
            if let (Some(id), Some(title), Some(archived)) =
                (record.new_list, record.list_title, record.list_archived)
            {
                export.list(id, title, archived);
                continue;
            }
            match record.task_id {
                Some(id) => export.number(id),
                None => export.task(row!(record).task()),
            }
        }
        Ok(export)
    };
    database.call(Repeat::Safe, call).await?.end()
}

/// A file that is being written.
struct Export {
    writer: Box<dyn Writer>,
    lists: HashMap<Uuid, List>,
    /// The place of every task, from 1.
    numbers: HashMap<Uuid, i64>,
    next_number: i64,
    series: HashMap<Uuid, usize>,
    /// What no row should be.
    fault: Option<Error>,
}

impl Export {
    fn new(format: Format) -> Self {
        let writer: Box<dyn Writer> = match format {
            Format::ICalendar => Box::new(icalendar::Writer::new()),
            Format::Csv => Box::new(csv::Writer::new()),
            Format::Json | Format::Todoist | Format::GoogleTasks => Box::new(json::Writer::new()),
        };
        Self {
            writer,
            lists: HashMap::new(),
            numbers: HashMap::new(),
            next_number: 1,
            series: HashMap::new(),
            fault: None,
        }
    }

    fn list(&mut self, id: Uuid, title: String, archived: bool) {
        let list = List { number: self.lists.len() + 1, title, archived };
        self.writer.list(&list);
        self.lists.insert(id, list);
    }

    fn number(&mut self, task: Uuid) {
        self.numbers.insert(task, self.next_number);
        self.next_number += 1;
    }

    fn task(&mut self, task: Result<Option<Task>, Error>) {
        let task = match task {
            Ok(task) => task.ok_or(Error::Impossible("a row that is no task and no list")),
            Err(fault) => Err(fault),
        };
        let task = task.and_then(|task| {
            let number = self.numbers.get(&task.id).copied();
            Ok((number.ok_or(Error::Impossible("a task without its number"))?, task))
        });
        let (number, task) = match task {
            Ok(found) => found,
            Err(fault) => {
                self.fault.get_or_insert(fault);
                return;
            }
        };
        let series = task.recurrence.as_ref().map(|recurrence| {
            let next = self.series.len() + 1;
            *self.series.entry(recurrence.series).or_insert(next)
        });
        let parent = task.parent.and_then(|id| Some((*self.numbers.get(&id)?, id)));
        let list = self.lists.get(&task.list);
        self.writer.task(&Entry { number, parent, series, task }, list);
    }

    fn end(self) -> Result<Pieces, Error> {
        self.fault.map_or_else(|| Ok(self.writer.end()), Err)
    }
}
