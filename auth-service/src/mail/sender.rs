//! The sender: one per replica takes what is due out of the outbox, sends it,
//! and notes what became of it. Replicas lease, so that no two send the same
//! mail at the same time.
//!
//! Invariant: a mail leaves at least once, and each time under the same
//! Message-ID; it is given up when it is not worth sending any more.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, stream};
use shared::{clock::SharedClock, database::Database};

use super::{
    Outbox,
    letter::Links,
    message,
    outbox::{self, Leased, Unknown},
    post::{Post, Refusal},
};
use crate::error::Error;

/// How many mails are leased at once.
const BATCH: i64 = 16;
/// How many of them are sent at once.
const AT_ONCE: usize = 4;
/// How long a lease lasts: longer than a whole batch can take, since one mail
/// takes a minute at most.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// How often the outbox is looked at if nobody says that there is something.
const POLL: TimeDelta = TimeDelta::seconds(5);
/// The pause after the first failure; each is twice as long as the one before.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// The longest pause.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(2);

/// What sends the mails of a replica.
pub struct Sender {
    /// Where the outbox is.
    pub database: Database,
    /// By which time.
    pub clock: SharedClock,
    /// What opens secrets, and says when there is something to send.
    pub outbox: Outbox,
    /// Where mails go; none if nobody said.
    pub post: Option<Post>,
}

/// What became of an attempt.
enum Outcome {
    Sent,
    Later(DateTime<Utc>),
    Never,
}

impl Sender {
    /// Sends what there is to send, for ever; ends at once if there is no way
    /// for mails to leave by.
    pub async fn keep(&self) {
        let Some(post) = &self.post else {
            tracing::warn!(
                "There is no way for mails to leave by, so they stay in the outbox: \
                 set AUTH_SMTP_URL or AUTH_MAIL_DIR."
            );
            return;
        };
        let failing = AtomicBool::new(false);
        loop {
            match self.send_due(post).await {
                Ok(more) => {
                    failing.store(false, Ordering::Relaxed);
                    if more {
                        continue;
                    }
                }
                // Said once for each time that the database is away.
                Err(error) if !failing.swap(true, Ordering::Relaxed) => {
                    tracing::warn!(%error, "The outbox cannot be read; trying again.");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = self.outbox.wait() => {}
                () = self.clock.sleep_until(self.clock.now() + POLL) => {}
            }
        }
    }

    /// Sends a batch of what is due; tells whether there may be more.
    async fn send_due(&self, post: &Post) -> Result<bool, Error> {
        let now = self.clock.now();
        let leased = outbox::lease(&self.database, now, now + LEASE, BATCH).await?;
        let more = i64::try_from(leased.len()).is_ok_and(|count| count == BATCH);
        let deliver = |leased| async move {
            match leased {
                Ok(mail) => self.deliver(post, &mail).await,
                Err(unknown) => self.give_up_unknown(&unknown).await,
            }
        };
        stream::iter(leased).for_each_concurrent(AT_ONCE, deliver).await;
        Ok(more)
    }

    async fn deliver(&self, post: &Post, mail: &Leased) {
        let outcome = self.attempt(post, mail).await;
        let (user, id) = (mail.user, mail.id);
        let noted = match outcome {
            Outcome::Sent => outbox::sent(&self.database, user, id, self.clock.now()).await,
            Outcome::Later(at) => {
                outbox::failed(&self.database, user, id, mail.attempts, Some(at)).await
            }
            Outcome::Never => outbox::failed(&self.database, user, id, mail.attempts, None).await,
        };
        if let Err(error) = noted {
            tracing::warn!(mail.id = %id, %error,
                "What became of a mail cannot be noted; it is tried again when its lease ends.");
        }
    }

    async fn attempt(&self, post: &Post, mail: &Leased) -> Outcome {
        let (id, kind, attempts) = (mail.id, mail.mail.kind(), mail.attempts);
        let now = self.clock.now();
        if now >= mail.give_up_at {
            tracing::warn!(mail.id = %id, mail.kind = kind,
                "A mail is too old to be sent; it was given up.");
            return Outcome::Never;
        }
        let links = Links { page: &post.page, outbox: &self.outbox };
        let Some(content) = links.content(mail) else {
            tracing::error!(mail.id = %id, mail.kind = kind,
                "A mail was sealed by a key that is gone; it was given up.");
            return Outcome::Never;
        };
        let letter = content.write(&mail.display_name);
        let subject = letter.subject;
        let message = match message::compose(mail, &post.from, letter) {
            Ok(message) => message,
            Err(error) => {
                tracing::error!(mail.id = %id, mail.kind = kind, error,
                    "A mail cannot be written; it was given up.");
                return Outcome::Never;
            }
        };
        match post.send(id, &mail.recipient, &message).await {
            Ok(Some(file)) => {
                tracing::info!(mail.id = %id, mail.kind = kind, mail.subject = subject,
                    mail.file = %file.display(), "A mail was put into its folder.");
                Outcome::Sent
            }
            Ok(None) => {
                tracing::info!(mail.id = %id, mail.kind = kind, mail.subject = subject,
                    mail.attempts = attempts, "A mail was sent.");
                Outcome::Sent
            }
            Err(Refusal::Never(error)) => {
                tracing::warn!(mail.id = %id, mail.kind = kind, error,
                    "A mail's recipient does not exist; it was given up.");
                Outcome::Never
            }
            Err(Refusal::NotNow(error)) => {
                let retry_at = now + pause_after(attempts);
                if retry_at >= mail.give_up_at {
                    tracing::error!(mail.id = %id, mail.kind = kind, mail.attempts = attempts, error,
                        "A mail could not be sent; it was given up.");
                    return Outcome::Never;
                }
                tracing::warn!(mail.id = %id, mail.kind = kind, mail.attempts = attempts, error,
                    "A mail could not be sent; trying again later.");
                Outcome::Later(retry_at)
            }
        }
    }

    async fn give_up_unknown(&self, unknown: &Unknown) {
        let Unknown { user, id, kind, attempts } = unknown;
        tracing::error!(mail.id = %id, mail.kind = kind,
            "A mail is of a kind that is not known; it was given up.");
        if let Err(error) = outbox::failed(&self.database, *user, *id, *attempts, None).await {
            tracing::warn!(mail.id = %id, %error, "What became of a mail cannot be noted.");
        }
    }
}

/// How long to wait after so many attempts.
fn pause_after(attempts: i64) -> TimeDelta {
    let doublings = attempts.saturating_sub(1).clamp(0, 16);
    (FIRST_PAUSE * 2_i32.pow(u32::try_from(doublings).unwrap_or(0))).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_two_hours() {
        let pauses: Vec<i64> = (1..=11).map(|n| pause_after(n).num_seconds()).collect();
        assert_eq!(pauses[..4], [30, 60, 120, 240]);
        assert_eq!(pauses[8..], [7200, 7200, 7200]);
        assert_eq!(pause_after(i64::MAX), LONGEST_PAUSE);
    }
}
