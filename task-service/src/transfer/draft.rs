//! What a file says, entry by entry: acceptable by itself, not yet looked at as
//! a whole. Every format is read into these.
//!
//! Invariant: no more entries are kept than a user may have tasks and lists, so
//! a small file cannot fill the memory.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::{Fault, check::Check, report::Report};
use crate::{
    due::Due,
    lists::ListTitle,
    service::Quotas,
    task::{Priority, Status},
    text::{Notes, Title},
};

/// A task as a file tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    /// Where its entry begins.
    pub(super) line: usize,
    /// What its steps call it, and how the file calls that field.
    pub(super) key: Option<String>,
    /// The key of the task it is a step of, and how the file calls that field.
    pub(super) parent: Option<(&'static str, String)>,
    /// Its list among those of the file; None for the one that the caller names.
    pub(super) list: Option<usize>,
    pub(super) title: Title,
    pub(super) notes: Notes,
    pub(super) status: Status,
    pub(super) due: Option<Due>,
    pub(super) priority: Priority,
    pub(super) labels: Vec<String>,
    pub(super) repeat: Option<Repeat>,
    pub(super) created_at: DateTime<Utc>,
}

/// How a task comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    pub(super) rule: String,
    pub(super) after_completion: bool,
    /// The day the rule is counted from, and the place of this occurrence.
    pub(super) start: NaiveDate,
    pub(super) number: i64,
    /// What all occurrences of a series have in common, within the file.
    pub(super) series: Option<String>,
}

/// A list as a file tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DraftList {
    pub(super) title: ListTitle,
    pub(super) archived: bool,
}

/// How many days are looked at for all rules of a file together: enough for as
/// many yearly ones as there may be tasks by default, and half a second of work.
const RULE_DAYS: i64 = 8_000_000;

/// Everything that a file says.
#[derive(Debug)]
pub(super) struct Drafts {
    pub(super) lists: Vec<DraftList>,
    pub(super) tasks: Vec<Draft>,
    pub(super) report: Report,
    now: DateTime<Utc>,
    quotas: Quotas,
    /// How many are left of them.
    rule_days: i64,
    /// The lists that are known by their title.
    named: HashMap<String, usize>,
}

impl Drafts {
    /// Nothing read yet.
    pub(super) fn new(now: DateTime<Utc>, quotas: Quotas) -> Self {
        Self {
            lists: Vec::new(),
            tasks: Vec::new(),
            report: Report::default(),
            now,
            quotas,
            rule_days: RULE_DAYS,
            named: HashMap::new(),
        }
    }

    /// Checks the fields of the entry that begins on this line.
    pub(super) fn check(&mut self, line: usize) -> Check<'_> {
        Check::new(&mut self.report, &mut self.rule_days, line, self.now)
    }

    /// Adds a task.
    ///
    /// # Errors
    /// If there are more than a user may have.
    pub(super) fn add(&mut self, draft: Draft) -> Result<(), Fault> {
        if self.tasks.len() as u64 >= u64::from(self.quotas.tasks) {
            return Err(Fault::TooManyTasks);
        }
        self.tasks.push(draft);
        Ok(())
    }

    /// Adds a list, which tasks then name by its place.
    ///
    /// # Errors
    /// If there are more than a user may have.
    pub(super) fn add_list(&mut self, list: DraftList) -> Result<usize, Fault> {
        if self.lists.len() as u64 >= u64::from(self.quotas.lists) {
            return Err(Fault::TooManyLists);
        }
        self.lists.push(list);
        Ok(self.lists.len() - 1)
    }

    /// The list with this title, a new one if no entry named it before; None if
    /// it has none, or one that cannot be a list's.
    ///
    /// # Errors
    /// If there are more than a user may have.
    pub(super) fn list_named(
        &mut self,
        line: usize,
        field: &str,
        title: &str,
    ) -> Result<Option<usize>, Fault> {
        if title.trim().is_empty() {
            return Ok(None);
        }
        let Some(title) = self.check(line).list_title(field, title) else { return Ok(None) };
        if let Some(&list) = self.named.get(title.as_str()) {
            return Ok(Some(list));
        }
        let name = title.as_str().to_owned();
        let list = self.add_list(DraftList { title, archived: false })?;
        self.named.insert(name, list);
        Ok(Some(list))
    }
}
