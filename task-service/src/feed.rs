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
use shared::{
    clock::SharedClock,
    database::Database,
    interceptor::Identity,
    trust::{Concerned, Trust},
};
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
    trust: Trust,
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
    /// Who watches them.
    pub caller: Identity,
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
    /// A feed on this database, for callers who are let in by `trust`.
    #[must_use]
    pub fn new(database: Database, clock: SharedClock, trust: Trust, settings: Settings) -> Self {
        let Settings { limits, poll } = settings;
        let (hub, relay) = (Hub::new(limits), Relay::default());
        Self(Arc::new(Inner { database, clock, trust, poll, hub, relay }))
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
        let Watch { user, caller, token, selection, until, draining } = watch;
        let (seat, heads) = self.0.hub.join(user)?;
        let Inner { database, clock, trust, hub, .. } = &*self.0;
        let watcher = Watcher {
            database: database.clone(),
            clock: clock.clone(),
            trust: trust.clone(),
            user,
            caller,
            selection,
            until,
            draining,
            hub: hub.clone(),
            heads,
        };
        Ok(watcher.begin(token, seat))
    }

    /// Keeps the replicas in touch, and watchers from watching who may no more,
    /// until it is dropped.
    pub async fn keep(&self) {
        let Inner { database, clock, poll, hub, relay, .. } = &*self.0;
        tokio::join!(
            relay.speak(database),
            Relay::listen(hub, database),
            Relay::look_often(hub, database, &**clock, *poll),
            self.heed_revocations(),
        );
    }

    /// Has those look who may have been signed out, for ever.
    async fn heed_revocations(&self) {
        let Inner { trust, hub, .. } = &*self.0;
        let mut concerns = trust.concerns();
        // Whatever came before this began.
        hub.check_all();
        loop {
            match concerns.next().await {
                Concerned::User(user) => hub.check(user),
                Concerned::Everybody => hub.check_all(),
            }
        }
    }
}

impl Selection {
    /// The filter as the database takes it, at `now`.
    fn at(&self, now: DateTime<Utc>) -> Value {
        self.filter.json(now.with_timezone(&self.zone).date_naive(), self.zone)
    }
}
