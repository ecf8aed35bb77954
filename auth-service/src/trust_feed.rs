//! The trust feed: what verifiers are told of keys and revocations. One task per
//! replica follows the events in the database, and every watcher of the replica
//! is told from what it has read.
//!
//! Invariant: what is told comes from the database, in the order of commits; a
//! hint that is lost makes it late, by `poll` at most. A replica reads the keys
//! anew before it tells that they have changed, and believes nobody itself whom
//! it has told others to refuse.

pub(crate) mod events;
mod seats;
mod tail;
pub(crate) mod token;
pub mod watcher;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    clock::{Clock, SharedClock},
    database::{
        Database,
        hints::{self, Speaker},
    },
    interceptor::Identity,
    jwk::Jwk,
    rng,
    trust::Trust,
};
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::seats::{Full, Limits};
use self::{
    events::{Event, Note, Page, What},
    seats::Seats,
    tail::Tail,
    watcher::{Events, Watcher},
};
use crate::{deletion, error::Error, signing::KeyRing};

/// Where hints are said.
const CHANNEL: &str = "trust";
/// How long changes are gathered before the database is asked.
const PACE: std::time::Duration = std::time::Duration::from_millis(5);
/// How often a replica says that it is there, and that it is while a key waits
/// to be known.
const NOTED: TimeDelta = TimeDelta::seconds(10);
const NOTED_WAITING: TimeDelta = TimeDelta::seconds(1);
/// A replica that has not said so is gone. Its watchers have left it before:
/// they are told nothing by one that cannot reach the database.
const GONE: TimeDelta = TimeDelta::seconds(30);
/// How often old events are removed.
const SWEPT: TimeDelta = TimeDelta::minutes(1);

/// How a feed is run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many may watch.
    pub limits: Limits,
    /// How often the database is asked, if nobody said so sooner.
    pub poll: TimeDelta,
    /// How long a token may live after it was revoked.
    pub outlived: TimeDelta,
}

/// The feed of one replica. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct TrustFeed(Arc<Inner>);

struct Inner {
    database: Database,
    clock: SharedClock,
    keys: Arc<KeyRing>,
    trust: Trust,
    settings: Settings,
    replica: Uuid,
    tail: Tail,
    seats: Seats,
    /// One look at a time.
    looking: Mutex<()>,
    changed: Notify,
    hinted: Notify,
    /// The keys were read anew, and watchers are told.
    keys_read: Notify,
}

/// Who wants to watch.
pub struct Watch {
    /// The service.
    pub identity: Identity,
    /// The last event that it knows; None to begin with everything.
    pub since: Option<i64>,
    /// When its access token is refused.
    pub until: DateTime<Utc>,
    /// Cancelled when the server shuts down.
    pub draining: CancellationToken,
}

/// Why nobody can watch.
#[derive(Debug)]
pub enum Refused {
    /// There are as many as there may be.
    Full,
    /// The database did not say what there is.
    Failed(Error),
}

impl TrustFeed {
    /// A feed that knows what there is, and has it refused by `trust`.
    ///
    /// # Errors
    /// `Database`.
    pub async fn open(
        database: Database,
        clock: SharedClock,
        keys: Arc<KeyRing>,
        trust: Trust,
        settings: Settings,
    ) -> Result<Self, Error> {
        let feed = Self(Arc::new(Inner {
            database,
            clock,
            keys,
            trust,
            settings,
            replica: rng::uuid_v4(),
            tail: Tail::new(),
            seats: Seats::new(settings.limits),
            looking: Mutex::default(),
            changed: Notify::new(),
            hinted: Notify::new(),
            keys_read: Notify::new(),
        }));
        feed.look().await?;
        Ok(feed)
    }

    /// Has everybody told what was committed. Call it after whatever ends a
    /// session, suspends somebody or changes the keys; it never waits.
    pub fn changed(&self) {
        self.0.changed.notify_one();
    }

    /// Begins to tell somebody.
    ///
    /// # Errors
    /// See `Refused`.
    pub async fn watch(&self, watch: Watch) -> Result<Events, Refused> {
        let Watch { identity, since, until, draining } = watch;
        let seat = self.0.seats.join(identity.subject()).map_err(|seats::Full| Refused::Full)?;
        // Another replica may have told it more than is known here.
        self.look().await.map_err(Refused::Failed)?;
        let watcher = Watcher { feed: self.clone(), identity, until, draining };
        Ok(watcher.begin(since, seat))
    }

    /// Keeps the feed in touch with the database and with other replicas, until
    /// it is dropped.
    pub async fn keep(&self) {
        let Inner { database, hinted, tail, .. } = &*self.0;
        let missed = async || hinted.notify_one();
        let heard = |head: &str| {
            if head.parse().is_ok_and(|head: i64| head > tail.head()) {
                hinted.notify_one();
            }
        };
        tokio::join!(
            self.look_often(),
            hints::listen(database, CHANNEL, missed, heard),
            self.note_often(),
            self.sweep_often(),
        );
    }

    async fn look_often(&self) {
        let Inner { database, clock, keys, settings, tail, changed, hinted, .. } = &*self.0;
        let mut speaker = Speaker::new(database, CHANNEL);
        let (mut failing, looks) = (false, tail.looks());
        // Another look may have been the first to see what is ours.
        let mut said = tail.head();
        loop {
            let due = *looks.borrow() + settings.poll;
            let ours = tokio::select! {
                () = changed.notified() => true,
                () = keys.changed() => true,
                () = hinted.notified() => false,
                () = clock.sleep_until(due) => false,
            };
            tokio::time::sleep(PACE).await;
            match self.look().await {
                Ok(()) => failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "Verifiers cannot be told what was revoked.");
                    }
                    // Whoever waits for it is not to wait for the clock.
                    let again = if ours { changed } else { hinted };
                    again.notify_one();
                    tokio::time::sleep(PACE * 20).await;
                    continue;
                }
            }
            let head = tail.head();
            if ours && head != said {
                said = head;
                speaker.say(&[head.to_string()]).await;
            }
        }
    }

    /// Reads what is new, and takes it in.
    async fn look(&self) -> Result<(), Error> {
        let Inner { database, clock, trust, settings, tail, keys_read, .. } = &*self.0;
        let _one_at_a_time = self.0.looking.lock().await;
        loop {
            let now = clock.now();
            let since = tail.head();
            let page = events::fetch(database, since, settings.outlived).await?;
            if page.head < since {
                tracing::warn!("The database was set back; verifiers are told everything anew.");
                self.reload_keys().await?;
                tail.restart();
                continue;
            }
            let of_keys = |event: &Event| event.what == What::Keys;
            // What was swept may have been about keys.
            let keys_moved = page.events.iter().any(of_keys) || since < page.horizon;
            if keys_moved {
                self.reload_keys().await?;
            }
            let revoked = page.events.iter().filter_map(|event| match event.what {
                What::Revoked(revocation) => Some(revocation),
                What::Keys | What::Erase(_) => None,
            });
            trust.revoke(revoked, now);
            tail.append(&page);
            if keys_moved {
                keys_read.notify_one();
            }
            if page.reached >= page.head {
                tail.looked(now);
                return Ok(());
            }
        }
    }

    /// Reads the keys anew. One that cannot be read keeps nobody from being told
    /// what was revoked.
    async fn reload_keys(&self) -> Result<(), Error> {
        match self.0.keys.reload().await {
            Err(Error::Impossible(error)) => {
                tracing::warn!(error, "The signing keys cannot be read; the known ones go on.");
                Ok(())
            }
            reloaded => reloaded,
        }
    }

    /// Has all replicas know what the watchers of this one have taken in, above
    /// all while a key waits for that.
    async fn note_often(&self) {
        let Inner { clock, keys, seats, keys_read, .. } = &*self.0;
        loop {
            let now = clock.now();
            match self.note(now).await {
                Ok(true) => self.changed(),
                Ok(false) => {}
                Err(error) => tracing::debug!(%error, "What watchers know could not be noted."),
            }
            let hurried = keys.is_hurried();
            let pause = if hurried { NOTED_WAITING } else { NOTED };
            tokio::select! {
                () = clock.sleep_until(now + pause) => {}
                () = keys_read.notified() => {}
                () = seats.moved(), if hurried => {}
            }
        }
    }

    async fn note(&self, now: DateTime<Utc>) -> Result<bool, Error> {
        let Inner { database, replica, tail, seats, .. } = &*self.0;
        // Asked for first: whoever comes then has been told at least that.
        let head = tail.head();
        let (watchers, acknowledged) = seats.acknowledged().unwrap_or((0, head));
        let watchers = i64::try_from(watchers).unwrap_or(i64::MAX);
        let note = Note { replica: *replica, watchers, acknowledged };
        events::note(database, note, now - GONE, now).await
    }

    async fn sweep_often(&self) {
        let Inner { database, clock, settings, .. } = &*self.0;
        loop {
            clock.sleep_until(clock.now() + SWEPT).await;
            if let Err(error) = events::sweep(database, clock.now() - settings.outlived).await {
                tracing::warn!(%error, "Old events cannot be removed; trying again later.");
            }
        }
    }

    /// The events after `since`.
    async fn page(&self, since: i64) -> Result<Page, Error> {
        let Inner { database, settings, tail, .. } = &*self.0;
        match tail.page(since) {
            Some(page) => Ok(page),
            None => events::fetch(database, since, settings.outlived).await,
        }
    }

    /// Users whom the service `service` is still to erase, after `after`.
    async fn to_erase(&self, service: Uuid, after: Option<Uuid>) -> Result<Vec<Uuid>, Error> {
        deletion::pending(&self.0.database, service, after).await
    }

    fn published(&self) -> Vec<Jwk> {
        self.0.keys.published()
    }

    fn tail(&self) -> &Tail {
        &self.0.tail
    }

    fn trust(&self) -> &Trust {
        &self.0.trust
    }

    fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }
}

impl std::fmt::Debug for TrustFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustFeed").finish_non_exhaustive()
    }
}
