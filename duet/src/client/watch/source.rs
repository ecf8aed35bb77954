//! A stream of the service that goes on: it is opened again where it ended,
//! with the last resume token and after a pause that grows.
//!
//! A stream that ends with the access token is no trouble and is not told. What
//! cannot get better by trying again ends it for good, and so does a service
//! that cannot be reached at the very beginning, as with every other command.

use std::time::Duration;

use proto::task::v1::{
    WatchTasksRequest, WatchTasksResponse, task_service_client::TaskServiceClient,
    watch_tasks_response::Event,
};
use shared::rng;
use tokio::{sync::mpsc::Sender, time::sleep};
use tonic::Code;

use crate::client::{connection::LARGEST_ANSWER, failure::Failure, session::Session};

/// Three times what the service lets pass without a word.
const SILENCE: Duration = Duration::from_secs(45);
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// What the other half is told.
#[derive(Debug)]
pub(super) enum Told {
    /// Something happened.
    Event(Event),
    /// All there is follows again.
    Restart,
    /// The connection is gone.
    Lost,
    /// It is there again.
    Back,
}

/// A stream that goes on.
pub(super) struct Source {
    session: Session,
    request: WatchTasksRequest,
    /// Whether there ever was a message, and one since the stream was opened.
    heard: (bool, bool),
    lost: bool,
    attempts: u32,
}

impl Source {
    /// What is asked for, on behalf of a user.
    pub(super) fn new(session: Session, request: WatchTasksRequest) -> Self {
        Self { session, request, heard: (false, false), lost: false, attempts: 0 }
    }

    /// Tells what happens until nobody listens or nothing more can come.
    pub(super) async fn run(mut self, tell: Sender<Told>) -> Result<(), Failure> {
        loop {
            let ended = self.follow(&tell).await;
            if tell.is_closed() {
                return Ok(());
            }
            let failure = ended.err().unwrap_or_else(|| {
                Failure::new(Code::Unavailable, "The service ended the stream.")
            });
            self.recover(failure, &tell).await?;
        }
    }

    async fn follow(&mut self, tell: &Sender<Told>) -> Result<(), Failure> {
        self.heard.1 = false;
        let mut stream = self
            .session
            .stream(self.request.clone(), async |channel, request| {
                let client = TaskServiceClient::new(channel);
                client.max_decoding_message_size(LARGEST_ANSWER).watch_tasks(request).await
            })
            .await?;
        while let Some(message) = self.session.next(&mut stream, SILENCE).await? {
            let WatchTasksResponse { event, resume_token } = message;
            self.heard = (true, true);
            self.attempts = 0;
            if self.lost {
                self.lost = false;
                send(tell, Told::Back).await;
            }
            if let Some(event) = event {
                send(tell, Told::Event(event)).await;
            }
            self.request.resume_token = resume_token;
        }
        Ok(())
    }

    async fn recover(&mut self, mut failure: Failure, tell: &Sender<Told>) -> Result<(), Failure> {
        // A stream also ends so when only the key of its token was withdrawn; a
        // refresh tells whether the session is over.
        let is_over = self.heard.1 && failure.reason() == Some("SESSION_REVOKED");
        let is_token_refused = self.heard.0 && (is_over || failure.is_token_refused());
        if is_token_refused {
            // A stream ends with its token to the second, while calls are taken
            // a little longer: the token that ended it must not open the next.
            match self.session.refresh().await {
                Ok(()) if self.heard.1 => return Ok(()),
                Ok(()) => {}
                Err(other) => failure = other,
            }
        }
        let is_resumed = !self.request.resume_token.is_empty();
        if is_resumed
            && matches!(failure.reason(), Some("SYNC_TOKEN_INVALID" | "SYNC_TOKEN_EXPIRED"))
        {
            self.request.resume_token.clear();
            send(tell, Told::Restart).await;
            return Ok(());
        }
        let may_get_better =
            may_get_better(&failure) || is_token_refused && failure.is_token_refused();
        if !self.heard.0 || !may_get_better {
            return Err(failure);
        }
        if !self.lost {
            self.lost = true;
            send(tell, Told::Lost).await;
        }
        let wanted = failure.retry_after().unwrap_or_default().min(LONGEST);
        sleep(pause(self.attempts, rng::bytes()).max(wanted)).await;
        self.attempts = self.attempts.saturating_add(1);
        Ok(())
    }
}

/// If nobody listens any more, `run` ends.
async fn send(tell: &Sender<Told>, told: Told) {
    drop(tell.send(told).await);
}

fn may_get_better(failure: &Failure) -> bool {
    matches!(
        failure.code(),
        Some(
            Code::Unavailable
                | Code::DeadlineExceeded
                | Code::ResourceExhausted
                | Code::Internal
                | Code::Unknown
                | Code::Cancelled
        )
    )
}

/// A pause that doubles with each attempt; between half of it and all of it, so
/// that those who lost a service together do not come back together.
fn pause(attempts: u32, random: [u8; 4]) -> Duration {
    let whole = SHORTEST.saturating_mul(1 << attempts.min(10)).min(LONGEST);
    let share = f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX);
    whole.mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_are_not_the_same_for_all() {
        let bounds = |attempts| (pause(attempts, [0; 4]), pause(attempts, [0xff; 4]));
        assert_eq!(bounds(0), (SHORTEST / 2, SHORTEST));
        assert_eq!(bounds(1), (SHORTEST, SHORTEST * 2));
        assert_eq!(bounds(3), (SHORTEST * 4, SHORTEST * 8));
        assert_eq!(bounds(20), (LONGEST / 2, LONGEST));
        assert_eq!(bounds(u32::MAX), (LONGEST / 2, LONGEST));
    }
}
