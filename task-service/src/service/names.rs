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
    name::member_or(fields, field, LISTS, Some((INBOX_ID, INBOX)), value, caller)
}
