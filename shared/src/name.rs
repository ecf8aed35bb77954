//! Resource names (AIP-122): `users/{user}` and `users/{user}/{collection}/{id}`.
//! `users/me` stands for the caller wherever a name is read, and so does an
//! empty parent; answers always carry the full name.
//!
//! Invariant: a name becomes a user's id only by `Who::of`, which refuses names
//! under another user before anything is looked up. Only a service may name
//! any user.

use uuid::Uuid;

use crate::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
};

/// Whose a resource is, as the request says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The caller.
    Me,
    /// The user with this id.
    User(Uuid),
}

impl Who {
    /// The user's id, if the caller may act for that user. A service may act
    /// for any, and has to say for whom: `None` if it does not.
    ///
    /// # Errors
    /// PERMISSION_DENIED (NOT_YOURS) for another user, whether that user
    /// exists or not.
    pub fn of(self, caller: &Identity) -> Result<Option<Uuid>, Failure> {
        match (self, caller.user_id()) {
            (Self::User(user), None) => Ok(Some(user)),
            (Self::Me, None) => Ok(None),
            (Self::User(user), Some(own)) if user != own => {
                Err(Failure::new(Reason::NotYours, "This belongs to another user."))
            }
            (Self::Me | Self::User(_), Some(own)) => Ok(Some(own)),
        }
    }

    /// As `of`, for what the field `field` says; `fields` notes what a service
    /// leaves out.
    fn read(
        self,
        fields: &mut Fields,
        field: &str,
        caller: &Identity,
    ) -> Result<Option<Uuid>, Failure> {
        let user = self.of(caller)?;
        if user.is_none() {
            fields.refuse(field, "A service names the user: `users/{user}`.");
        }
        Ok(user)
    }
}

/// Reads the field `field` that names a user or a parent. `None` if it is
/// malformed, which `fields` has then noted.
///
/// # Errors
/// PERMISSION_DENIED (NOT_YOURS) at once for another user.
pub fn user(
    fields: &mut Fields,
    field: &str,
    value: &str,
    caller: &Identity,
) -> Result<Option<Uuid>, Failure> {
    match fields.read(field, parse_user(value)) {
        Some(who) => who.read(fields, field, caller),
        None => Ok(None),
    }
}

/// Reads the field `field` that names a member of `collection`: its owner and
/// its id. `None` if it is malformed, which `fields` has then noted.
///
/// # Errors
/// PERMISSION_DENIED (NOT_YOURS) at once for a name under another user.
pub fn member(
    fields: &mut Fields,
    field: &str,
    collection: &str,
    value: &str,
    caller: &Identity,
) -> Result<Option<(Uuid, Uuid)>, Failure> {
    member_or(fields, field, collection, None, value, caller)
}

/// As `member`, in a collection where one member goes by a word besides: the
/// word that stands in its names, and its id. Under that id itself it has no
/// name.
///
/// # Errors
/// As `member`.
pub fn member_or(
    fields: &mut Fields,
    field: &str,
    collection: &str,
    word: Option<(&str, Uuid)>,
    value: &str,
    caller: &Identity,
) -> Result<Option<(Uuid, Uuid)>, Failure> {
    match fields.read(field, parse_member_or(collection, word, value)) {
        Some((who, id)) => Ok(who.read(fields, field, caller)?.map(|user| (user, id))),
        None => Ok(None),
    }
}

/// `users/{user}`.
#[must_use]
pub fn of_user(user: Uuid) -> String {
    format!("users/{user}")
}

/// `users/{user}/{collection}/{id}`.
#[must_use]
pub fn of_member(user: Uuid, collection: &str, id: Uuid) -> String {
    format!("users/{user}/{collection}/{id}")
}

/// Reads the id in `users/{user}`, `users/me` or nothing.
///
/// # Errors
/// In words for the caller.
pub fn parse_user(value: &str) -> Result<Who, String> {
    if value.is_empty() {
        return Ok(Who::Me);
    }
    value
        .strip_prefix("users/")
        .and_then(who)
        .ok_or_else(|| "A user is named `users/{user}` or `users/me`.".to_owned())
}

/// Reads the ids in `users/{user}/{collection}/{id}`.
///
/// # Errors
/// In words for the caller.
pub fn parse_member(collection: &str, value: &str) -> Result<(Who, Uuid), String> {
    parse_member_or(collection, None, value)
}

/// As `parse_member`, with a word as in `member_or`.
///
/// # Errors
/// In words for the caller.
pub fn parse_member_or(
    collection: &str,
    word: Option<(&str, Uuid)>,
    value: &str,
) -> Result<(Who, Uuid), String> {
    let id = |segment: &str| match word {
        Some((word, id)) if segment == word => Some(id),
        // One member has one name.
        Some((_, id)) => uuid(segment).filter(|other| *other != id),
        None => uuid(segment),
    };
    let parse = || {
        let (user, rest) = value.strip_prefix("users/")?.split_once('/')?;
        let segment = rest.strip_prefix(collection)?.strip_prefix('/')?;
        Some((who(user)?, id(segment)?))
    };
    parse().ok_or_else(|| {
        let or = word.map(|(word, _)| format!(", or `{word}` as the last")).unwrap_or_default();
        format!("A name here reads `users/{{user}}/{collection}/{{id}}` with UUIDs as ids{or}.")
    })
}

fn who(segment: &str) -> Option<Who> {
    if segment == "me" { Some(Who::Me) } else { uuid(segment).map(Who::User) }
}

/// A UUID in its usual form only; the library reads several others.
fn uuid(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190c7e2-5b1a-7c3e-8a55-0d8c6f3f2a11";

    #[test]
    fn names_are_read_and_written() {
        let id = uuid(ID).unwrap();
        assert_eq!(parse_user(""), Ok(Who::Me));
        assert_eq!(parse_user("users/me"), Ok(Who::Me));
        assert_eq!(parse_user(&of_user(id)), Ok(Who::User(id)));
        assert_eq!(parse_member("tasks", &of_member(id, "tasks", id)), Ok((Who::User(id), id)));
        assert_eq!(parse_member("tasks", &format!("users/me/tasks/{ID}")), Ok((Who::Me, id)));
    }

    #[test]
    fn a_member_that_goes_by_a_word_has_no_other_name() {
        let (id, inbox) = (uuid(ID).unwrap(), Uuid::nil());
        let parse = |value: &str| parse_member_or("lists", Some(("inbox", inbox)), value);
        assert_eq!(parse("users/me/lists/inbox"), Ok((Who::Me, inbox)));
        assert_eq!(parse(&format!("users/{ID}/lists/inbox")), Ok((Who::User(id), inbox)));
        assert_eq!(parse(&format!("users/me/lists/{ID}")), Ok((Who::Me, id)));
        for bad in ["Inbox", "inbox/", "outbox", "", &inbox.to_string()] {
            assert!(parse(&format!("users/me/lists/{bad}")).is_err(), "{bad}");
        }
        assert!(parse_member("lists", "users/me/lists/inbox").is_err());
    }

    #[test]
    fn anything_else_is_malformed() {
        for bad in ["users", "users/", "users/you", "user/me", "users/me/", " users/me", "users/\0"]
        {
            assert!(parse_user(bad).is_err(), "{bad}");
        }
        let simple = ID.replace('-', "");
        for bad in [
            "",
            "tasks/x",
            "users/me/tasks",
            "users/me/tasks/",
            "users/me/tasks/1",
            &format!("users/me/lists/{ID}"),
            &format!("users/me/tasks/{ID}/"),
            &format!("users/me/tasks/{{{simple}}}"),
            &format!("users/me/tasks/urn:uuid:{ID}"),
            &format!("users//tasks/{ID}"),
        ] {
            assert!(parse_member("tasks", bad).is_err(), "{bad}");
        }
    }
}
