//! What reads tasks: GetTask and ListTasks.

use proto::task::v1 as pb;
use shared::{
    error::Fields,
    error::{Failure, Reason},
    interceptor::Identity,
    name, page,
};

use super::{Answer, Service};
use crate::{
    error::Error,
    filter::{self, Filter},
    order::Order,
    page::{List, Start},
    read_mask::ReadMask,
    sync_token::SyncToken,
    tasks, wire,
};

impl Service {
    pub(super) async fn get(
        &self,
        caller: Identity,
        request: pb::GetTaskRequest,
    ) -> Result<Answer<pb::GetTaskResponse>, Failure> {
        let pb::GetTaskRequest { name, read_mask } = request;
        let mut fields = Fields::new();
        let named = name::member(&mut fields, "name", wire::TASKS, &name, &caller)?;
        let mask = mask(&mut fields, read_mask);
        let ((user, id), mask) = fields.all((named, mask))?;

        let task = tasks::get(&self.database, user, id).await?.ok_or(Error::TaskNotFound)?;
        Ok(pb::GetTaskResponse { task: Some(mask.apply(wire::task(user, task))) }.into())
    }

    pub(super) async fn list(
        &self,
        caller: Identity,
        request: pb::ListTasksRequest,
    ) -> Result<Answer<pb::ListTasksResponse>, Failure> {
        let pb::ListTasksRequest {
            parent,
            page_size,
            page_token,
            filter: filter_text,
            order_by,
            read_mask,
            show_deleted,
            time_zone,
        } = request;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &caller)?;
        let size = fields.read("page_size", page::size(page_size));
        let filter = Filter::read(&mut fields, "filter", &filter_text, &caller)?;
        let order = fields.read_as(Reason::OrderByInvalid, "order_by", Order::parse(&order_by));
        let mask = mask(&mut fields, read_mask);
        let zone = fields.read("time_zone", filter::zone(&time_zone));
        let (user, size, filter, order, mask, zone) =
            fields.all((user, size, filter, order, mask, zone))?;
        let list = List { user, filter, filter_text, order, show_deleted, zone };
        let start = list
            .start(&self.tokens, &page_token)
            .map_err(|text| Failure::field(Reason::PageTokenInvalid, "page_token", text))?;

        let today = self.clock.now().with_timezone(&zone).date_naive();
        let today = start.as_ref().map_or(today, |start| start.today);
        let after = start.as_ref().map(|start| &start.after);
        let page = crate::page::read(&self.database, &list, today, after, size).await?;
        let sync_token = match start {
            Some(start) => start.sync_token,
            None => SyncToken { rev: page.head, base: page.head }.seal(&self.tokens, user),
        };
        let next = page.last.map(|after| {
            let start = Start { sync_token: sync_token.clone(), today, after };
            list.token(&self.tokens, &start)
        });
        let tasks = page.tasks.into_iter().map(|task| mask.apply(wire::task(user, task)));
        let response = pb::ListTasksResponse {
            tasks: tasks.collect(),
            next_page_token: next.unwrap_or_default(),
            sync_token,
        };
        Ok(response.into())
    }
}

fn mask(fields: &mut Fields, mask: Option<prost_types::FieldMask>) -> Option<ReadMask> {
    fields.read_as(Reason::MaskInvalid, "read_mask", ReadMask::parse(mask.as_ref()))
}
