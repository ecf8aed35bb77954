//! What can go wrong with a task, and how a client learns of it. Every error of
//! this crate passes here; there is no arm for "anything else".

use shared::error::{Failure, Reason};

use crate::request::etag;

/// Why a call about tasks failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user has no such task: it never was, it is deleted, or it is
    /// somebody else's.
    #[error("no such task")]
    TaskNotFound,
    /// The user has no such list.
    #[error("no such list")]
    ListNotFound,
    /// The task changed since the etag was read.
    #[error("the task has revision {current} by now")]
    EtagMismatch {
        /// The revision it has now.
        current: i64,
    },
    /// The request id was used for something else.
    #[error("the request id was used for something else")]
    RequestIdReused,
    /// The database returned what it never should.
    #[error("the database returned {0}")]
    Impossible(&'static str),
    /// The database did not do the call.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::TaskNotFound => Self::new(Reason::TaskNotFound, "There is no such task."),
            Error::ListNotFound => Self::new(Reason::ListNotFound, "There is no such list."),
            Error::EtagMismatch { current } => {
                Self::new(Reason::EtagMismatch, "This task was changed in the meantime.")
                    .metadata("current_etag", etag(current))
            }
            Error::RequestIdReused => Self::new(
                Reason::RequestIdReused,
                "This request id was already used for another request.",
            ),
            Error::Impossible(_) => Self::internal(error),
            Error::Database(error) => error.into(),
        }
    }
}
