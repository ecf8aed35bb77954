//! How the long streams of both services end. Whoever still may can go on with
//! the last token that a stream told.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{
    error::{Failure, Reason},
    interceptor::Identity,
    verify::{LEEWAY_SECONDS, Refusal},
};

/// When to come back where a stream had to end.
const RESUME: Duration = Duration::from_millis(500);

/// Why a stream ends.
#[derive(Debug)]
pub enum Ended<E> {
    /// The caller's access token is too old.
    TokenExpired,
    /// It was revoked, or its key was withdrawn.
    Refused(Refusal),
    /// The server shuts down.
    Draining,
    /// The database was set back.
    Lost,
    /// What was to be told could not be read.
    Failed(E),
}

impl<E: Into<Failure>> From<Ended<E>> for Failure {
    fn from(end: Ended<E>) -> Self {
        match end {
            Ended::TokenExpired => Refusal::Expired.into(),
            Ended::Refused(refusal) => refusal.into(),
            Ended::Draining => {
                Self::new(Reason::ServerDraining, "The server is restarting; please go on shortly.")
                    .retry_after(RESUME)
            }
            Ended::Lost => Self::new(
                Reason::DatabaseUnavailable,
                "The database was set back; please go on shortly.",
            )
            .retry_after(RESUME),
            Ended::Failed(error) => error.into(),
        }
    }
}

/// When the verifier would refuse the token that a stream was opened with; a
/// client that opens another before gets one that lasts.
#[must_use]
pub fn until(caller: &Identity) -> DateTime<Utc> {
    // What is too far away for the calendar is far enough.
    DateTime::from_timestamp(caller.expires_at().saturating_add(LEEWAY_SECONDS), 0)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
