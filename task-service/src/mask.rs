//! Which fields an update writes (AIP-134).

use prost_types::FieldMask;
use proto::task::v1::Task;

/// What only the service writes, what is moved and not written, and the etag,
/// which is a condition.
const OUTPUT_ONLY: [&str; 12] = [
    "name",
    "status",
    "create_time",
    "update_time",
    "complete_time",
    "revision",
    "etag",
    "list",
    "parent_task",
    "position",
    "delete_time",
    "expire_time",
];

/// The fields to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of its own")]
pub struct Mask {
    /// `title`.
    pub title: bool,
    /// `notes`.
    pub notes: bool,
    /// `due`, as a whole.
    pub due: bool,
    /// `priority`.
    pub priority: bool,
    /// `labels`, as a whole.
    pub labels: bool,
    /// `recurrence`, as a whole.
    pub recurrence: bool,
}

impl Mask {
    /// All that can be written.
    pub const ALL: Self = Self {
        title: true,
        notes: true,
        due: true,
        priority: true,
        labels: true,
        recurrence: true,
    };

    /// Reads a mask. Absent or empty means the fields that `task` populates,
    /// `*` all that can be written.
    ///
    /// # Errors
    /// In words for the caller, naming a path that is not known.
    pub fn parse(mask: Option<&FieldMask>, task: &Task) -> Result<Self, String> {
        let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
        if paths.is_empty() {
            return Ok(Self {
                title: !task.title.is_empty(),
                notes: !task.notes.is_empty(),
                due: task.due.is_some(),
                priority: task.priority != 0,
                labels: !task.labels.is_empty(),
                recurrence: task.recurrence.is_some(),
            });
        }
        paths.iter().try_fold(Self::default(), |mask, path| mask.with(path))
    }

    fn with(self, path: &str) -> Result<Self, String> {
        match path {
            "*" => Ok(Self::ALL),
            "title" => Ok(Self { title: true, ..self }),
            "notes" => Ok(Self { notes: true, ..self }),
            "due" => Ok(Self { due: true, ..self }),
            "priority" => Ok(Self { priority: true, ..self }),
            "labels" => Ok(Self { labels: true, ..self }),
            "recurrence" => Ok(Self { recurrence: true, ..self }),
            path if OUTPUT_ONLY.contains(&path) => Ok(self),
            path if path.starts_with("due.") || path.starts_with("recurrence.") => {
                let whole = path.split('.').next().unwrap_or_default();
                Err(format!("This field is written as a whole: use the path `{whole}`."))
            }
            path => {
                let path: String = path.escape_debug().take(100).collect();
                Err(format!("A task has no field `{path}`."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::task::v1::Due;

    use super::*;

    fn parse(paths: &[&str]) -> Result<Mask, String> {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        Mask::parse(Some(&FieldMask { paths }), &Task::default())
    }

    #[test]
    fn an_omitted_mask_is_what_is_populated() {
        let task = Task { notes: "n".to_owned(), due: Some(Due::default()), ..Task::default() };
        let populated = Mask { notes: true, due: true, ..Mask::default() };
        assert_eq!(Mask::parse(None, &task), Ok(populated));
        assert_eq!(Mask::parse(Some(&FieldMask::default()), &task), Ok(populated));
    }

    #[test]
    fn paths() {
        assert_eq!(parse(&["*"]), Ok(Mask::ALL));
        let each = ["due", "title", "notes", "title", "priority", "labels", "recurrence"];
        assert_eq!(parse(&each), Ok(Mask::ALL));
        assert_eq!(parse(&OUTPUT_ONLY), Ok(Mask::default()));
        assert_eq!(parse(&["name", "title"]), Ok(Mask { title: true, ..Mask::default() }));
        for bad in [
            "",
            "color",
            "Title",
            "title.x",
            "due.date",
            "recurrence.rrule",
            "task.title",
            "* ",
            "\0",
        ] {
            assert!(parse(&["title", bad]).is_err(), "{bad}");
        }
    }
}
