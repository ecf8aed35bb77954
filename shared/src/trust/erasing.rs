//! Erasing users when the feed says so: one after the other, beside what else
//! the feed tells, each confirmed once nothing is left of it.
//!
//! Invariant: nothing is confirmed that was not erased. What is not confirmed is
//! told again whenever a stream begins, so that nothing needs to be remembered
//! here.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc};

use tokio::sync::mpsc::{self, Receiver, Sender};
use uuid::Uuid;

/// Users that may wait to be erased; more are told again by the next stream.
const WAITING: usize = 1024;
/// Confirmations that may wait to be sent.
const CONFIRMED: usize = 16;

/// What erases all that a service has of a user.
pub trait Erase: Send + Sync + 'static {
    /// Erases the user: when it returns well, nothing is left and nothing more
    /// will come. It may be asked for again.
    fn erase(&self, user: Uuid) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + '_>>;
}

/// The users whom one stream has told to erase.
pub(super) struct Erasing {
    told: Sender<Uuid>,
}

/// The other end: what does it.
pub(super) struct Work {
    eraser: Option<Arc<dyn Erase>>,
    told: Receiver<Uuid>,
    confirmed: Sender<Uuid>,
}

impl Erasing {
    /// Both ends, and where those come out that are erased.
    pub(super) fn begin(eraser: Option<Arc<dyn Erase>>) -> (Self, Work, Receiver<Uuid>) {
        let (told, work) = mpsc::channel(WAITING);
        let (confirmed, erased) = mpsc::channel(CONFIRMED);
        (Self { told }, Work { eraser, told: work, confirmed }, erased)
    }

    /// Has a user erased in their turn.
    pub(super) fn tell(&self, user: Uuid) {
        if self.told.try_send(user).is_err() {
            tracing::debug!("There are more users to erase than may wait; they are told again.");
        }
    }
}

impl Work {
    /// Erases until it is dropped.
    pub(super) async fn run(mut self) -> Infallible {
        while let Some(user) = self.told.recv().await {
            let Some(eraser) = &self.eraser else { continue };
            match eraser.erase(user).await {
                // If the stream is over, the next one asks again.
                Ok(()) => drop(self.confirmed.send(user).await),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "A user could not be erased; the feed will ask again.");
                }
            }
        }
        std::future::pending().await
    }
}
