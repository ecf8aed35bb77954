//! The background task that keeps a verifier's trust from the feed of
//! auth-service: the keys and what was revoked, as they change. It says what it
//! has taken in, so that a key signs only when every verifier knows it.
//!
//! Invariant: a feed that is cut is no reason to refuse anybody. The `Keeper`
//! fetches the keys meanwhile, tokens live for minutes, and the feed goes on
//! where it was.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{Stream, stream};
use prost_types::Timestamp;
use proto::auth::v1::{
    WatchTrustRequest, WatchTrustResponse,
    trust_service_client::TrustServiceClient,
    watch_trust_request::{Acknowledge, Erased, Kind, Start},
    watch_trust_response::{self as told, Event, revocation},
};
use tokio::sync::{mpsc, watch};
use tonic::{Code, Request, Status, metadata::MetadataValue, transport::Channel};
use uuid::Uuid;

use super::{
    Revocation, Subject, Trust,
    erasing::{Erase, Erasing},
};
use crate::{clock::SharedClock, jwk::Jwk, name, secret::Secret};

/// A stream that says nothing for so long is dead; every five seconds a living
/// one says so.
const SILENCE: TimeDelta = TimeDelta::seconds(15);
/// The longest that opening a stream may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Pauses after a stream ended: the first, and the longest that they grow to.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// How many failures in a row are told to the operator, once.
const LOUD_AFTER: u32 = 5;

/// Where the access token of a service comes from.
pub trait TokenSource: Send + Sync + 'static {
    /// A token that is good now and for a while.
    fn token(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Secret>> + Send + '_>>;

    /// Says that this token was refused before its time.
    fn refused(&self, _: &Secret) {}
}

/// Keeps a `Trust` as the feed tells it.
pub struct TrustWatcher {
    /// What to keep.
    pub trust: Trust,
    /// Leads to auth-service.
    pub channel: Channel,
    /// Tokens with the scope `trust:watch`.
    pub tokens: Arc<dyn TokenSource>,
    /// By which time.
    pub clock: SharedClock,
    /// What erases users, if this service has anything of them.
    pub eraser: Option<Arc<dyn Erase>>,
}

/// How far the feed is known.
#[derive(Default)]
struct Position {
    /// Goes on from here; empty for everything.
    resume: String,
    /// Whether the last stream became current.
    current: bool,
}

impl TrustWatcher {
    /// Keeps the trust until it is dropped.
    pub async fn run(&self) {
        let mut position = Position::default();
        let mut failures = 0;
        loop {
            let ended = {
                let _cut_off = CutOff(&self.trust);
                self.watch(&mut position).await
            };
            if std::mem::take(&mut position.current) {
                failures = 0;
            }
            match ended {
                // The usual ends: a token that expired, a server that restarts.
                Ok(status) if failures == 0 => {
                    tracing::debug!(status = %status.message(), "The trust feed goes on elsewhere.");
                }
                Ok(status) => self.complain(failures, status.message()),
                Err(error) => self.complain(failures, &format!("{error:#}")),
            }
            tokio::time::sleep((PAUSES.0 * 2_u32.pow(failures.min(8))).min(PAUSES.1)).await;
            failures = failures.saturating_add(1);
        }
    }

    fn complain(&self, failures: u32, error: &str) {
        if failures == LOUD_AFTER {
            tracing::warn!(
                error,
                "The trust feed cannot be watched; the keys are fetched instead."
            );
        } else {
            tracing::debug!(error, "The trust feed cannot be watched.");
        }
    }

    /// Watches one stream to its end.
    async fn watch(&self, position: &mut Position) -> anyhow::Result<Status> {
        let token = self.tokens.token().await.context("there is no token for the trust feed")?;
        let said = Kind::Start(Start { resume_token: position.resume.clone() });
        let (acknowledge, acknowledged) = watch::channel(String::new());
        let (erasing, work, erased) = Erasing::begin(self.eraser.clone());
        let mut request = Request::new(sayings(said, acknowledged, erased));
        let mut bearer: MetadataValue<_> = format!("Bearer {}", token.expose()).parse()?;
        bearer.set_sensitive(true);
        request.metadata_mut().insert("authorization", bearer);

        let mut client = TrustServiceClient::new(self.channel.clone());
        let opened = tokio::time::timeout(PATIENCE, client.watch_trust(request)).await;
        let mut stream = match opened.context("the trust feed did not answer")? {
            Ok(answer) => answer.into_inner(),
            Err(status) => {
                if status.code() == Code::Unauthenticated {
                    self.tokens.refused(&token);
                }
                return Ok(position.refused(status));
            }
        };
        let mut fresh = None;
        let mut work = std::pin::pin!(work.run());
        loop {
            let quiet_at = self.clock.now() + SILENCE;
            let next = tokio::select! {
                next = stream.message() => next,
                () = self.clock.sleep_until(quiet_at) => anyhow::bail!("the trust feed is silent"),
                never = &mut work => match never {},
            };
            let message = match next {
                Ok(Some(message)) => message,
                Ok(None) => anyhow::bail!("the trust feed ended without a word"),
                Err(status) => return Ok(position.refused(status)),
            };
            let WatchTrustResponse { event, resume_token } = message;
            // What is unknown is for a newer verifier.
            if let Some(Event::Erase(told::Erase { user })) = &event {
                erasing.tell(id(user, "users").context("a user that cannot be read")?);
            } else if let Some(event) = event {
                self.take(event, &mut fresh, position)?;
            }
            self.trust.heard(self.clock.now());
            if !resume_token.is_empty() {
                acknowledge.send_replace(resume_token.clone());
                position.resume = resume_token;
            }
        }
    }

    /// Takes in one event. `fresh` is all there is, while that is being told.
    fn take(
        &self,
        event: Event,
        fresh: &mut Option<Vec<Revocation>>,
        position: &mut Position,
    ) -> anyhow::Result<()> {
        let now = self.clock.now();
        match event {
            Event::Reset(told::Reset {}) => *fresh = Some(Vec::new()),
            Event::Keys(told::Keys { keys }) => {
                let keys: Vec<Jwk> = keys.into_iter().map(Jwk::from).collect();
                anyhow::ensure!(
                    keys.iter().any(|key| key.verifying().is_some()),
                    "the feed told no key that can be used"
                );
                self.trust.feed(&keys, now);
            }
            Event::Revocation(revoked) => {
                if revoked.subject.is_none() {
                    tracing::warn!("The trust feed revokes what this version does not know.");
                    return Ok(());
                }
                let revoked = read(revoked).context("a revocation that cannot be read")?;
                if let Some(fresh) = fresh {
                    fresh.push(revoked);
                }
                self.trust.revoke([revoked], now);
            }
            Event::Current(told::Current {}) => {
                if let Some(fresh) = fresh.take() {
                    self.trust.revoke_only(&fresh);
                }
                position.current = true;
            }
            Event::Erase(_) | Event::Heartbeat(told::Heartbeat {}) => {}
        }
        Ok(())
    }
}

impl Position {
    /// A stream ended with this status.
    fn refused(&mut self, status: Status) -> Status {
        // The token is no good any more, as when its key was exchanged.
        if status.code() == Code::InvalidArgument {
            self.resume.clear();
        }
        status
    }
}

/// Says that the feed is cut when the stream is dropped, whatever the reason.
struct CutOff<'a>(&'a Trust);

impl Drop for CutOff<'_> {
    fn drop(&mut self) {
        self.0.cut_off();
    }
}

/// What a watcher says: where to begin, then the newest of what it took in
/// and whom it erased.
fn sayings(
    start: Kind,
    acknowledged: watch::Receiver<String>,
    erased: mpsc::Receiver<Uuid>,
) -> impl Stream<Item = WatchTrustRequest> + Send + 'static {
    stream::unfold((Some(start), acknowledged, erased), |said| async move {
        let (start, mut acknowledged, mut erased) = said;
        let kind = match start {
            Some(start) => start,
            None => tokio::select! {
                Some(user) = erased.recv() => Kind::Erased(Erased { user: name::of_user(user) }),
                changed = acknowledged.changed() => {
                    changed.ok()?;
                    let resume_token = acknowledged.borrow_and_update().clone();
                    Kind::Acknowledge(Acknowledge { resume_token })
                }
            },
        };
        Some((WatchTrustRequest { kind: Some(kind) }, (None, acknowledged, erased)))
    })
}

fn id(name: &str, collection: &str) -> Option<Uuid> {
    name.strip_prefix(collection)?.strip_prefix('/')?.parse().ok()
}

fn read(revoked: told::Revocation) -> Option<Revocation> {
    let told::Revocation { subject, not_before, expire_time } = revoked;
    let subject = match subject? {
        revocation::Subject::Session(name) => {
            let (user, session) = name.split_once("/sessions/")?;
            Subject::Session { user: id(user, "users")?, session: session.parse().ok()? }
        }
        revocation::Subject::User(name) => Subject::User(id(&name, "users")?),
        revocation::Subject::ServiceAccount(name) => {
            Subject::Service(id(&name, "serviceAccounts")?)
        }
    };
    let time = |time: Timestamp| -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).ok()?)
    };
    Some(Revocation { subject, not_before: time(not_before?)?, expires_at: time(expire_time?)? })
}
