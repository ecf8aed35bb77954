//! `task.v1.ListService`. The inbox is always there and always as it is: it can
//! be read like any list, and no request changes it.

use proto::task::v1 as pb;
use serde_json::json;
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name, page, rng,
};
use uuid::Uuid;

use super::{Answer, Service, names};
use crate::{
    error::Error,
    list_mask::ListMask,
    lists::{self, Changes, List, ListTitle, Page, Place, Written},
    request::{self, Payload, RequestId},
    task::INBOX,
    tasks::Write,
    wire,
};

const INBOX_STAYS: &str = "The inbox cannot be changed, moved or deleted.";

impl Service {
    pub(super) async fn create_one(
        &self,
        caller: Identity,
        request: pb::CreateListRequest,
    ) -> Result<Answer<pb::CreateListResponse>, Failure> {
        let pb::CreateListRequest { parent, list, request_id, list_id } = request;
        let pb::List { title, archived, .. } = list.unwrap_or_default();
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &caller)?;
        let title = fields.read("list.title", ListTitle::parse(&title));
        let chosen = fields.read("list_id", chosen_id(&list_id));
        let request_id = fields.read("request_id", RequestId::parse(&request_id));
        let (user, title, chosen, request_id) = fields.all((user, title, chosen, request_id))?;

        let asked = json!([chosen, title.as_str(), archived]);
        let write = self.write(user, request_id, payload("CreateList", &asked));
        let write = Write { quota: self.quotas.lists, ..write };
        let id = chosen.unwrap_or_else(|| rng::uuid_v7(write.now));
        let written = lists::create(&self.database, write, id, &title, archived).await?;
        let (list, replay) = self.told(user, written);
        Ok(Answer { body: pb::CreateListResponse { list: Some(wire::list(user, list)) }, replay })
    }

    pub(super) async fn get_one(
        &self,
        caller: Identity,
        request: pb::GetListRequest,
    ) -> Result<Answer<pb::GetListResponse>, Failure> {
        let mut fields = Fields::new();
        let named = names::list(&mut fields, "name", &request.name, &caller)?;
        let ((user, id),) = fields.all((named,))?;

        let list = if id == INBOX {
            wire::inbox(user)
        } else {
            let list = lists::get(&self.database, user, id).await?;
            wire::list(user, list.ok_or(Error::ListNotFound)?)
        };
        Ok(pb::GetListResponse { list: Some(list) }.into())
    }

    pub(super) async fn list_all(
        &self,
        caller: Identity,
        request: pb::ListListsRequest,
    ) -> Result<Answer<pb::ListListsResponse>, Failure> {
        let pb::ListListsRequest { parent, page_size, page_token } = request;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &caller)?;
        let size = fields.read("page_size", page::size(page_size));
        // Without a user there is nothing that a token could be good for.
        let after = user.and_then(|user| {
            let after = self.read_place(user, &page_token);
            fields.read_as(Reason::PageTokenInvalid, "page_token", after)
        });
        let (user, size, after) = fields.all((user, size, after))?;

        let first = after.is_none();
        let size = usize::from(size) - usize::from(first);
        let after = after.filter(|place| !place.is_empty());
        let page = Page { after, limit: i64::try_from(size + 1).unwrap_or(1) };
        let mut found = lists::list(&self.database, user, &page).await?;
        let more = found.len() > size;
        found.truncate(size);
        // Of the inbox alone nothing is the last place, and so all are after it.
        let last = found.last().map(|list: &List| list.position.clone()).unwrap_or_default();
        let next_page_token =
            if more { self.tokens.seal(&context(user), last.as_bytes()) } else { String::new() };
        let inbox = first.then(|| wire::inbox(user));
        let found = found.into_iter().map(|list| wire::list(user, list));
        let lists = inbox.into_iter().chain(found).collect();
        Ok(pb::ListListsResponse { lists, next_page_token }.into())
    }

    pub(super) async fn update_one(
        &self,
        caller: Identity,
        request: pb::UpdateListRequest,
    ) -> Result<Answer<pb::UpdateListResponse>, Failure> {
        let pb::UpdateListRequest { list, update_mask, request_id, place } = request;
        let list = list.unwrap_or_default();
        let mut fields = Fields::new();
        let named = changeable(&mut fields, "list.name", &list.name, &caller)?;
        let mask = ListMask::parse(update_mask.as_ref(), &list);
        let mask = fields.read_as(Reason::MaskInvalid, "update_mask", mask);
        let writes_title = mask.is_some_and(|mask| mask.title);
        let title = writes_title.then(|| fields.read("list.title", ListTitle::parse(&list.title)));
        let place = read_place(&mut fields, named, place.as_ref(), &caller)?;
        let etag = fields.read("list.etag", request::parse_etag(&list.etag));
        let request_id = fields.read("request_id", RequestId::parse(&request_id));
        let (mask, (user, id), place, etag, request_id) =
            fields.all((mask, named, place, etag, request_id))?;

        let archived = mask.archived.then_some(list.archived);
        let changes = Changes { title: title.flatten(), archived, place };
        let written = self.change(user, request_id, id, etag, &changes).await;
        let written = written.map_err(|error| refuse(error, place))?;
        let (list, replay) = self.told(user, written);
        Ok(Answer { body: pb::UpdateListResponse { list: Some(wire::list(user, list)) }, replay })
    }

    pub(super) async fn delete_one(
        &self,
        caller: Identity,
        request: pb::DeleteListRequest,
    ) -> Result<Answer<pb::DeleteListResponse>, Failure> {
        let pb::DeleteListRequest { name, etag, request_id, force } = request;
        let mut fields = Fields::new();
        let named = changeable(&mut fields, "name", &name, &caller)?;
        let etag = fields.read("etag", request::parse_etag(&etag));
        let request_id = fields.read("request_id", RequestId::parse(&request_id));
        let ((user, id), etag, request_id) = fields.all((named, etag, request_id))?;

        let write = self.write(user, request_id, payload("DeleteList", &json!([id, etag, force])));
        let written = lists::delete(&self.database, write, id, etag, force).await?;
        let ((), replay) = self.told(user, written);
        Ok(Answer { body: pb::DeleteListResponse {}, replay })
    }

    async fn change(
        &self,
        user: Uuid,
        request_id: Option<Uuid>,
        id: Uuid,
        etag: Option<i64>,
        changes: &Changes,
    ) -> Result<Written<List>, Error> {
        let Changes { title, archived, place } = changes;
        let title = title.as_ref().map(ListTitle::as_str);
        let (after, before) = match *place {
            None => (None, None),
            Some(Place::After(other)) => (Some(other), None),
            Some(Place::Before(other)) => (None, Some(other)),
        };
        let asked = json!([id, etag, title, archived, after, before]);
        let write = self.write(user, request_id, payload("UpdateList", &asked));
        lists::update(&self.database, write, id, etag, changes).await
    }

    /// Wakes those who watch this user's lists; tells whether an earlier write
    /// did the work.
    fn told<T>(&self, user: Uuid, written: Written<T>) -> (T, bool) {
        let Written { left, head } = written;
        if let Some(head) = head {
            self.feed.changed(user, head);
        }
        (left, head.is_none())
    }

    /// The place after which a page begins: None for the first page, and empty
    /// where that had only the inbox.
    fn read_place(&self, user: Uuid, token: &str) -> Result<Option<String>, &'static str> {
        if token.is_empty() {
            return Ok(None);
        }
        let place = self.tokens.open(&context(user), token)?;
        String::from_utf8(place).map(Some).map_err(|_| "This page token cannot be read.")
    }
}

/// What a page token of this user's lists is good for.
fn context(user: Uuid) -> Vec<u8> {
    [b"lists/", user.as_bytes().as_slice()].concat()
}

fn payload(method: &str, asked: &serde_json::Value) -> Payload {
    Payload::of(method).part(asked.to_string().as_bytes())
}

/// Reads the field `field` that names a list to change.
fn changeable(
    fields: &mut Fields,
    field: &str,
    value: &str,
    caller: &Identity,
) -> Result<Option<(Uuid, Uuid)>, Failure> {
    let named = names::list(fields, field, value, caller)?;
    if named.is_some_and(|(_, id)| id == INBOX) {
        fields.refuse(field, INBOX_STAYS);
        return Ok(None);
    }
    Ok(named)
}

/// Reads where a list moves to. The inner None is to stay.
fn read_place(
    fields: &mut Fields,
    named: Option<(Uuid, Uuid)>,
    place: Option<&pb::update_list_request::Place>,
    caller: &Identity,
) -> Result<Option<Option<Place>>, Failure> {
    use pb::update_list_request::Place as Asked;
    let (field, value) = match place {
        None => return Ok(Some(None)),
        Some(Asked::After(other)) => ("after", other),
        Some(Asked::Before(other)) => ("before", other),
    };
    let Some((owner, other)) = names::list(fields, field, value, caller)? else { return Ok(None) };
    if named.is_some_and(|(user, _)| user != owner) {
        fields.refuse(field, "All names in a request lie under one user.");
        return Ok(None);
    }
    match place {
        Some(Asked::Before(_)) if other == INBOX => {
            fields.refuse(field, "The inbox is always the first.");
            Ok(None)
        }
        Some(Asked::Before(_)) => Ok(Some(Some(Place::Before(other)))),
        _ => Ok(Some(Some(Place::After(other)))),
    }
}

/// A refusal of UpdateList, with the field to blame.
fn refuse(error: Error, place: Option<Place>) -> Failure {
    let field = match (&error, place) {
        (Error::PlaceNotFound, Some(Place::Before(_))) => "before",
        (Error::PlaceNotFound, _) => "after",
        _ => return error.into(),
    };
    Failure::field(Reason::FieldInvalid, field, "There is no such other list.")
}

fn chosen_id(text: &str) -> Result<Option<Uuid>, &'static str> {
    match RequestId::parse(text) {
        // The nil UUID is the inbox.
        Ok(id) if id != Some(INBOX) => Ok(id),
        _ => Err("The id of a list is a UUID."),
    }
}
