//! The feed: what changed since a token, once or for as long as somebody
//! watches. Its parts: `changes` reads them, `machine` decides what a watcher
//! tells, `watcher` runs one, `hub` wakes those of this replica and `relay`
//! those of the others.
//!
//! Invariant: what is told is the newest state in the order of the revisions;
//! a hint that is lost makes it late and never wrong.

pub mod changes;
#[cfg(test)]
mod exploration;
pub mod hub;
pub mod machine;
#[cfg(test)]
mod model;
mod relay;
pub mod watcher;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;
use shared::{clock::SharedClock, database::Database};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{
    changes::{Ask, Change, Page},
    hub::{Full, Hub, Limits},
    relay::Relay,
    watcher::{Events, Watcher},
};
use crate::{error::Error, filter::Filter, sync_token::SyncToken};

/// How a feed is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many streams there may be.
    pub limits: Limits,
    /// How often the heads of those being watched are asked for.
    pub poll: Duration,
}

/// The feed of one replica. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    database: Database,
    clock: SharedClock,
    poll: Duration,
    hub: Hub,
    relay: Relay,
}

/// Which tasks somebody watches.
#[derive(Clone, Debug)]
pub struct Selection {
    /// What is asked of them.
    pub filter: Filter,
    /// Where `today()` is a day.
    pub zone: Tz,
}

/// What somebody wants to watch.
pub struct Watch {
    /// Whose tasks and lists.
    pub user: Uuid,
    /// Where to go on; None to begin with all there is.
    pub token: Option<SyncToken>,
    /// Which tasks; None for all.
    pub selection: Option<Selection>,
    /// When the caller's access token is refused.
    pub until: DateTime<Utc>,
    /// Cancelled when the server shuts down.
    pub draining: CancellationToken,
}

impl Feed {
    /// A feed on this database.
    #[must_use]
    pub fn new(database: Database, clock: SharedClock, settings: Settings) -> Self {
        let Settings { limits, poll } = settings;
        let (hub, relay) = (Hub::new(limits), Relay::new(&database));
        Self(Arc::new(Inner { database, clock, poll, hub, relay }))
    }

    /// Has everybody told who watches this user, here and on other replicas.
    /// Call it after every write, once it is committed.
    pub fn changed(&self, user: Uuid, revision: i64) {
        self.0.hub.raise(user, revision);
        self.0.relay.tell(user, revision);
    }

    /// What changed since `token`, at most `limit` changes, and the token to go
    /// on with; None if the token is too old.
    ///
    /// # Errors
    /// `Database`.
    pub async fn sync(
        &self,
        user: Uuid,
        token: Option<SyncToken>,
        limit: u16,
    ) -> Result<Option<(Page<Change>, SyncToken)>, Error> {
        let (since, base) = token.map_or((0, None), |token| (token.rev, Some(token.base)));
        let ask = Ask { user, since, base, limit: limit.into(), filter: None };
        let page = changes::fetch(&self.0.database, &ask).await?;
        if page.expires(since, base) {
            return Ok(None);
        }
        let token = SyncToken { rev: page.reached, base: base.unwrap_or(page.head) };
        Ok(Some((page, token)))
    }

    /// Begins to tell somebody what changes.
    ///
    /// # Errors
    /// `Full`: there are as many streams as there may be.
    pub fn watch(&self, watch: Watch) -> Result<Events, Full> {
        let Watch { user, token, selection, until, draining } = watch;
        let (seat, heads) = self.0.hub.join(user)?;
        let Inner { database, clock, hub, .. } = &*self.0;
        let (database, clock, hub) = (database.clone(), clock.clone(), hub.clone());
        let watcher = Watcher { database, clock, user, selection, until, draining, hub, heads };
        Ok(watcher.begin(token, seat))
    }

    /// Keeps the replicas in touch, until it is dropped.
    pub async fn keep(&self) {
        let Inner { database, clock, poll, hub, relay } = &*self.0;
        tokio::join!(
            relay.speak(),
            relay.listen(hub, database),
            Relay::look_often(hub, database, &**clock, *poll),
        );
    }
}

impl Selection {
    /// The filter as the database takes it, at `now`.
    fn at(&self, now: DateTime<Utc>) -> Value {
        self.filter.json(now.with_timezone(&self.zone).date_naive(), self.zone)
    }
}
