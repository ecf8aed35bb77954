//! Tasks as people see them: rows of a table, subtasks under their parents, and
//! one task with everything it has.

use std::collections::{HashMap, HashSet};

use comfy_table::{Cell, Color, Row};
use proto::task::v1::{Due, List, Priority, Recurrence, RecurrenceAnchor, Task, TaskStatus};

use super::{due, failure::Failure, find, id, output, recurrence, session::Session};

/// What the lists are called, by their names.
#[derive(Debug, Default)]
pub(crate) struct Titles(HashMap<String, String>);

impl Titles {
    /// The titles of the lists that these tasks are in, if they are not all in
    /// the inbox.
    pub(crate) async fn of(session: &mut Session, tasks: &[Task]) -> Result<Self, Failure> {
        if tasks.iter().all(|task| is_inbox(&task.list)) {
            return Ok(Self::default());
        }
        Ok(find::all_lists(session).await?.iter().collect())
    }

    fn of_list(&self, task: &Task) -> String {
        match (is_inbox(&task.list), self.0.get(&task.list)) {
            (true, _) => String::new(),
            (false, Some(title)) => output::line(title),
            (false, None) => output::line(&id::short(&task.list)),
        }
    }
}

impl<'a> FromIterator<&'a List> for Titles {
    fn from_iter<I: IntoIterator<Item = &'a List>>(lists: I) -> Self {
        Self(lists.into_iter().map(|list| (list.name.clone(), list.title.clone())).collect())
    }
}

/// Tasks, each under its parent if that is there too, with how deep they stand.
/// Otherwise they stay in their order.
pub(crate) fn tree<'a>(tasks: &[&'a Task]) -> Vec<(usize, &'a Task)> {
    let names: HashSet<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    let mut children: HashMap<&str, Vec<&'a Task>> = HashMap::new();
    let mut waiting = Vec::new();
    for task in tasks {
        match task.parent_task.as_str() {
            parent if names.contains(parent) => children.entry(parent).or_default().push(task),
            _ => waiting.push((0, *task)),
        }
    }
    waiting.reverse();
    let mut tree = Vec::with_capacity(tasks.len());
    while let Some((depth, task)) = waiting.pop() {
        tree.push((depth, task));
        let steps = children.remove(task.name.as_str()).unwrap_or_default();
        waiting.extend(steps.into_iter().rev().map(|step| (depth + 1, step)));
    }
    tree
}

/// A table of tasks, with a column for whatever at least one of them has.
pub(crate) fn table(tasks: &[(usize, &Task)], titles: &Titles, header: bool) -> String {
    const HEADER: [&str; 8] = ["", "Title", "Due", "Priority", "List", "Labels", "Repeats", "ID"];
    const ALWAYS: [usize; 4] = [0, 1, 2, 7];
    let texts: Vec<_> = tasks.iter().map(|(depth, task)| texts(*depth, task, titles)).collect();
    let columns: Vec<usize> = (0..HEADER.len())
        .filter(|column| {
            ALWAYS.contains(column) || texts.iter().any(|texts| !texts[*column].is_empty())
        })
        .collect();
    let rows = tasks.iter().zip(&texts).map(|((_, task), texts)| {
        Row::from(columns.iter().map(|column| {
            let cell = Cell::new(&texts[*column]);
            match (is_closed(task), task.priority()) {
                (true, _) => cell.fg(Color::DarkGrey),
                (false, Priority::High) if *column == 3 => cell.fg(Color::Red),
                (false, _) => cell,
            }
        }))
    });
    let header: Vec<&str> = columns.iter().filter(|_| header).map(|at| HEADER[*at]).collect();
    output::table(&header, rows)
}

fn texts(depth: usize, task: &Task, titles: &Titles) -> [String; 8] {
    [
        mark(task).to_owned(),
        // Blanks at the beginning of a cell would be taken away.
        format!("{}{}", "· ".repeat(depth), output::line(&task.title)),
        task.due.as_ref().map(due_text).unwrap_or_default(),
        priority(task).to_owned(),
        titles.of_list(task),
        labels(task),
        task.recurrence.as_ref().map(repeats).unwrap_or_default(),
        output::line(&id::short(&task.name)),
    ]
}

/// A task with everything it has.
pub(crate) fn details(task: &Task, titles: &Titles) -> String {
    let mut text = format!("{} {}\n", mark(task), output::line(&task.title));
    let closed = if task.status() == TaskStatus::Cancelled { "Cancelled" } else { "Done" };
    let parent = match task.parent_task.as_str() {
        "" => String::new(),
        parent => output::line(&id::short(parent)),
    };
    let facts = [
        ("Due", task.due.as_ref().map(due_text).unwrap_or_default()),
        ("Repeats", task.recurrence.as_ref().map(repeats).unwrap_or_default()),
        ("Priority", priority(task).to_owned()),
        ("List", titles.of_list(task)),
        ("Step of", parent),
        ("Labels", labels(task)),
        ("Created", output::time(task.create_time.as_ref())),
        ("Changed", output::time(task.update_time.as_ref())),
        (closed, output::time(task.complete_time.as_ref())),
        ("Deleted", output::time(task.delete_time.as_ref())),
        ("In the bin until", output::time(task.expire_time.as_ref())),
        ("Name", output::line(&task.name)),
    ];
    let shown = || facts.iter().filter(|(_, fact)| !fact.is_empty());
    let width = shown().map(|(label, _)| label.len()).max().unwrap_or_default();
    for (label, fact) in shown() {
        text += &format!("{label:<width$}  {fact}\n");
    }
    if !task.notes.is_empty() {
        text += &format!("\n{}\n", output::lines(&task.notes));
    }
    text
}

/// A table of what is in the bin.
pub(crate) fn bin(tasks: &[Task]) -> String {
    let rows = tasks.iter().map(|task| {
        Row::from([
            mark(task).to_owned(),
            output::line(&task.title),
            output::time(task.delete_time.as_ref()),
            output::time(task.expire_time.as_ref()),
            output::line(&id::short(&task.name)),
        ])
    });
    output::table(&["", "Title", "Deleted", "Until", "ID"], rows)
}

/// Whether a task is done or cancelled.
pub(crate) fn is_closed(task: &Task) -> bool {
    matches!(task.status(), TaskStatus::Done | TaskStatus::Cancelled)
}

/// The sign of a task's status.
pub(crate) fn mark(task: &Task) -> &'static str {
    match task.status() {
        TaskStatus::Unspecified | TaskStatus::Open => "☐",
        TaskStatus::Done => "☑",
        TaskStatus::Cancelled => "☒",
    }
}

fn is_inbox(list: &str) -> bool {
    list.is_empty() || id::last(list) == "inbox"
}

fn due_text(due: &Due) -> String {
    output::line(&due::text(due))
}

fn priority(task: &Task) -> &'static str {
    match task.priority() {
        Priority::Unspecified => "",
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
    }
}

fn labels(task: &Task) -> String {
    output::line(&task.labels.join(", "))
}

fn repeats(rule: &Recurrence) -> String {
    let words = output::line(&recurrence::in_words(&rule.rrule));
    match rule.anchor() {
        RecurrenceAnchor::Completion => format!("{words}, after completion"),
        RecurrenceAnchor::Unspecified | RecurrenceAnchor::Due => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str, parent: &str) -> Task {
        Task {
            name: name.to_owned(),
            title: name.to_owned(),
            parent_task: parent.to_owned(),
            ..Task::default()
        }
    }

    fn shape(tasks: &[Task]) -> String {
        let tasks: Vec<&Task> = tasks.iter().collect();
        let lines = tree(&tasks).into_iter().map(|(depth, task)| format!("{depth}{}", task.name));
        lines.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn subtasks_stand_under_their_parents_in_their_order() {
        let tasks = [task("c", "b"), task("x", ""), task("a", ""), task("b", "a"), task("d", "a")];
        assert_eq!(shape(&tasks), "0x 0a 1b 2c 1d");
        // A parent that is not listed leaves its steps where they are.
        assert_eq!(shape(&tasks[..3]), "0c 0x 0a");
    }

    #[test]
    fn a_column_is_there_if_anything_is_in_it() {
        let plain = task("users/u/tasks/00001a2b3c4d", "");
        let titles = Titles::default();
        let text = table(&[(0, &plain)], &titles, true);
        assert!(text.lines().next().unwrap().split_whitespace().eq(["Title", "Due", "ID"]));

        let list =
            List { name: "users/u/lists/h".into(), title: "Home\u{7}".into(), ..List::default() };
        let full = Task {
            title: "Water\u{1b}[2J the flowers".to_owned(),
            list: list.name.clone(),
            priority: Priority::High.into(),
            labels: vec!["green".to_owned(), "weekly\u{1b}".to_owned()],
            recurrence: Some(Recurrence { rrule: "FREQ=WEEKLY".to_owned(), ..Default::default() }),
            ..plain.clone()
        };
        let titles: Titles = [&list].into_iter().collect();
        let text = table(&[(0, &plain), (1, &full)], &titles, false);
        for part in ["· Water", "high", "Home", "green, weekly", "1a2b3c4d"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
        let text = details(&full, &titles);
        assert!(text.contains("Priority  high") && text.contains("List      Home"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
    }
}
