//! The shared interceptor: it turns the `authorization` of a call into the
//! identity of its caller, or refuses the call. Synchronous, no I/O; whatever
//! is slow happens in the background task that keeps the trust.
//!
//! Invariant: an `Identity` is made here and nowhere else.

use std::{sync::Arc, time::Duration};

use tonic::{Request, Status, metadata::MetadataMap, service::Interceptor};
use uuid::Uuid;

use crate::{
    error::{Failure, Reason, domain},
    verify::{Claims, Refusal, Verifier},
};

/// Whoever makes a call: a user, by an access token that was verified.
#[derive(Clone, Debug)]
pub struct Identity(Arc<Claims>);

impl Identity {
    /// The caller of a request, as the interceptor left it there.
    ///
    /// # Errors
    /// INTERNAL, with a loud log, if the method was mounted without it.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Failure> {
        request.extensions().get::<Self>().cloned().ok_or_else(|| {
            Failure::internal("a method that needs a caller was mounted without authentication")
        })
    }

    /// The user's id.
    #[must_use]
    pub fn user(&self) -> Uuid {
        self.0.sub
    }

    /// The session's id.
    #[must_use]
    pub fn session(&self) -> Uuid {
        self.0.sid
    }

    /// Everything that the token says.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.0
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
        let invalid = || Failure::new(Reason::TokenInvalid, "Please sign in again.");
        let mut headers = metadata.get_all("authorization").iter();
        let header = headers
            .next()
            .ok_or_else(|| Failure::new(Reason::TokenMissing, "Please sign in first."))?;
        if headers.next().is_some() {
            return Err(invalid());
        }
        let token = header.to_str().ok().and_then(bearer).ok_or_else(invalid)?;
        self.verifier.verify(token).map(Identity).map_err(|refusal| match refusal {
            Refusal::Expired => {
                Failure::new(Reason::TokenExpired, "Your access has expired; please refresh it.")
            }
            Refusal::Invalid(check) => {
                tracing::debug!(check, "A token was refused.");
                invalid()
            }
            Refusal::NoKeys => Failure::new(
                Reason::TrustStale,
                "Signing in cannot be checked at the moment. Please try again shortly.",
            )
            .retry_after(Duration::from_secs(1)),
        })
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
