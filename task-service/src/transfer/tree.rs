//! Which task is a step of which, once all entries of a file are known: parents
//! may come after their steps.
//!
//! Invariant: what comes out is a forest with at most five steps below each other,
//! and every step is in the list of its parent. A link that would break this is reported and cut; the
//! step becomes a task of its own.

use std::collections::{HashMap, hash_map::Entry};

use super::{draft::Draft, report::Report};

/// How deep tasks may lie: under one that is no step, at depth 1, there may be
/// five more below each other.
const DEEPEST: u8 = 6;

/// Finds the parent of every task, as its place among them.
pub(super) fn settle(tasks: &mut [Draft], report: &mut Report) -> Vec<Option<usize>> {
    let mut found = Report::default();
    let parents = named_parents(tasks, &mut found);
    let mut forest = Forest { depth: vec![0; tasks.len()], parents, tasks, report: found };
    for task in 0..forest.tasks.len() {
        forest.settle(task);
    }
    report.merge(forest.report);
    forest.parents
}

fn named_parents(tasks: &[Draft], report: &mut Report) -> Vec<Option<usize>> {
    let mut keys = HashMap::new();
    for (place, task) in tasks.iter().enumerate() {
        let Some(key) = task.key.as_deref() else { continue };
        match keys.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(place);
            }
            Entry::Occupied(_) => {
                report.add(task.line, "", "An entry before has the same id; steps go to that one.");
            }
        }
    }
    let parent = |task: &Draft| {
        let (field, key) = task.parent.as_ref()?;
        let found = keys.get(key.as_str()).copied();
        if found.is_none() {
            let why = "The task it is a step of is not there; it becomes a task of its own.";
            report.add(task.line, field, why);
        }
        found
    };
    tasks.iter().map(parent).collect()
}

struct Forest<'a> {
    tasks: &'a mut [Draft],
    parents: Vec<Option<usize>>,
    /// 0 for those that were not settled yet.
    depth: Vec<u8>,
    report: Report,
}

impl Forest<'_> {
    /// Settles a task and everything above it.
    fn settle(&mut self, task: usize) {
        let path = loop {
            match self.path(task) {
                Ok(path) => break path,
                Err(member) => self.cut(member, "It would be a step of itself."),
            }
        };
        for &task in path.iter().rev() {
            self.place(task);
        }
    }

    /// From a task up to the last one that is not settled; or, if the way leads
    /// in a circle, the first task of the file that is on the circle.
    fn path(&self, task: usize) -> Result<Vec<usize>, usize> {
        let mut path = Vec::new();
        let mut on_path = HashMap::new();
        let mut next = Some(task).filter(|&task| self.depth[task] == 0);
        while let Some(task) = next {
            if let Some(start) = on_path.insert(task, path.len()) {
                let circle: &[usize] = &path[start..];
                return Err(circle.iter().copied().min().unwrap_or(task));
            }
            path.push(task);
            next = self.parents[task].filter(|&parent| self.depth[parent] == 0);
        }
        Ok(path)
    }

    /// Settles a task whose parent is settled.
    fn place(&mut self, task: usize) {
        if let Some(parent) = self.parents[task] {
            let list = self.tasks[parent].list;
            if self.tasks[task].list.is_some_and(|own| Some(own) != list) {
                self.cut(task, "The task it is a step of is in another list.");
            } else if self.depth[parent] == DEEPEST {
                self.cut(task, "Steps lie at most five deep.");
            } else {
                self.tasks[task].list = list;
            }
        }
        self.depth[task] = self.parents[task].map_or(1, |parent| self.depth[parent] + 1);
    }

    fn cut(&mut self, task: usize, why: &str) {
        self.parents[task] = None;
        let Draft { line, parent, .. } = &self.tasks[task];
        let field = parent.as_ref().map_or("", |(field, _)| field);
        self.report.add(*line, field, format!("{why} It becomes a task of its own."));
    }
}
