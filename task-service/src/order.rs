//! The orders in which tasks can be listed (AIP-132, `order_by`), and the place
//! of a task in each.
//!
//! Invariant: every order is total, so a page can begin right after any task.
//! Equal tasks are ordered by id, and tasks without the field come last, newest
//! first, whichever way the others are ordered.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::task::{Priority, Task};

/// How a list is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    key: Key,
    descending: bool,
}

/// What a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    CreateTime,
    /// By the revision, which is the same with nothing equal.
    UpdateTime,
    /// By day, whole days before their minutes.
    Due,
    Priority,
    /// The manual order, list by list.
    Position,
}

impl Default for Order {
    fn default() -> Self {
        Self { key: Key::CreateTime, descending: true }
    }
}

impl Order {
    /// Reads `order_by`: the name of a field, and ` desc` to turn it round.
    /// Nothing means newest first.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split_ascii_whitespace();
        let Some(name) = words.next() else { return Ok(Self::default()) };
        let key = Key::ALL.into_iter().find(|key| key.name() == name);
        let descending = match (words.next(), words.next()) {
            (None, _) => Some(false),
            (Some("desc"), None) => Some(true),
            _ => None,
        };
        key.zip(descending).map(|(key, descending)| Self { key, descending }).ok_or_else(|| {
            let known = Key::ALL.map(Key::name).join(", ");
            format!("Tasks are ordered by one of {known}, with ` desc` after it to turn it round.")
        })
    }

    /// The name of the field, as `api.list_tasks` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.key.name()
    }

    /// Whether the order is turned round.
    #[must_use]
    pub const fn is_descending(self) -> bool {
        self.descending
    }

    /// The place of a task in this order, as `api.list_tasks` takes it.
    #[must_use]
    pub fn place(self, task: &Task) -> Value {
        let id = task.id;
        let newest = || task.created_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let unset = || json!({ "unset": true, "created_at": newest(), "id": id });
        match self.key {
            Key::CreateTime => json!({ "created_at": newest(), "id": id }),
            Key::UpdateTime => json!({ "rev": task.revision }),
            Key::Due => match task.due.as_ref().map(|due| due.columns()) {
                Some(due) => json!({ "due_date": due.date, "due_minute": due.minute, "id": id }),
                None => unset(),
            },
            Key::Priority if task.priority == Priority::None => unset(),
            Key::Priority => json!({ "priority": task.priority.number(), "id": id }),
            Key::Position => {
                json!({ "list_id": task.list, "position": task.position, "id": id })
            }
        }
    }
}

impl Key {
    const ALL: [Self; 5] =
        [Self::CreateTime, Self::UpdateTime, Self::Due, Self::Priority, Self::Position];

    const fn name(self) -> &'static str {
        match self {
            Self::CreateTime => "create_time",
            Self::UpdateTime => "update_time",
            Self::Due => "due",
            Self::Priority => "priority",
            Self::Position => "position",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        assert_eq!(Order::parse(""), Ok(Order::default()));
        assert_eq!(Order::parse("  "), Ok(Order::default()));
        assert_eq!(Order::parse("create_time desc"), Ok(Order::default()));
        for key in Key::ALL {
            let order = |descending| Ok(Order { key, descending });
            assert_eq!(Order::parse(key.name()), order(false));
            assert_eq!(Order::parse(&format!(" {}  desc ", key.name())), order(true));
        }
        for bad in [
            "title",
            "due asc",
            "due DESC",
            "Due",
            "desc",
            "due desc desc",
            "due, priority",
            "due,priority",
            "due;",
            "due\0",
        ] {
            assert!(Order::parse(bad).is_err(), "{bad}");
        }
    }
}
