//! What a passkey is asked: a challenge that says for what, to whom and when, and
//! that this service alone can write. Nothing of it is stored.
//!
//! Invariant: the challenge of one question answers no other one. That it is
//! answered once, the database says.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::sealing::Sealer;

/// How long the proof of who somebody is can be answered.
pub const PROOF: TimeDelta = TimeDelta::minutes(5);
/// How long an enrolment can be confirmed.
pub const ENROLMENT: TimeDelta = TimeDelta::minutes(10);

/// What a passkey is asked for, and who.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// To end a sign-in, which is there once and not for long.
    SignIn {
        /// Whose it is.
        user: Uuid,
        /// Its id.
        challenge: Uuid,
    },
    /// To say again who the caller is.
    Proof {
        /// Who the caller is.
        user: Uuid,
        /// In which session.
        session: Uuid,
    },
    /// To be made.
    Enrolment {
        /// For whom.
        user: Uuid,
        /// In which session.
        session: Uuid,
        /// As which factor.
        factor: Uuid,
    },
}

/// When an answer was asked for, in microseconds; none at a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked(pub Option<i64>);

impl Question {
    /// Who is asked.
    #[must_use]
    pub const fn user(&self) -> Uuid {
        match self {
            Self::SignIn { user, .. } | Self::Proof { user, .. } | Self::Enrolment { user, .. } => {
                *user
            }
        }
    }

    /// How long it can be answered; a sign-in says it itself.
    #[must_use]
    pub const fn lifetime(&self) -> Option<TimeDelta> {
        match self {
            Self::SignIn { .. } => None,
            Self::Proof { .. } => Some(PROOF),
            Self::Enrolment { .. } => Some(ENROLMENT),
        }
    }

    /// The challenge that asks it.
    #[must_use]
    pub fn challenge(&self, sealer: &Sealer, now: DateTime<Utc>) -> Vec<u8> {
        let (purpose, subject) = self.subject();
        if self.lifetime().is_none() {
            return sealer.tag(purpose, &subject).to_vec();
        }
        let time = now.timestamp_micros().to_be_bytes();
        let tag = sealer.tag(purpose, &[subject.as_slice(), &time].concat());
        [time.as_slice(), &tag].concat()
    }

    /// When `challenge` asked it, if it did and not too long ago.
    #[must_use]
    pub fn asked_by(&self, challenge: &[u8], sealer: &Sealer, now: DateTime<Utc>) -> Option<Asked> {
        let (purpose, subject) = self.subject();
        let Some(lifetime) = self.lifetime() else {
            return sealer.tag_is_good(purpose, &subject, challenge).then_some(Asked(None));
        };
        let (time, tag) = challenge.split_first_chunk()?;
        let asked = i64::from_be_bytes(*time);
        let message = [subject.as_slice(), time].concat();
        // Another replica's clock may be a little ahead.
        let is_late = now >= DateTime::from_timestamp_micros(asked)? + lifetime;
        let is_good = sealer.tag_is_good(purpose, &message, tag) && !is_late;
        is_good.then_some(Asked(Some(asked)))
    }

    /// Its purpose, of which each has a key of its own, and whom it is about.
    fn subject(&self) -> (&'static str, Vec<u8>) {
        let (purpose, ids) = match self {
            Self::SignIn { user, challenge } => ("passkey: sign-in", vec![user, challenge]),
            Self::Proof { user, session } => ("passkey: proof", vec![user, session]),
            Self::Enrolment { user, session, factor } => {
                ("passkey: enrolment", vec![user, session, factor])
            }
        };
        (purpose, ids.into_iter().flat_map(|id| *id.as_bytes()).collect())
    }
}

#[cfg(test)]
mod tests {
    use shared::secret::Key;

    use super::*;

    #[test]
    fn a_challenge_answers_its_own_question_and_in_time() {
        let sealer = Sealer::new(&Key::random(), None);
        let [a, b, c, d] = [1, 2, 3, 4].map(Uuid::from_u128);
        let questions = [
            Question::SignIn { user: a, challenge: b },
            Question::SignIn { user: a, challenge: c },
            Question::SignIn { user: c, challenge: b },
            Question::Proof { user: a, session: b },
            Question::Proof { user: a, session: c },
            Question::Proof { user: c, session: b },
            Question::Enrolment { user: a, session: b, factor: c },
            Question::Enrolment { user: a, session: b, factor: d },
            Question::Enrolment { user: a, session: d, factor: c },
            Question::Enrolment { user: d, session: b, factor: c },
        ];
        let now = DateTime::from_timestamp(1_800_000_000, 123_456_000).unwrap();
        for (n, question) in questions.iter().enumerate() {
            let challenge = question.challenge(&sealer, now);
            for (m, other) in questions.iter().enumerate() {
                assert_eq!(other.asked_by(&challenge, &sealer, now).is_some(), n == m, "{n} {m}");
            }
            let other = Sealer::new(&Key::random(), None);
            assert_eq!(question.asked_by(&challenge, &other, now), None);
            for at in 0..challenge.len() {
                let mut forged = challenge.clone();
                forged[at] ^= 1;
                assert_eq!(question.asked_by(&forged, &sealer, now), None, "{at}");
                assert_eq!(question.asked_by(&challenge[..at], &sealer, now), None, "{at}");
            }
            let Some(lifetime) = question.lifetime() else { continue };
            let last = now + lifetime - TimeDelta::microseconds(1);
            let asked = question.asked_by(&challenge, &sealer, last);
            assert_eq!(asked, Some(Asked(Some(1_800_000_000_123_456))));
            assert_eq!(question.asked_by(&challenge, &sealer, now + lifetime), None);
        }
    }
}
