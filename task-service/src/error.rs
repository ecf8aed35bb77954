//! What can go wrong with a task, and how a client learns of it. Every error of
//! this crate passes here; there is no arm for "anything else".

use std::time::Duration;

use shared::error::{Failure, Reason};

use crate::request::etag;

/// When to try again what may work as soon as something else has changed.
const QUOTA_PAUSE: Duration = Duration::from_secs(1);

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
    /// The id chosen for a list is taken.
    #[error("the id is taken")]
    ListIdTaken,
    /// The user has as many lists as there may be.
    #[error("the user has as many lists as there may be")]
    ListQuota,
    /// The list to delete still has tasks.
    #[error("the list has tasks")]
    ListNotEmpty,
    /// The task to be a step of is not there.
    #[error("no such parent")]
    ParentNotFound,
    /// The id chosen for a task is taken.
    #[error("the id is taken")]
    TaskIdTaken,
    /// The task to bring back is not in the bin.
    #[error("the task is not in the bin")]
    TaskNotDeleted,
    /// The user has as many tasks as there may be.
    #[error("the user has as many tasks as there may be")]
    TaskQuota,
    /// The task to close has open subtasks.
    #[error("the task has open subtasks")]
    OpenSubtasks,
    /// A task cannot be a step of itself.
    #[error("the parent lies under the task")]
    ParentCycle,
    /// More than five subtasks below each other.
    #[error("Steps go at most five deep.")]
    TooDeep,
    /// The list is another one than that of the parent.
    #[error("A step is in the list of its task.")]
    ListMismatch,
    /// The neighbour is not where the task is to go.
    #[error("There is no such task in this list and under this parent.")]
    PlaceNotFound,
    /// A task that recurs needs a due date.
    #[error("A task that comes back needs a due date.")]
    DueMissing,
    /// The tasks of a batch do not fit into an answer.
    #[error("the tasks of the batch are too large together")]
    BatchTooLarge,
    /// Others changed the tasks too often meanwhile.
    #[error("the tasks changed too often meanwhile")]
    Contended,
    /// The task changed since the etag was read.
    #[error("the task has revision {current} by now")]
    EtagMismatch {
        /// The revision it has now.
        current: i64,
    },
    /// The request id was used for something else.
    #[error("the request id was used for something else")]
    RequestIdReused,
    /// The user's account is gone, and so is all that the user had.
    #[error("the user was erased")]
    UserErased,
    /// The database returned what it never should.
    #[error("the database returned {0}")]
    Impossible(&'static str),
    /// The database did not do the call.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        // Raised by data.take_turn.
        match error.as_database_error().and_then(|error| error.code()) {
            Some(code) if code == "DU002" => Self::UserErased,
            _ => Self::Database(error),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::TaskNotFound => Self::new(Reason::TaskNotFound, "There is no such task."),
            Error::ListNotFound => Self::new(Reason::ListNotFound, "There is no such list."),
            Error::ListIdTaken => Self::new(Reason::ListIdTaken, "This list id is taken."),
            Error::ListQuota => Self::new(
                Reason::ListQuota,
                "You have as many lists as there may be. Delete some first.",
            )
            .retry_after(QUOTA_PAUSE),
            Error::ListNotEmpty => Self::new(Reason::ListNotEmpty, "This list still has tasks."),
            Error::ParentNotFound => {
                Self::new(Reason::TaskNotFound, "There is no such task to be a step of.")
            }
            Error::TaskIdTaken => Self::new(Reason::TaskIdTaken, "This task id is taken."),
            Error::TaskNotDeleted => {
                Self::new(Reason::TaskNotDeleted, "This task is not in the bin.")
            }
            Error::TaskQuota => Self::new(
                Reason::TaskQuota,
                "You have as many tasks as there may be. Delete some first.",
            )
            .retry_after(QUOTA_PAUSE),
            Error::OpenSubtasks => {
                Self::new(Reason::OpenSubtasks, "This task has steps that are still open.")
            }
            Error::ParentCycle => Self::new(
                Reason::ParentCycle,
                "A task cannot be a step of itself or of one of its own steps.",
            ),
            // Whoever knows the request names the field.
            Error::TooDeep | Error::ListMismatch | Error::PlaceNotFound => {
                Self::new(Reason::FieldInvalid, error.to_string())
            }
            Error::DueMissing => Self::new(Reason::RruleInvalid, error.to_string()),
            Error::BatchTooLarge => Self::field(
                Reason::BatchTooLarge,
                "operations",
                "The tasks of a batch have at most 3 MiB of text together. \
                 Change fewer at once.",
            ),
            Error::Contended => Self::new(
                Reason::Overloaded,
                "These tasks change too often at the moment. Please try again shortly.",
            )
            .retry_after(QUOTA_PAUSE),
            Error::EtagMismatch { current } => {
                Self::new(Reason::EtagMismatch, "This was changed in the meantime.")
                    .metadata("current_etag", etag(current))
            }
            Error::RequestIdReused => Self::new(
                Reason::RequestIdReused,
                "This request id was already used for another request.",
            ),
            Error::UserErased => {
                Self::new(Reason::SessionRevoked, "This account is gone. Please sign in again.")
            }
            Error::Impossible(_) => Self::internal(error),
            Error::Database(error) => error.into(),
        }
    }
}
