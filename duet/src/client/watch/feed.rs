//! What is known of a user's tasks and lists, and what is new in what the
//! service tells.
//!
//! Invariant: nothing is told twice. What was known already, by its revision, is
//! no news, whether a stream was resumed or began anew.

use std::collections::{BTreeMap, BTreeSet};

use proto::task::v1::{
    Change, Changes, Current, List, Task, TaskStatus, change::Resource, watch_tasks_response::Event,
};

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Feed {
    tasks: BTreeMap<String, Task>,
    lists: BTreeMap<String, List>,
    /// Up to here the changes were told.
    revision: i64,
    current: bool,
    /// While all there is is told anew: what was known and was not told yet.
    untold: Option<BTreeSet<String>>,
}

/// Something new.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct News {
    pub(super) kind: Kind,
    pub(super) what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It was there when the watching began.
    Present,
    /// All that was there has been told.
    Current,
    Added,
    Changed,
    Done,
    Cancelled,
    Reopened,
    Removed,
}

/// To what; something removed as it was last.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Task(Box<Task>),
    List(List),
    Everything,
}

impl Kind {
    /// One word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Current => "current",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Reopened => "reopened",
            Self::Removed => "removed",
        }
    }
}

impl Feed {
    /// What is new in an event.
    pub(super) fn take(&mut self, event: Event) -> Vec<News> {
        match event {
            Event::Changes(Changes { changes }) => {
                changes.into_iter().filter_map(|change| self.change(change)).collect()
            }
            Event::Current(Current {}) => self.all_told(),
            Event::Bookmark(_) => Vec::new(),
            Event::Reset(_) => {
                self.restart();
                Vec::new()
            }
        }
    }

    /// All there is will be told anew.
    pub(super) fn restart(&mut self) {
        self.revision = 0;
        self.untold = Some(self.tasks.keys().chain(self.lists.keys()).cloned().collect());
    }

    /// Whether all that was there at the beginning has been told.
    pub(super) fn is_current(&self) -> bool {
        self.current
    }

    /// The tasks that are known, by name.
    pub(super) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values()
    }

    /// The lists that are known, by name.
    pub(super) fn lists(&self) -> impl Iterator<Item = &List> {
        self.lists.values()
    }

    fn change(&mut self, Change { revision, resource }: Change) -> Option<News> {
        if revision <= self.revision {
            return None;
        }
        self.revision = revision;
        match resource? {
            Resource::Task(task) => {
                self.told(&task.name);
                let old = self.tasks.insert(task.name.clone(), task.clone());
                let kind = self.kind(old.map(|old| (old.revision, old.status())), &task)?;
                Some(News { kind, what: What::Task(Box::new(task)) })
            }
            Resource::List(list) => {
                self.told(&list.name);
                let kind = match self.lists.insert(list.name.clone(), list.clone()) {
                    Some(old) if old.revision == list.revision => return None,
                    Some(_) => Kind::Changed,
                    None if self.current => Kind::Added,
                    None => Kind::Present,
                };
                Some(News { kind, what: What::List(list) })
            }
            Resource::RemovedTask(name) | Resource::RemovedList(name) => self.remove(&name),
        }
    }

    fn kind(&self, old: Option<(i64, TaskStatus)>, task: &Task) -> Option<Kind> {
        let (revision, status) = match old {
            Some(old) => old,
            None if self.current => return Some(Kind::Added),
            None => return Some(Kind::Present),
        };
        if revision == task.revision {
            return None;
        }
        Some(match (status, task.status()) {
            (old, new) if old == new => Kind::Changed,
            (_, TaskStatus::Done) => Kind::Done,
            (_, TaskStatus::Cancelled) => Kind::Cancelled,
            (_, TaskStatus::Open) => Kind::Reopened,
            (_, TaskStatus::Unspecified) => Kind::Changed,
        })
    }

    fn told(&mut self, name: &str) {
        if let Some(untold) = &mut self.untold {
            untold.remove(name);
        }
    }

    fn remove(&mut self, name: &str) -> Option<News> {
        self.told(name);
        let task = self.tasks.remove(name).map(|task| What::Task(Box::new(task)));
        let what = task.or_else(|| self.lists.remove(name).map(What::List))?;
        Some(News { kind: Kind::Removed, what })
    }

    fn all_told(&mut self) -> Vec<News> {
        let gone = self.untold.take().unwrap_or_default();
        let mut news: Vec<News> = gone.iter().filter_map(|name| self.remove(name)).collect();
        if !self.current {
            self.current = true;
            news.push(News { kind: Kind::Current, what: What::Everything });
        }
        news
    }
}
