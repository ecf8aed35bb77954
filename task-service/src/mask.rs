//! Which fields an update writes (AIP-134).

use prost_types::FieldMask;
use proto::task::v1::Task;

/// What only the service writes, and the etag, which is a condition.
const OUTPUT_ONLY: [&str; 7] =
    ["name", "status", "create_time", "update_time", "complete_time", "revision", "etag"];

/// The fields to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    /// `title`.
    pub title: bool,
    /// `notes`.
    pub notes: bool,
    /// `due`, as a whole.
    pub due: bool,
}

impl Mask {
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
            });
        }
        paths.iter().try_fold(Self::default(), |mask, path| match path.as_str() {
            "*" => Ok(Self { title: true, notes: true, due: true }),
            "title" => Ok(Self { title: true, ..mask }),
            "notes" => Ok(Self { notes: true, ..mask }),
            "due" => Ok(Self { due: true, ..mask }),
            path if OUTPUT_ONLY.contains(&path) => Ok(mask),
            path if path.starts_with("due.") => {
                Err("A due date is written as a whole: use the path `due`.".to_owned())
            }
            path => {
                let path: String = path.escape_debug().take(100).collect();
                Err(format!("A task has no field `{path}`."))
            }
        })
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
        let populated = Mask { title: false, notes: true, due: true };
        assert_eq!(Mask::parse(None, &task), Ok(populated));
        assert_eq!(Mask::parse(Some(&FieldMask::default()), &task), Ok(populated));
    }

    #[test]
    fn paths() {
        let all = Mask { title: true, notes: true, due: true };
        assert_eq!(parse(&["*"]), Ok(all));
        assert_eq!(parse(&["due", "title", "notes", "title"]), Ok(all));
        assert_eq!(parse(&OUTPUT_ONLY), Ok(Mask::default()));
        assert_eq!(parse(&["name", "title"]), Ok(Mask { title: true, ..Mask::default() }));
        for bad in ["", "color", "Title", "title.x", "due.date", "task.title", "* ", "\0"] {
            assert!(parse(&["title", bad]).is_err(), "{bad}");
        }
    }
}
