//! What tells changes: SyncTasks and WatchTasks.
//!
//! Invariant: every message of a stream carries the token that goes on after it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::Stream;
use proto::task::v1 as pb;
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name,
    page::{self, PageTokens},
    stream,
};
use tonic::Status;
use uuid::Uuid;

use super::{Answer, Service, status};
use crate::{
    feed::{
        self,
        changes::{Change, Resource},
        hub::Full,
        machine::{Event, Told},
        watcher::Events,
    },
    filter::{self, Filter},
    sync_token::SyncToken,
    wire,
};

/// When to come back where there are as many streams as there may be.
const CROWDED: Duration = Duration::from_secs(5);

/// A stream of WatchTasks.
pub struct Watch {
    events: Events,
    tokens: Arc<PageTokens>,
    user: Uuid,
}

impl Service {
    pub(super) async fn sync(
        &self,
        caller: Identity,
        request: pb::SyncTasksRequest,
    ) -> Result<Answer<pb::SyncTasksResponse>, Failure> {
        let pb::SyncTasksRequest { parent, sync_token, page_size } = request;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &caller)?;
        let token = self.token(&mut fields, "sync_token", user, &sync_token);
        let limit = fields.read("page_size", page::size(page_size));
        let (user, token, limit) = fields.all((user, token, limit))?;

        let synced = self.feed.sync(user, token, limit).await?;
        let (page, next) = synced.ok_or_else(|| {
            Failure::new(
                Reason::SyncTokenExpired,
                "Too much has happened since then; everything has to be read again.",
            )
        })?;
        let more = page.reached < page.head;
        let changes = page.changes.into_iter().map(|change| self::change(user, change)).collect();
        let next_sync_token = next.seal(&self.tokens, user);
        Ok(pb::SyncTasksResponse { changes, next_sync_token, more }.into())
    }

    pub(super) async fn watch(
        &self,
        caller: Identity,
        request: pb::WatchTasksRequest,
    ) -> Result<Watch, Failure> {
        let pb::WatchTasksRequest { parent, resume_token, filter: text, time_zone } = request;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &caller)?;
        let token = self.token(&mut fields, "resume_token", user, &resume_token);
        let filter = Filter::read(&mut fields, "filter", &text, &caller)?;
        let zone = fields.read("time_zone", filter::zone(&time_zone));
        let (user, token, filter, zone) = fields.all((user, token, filter, zone))?;

        let until = stream::until(&caller);
        let draining = self.draining.clone();
        let selection = (!filter.is_empty()).then_some(feed::Selection { filter, zone });
        let watch = feed::Watch { user, caller, token, selection, until, draining };
        let events = self.feed.watch(watch).map_err(full)?;
        Ok(Watch { events, tokens: self.tokens.clone(), user })
    }

    /// Reads a token of this user. The inner None stands for no token.
    fn token(
        &self,
        fields: &mut Fields,
        field: &str,
        user: Option<Uuid>,
        token: &str,
    ) -> Option<Option<SyncToken>> {
        if token.is_empty() {
            return Some(None);
        }
        let read = SyncToken::open(&self.tokens, user?, token);
        fields.read_as(Reason::SyncTokenInvalid, field, read).map(Some)
    }
}

impl Stream for Watch {
    type Item = Result<pb::WatchTasksResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let told = std::task::ready!(Pin::new(&mut self.events).poll_next(cx));
        Poll::Ready(told.map(|told| match told {
            Ok(told) => Ok(self.message(told)),
            Err(end) => Err(status(end.into())),
        }))
    }
}

impl Watch {
    fn message(&self, told: Told<Change>) -> pb::WatchTasksResponse {
        use pb::watch_tasks_response::Event as Wire;
        let Told { event, token } = told;
        let event = match event {
            Event::Changes(changes) => {
                let changes =
                    changes.into_iter().map(|change| self::change(self.user, change)).collect();
                Wire::Changes(pb::Changes { changes })
            }
            Event::Current => Wire::Current(pb::Current {}),
            Event::Bookmark => Wire::Bookmark(pb::Bookmark {}),
            Event::Reset => Wire::Reset(pb::Reset {}),
        };
        let resume_token = token.seal(&self.tokens, self.user);
        pb::WatchTasksResponse { event: Some(event), resume_token }
    }
}

fn change(user: Uuid, change: Change) -> pb::Change {
    use pb::change::Resource as Wire;
    let Change { revision, resource } = change;
    let resource = match resource {
        Resource::Task(task) => Wire::Task(wire::task(user, *task)),
        Resource::List(list) => Wire::List(wire::list(user, list)),
        Resource::GoneTask(id) => Wire::RemovedTask(wire::task_name(user, id)),
        Resource::GoneList(id) => Wire::RemovedList(wire::list_name(user, id)),
    };
    pb::Change { revision, resource: Some(resource) }
}

fn full(full: Full) -> Failure {
    let message = match full {
        Full::User => "Too many pages and devices of yours are watching at the same time.",
        Full::Replica => "Too many are watching at the moment. Please try again shortly.",
    };
    Failure::new(Reason::WatchLimit, message).retry_after(CROWDED)
}
