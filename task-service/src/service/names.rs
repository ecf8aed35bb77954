//! Names of lists in requests, the inbox among them.

use shared::{
    error::{Failure, Fields},
    interceptor::Identity,
    name,
};
use uuid::Uuid;

use crate::{
    task::INBOX,
    wire::{INBOX_ID, LISTS},
};

/// Reads the field `field` that names a list: its owner and its id, which is
/// `INBOX` for the inbox. `None` if it is malformed, which `fields` has then
/// noted.
///
/// # Errors
/// PERMISSION_DENIED (NOT_YOURS) at once for a name under another user.
pub(super) fn list(
    fields: &mut Fields,
    field: &str,
    value: &str,
    caller: &Identity,
) -> Result<Option<(Uuid, Uuid)>, Failure> {
    let inbox = value
        .strip_suffix(INBOX_ID)
        .and_then(|rest| rest.strip_suffix('/')?.strip_suffix(LISTS)?.strip_suffix('/'))
        .filter(|user| !user.is_empty());
    match inbox {
        Some(user) => Ok(name::user(fields, field, user, caller)?.map(|user| (user, INBOX))),
        None => name::member(fields, field, LISTS, value, caller),
    }
}
