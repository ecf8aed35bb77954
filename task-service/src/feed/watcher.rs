//! One stream: the task that walks a watcher through the database, and its end
//! that the client reads.
//!
//! Invariant: at most `AHEAD` events wait for a client, and nothing is fetched
//! while they do; a client that reads slowly gets the newest state later.

use std::{
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};

use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    clock::SharedClock, database::Database, interceptor::Identity, stream, trust::Trust,
    verify::Refusal,
};
use tokio::sync::{
    mpsc::{self, OwnedPermit, Receiver, Sender, error::SendError},
    watch,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Selection,
    changes::{self, Ask, Change},
    hub::{Hub, Seat},
    machine::{Machine, Step, Told},
};
use crate::{erasure, error::Error, sync_token::SyncToken};

/// Events that may wait for the client.
const AHEAD: usize = 2;
/// Changes that are fetched at once.
const LIMIT: i64 = 200;
/// After this much silence the client is told that nothing happened.
const SILENCE: TimeDelta = TimeDelta::seconds(15);

type Ended = stream::Ended<Error>;
/// What goes to a client.
type Item = Result<Told<Change>, Ended>;

/// What a client reads. Dropping it ends the stream.
#[derive(Debug)]
pub struct Events {
    told: Receiver<Item>,
    /// Free when the client is gone, not when there is nothing more to tell.
    _seat: Seat,
}

/// What a stream is made of.
pub(super) struct Watcher {
    pub(super) database: Database,
    pub(super) clock: SharedClock,
    pub(super) trust: Trust,
    pub(super) user: Uuid,
    /// Who watches.
    pub(super) caller: Identity,
    pub(super) selection: Option<Selection>,
    /// When the caller's access token is refused.
    pub(super) until: DateTime<Utc>,
    pub(super) draining: CancellationToken,
    pub(super) hub: Hub,
    pub(super) heads: watch::Receiver<i64>,
}

impl Watcher {
    /// Begins to tell, from `token` on.
    pub(super) fn begin(self, token: Option<SyncToken>, seat: Seat) -> Events {
        // One place is kept for the reason of the end.
        let (sender, told) = mpsc::channel(AHEAD + 1);
        if let Ok(last) = sender.clone().try_reserve_owned() {
            tokio::spawn(self.run(token, sender, last));
        }
        Events { told, _seat: seat }
    }

    async fn run(self, token: Option<SyncToken>, sender: Sender<Item>, last: OwnedPermit<Item>) {
        let began = AtomicBool::new(false);
        let ended = tokio::select! {
            ended = self.ended() => ended,
            followed = self.follow(token, &sender, &began) => match followed {
                Ok(ended) => ended,
                Err(SendError(())) => return,
            },
            () = sender.closed() => return,
        };
        last.send(Err(match ended {
            // It was good, so the key of a user's token was withdrawn. Before anything
            // was told, a stream is refused like any call.
            Ended::Refused(Refusal::Invalid(_))
                if began.into_inner() && self.caller.service().is_none() =>
            {
                Ended::Refused(Refusal::Revoked)
            }
            ended => ended,
        }));
    }

    /// What ends a stream from outside: what takes the caller's rights away ends
    /// it here, unless the user is gone altogether (see `lost`).
    async fn ended(&self) -> Ended {
        tokio::select! {
            () = self.clock.sleep_until(self.until) => Ended::TokenExpired,
            () = self.draining.cancelled() => Ended::Draining,
            refusal = self.refused() => Ended::Refused(refusal),
        }
    }

    /// Why the caller is let in no more, as soon as that is so.
    async fn refused(&self) -> Refusal {
        let mut woken = self.heads.clone();
        loop {
            if let Some(refusal) = self.caller.refusal(&self.trust, self.clock.now()) {
                return refusal;
            }
            if woken.changed().await.is_err() {
                // It cannot be closed: the seat of this stream holds it open.
                std::future::pending::<()>().await;
            }
        }
    }

    async fn follow(
        &self,
        token: Option<SyncToken>,
        sender: &Sender<Item>,
        began: &AtomicBool,
    ) -> Result<Ended, SendError<()>> {
        let mut machine = Machine::new(token);
        let mut heads = self.heads.clone();
        let mut quiet_at = self.clock.now() + SILENCE;
        loop {
            match machine.next() {
                Step::Fetch { since, base } => {
                    // On the heap only while it is needed; most watchers wait.
                    let before = *heads.borrow();
                    match Box::pin(self.fetch(since, base)).await {
                        Ok(page) => {
                            self.hub.looked(self.user, before, page.head);
                            machine.fetched(page);
                        }
                        Err(error) => return Ok(Ended::Failed(error)),
                    }
                }
                Step::Tell(told) => {
                    let place = sender.reserve().await?;
                    quiet_at = self.clock.now() + SILENCE;
                    began.store(true, Ordering::Relaxed);
                    place.send(Ok(told));
                }
                Step::Wait => tokio::select! {
                    // It cannot be closed: the seat of this stream holds it open.
                    Ok(()) = heads.changed() => machine.woken(*heads.borrow_and_update()),
                    () = self.clock.sleep_until(quiet_at) => machine.quiet(),
                },
                Step::Lost => return Ok(Box::pin(self.lost()).await),
            }
        }
    }

    /// Why what was told is gone. That its user was erased may be known to the
    /// database before this replica hears of it.
    async fn lost(&self) -> Ended {
        match erasure::is_erased(&self.database, self.user).await {
            Ok(true) => Ended::Failed(Error::UserErased),
            Ok(false) => Ended::Lost,
            Err(error) => Ended::Failed(error),
        }
    }

    async fn fetch(&self, since: i64, base: Option<i64>) -> Result<changes::Page<Change>, Error> {
        let filter = self.selection.as_ref().map(|selection| selection.at(self.clock.now()));
        let ask = Ask { user: self.user, since, base, limit: LIMIT, filter };
        changes::fetch(&self.database, &ask).await
    }
}

impl futures_util::Stream for Events {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        self.told.poll_recv(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::{
        clock::SystemClock,
        interceptor::Authenticate,
        rng,
        testing::TestIssuer,
        verify::{Rules, Verifier},
    };
    use sqlx::postgres::PgConnectOptions;
    use tonic::{Request, service::Interceptor as _};

    use super::*;
    use crate::feed::hub::Limits;

    /// 10,000 of them wait on a replica most of the time.
    #[tokio::test]
    async fn a_watcher_is_small() {
        let user = rng::uuid_v4();
        let trust = Trust::new(Duration::MAX);
        let caller = caller(user, &trust);
        let hub = Hub::new(Limits { per_user: 1, in_total: 1 });
        let (_seat, heads) = hub.join(user).unwrap();
        let watcher = Watcher {
            database: Database::new(PgConnectOptions::new(), 1),
            clock: SystemClock::shared(),
            trust,
            user,
            caller,
            selection: None,
            until: DateTime::UNIX_EPOCH,
            draining: CancellationToken::new(),
            hub,
            heads,
        };
        let (sender, _told) = mpsc::channel(AHEAD + 1);
        let last = sender.clone().try_reserve_owned().unwrap();
        let run = watcher.run(None, sender, last);
        assert!(size_of_val(&run) <= 1536, "{}", size_of_val(&run));
        assert!(size_of::<Item>() <= 128, "{}", size_of::<Item>());
    }

    /// A user who was let in.
    fn caller(user: Uuid, trust: &Trust) -> Identity {
        shared::program::install_cryptography();
        let (issuer, clock) = (TestIssuer::new(), SystemClock::shared());
        trust.set(std::slice::from_ref(issuer.jwk()), clock.now());
        let rules = Rules {
            issuer: issuer.name().to_owned(),
            audience: "task-service".to_owned(),
            max_lifetime: Duration::from_secs(3600),
        };
        let token = issuer.token(&issuer.claims(user, "task-service", clock.now()));
        let mut request = Request::new(());
        let header = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", header);
        let verifier = Verifier::new(rules, trust.clone(), clock);
        let mut interceptor = Authenticate::new(verifier, "task.v1.TaskService");
        Identity::of(&interceptor.call(request).unwrap()).unwrap()
    }
}
