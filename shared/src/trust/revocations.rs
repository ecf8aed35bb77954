//! What was revoked and has not expired by itself yet, looked at for every call.
//!
//! Invariant: nobody whose token was revoked is let in. Where there are more
//! revocations than are kept, the oldest are forgotten, and with them everybody
//! is refused whose token is as old: for those it has expired, and they refresh
//! it. A lock rather than a copy per change: what is held is short, and copies
//! of many entries are not.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet, hash_map::Entry},
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::verify::{Refusal, Token};

/// Revocations that are kept. With tokens of five minutes, 800 a second.
const MOST: usize = 250_000;

/// Whose tokens are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// All of a session.
    Session {
        /// Whose it is.
        user: Uuid,
        /// The session's id.
        session: Uuid,
    },
    /// A user's that were issued before.
    User(Uuid),
    /// A service account's that were issued before.
    Service(Uuid),
}

/// Tokens that are good no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Whose they are.
    pub subject: Subject,
    /// They were issued before. What was issued within the same second cannot be
    /// told apart and is refused.
    pub not_before: DateTime<Utc>,
    /// When all of them have expired.
    pub expires_at: DateTime<Utc>,
}

/// The revocations that a verifier knows.
#[derive(Debug)]
pub(super) struct Revocations {
    /// Nothing was revoked lately: the usual case costs nothing.
    none: AtomicBool,
    known: RwLock<Known>,
    most: usize,
}

#[derive(Debug)]
struct Known {
    by_subject: HashMap<Subject, Times>,
    /// When which can be forgotten; the soonest first.
    expiring: BinaryHeap<Reverse<(i64, Subject)>>,
    /// Tokens issued in this second or before are refused: their revocations
    /// may have been forgotten.
    floor: i64,
}

/// In microseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Times {
    not_before: i64,
    expires: i64,
}

impl Default for Revocations {
    fn default() -> Self {
        Self::keeping(MOST)
    }
}

impl Revocations {
    fn keeping(most: usize) -> Self {
        let known =
            Known { by_subject: HashMap::new(), expiring: BinaryHeap::new(), floor: i64::MIN };
        Self { none: AtomicBool::new(true), known: RwLock::new(known), most }
    }

    /// Adds one, and forgets those that are over.
    pub(super) fn add(&self, revocation: Revocation, now: DateTime<Utc>) {
        let Revocation { subject, not_before, expires_at } = revocation;
        let times = Times {
            not_before: not_before.timestamp_micros(),
            expires: expires_at.timestamp_micros(),
        };
        let mut known = self.write();
        if expires_at > now {
            known.add(subject, times);
        }
        known.forget(now.timestamp_micros(), self.most);
        self.none.store(known.is_empty(), Ordering::Release);
    }

    /// Forgets those that are over.
    pub(super) fn forget(&self, now: DateTime<Utc>) {
        if self.none.load(Ordering::Acquire) {
            return;
        }
        let mut known = self.write();
        known.forget(now.timestamp_micros(), self.most);
        self.none.store(known.is_empty(), Ordering::Release);
    }

    /// Forgets all but those of these subjects.
    pub(super) fn retain(&self, subjects: &HashSet<Subject>) {
        let mut known = self.write();
        known.by_subject.retain(|subject, _| subjects.contains(subject));
        self.none.store(known.is_empty(), Ordering::Release);
    }

    pub(super) fn len(&self) -> usize {
        self.read().by_subject.len()
    }

    /// Why a token is refused that was revoked.
    pub(super) fn refuse(&self, token: &Token, now: DateTime<Utc>) -> Option<Refusal> {
        if self.none.load(Ordering::Acquire) {
            return None;
        }
        let (now, issued) = (now.timestamp_micros(), token.issued_at());
        let known = self.read();
        let revoked = token.subjects().find(|subject| {
            known.by_subject.get(subject).is_some_and(|times| {
                let all = matches!(subject, Subject::Session { .. });
                let before = issued.saturating_mul(1_000_000) < times.not_before;
                now < times.expires && (all || before)
            })
        });
        match revoked {
            Some(Subject::Service(_)) => Some(Refusal::Invalid("revoked")),
            Some(Subject::Session { .. } | Subject::User(_)) => Some(Refusal::Revoked),
            None => (issued <= known.floor).then_some(Refusal::Expired),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        // Nothing panics while it is held.
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_empty(&self) -> bool {
        self.by_subject.is_empty() && self.floor == i64::MIN
    }

    fn add(&mut self, subject: Subject, times: Times) {
        match self.by_subject.entry(subject) {
            Entry::Vacant(vacant) => {
                vacant.insert(times);
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.not_before = known.not_before.max(times.not_before);
                if times.expires <= known.expires {
                    return;
                }
                known.expires = times.expires;
            }
        }
        self.expiring.push(Reverse((times.expires, subject)));
    }

    /// Forgets what is over at `now`, and the oldest beyond `most`.
    fn forget(&mut self, now: i64, most: usize) {
        while let Some(&Reverse((expires, subject))) = self.expiring.peek()
            && (expires <= now || self.by_subject.len() > most || self.expiring.len() > 2 * most)
        {
            self.expiring.pop();
            // It may have been prolonged since.
            let over = |times: &Times| times.expires <= expires;
            if self.by_subject.get(&subject).is_some_and(over)
                && let Some(times) = self.by_subject.remove(&subject)
                && expires > now
            {
                // Tokens of the future are nobody's yet.
                let before = times.not_before.min(now);
                self.floor = self.floor.max(before.div_euclid(1_000_000));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        rng::uuid_v4,
        verify::{Claims, ServiceClaims},
    };

    const NOON: i64 = 1_768_910_400;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(NOON + seconds, 0).unwrap()
    }

    fn user(user: Uuid, session: Uuid, issued: i64) -> Token {
        Token::User(Claims {
            iss: String::new(),
            sub: user,
            aud: vec![],
            exp: NOON + issued + 300,
            iat: NOON + issued,
            nbf: NOON + issued,
            jti: uuid_v4(),
            sid: session,
            auth_time: NOON,
            amr: vec![],
            email: String::new(),
            email_verified: false,
            scope: String::new(),
        })
    }

    fn service(account: Uuid, issued: i64) -> Token {
        Token::Service(ServiceClaims {
            iss: String::new(),
            sub: account,
            aud: vec![],
            exp: NOON + issued + 300,
            iat: NOON + issued,
            nbf: NOON + issued,
            jti: uuid_v4(),
            client_id: String::new(),
            scope: String::new(),
            act: None,
        })
    }

    fn revocation(subject: Subject, not_before: DateTime<Utc>) -> Revocation {
        Revocation { subject, not_before, expires_at: not_before + TimeDelta::seconds(310) }
    }

    #[test]
    fn all_tokens_of_a_session_are_refused_and_no_others() {
        let known = Revocations::default();
        let (ada, hers, other) = (uuid_v4(), uuid_v4(), uuid_v4());
        assert_eq!(known.refuse(&user(ada, hers, 0), at(0)), None);
        known.add(revocation(Subject::Session { user: ada, session: hers }, at(10)), at(10));
        for issued in [0, 10, 60] {
            let refused = known.refuse(&user(ada, hers, issued), at(60));
            assert_eq!(refused, Some(Refusal::Revoked), "{issued}");
        }
        assert_eq!(known.refuse(&user(ada, other, 0), at(60)), None);
        // A session's id under another user is another session.
        assert_eq!(known.refuse(&user(uuid_v4(), hers, 0), at(60)), None);
        assert_eq!(known.refuse(&service(hers, 0), at(60)), None);
    }

    #[test]
    fn tokens_of_a_user_or_service_are_refused_that_were_issued_before() {
        let known = Revocations::default();
        let (ada, account) = (uuid_v4(), uuid_v4());
        let half_past = at(10) + TimeDelta::milliseconds(500);
        known.add(revocation(Subject::User(ada), half_past), at(11));
        known.add(revocation(Subject::Service(account), at(10)), at(11));
        for (issued, refused) in [(0, true), (9, true), (10, true), (11, false)] {
            let said = known.refuse(&user(ada, uuid_v4(), issued), at(60));
            assert_eq!(said, refused.then_some(Refusal::Revoked), "{issued}");
        }
        for (issued, refused) in [(0, true), (9, true), (10, false)] {
            let said = known.refuse(&service(account, issued), at(60));
            assert_eq!(said, refused.then_some(Refusal::Invalid("revoked")), "{issued}");
        }
        // An id is one of a user or of a service, never of both.
        assert_eq!(known.refuse(&service(ada, 0), at(60)), None);
        assert_eq!(known.refuse(&user(account, account, 0), at(60)), None);
    }

    #[test]
    fn a_revocation_is_forgotten_with_its_tokens() {
        let known = Revocations::default();
        let (ada, hers) = (uuid_v4(), uuid_v4());
        let subject = Subject::Session { user: ada, session: hers };
        known.add(revocation(subject, at(0)), at(0));
        let token = user(ada, hers, 0);
        assert_eq!(known.refuse(&token, at(309)), Some(Refusal::Revoked));
        assert_eq!(known.refuse(&token, at(310)), None);
        assert_eq!(known.len(), 1);
        // Told again, and prolonged.
        known.add(revocation(subject, at(0)), at(1));
        known.add(revocation(subject, at(100)), at(100));
        assert_eq!(known.refuse(&token, at(310)), Some(Refusal::Revoked));
        known.add(revocation(Subject::User(uuid_v4()), at(320)), at(320));
        assert_eq!(known.len(), 2);
        known.add(revocation(Subject::User(uuid_v4()), at(0)), at(1000));
        assert_eq!(known.len(), 0);
        assert!(known.none.load(Ordering::SeqCst));
        assert!(known.read().expiring.is_empty());
    }

    #[test]
    fn those_that_are_not_told_any_more_are_forgotten() {
        let known = Revocations::default();
        let (ada, bob) = (uuid_v4(), uuid_v4());
        known.add(revocation(Subject::User(ada), at(0)), at(0));
        known.add(revocation(Subject::User(bob), at(0)), at(0));
        known.retain(&HashSet::from([Subject::User(bob)]));
        assert_eq!(known.refuse(&user(ada, uuid_v4(), -1), at(1)), None);
        assert_eq!(known.refuse(&user(bob, uuid_v4(), -1), at(1)), Some(Refusal::Revoked));
        known.retain(&HashSet::new());
        assert!(known.none.load(Ordering::SeqCst));
        known.add(revocation(Subject::User(ada), at(400)), at(400));
        assert_eq!((known.len(), known.read().expiring.len()), (1, 1));
    }

    #[test]
    fn what_is_told_again_and_again_takes_no_room() {
        let known = Revocations::default();
        let again = revocation(Subject::User(uuid_v4()), at(0));
        for _ in 0..1000 {
            known.add(again, at(0));
        }
        assert_eq!((known.len(), known.read().expiring.len()), (1, 1));
    }

    /// Nobody who was revoked gets in, however many others are revoked then.
    #[test]
    fn where_there_is_no_room_old_tokens_have_to_be_refreshed() {
        let known = Revocations::keeping(10);
        let revoked: Vec<_> = (0..20).map(|n| (n, uuid_v4(), uuid_v4())).collect();
        for &(n, user, session) in &revoked {
            known.add(revocation(Subject::Session { user, session }, at(n)), at(n));
        }
        assert_eq!(known.len(), 10);
        for &(n, of, session) in &revoked {
            let refused = known.refuse(&user(of, session, n), at(60));
            let expected = if n < 10 { Refusal::Expired } else { Refusal::Revoked };
            assert_eq!(refused, Some(expected), "{n}");
        }
        let innocent = |issued| known.refuse(&user(uuid_v4(), uuid_v4(), issued), at(60));
        assert_eq!(innocent(9), Some(Refusal::Expired));
        assert_eq!(innocent(10), None);
    }
}
