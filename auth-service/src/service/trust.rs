//! `auth.v1.TrustService`: tells verifiers the keys and what was revoked.
//!
//! Invariant: every message carries the token that goes on after it.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::Stream;
use proto::auth::v1::{
    WatchTrustRequest, WatchTrustResponse,
    trust_service_server::TrustService,
    watch_trust_request::{Acknowledge, Erased, Kind, Start},
    watch_trust_response::{Current, Erase, Event, Heartbeat, Keys, Reset, Revocation, revocation},
};
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name, stream,
    trust::{self, Subject},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::{Service, answer, to_timestamp};
use crate::{
    deletion,
    error::DOMAIN,
    trust_feed::{
        Refused, Watch, token,
        watcher::{Events, Tell, Told},
    },
};

/// What the token of a watcher has to allow.
const SCOPE: &str = "trust:watch";
/// How long the first message may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// When to come back where there are as many watchers as there may be.
const CROWDED: Duration = Duration::from_secs(5);
/// Erasures that may wait to be noted.
const CONFIRMED: usize = 1024;
/// Messages of a watcher that are read before others have their turn.
const HEARD_AT_ONCE: usize = 64;

/// The service, until its server shuts down.
#[derive(Clone)]
pub struct TrustTeller {
    service: Service,
    draining: CancellationToken,
}

#[tonic::async_trait]
impl TrustService for TrustTeller {
    type WatchTrustStream = Watching;

    async fn watch_trust(
        &self,
        request: Request<Streaming<WatchTrustRequest>>,
    ) -> Result<Response<Watching>, Status> {
        answer(self.do_watch_trust(request).await)
    }
}

/// A stream of WatchTrust.
pub struct Watching {
    events: Events,
    /// What the watcher says, until it has nothing more to say.
    said: Option<Streaming<WatchTrustRequest>>,
    /// Whom the watcher has erased, to be noted.
    erased: mpsc::Sender<Uuid>,
    service: Service,
}

impl TrustTeller {
    /// The service, with streams that end when `draining` is cancelled.
    #[must_use]
    pub fn new(service: Service, draining: CancellationToken) -> Self {
        Self { service, draining }
    }

    async fn do_watch_trust(
        &self,
        request: Request<Streaming<WatchTrustRequest>>,
    ) -> Result<Watching, Failure> {
        let identity = Identity::with_scope(&request, SCOPE)?;
        if !identity.is_service() {
            let failure = Failure::new(Reason::ScopeMissing, "Only a service may do that.");
            return Err(failure.metadata("scope", SCOPE));
        }
        let mut said = request.into_inner();
        let first = tokio::time::timeout(PATIENCE, said.message()).await;
        // What cannot be read is told as what is missing.
        let first = first.ok().and_then(Result::ok).flatten().and_then(|said| said.kind);
        let mut fields = Fields::new();
        let since = match first {
            Some(Kind::Start(Start { resume_token })) if resume_token.is_empty() => Some(None),
            Some(Kind::Start(Start { resume_token })) => {
                let rev = token::open(&self.service.0.pages, &resume_token);
                fields.read_as(Reason::PageTokenInvalid, "start.resume_token", rev).map(Some)
            }
            _ => {
                fields.refuse("start", "The first message says where to begin.");
                None
            }
        };
        let (since,) = fields.all((since,))?;
        let draining = self.draining.clone();
        let erased = self.service.confirming(identity.subject());
        let until = stream::until(&identity);
        let events = self.service.0.trust.watch(Watch { identity, since, until, draining }).await;
        let events = events.map_err(|refused| match refused {
            Refused::Full => {
                Failure::new(Reason::WatchLimit, "As many verifiers watch as may at a time.")
                    .retry_after(CROWDED)
            }
            Refused::Failed(error) => error.into(),
        })?;
        Ok(Watching { events, said: Some(said), erased, service: self.service.clone() })
    }
}

impl Service {
    /// Where erasures are noted that the service `watcher` confirms, until it is
    /// dropped.
    fn confirming(&self, watcher: Uuid) -> mpsc::Sender<Uuid> {
        let (erased, mut users) = mpsc::channel(CONFIRMED);
        let (database, clock) = (self.0.database.clone(), self.0.clock.clone());
        tokio::spawn(async move {
            while let Some(user) = users.recv().await {
                let noted = deletion::confirm(&database, user, watcher, clock.now()).await;
                if let Err(error) = noted {
                    tracing::warn!(%error, "An erasure could not be noted; it is asked for again.");
                }
            }
        });
        erased
    }
}

impl Watching {
    /// Reads what the watcher has said by now; who says much is heard by and by.
    fn hear(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        for _ in 0..HEARD_AT_ONCE {
            let Some(said) = &mut self.said else { return Ok(()) };
            match Pin::new(said).poll_next(cx) {
                Poll::Ready(Some(Ok(WatchTrustRequest { kind }))) => self.heard(kind)?,
                Poll::Ready(Some(Err(_)) | None) => self.said = None,
                Poll::Pending => return Ok(()),
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn heard(&self, kind: Option<Kind>) -> Result<(), Failure> {
        let mut fields = Fields::new();
        match kind {
            Some(Kind::Acknowledge(Acknowledge { resume_token })) => {
                let rev = token::open(&self.service.0.pages, &resume_token);
                let rev = fields.read_as(Reason::PageTokenInvalid, "acknowledge.resume_token", rev);
                let (rev,) = fields.all((rev,))?;
                self.events.acknowledge(rev);
                return Ok(());
            }
            Some(Kind::Erased(Erased { user })) => {
                let id = user.strip_prefix("users/").and_then(|id| id.parse().ok());
                let id = fields.read("erased.user", id.ok_or("A user is named users/{user}."));
                let (id,) = fields.all((id,))?;
                // What does not fit is not confirmed, and so is asked for again.
                let _ = self.erased.try_send(id);
                return Ok(());
            }
            Some(Kind::Start(_)) => fields.refuse("start", "Only the first message begins."),
            None => fields.refuse("kind", "A message says one thing."),
        }
        fields.all(())
    }

    fn message(&self, told: Told) -> WatchTrustResponse {
        let Told { event, rev } = told;
        let event = match event {
            Tell::Reset => Event::Reset(Reset {}),
            Tell::Keys(keys) => {
                Event::Keys(Keys { keys: keys.into_iter().map(Into::into).collect() })
            }
            Tell::Revoked(revoked) => Event::Revocation(revocation(revoked)),
            Tell::Erase(user) => Event::Erase(Erase { user: name::of_user(user) }),
            Tell::Current => Event::Current(Current {}),
            Tell::Heartbeat => Event::Heartbeat(Heartbeat {}),
        };
        let resume_token = token::seal(&self.service.0.pages, rev);
        WatchTrustResponse { event: Some(event), resume_token }
    }
}

impl Stream for Watching {
    type Item = Result<WatchTrustResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(failure) = self.hear(cx) {
            return Poll::Ready(Some(Err(failure.into_status(DOMAIN))));
        }
        let told = ready!(Pin::new(&mut self.events).poll_next(cx));
        Poll::Ready(told.map(|told| match told {
            Ok(told) => Ok(self.message(told)),
            Err(end) => Err(Failure::from(end).into_status(DOMAIN)),
        }))
    }
}

fn revocation(revoked: trust::Revocation) -> Revocation {
    let trust::Revocation { subject, not_before, expires_at } = revoked;
    let subject = match subject {
        Subject::Session { user, session } => {
            revocation::Subject::Session(name::of_member(user, "sessions", session))
        }
        Subject::User(user) => revocation::Subject::User(name::of_user(user)),
        Subject::Service(account) => {
            revocation::Subject::ServiceAccount(format!("serviceAccounts/{account}"))
        }
    };
    Revocation {
        subject: Some(subject),
        not_before: Some(to_timestamp(not_before)),
        expire_time: Some(to_timestamp(expires_at)),
    }
}
