//! A service's own access token, for the calls that it makes: asked for with the
//! secret of its account, and asked for again before it expires. Whoever calls
//! takes the one that is there and waits for nothing.
//!
//! Invariant: one request at a time, whoever needs a token; the one before
//! stays in use until it expires or is refused, and none is ever printed.

use std::{
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use proto::auth::v1::{
    IssueServiceTokenRequest, issue_service_token_request::Credential as Proof,
    token_service_client::TokenServiceClient,
};
use tokio::sync::{Mutex, Notify, watch};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};

use crate::{call::Propagate, clock::SharedClock, secret::Secret, trust::TokenSource};

/// How long asking may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// Pauses after asking in vain: the first, and the longest that they grow to.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// The shortest time between two tokens, whatever their lifetime or refusals.
const LEAST_INTERVAL: TimeDelta = TimeDelta::seconds(1);
/// How many failures in a row are told to the operator, once.
const LOUD_AFTER: u32 = 5;

/// How a service proves which account it has.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A secret, `ds_…`.
    Secret(Secret),
    /// The file that holds it; read whenever it is needed, so that it can be
    /// exchanged without a restart.
    File(PathBuf),
}

/// What a token is to be good for; empty for all that the account may have.
#[derive(Clone, Debug, Default)]
pub struct Purpose {
    /// Its scopes.
    pub scopes: Vec<String>,
    /// The services that are called with it.
    pub audience: Vec<String>,
}

/// The token of a service. Cheap to clone; clones share it. As an interceptor
/// it sends the token along with every call.
#[derive(Clone)]
pub struct ServiceToken(Arc<Inner>);

struct Inner {
    issuer: TokenServiceClient<InterceptedService<Channel, Propagate>>,
    credential: Credential,
    purpose: Purpose,
    clock: SharedClock,
    issued: watch::Sender<Option<Arc<Issued>>>,
    /// Told when a token was refused before its time.
    refused: Notify,
    /// Held by the one who asks.
    asking: Mutex<()>,
}

struct Issued {
    token: Secret,
    authorization: MetadataValue<Ascii>,
    expires_at: DateTime<Utc>,
}

impl Credential {
    /// The credential that was given directly or by file, if any was.
    ///
    /// # Errors
    /// In words for the operator, without the value: both are given, or the
    /// file cannot be read.
    pub fn either(direct: Option<&Secret>, file: Option<&Path>) -> Result<Option<Self>, String> {
        let secret = Secret::either(direct, file)?;
        Ok(match file {
            Some(file) => Some(Self::File(file.to_owned())),
            None => secret.map(Self::Secret),
        })
    }

    fn read(&self) -> anyhow::Result<Secret> {
        match self {
            Self::Secret(secret) => Ok(secret.clone()),
            Self::File(file) => Secret::either(None, Some(file))
                .map_err(|fault| anyhow::anyhow!("the secret {fault}"))?
                .context("there is no secret"),
        }
    }
}

impl ServiceToken {
    /// A token from the auth service at `channel`. There is none until `keep`
    /// runs.
    #[must_use]
    pub fn new(
        channel: Channel,
        credential: Credential,
        purpose: Purpose,
        clock: SharedClock,
    ) -> Self {
        let propagate = Propagate { most: ASK_TIMEOUT };
        Self(Arc::new(Inner {
            issuer: TokenServiceClient::with_interceptor(channel, propagate),
            credential,
            purpose,
            clock,
            issued: watch::Sender::new(None),
            refused: Notify::new(),
            asking: Mutex::new(()),
        }))
    }

    /// Keeps the token fresh until it is dropped: asks for the next one when
    /// four fifths of the life of this one are over. Whoever runs it while it
    /// runs already waits.
    pub async fn keep(&self) {
        let _asking = self.0.asking.lock().await;
        let mut failures = 0;
        loop {
            let asked_at = self.0.clock.now();
            match self.ask().await {
                Ok(issued) => {
                    if failures > LOUD_AFTER {
                        tracing::info!(failures, "The token of this service can be had again.");
                    }
                    failures = 0;
                    let due = asked_at + (issued.expires_at - asked_at) * 4 / 5;
                    self.0.issued.send_replace(Some(Arc::new(issued)));
                    self.wait(asked_at, due).await;
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    if failures == LOUD_AFTER {
                        tracing::warn!(error, "This service gets no token; trying again.");
                    } else {
                        tracing::debug!(error, "This service gets no token.");
                    }
                    tokio::time::sleep((PAUSES.0 * 2_u32.pow(failures.min(8))).min(PAUSES.1)).await;
                    failures = failures.saturating_add(1);
                }
            }
        }
    }

    /// A token that is good now; waits until there is one. Needs `keep`.
    pub async fn token(&self) -> Secret {
        let mut issued = self.0.issued.subscribe();
        let good = |issued: &Option<Arc<Issued>>| self.good(issued.as_ref()).is_some();
        if let Ok(issued) = issued.wait_for(good).await
            && let Some(issued) = issued.as_ref()
        {
            return issued.token.clone();
        }
        // We hold the sender, so there is always more to wait for.
        std::future::pending().await
    }

    /// Says that this token was refused though it has not expired: it is used
    /// no more, and the next one is asked for.
    pub fn refused(&self, token: &Secret) {
        let forget = |issued: &mut Option<Arc<Issued>>| {
            let same = issued.as_ref().is_some_and(|issued| issued.token == *token);
            if same {
                *issued = None;
            }
            same
        };
        if self.0.issued.send_if_modified(forget) {
            self.0.refused.notify_one();
        }
    }

    fn good<'i>(&self, issued: Option<&'i Arc<Issued>>) -> Option<&'i Arc<Issued>> {
        let now = self.0.clock.now();
        issued.filter(|issued| now < issued.expires_at)
    }

    async fn ask(&self) -> anyhow::Result<Issued> {
        let Purpose { scopes, audience } = self.0.purpose.clone();
        let secret = self.0.credential.read()?.expose().to_owned();
        let request =
            IssueServiceTokenRequest { credential: Some(Proof::Secret(secret)), scopes, audience };
        // What a server says could quote what it was sent.
        let answer = self.0.issuer.clone().issue_service_token(request).await;
        let answer = answer.map_err(|status| anyhow::anyhow!("{:?}", status.code()))?.into_inner();
        let expires = answer.expire_time.context("a token that does not say when it expires")?;
        let expires_at = DateTime::from_timestamp(expires.seconds, 0);
        let token = Secret::from(answer.access_token);
        let mut authorization: MetadataValue<Ascii> = format!("Bearer {}", token.expose())
            .parse()
            .map_err(|_| anyhow::anyhow!("a token that no header can carry"))?;
        authorization.set_sensitive(true);
        let expires_at = expires_at.context("a token that expires at no time")?;
        Ok(Issued { token, authorization, expires_at })
    }

    /// Waits until the next token is due, by the time or by a refusal.
    async fn wait(&self, asked_at: DateTime<Utc>, due: DateTime<Utc>) {
        let soonest = asked_at + LEAST_INTERVAL;
        let refused = async {
            self.0.refused.notified().await;
            self.0.clock.sleep_until(soonest).await;
        };
        tokio::select! {
            () = self.0.clock.sleep_until(due.max(soonest)) => {}
            () = refused => {}
        }
    }
}

impl TokenSource for ServiceToken {
    fn token(&self) -> Pin<Box<dyn Future<Output = anyhow::Result<Secret>> + Send + '_>> {
        Box::pin(async { Ok(self.token().await) })
    }

    fn refused(&self, token: &Secret) {
        self.refused(token);
    }
}

impl Interceptor for ServiceToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let issued = self.0.issued.borrow();
        let Some(issued) = self.good(issued.as_ref()) else {
            return Err(Status::unavailable("This service has no token of its own yet."));
        };
        request.metadata_mut().insert("authorization", issued.authorization.clone());
        Ok(request)
    }
}
