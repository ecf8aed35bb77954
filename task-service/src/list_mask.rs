//! Which fields of a list an update writes (AIP-134).

use prost_types::FieldMask;
use proto::task::v1::List;

/// What only the service writes, what is moved and not written, and the etag,
/// which is a condition.
const OUTPUT_ONLY: [&str; 6] =
    ["name", "position", "create_time", "update_time", "revision", "etag"];

/// The fields to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListMask {
    /// `title`.
    pub title: bool,
    /// `archived`.
    pub archived: bool,
}

impl ListMask {
    /// All that can be written.
    pub const ALL: Self = Self { title: true, archived: true };

    /// Reads a mask. Absent or empty means the fields that `list` populates,
    /// `*` all that can be written.
    ///
    /// # Errors
    /// In words for the caller, naming a path that is not known.
    pub fn parse(mask: Option<&FieldMask>, list: &List) -> Result<Self, String> {
        let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
        if paths.is_empty() {
            return Ok(Self { title: !list.title.is_empty(), archived: list.archived });
        }
        paths.iter().try_fold(Self::default(), |mask, path| match path.as_str() {
            "*" => Ok(Self::ALL),
            "title" => Ok(Self { title: true, ..mask }),
            "archived" => Ok(Self { archived: true, ..mask }),
            path if OUTPUT_ONLY.contains(&path) => Ok(mask),
            path => {
                let path: String = path.escape_debug().take(100).collect();
                Err(format!("A list has no field `{path}`."))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(paths: &[&str]) -> Result<ListMask, String> {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        ListMask::parse(Some(&FieldMask { paths }), &List::default())
    }

    #[test]
    fn an_omitted_mask_is_what_is_populated() {
        let list = List { archived: true, ..List::default() };
        let populated = ListMask { title: false, archived: true };
        assert_eq!(ListMask::parse(None, &list), Ok(populated));
        assert_eq!(ListMask::parse(Some(&FieldMask::default()), &list), Ok(populated));
    }

    #[test]
    fn paths() {
        assert_eq!(parse(&["*"]), Ok(ListMask::ALL));
        assert_eq!(parse(&["archived", "title", "title"]), Ok(ListMask::ALL));
        assert_eq!(parse(&OUTPUT_ONLY), Ok(ListMask::default()));
        for bad in ["", "color", "Title", "title.x", "list.title", "* ", "\0"] {
            assert!(parse(&["title", bad]).is_err(), "{bad}");
        }
    }
}
