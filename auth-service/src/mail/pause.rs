//! How long the mails that people ask for have to wait for each other, so that
//! nobody is flooded by them. They are counted as sign-ins are (`throttle.rs`):
//! under a MAC, and alike whether an account has the address or not.
//!
//! Invariant: the longest pause is shorter than any token lives. Who is not sent
//! another mail has a good one already.

use std::{net::IpAddr, time::Duration};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Outbox, token::Purpose};
use crate::{
    email::Email,
    throttle::{self, Bucket, Rule},
};

const MINUTE: Duration = Duration::from_secs(60);
/// The longest pause, and after how long one mail is forgotten.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How many mails of a kind go to one address in an hour, whoever asks for them.
const AN_HOUR: u32 = 10;

/// What a mail is counted with; `data.issue_mail_token` counts it.
#[derive(Clone, Debug)]
pub struct Pause {
    bucket: Bucket,
    rule: Rule,
}

impl Pause {
    /// A minute, and twice as long each time.
    fn growing(bucket: Bucket) -> Self {
        Self { bucket, rule: Rule::growing(1, LONGEST, MINUTE, LONGEST) }
    }

    pub(super) fn json(&self) -> Value {
        json!({ "bucket": throttle::hex(&self.bucket), "rule": self.rule })
    }
}

impl Outbox {
    /// Between mails of a kind that a signed-in user asks for.
    #[must_use]
    pub fn pauses_of_user(&self, purpose: Purpose, user: Uuid) -> Vec<Pause> {
        vec![Pause::growing(self.bucket("user", purpose, user.as_bytes()))]
    }

    /// Between mails of a kind that anybody can have sent to this reader, where
    /// they are all as good.
    #[must_use]
    pub fn pauses_of_reader(&self, purpose: Purpose, email: &Email) -> Vec<Pause> {
        vec![Pause::growing(self.bucket("reader", purpose, email.canonical().as_bytes()))]
    }

    /// The same, where what is asked for differs: who asks from another address
    /// is not held up.
    #[must_use]
    pub fn pauses_of_asker(&self, purpose: Purpose, email: &Email, from: IpAddr) -> Vec<Pause> {
        let reader = email.canonical();
        let asker = [throttle::network(from).as_slice(), reader.as_bytes()].concat();
        let all = self.bucket("readers", purpose, reader.as_bytes());
        vec![
            Pause::growing(self.bucket("asker", purpose, &asker)),
            Pause { bucket: all, rule: Rule::steady(AN_HOUR, 60 * MINUTE) },
        ]
    }

    fn bucket(&self, what: &str, purpose: Purpose, who: &[u8]) -> Bucket {
        self.sealer.tag(&format!("throttle: mails ({}) of a {what}", purpose.as_str()), who)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_shorter_than_what_it_waits_for_is_good() {
        for purpose in Purpose::ALL {
            assert!(purpose.lifetime() > chrono::TimeDelta::from_std(LONGEST).unwrap());
        }
    }
}
