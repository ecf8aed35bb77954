//! One stream: the task that tells a watcher what happens, and its end that the
//! watcher reads.
//!
//! Invariant: whoever has taken in a message with the number `rev` knows every
//! event up to there, provided that it knew what it began with.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::Stream;
use shared::{clock::Clock, interceptor::Identity, jwk::Jwk, stream, trust::Revocation};
use tokio::sync::mpsc::{self, OwnedPermit, Receiver, Sender, error::SendError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    TrustFeed,
    events::{Event, What},
    seats::Seat,
};
use crate::error::Error;

/// Messages that may wait for the watcher.
const AHEAD: usize = 64;
/// After this much silence the watcher is told that nothing happened.
const SILENCE: TimeDelta = TimeDelta::seconds(5);

/// What a watcher is told, and up to where it knows everything then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What happened.
    pub event: Tell,
    /// Goes on after this event.
    pub rev: i64,
}

/// What a watcher is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Everything follows.
    Reset,
    /// The keys that tokens may be signed with.
    Keys(Vec<Jwk>),
    /// Tokens that are good no more.
    Revoked(Revocation),
    /// A user is to be erased.
    Erase(Uuid),
    /// Everything there was has been told.
    Current,
    /// Nothing happened.
    Heartbeat,
}

type Ended = stream::Ended<Error>;
/// What goes to a watcher.
type Item = Result<Told, Ended>;

/// What a watcher reads. Dropping it ends the stream.
#[derive(Debug)]
pub struct Events {
    told: Receiver<Item>,
    seat: Seat,
}

/// What a stream is made of.
pub(super) struct Watcher {
    pub(super) feed: TrustFeed,
    pub(super) identity: Identity,
    /// When the watcher's access token is refused.
    pub(super) until: DateTime<Utc>,
    pub(super) draining: CancellationToken,
}

impl Watcher {
    /// Begins to tell what comes after `since`, or everything.
    pub(super) fn begin(self, since: Option<i64>, seat: Seat) -> Events {
        // One place is kept for the reason of the end.
        let (sender, told) = mpsc::channel(AHEAD + 1);
        if let Ok(last) = sender.clone().try_reserve_owned() {
            tokio::spawn(self.run(since, sender, last));
        }
        Events { told, seat }
    }

    async fn run(self, since: Option<i64>, sender: Sender<Item>, last: OwnedPermit<Item>) {
        let ended = tokio::select! {
            ended = self.ended() => ended,
            followed = self.follow(since, &sender) => match followed {
                Ok(ended) => ended,
                Err(SendError(())) => return,
            },
            () = sender.closed() => return,
        };
        last.send(Err(ended));
    }

    /// What ends a stream from outside.
    async fn ended(&self) -> Ended {
        let Self { feed, identity, until, draining } = self;
        let revoked = async {
            let mut heads = feed.tail().heads();
            loop {
                if let Some(refusal) = identity.refusal(feed.trust(), feed.now()) {
                    return refusal;
                }
                if heads.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            () = feed.clock().sleep_until(*until) => Ended::TokenExpired,
            () = draining.cancelled() => Ended::Draining,
            refusal = revoked => Ended::Refused(refusal),
        }
    }

    async fn follow(
        &self,
        since: Option<i64>,
        sender: &Sender<Item>,
    ) -> Result<Ended, SendError<()>> {
        let feed = &self.feed;
        let mut teller = Teller { sender, clock: feed.clock(), quiet_at: feed.now() };
        let (mut heads, mut looks) = (feed.tail().heads(), feed.tail().looks());
        let start = feed.tail().head();
        let mut since = match since {
            // Neither too old nor from a future that was taken back.
            Some(since) if (feed.tail().horizon()..=start).contains(&since) => since,
            _ => {
                let horizon = feed.tail().horizon();
                teller.tell(Tell::Reset, horizon).await?;
                horizon
            }
        };
        // Whoever comes back may have missed keys that were gone by their time.
        teller.tell(Tell::Keys(feed.published()), since).await?;
        let mut current = false;
        loop {
            while since < *heads.borrow_and_update() {
                let page = match feed.page(since).await {
                    Ok(page) if page.head < since => return Ok(Ended::Lost),
                    Ok(page) => page,
                    Err(error) => return Ok(Ended::Failed(error)),
                };
                let reached = page.reached;
                self.tell_events(page.events, &mut teller).await?;
                since = reached;
            }
            if !current && since >= start {
                current = true;
                // However long ago they were told of first.
                let mut after = None;
                loop {
                    let users = match feed.to_erase(self.identity.subject(), after).await {
                        Ok(users) => users,
                        Err(error) => return Ok(Ended::Failed(error)),
                    };
                    let Some(last) = users.last() else { break };
                    after = Some(*last);
                    for user in users {
                        teller.tell(Tell::Erase(user), since).await?;
                    }
                }
                teller.tell(Tell::Current, since).await?;
            }
            let quiet_at = teller.quiet_at;
            let quiet = async {
                feed.clock().sleep_until(quiet_at).await;
                // Only who has looked can say so.
                looks.wait_for(|at| *at >= quiet_at).await.is_ok()
            };
            tokio::select! {
                Ok(()) = heads.changed() => {
                    if *heads.borrow() < since {
                        return Ok(Ended::Lost);
                    }
                }
                true = quiet => teller.tell(Tell::Heartbeat, since).await?,
            }
        }
    }

    async fn tell_events(
        &self,
        events: Vec<Event>,
        teller: &mut Teller<'_>,
    ) -> Result<(), SendError<()>> {
        for Event { rev, what } in events {
            match what {
                What::Revoked(revoked) if revoked.expires_at <= self.feed.now() => {}
                What::Revoked(revoked) => teller.tell(Tell::Revoked(revoked), rev).await?,
                What::Keys => teller.tell(Tell::Keys(self.feed.published()), rev).await?,
                What::Erase(user) => teller.tell(Tell::Erase(user), rev).await?,
            }
        }
        Ok(())
    }
}

/// Tells, and knows from when on nothing was told.
struct Teller<'a> {
    sender: &'a Sender<Item>,
    clock: &'a dyn Clock,
    quiet_at: DateTime<Utc>,
}

impl Teller<'_> {
    async fn tell(&mut self, event: Tell, rev: i64) -> Result<(), SendError<()>> {
        let place = self.sender.reserve().await?;
        self.quiet_at = self.clock.now() + SILENCE;
        place.send(Ok(Told { event, rev }));
        Ok(())
    }
}

impl Events {
    /// The watcher has taken in everything up to here.
    pub fn acknowledge(&self, rev: i64) {
        self.seat.acknowledge(rev);
    }
}

impl Stream for Events {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.told.poll_recv(cx)
    }
}
