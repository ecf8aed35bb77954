//! The audit log as operators read it.

use std::{collections::HashMap, fmt::Write as _};

use proto::auth::v1::{AuditEvent, ListAuditEventsRequest, ListAuditEventsResponse};
use serde_json::Value;
use shared::{
    error::{Failure, Fields, Reason},
    name, page,
};
use tonic::Request;
use uuid::Uuid;

use super::read_user;
use crate::{
    audit::{self, Event},
    service::{Service, to_timestamp},
};

impl Service {
    pub(super) async fn do_list_audit_events(
        &self,
        request: Request<ListAuditEventsRequest>,
    ) -> Result<ListAuditEventsResponse, Failure> {
        let operator = self.operator(&request)?;
        let ListAuditEventsRequest { parent, page_size, page_token } = request.into_inner();
        let mut fields = Fields::new();
        let user = if parent.is_empty() { Ok(Uuid::nil()) } else { read_user(&parent) };
        let user = fields.read("parent", user);
        let size = fields.read("page_size", page::size(page_size));
        let context = [b"admin/audit/", user.unwrap_or_default().as_bytes().as_slice()].concat();
        let sequence = |bytes: &[u8]| Some(i64::from_be_bytes(bytes.try_into().ok()?));
        let before = fields.read_as(
            Reason::PageTokenInvalid,
            "page_token",
            self.read_page(&context, &page_token, sequence),
        );
        let (user, size, before) = fields.all((user, size, before))?;

        let listed = audit::list(&self.0.database, &operator, user, before, size + 1);
        let mut page = listed.await?;
        let more = page.len() > usize::from(size);
        page.truncate(usize::from(size));
        let last = page.last().filter(|_| more).map(|last| last.sequence.to_be_bytes());
        Ok(ListAuditEventsResponse {
            events: page.into_iter().map(|event| to_event(user, event)).collect(),
            next_page_token: last
                .map(|last| self.0.pages.seal(&context, &last))
                .unwrap_or_default(),
        })
    }

    /// Where a page begins, by its token; none for the first.
    pub(super) fn read_page<T>(
        &self,
        context: &[u8],
        token: &str,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, &'static str> {
        if token.is_empty() {
            return Ok(None);
        }
        let cursor = self.0.pages.open(context, token)?;
        read(&cursor).map(Some).ok_or("This page token is not one of ours.")
    }
}

fn to_event(user: Uuid, event: Event) -> AuditEvent {
    let Event { sequence, kind, actor, address_prefix, device_label, details, created_at, hash } =
        event;
    AuditEvent {
        kind,
        create_time: Some(to_timestamp(created_at)),
        user: if user.is_nil() { String::new() } else { name::of_user(user) },
        actor,
        address_prefix,
        device_label,
        details: to_details(details),
        sequence,
        hash: hash.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a text cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        }),
    }
}

/// What is said by name, each as a text; what is not said is left out.
fn to_details(details: Value) -> HashMap<String, String> {
    let Value::Object(details) = details else { return HashMap::new() };
    let text = |(name, value): (String, Value)| match value {
        Value::Null => None,
        Value::String(text) => Some((name, text)),
        other => Some((name, other.to_string())),
    };
    details.into_iter().filter_map(text).collect()
}
