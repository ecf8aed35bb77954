//! How a user names a task or a session: by its full name, its id, or some
//! characters its id begins or ends with.
//!
//! Ids are UUIDv7 and begin alike when they are made together, so people are
//! shown the end of one.

use tonic::Code;
use uuid::Uuid;

use super::failure::Failure;

const FEWEST: usize = 4;
const SHOWN: usize = 8;
const MOST_CANDIDATES: usize = 10;

/// What a user may have named.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A resource name.
    Fully(String),
    /// Hexadecimal digits its id begins or ends with.
    Partly(String),
}

impl Named {
    /// Reads what the user wrote. `collection` is `tasks`, `lists` or
    /// `sessions`.
    pub(crate) fn parse(text: &str, collection: &str) -> Result<Self, Failure> {
        if text.starts_with("users/") {
            return Ok(Self::Fully(text.to_owned()));
        }
        let digits = text.replace('-', "").to_ascii_lowercase();
        if digits.len() == 32
            && let Ok(id) = Uuid::try_parse(&digits)
        {
            return Ok(Self::Fully(format!("users/me/{collection}/{id}")));
        }
        let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hexadecimal && (FEWEST..32).contains(&digits.len()) {
            return Ok(Self::Partly(digits));
        }
        let message = format!(
            "“{text}” names nothing: an id is wanted, or at least {FEWEST} hexadecimal digits \
             it begins or ends with."
        );
        Err(Failure::new(Code::InvalidArgument, message))
    }

    /// The resource name, out of what there is: names, and what to call them
    /// when they have to be told apart.
    pub(crate) fn among<'a>(
        self,
        all: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<String, Failure> {
        let digits = match self {
            Self::Fully(name) => return Ok(name),
            Self::Partly(digits) => digits,
        };
        let meant: Vec<(&str, &str)> = all
            .filter(|(name, _)| {
                let id = id(name);
                id.starts_with(&digits) || id.ends_with(&digits)
            })
            .collect();
        match meant[..] {
            [(name, _)] => Ok(name.to_owned()),
            [] => {
                let message = format!("Nothing has an id that begins or ends with {digits}.");
                Err(Failure::new(Code::NotFound, message))
            }
            _ => {
                let message =
                    format!("{} ids begin or end with {digits}; say more of it:", meant.len());
                let candidates = meant
                    .iter()
                    .take(MOST_CANDIDATES)
                    .map(|(name, title)| (last(name).to_owned(), (*title).to_owned()))
                    .collect();
                Err(Failure::new(Code::InvalidArgument, message).candidates(candidates))
            }
        }
    }
}

/// The end of an id, enough for people to name it by.
pub(crate) fn short(name: &str) -> String {
    let id = id(name);
    id.chars().skip(id.chars().count().saturating_sub(SHOWN)).collect()
}

fn id(name: &str) -> String {
    last(name).replace('-', "")
}

/// The last part of a name: the id.
pub(crate) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILK: &str = "users/u/tasks/0197a2b4-1111-7aaa-8aaa-00001a2b3c4d";
    const TEA: &str = "users/u/tasks/0197a2b4-2222-7bbb-8bbb-00005a6b3c4d";

    fn find(text: &str) -> Result<String, Failure> {
        Named::parse(text, "tasks")?.among([(MILK, "Milk"), (TEA, "Tea")].into_iter())
    }

    #[test]
    fn a_task_is_found_by_either_end_of_its_id() {
        for text in ["1a2b3c4d", "1A2B3C4D", "2b3c4d", "0197a2b4-1111", "0197a2b41", MILK] {
            assert_eq!(find(text).unwrap(), MILK, "{text}");
        }
        assert_eq!(find("5a6b3c4d").unwrap(), TEA);
        assert_eq!(short(TEA), "5a6b3c4d");
        let whole = "0197A2B4-1111-7AAA-8AAA-00001A2B3C4D";
        let named = Named::parse(whole, "tasks").unwrap();
        assert_eq!(named, Named::Fully(MILK.replace("users/u", "users/me")));
    }

    #[test]
    fn what_is_ambiguous_lists_what_may_be_meant() {
        let failure = find("3c4d").unwrap_err();
        assert_eq!(failure.exit(), 3);
        let text = failure.to_string();
        assert!(
            text.contains("00001a2b3c4d  Milk") && text.contains("00005a6b3c4d  Tea"),
            "{text}"
        );
        assert_eq!(find("0197").unwrap_err().exit(), 3);
    }

    #[test]
    fn what_names_nothing_is_refused() {
        assert_eq!(find("ffff").unwrap_err().exit(), 5);
        for text in ["", "c4d", "milk", "3c4d/", "--------", &"0".repeat(33)] {
            assert_eq!(find(text).unwrap_err().exit(), 3, "{text}");
        }
    }
}
