//! Which fields of a task are returned (AIP-157): exactly those that the mask
//! names, `name` and `etag` among them only if it names them.

use prost_types::FieldMask;
use proto::task::v1::Task;

/// How much of a path that is not known is repeated.
const SHOWN: usize = 100;

macro_rules! fields {
    ($($field:ident)*) => {
        const FIELDS: &[&str] = &[$(stringify!($field)),*];

        fn keep(task: Task, names: &[&str]) -> Task {
            let Task { $($field),* } = task;
            Task {
                $($field: if names.contains(&stringify!($field)) {
                    $field
                } else {
                    Default::default()
                }),*
            }
        }
    };
}

fields! {
    name title notes status due create_time update_time complete_time revision etag list
    parent_task priority labels position recurrence delete_time expire_time
}

/// The fields to return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMask {
    /// None for all.
    names: Option<Vec<&'static str>>,
}

impl ReadMask {
    /// Reads a mask. Absent, empty or with `*` in it means all fields.
    ///
    /// # Errors
    /// In words for the caller, naming a path that is not known.
    pub fn parse(mask: Option<&FieldMask>) -> Result<Self, String> {
        let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
        let mut names = Vec::new();
        let mut is_whole = paths.is_empty();
        for path in paths {
            if path == "*" {
                is_whole = true;
            } else if let Some(name) = FIELDS.iter().find(|field| *field == path) {
                if !names.contains(name) {
                    names.push(*name);
                }
            } else {
                let shown: String = path.escape_debug().take(SHOWN).collect();
                return Err(match path.split_once('.') {
                    Some((field, _)) if FIELDS.contains(&field) => {
                        format!("A field is returned as a whole: use the path `{field}`.")
                    }
                    _ => format!("A task has no field `{shown}`."),
                });
            }
        }
        Ok(Self { names: (!is_whole).then_some(names) })
    }

    /// The task with these fields and no others.
    #[must_use]
    pub fn apply(&self, task: Task) -> Task {
        match &self.names {
            None => task,
            Some(names) => keep(task, names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(paths: &[&str]) -> Result<ReadMask, String> {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        ReadMask::parse(Some(&FieldMask { paths }))
    }

    fn task() -> Task {
        Task {
            name: "users/u/tasks/t".to_owned(),
            title: "Title".to_owned(),
            labels: vec!["home".to_owned()],
            revision: 7,
            ..Task::default()
        }
    }

    #[test]
    fn a_mask_keeps_what_it_names() {
        for all in [ReadMask::parse(None), parse(&[]), parse(&["*"]), parse(&["title", "*"])] {
            assert_eq!(all.unwrap().apply(task()), task());
        }
        let kept = parse(&["title", "revision", "title"]).unwrap().apply(task());
        assert_eq!(kept, Task { title: "Title".to_owned(), revision: 7, ..Task::default() });
        assert_eq!(parse(FIELDS).unwrap().apply(task()), task());
    }

    #[test]
    fn what_a_task_does_not_have_is_refused() {
        for bad in ["", "colour", "Title", "due.date", "title.x", "task.title", " title", "\0"] {
            assert!(parse(&["title", bad]).is_err(), "{bad}");
            assert!(parse(&["*", bad]).is_err(), "{bad}");
        }
    }
}
