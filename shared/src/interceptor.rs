//! The shared interceptor: it turns the `authorization` of a call into the
//! identity of its caller, or refuses the call. Synchronous, no I/O; whatever
//! is slow happens in the background task that keeps the trust.
//!
//! Invariant: an `Identity` is made here and nowhere else.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tonic::{Request, Status, metadata::MetadataMap, service::Interceptor};
use uuid::Uuid;

use crate::{
    error::{Failure, Reason, domain},
    trust::Trust,
    verify::{Claims, Refusal, Token, Verified, Verifier},
};

/// Whoever makes a call: a user, a service, or a service for a user, by an
/// access token that was verified.
#[derive(Clone, Debug)]
pub struct Identity(Verified);

impl Identity {
    /// The user who makes this call, as the interceptor left it there.
    ///
    /// # Errors
    /// PERMISSION_DENIED for a service (NOT_YOURS) and for one that acts for a
    /// user (SCOPE_MISSING): only a method that says what scope it asks for is
    /// open to those. INTERNAL, with a loud log, if the method was mounted
    /// without the interceptor.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Failure> {
        let identity = Self::any(request)?;
        identity.user()?;
        Ok(identity)
    }

    /// The user, or the service whose token has the scope `scope`, be it for
    /// itself or for a user.
    ///
    /// # Errors
    /// PERMISSION_DENIED (SCOPE_MISSING) for a service without it; INTERNAL as
    /// `of`.
    pub fn with_scope<T>(request: &Request<T>, scope: &'static str) -> Result<Self, Failure> {
        let identity = Self::any(request)?;
        let is_user = matches!(*identity.0.token, Token::User(_));
        if is_user || identity.scopes().any(|has| has == scope) {
            return Ok(identity);
        }
        let failure = Failure::new(Reason::ScopeMissing, "This service may not do that.");
        Err(failure.metadata("scope", scope))
    }

    fn any<T>(request: &Request<T>) -> Result<Self, Failure> {
        request.extensions().get::<Self>().cloned().ok_or_else(|| {
            Failure::internal("a method that needs a caller was mounted without authentication")
        })
    }

    /// What the user's token says.
    ///
    /// # Errors
    /// PERMISSION_DENIED (NOT_YOURS) for a service, which has no account, and
    /// (SCOPE_MISSING) for one that acts for a user: nothing of the account is
    /// any scope's.
    pub fn user(&self) -> Result<&Claims, Failure> {
        match &*self.0.token {
            Token::User(claims) => Ok(claims),
            Token::Service(_) => {
                Err(Failure::new(Reason::NotYours, "A service has no account of its own."))
            }
            Token::Delegated(_) => {
                Err(Failure::new(Reason::ScopeMissing, "Only the user may do that."))
            }
        }
    }

    /// The user who makes the call or for whom it is made; none for a service,
    /// which names one.
    #[must_use]
    pub fn user_id(&self) -> Option<Uuid> {
        self.0.token.session().map(|(user, _)| user)
    }

    /// The user and the session that the token lives with; none for a service.
    #[must_use]
    pub fn session(&self) -> Option<(Uuid, Uuid)> {
        self.0.token.session()
    }

    /// The service accounts that the token lives with.
    pub fn service_accounts(&self) -> impl Iterator<Item = Uuid> {
        self.0.token.service_accounts()
    }

    /// The service that makes the call, for itself or for somebody: for logs.
    #[must_use]
    pub fn service(&self) -> Option<Uuid> {
        let actor = self.0.token.actors().next().map(|actor| actor.sub);
        actor.or_else(|| self.is_service().then(|| self.0.token.subject()))
    }

    /// Whether it is a service, which may act for any user.
    #[must_use]
    pub fn is_service(&self) -> bool {
        matches!(*self.0.token, Token::Service(_))
    }

    /// What the token allows a service to do, for itself or for a user.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.token.scopes()
    }

    /// The id of the user or of the service account: for logs, since a service
    /// never acts for itself.
    #[must_use]
    pub fn subject(&self) -> Uuid {
        self.0.token.subject()
    }

    /// When the token was issued, in seconds since 1970.
    #[must_use]
    pub fn issued_at(&self) -> i64 {
        self.0.token.issued_at()
    }

    /// When the token stops being good, in seconds since 1970.
    #[must_use]
    pub fn expires_at(&self) -> i64 {
        self.0.token.expires_at()
    }

    /// Why the caller would be refused at `now`, the token's age aside: it was
    /// revoked, or its key was withdrawn. For what outlives its call.
    #[must_use]
    pub fn refusal(&self, trust: &Trust, now: DateTime<Utc>) -> Option<Refusal> {
        trust.refuses_by_now(&self.0.kid, &self.0.token, now)
    }
}

/// The interceptor. Mount it with `Server::authenticated`.
#[derive(Clone)]
pub struct Authenticate {
    verifier: Verifier,
    domain: &'static str,
}

impl Authenticate {
    /// An interceptor for the gRPC service called `service`.
    #[must_use]
    pub fn new(verifier: Verifier, service: &str) -> Self {
        Self { verifier, domain: domain(service) }
    }

    fn identify(&self, metadata: &MetadataMap) -> Result<Identity, Failure> {
        let mut headers = metadata.get_all("authorization").iter();
        let header = headers
            .next()
            .ok_or_else(|| Failure::new(Reason::TokenMissing, "Please sign in first."))?;
        if headers.next().is_some() {
            return Err(Refusal::Invalid("several headers").into());
        }
        let token = header.to_str().ok().and_then(bearer).ok_or(Refusal::Invalid("no bearer"))?;
        Ok(Identity(self.verifier.check(token)?))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Expired => {
                Self::new(Reason::TokenExpired, "Your access has expired; please refresh it.")
            }
            Refusal::Invalid(check) => {
                tracing::debug!(check, "A token was refused.");
                Self::new(Reason::TokenInvalid, "Please sign in again.")
            }
            Refusal::Revoked => {
                Self::new(Reason::SessionRevoked, "Session expired. Please sign in again.")
            }
            Refusal::NoKeys => Self::new(
                Reason::TrustStale,
                "Signing in cannot be checked at the moment. Please try again shortly.",
            )
            .retry_after(Duration::from_secs(1)),
        }
    }
}

impl Interceptor for Authenticate {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let identity = self
            .identify(request.metadata())
            .map_err(|failure| failure.into_status(self.domain))?;
        request.extensions_mut().insert(identity);
        Ok(request)
    }
}

/// The token of `Bearer <token>`, the scheme in any case (RFC 9110, section 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
