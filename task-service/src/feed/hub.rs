//! Who watches whom on this replica: the heads of the users being watched, and
//! how many streams there are.
//!
//! Invariant: a head only wakes; what a watcher tells comes from the database.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use uuid::Uuid;

use super::machine::LOOK;

/// How many streams there may be at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of one user.
    pub per_user: usize,
    /// Of all users of this replica.
    pub in_total: usize,
}

/// The users being watched. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    watched: Mutex<Watched>,
}

#[derive(Debug, Default)]
struct Watched {
    streams: usize,
    users: HashMap<Uuid, User>,
}

#[derive(Debug)]
struct User {
    /// The last head that was heard of; 0 for none.
    head: watch::Sender<i64>,
    streams: usize,
}

/// The place of one stream. Dropping it frees it.
#[derive(Debug)]
pub(crate) struct Seat {
    hub: Hub,
    user: Uuid,
}

/// There are as many streams as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Of this user.
    #[error("the user has as many streams as there may be")]
    User,
    /// Of this replica.
    #[error("there are as many streams as there may be")]
    Replica,
}

impl Hub {
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(Inner { limits, watched: Mutex::default() }))
    }

    /// Seats a stream. What is raised from now on wakes it.
    pub(crate) fn join(&self, user: Uuid) -> Result<(Seat, watch::Receiver<i64>), Full> {
        let Limits { per_user, in_total } = self.0.limits;
        let mut watched = self.watched();
        if watched.streams >= in_total {
            return Err(Full::Replica);
        }
        if per_user <= watched.users.get(&user).map_or(0, |user| user.streams) {
            return Err(Full::User);
        }
        let seated = watched.users.entry(user).or_insert_with(User::new);
        seated.streams += 1;
        let heads = seated.head.subscribe();
        watched.streams += 1;
        Ok((Seat { hub: self.clone(), user }, heads))
    }

    /// The user's head is at least `head`.
    pub(crate) fn raise(&self, user: Uuid, head: i64) {
        if let Some(user) = self.watched().users.get(&user) {
            user.raise(head);
        }
    }

    /// The users being watched, and the heads that were heard of.
    pub(crate) fn heads(&self) -> Vec<(Uuid, i64)> {
        let watched = self.watched();
        watched.users.iter().map(|(id, user)| (*id, *user.head.borrow())).collect()
    }

    /// The database was asked, after the user's head was heard to be `before`,
    /// and says that it is `head`. If that is less, what was heard was wrong,
    /// or the database was set back, and each watcher looks for itself.
    pub(crate) fn looked(&self, user: Uuid, before: i64, head: i64) {
        if let Some(user) = self.watched().users.get(&user) {
            if head < before {
                user.head.send_replace(LOOK);
            } else {
                user.raise(head);
            }
        }
    }

    /// Has the watchers of this user look whether they still may.
    pub(crate) fn check(&self, user: Uuid) {
        if let Some(user) = self.watched().users.get(&user) {
            user.head.send_modify(|_| {});
        }
    }

    /// Has all watchers look whether they still may.
    pub(crate) fn check_all(&self) {
        for user in self.watched().users.values() {
            user.head.send_modify(|_| {});
        }
    }

    fn leave(&self, user: Uuid) {
        let mut watched = self.watched();
        watched.streams -= 1;
        if let Some(left) = watched.users.get_mut(&user) {
            left.streams -= 1;
            if left.streams == 0 {
                watched.users.remove(&user);
            }
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        // Nothing panics while it is held.
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl User {
    fn new() -> Self {
        Self { head: watch::Sender::new(0), streams: 0 }
    }

    fn raise(&self, head: i64) {
        self.head.send_if_modified(|known| {
            let higher = *known < head;
            *known = head.max(*known);
            higher
        });
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.leave(self.user);
    }
}

#[cfg(test)]
mod tests {
    use shared::rng;

    use super::*;

    #[test]
    fn a_seat_is_free_again_when_it_is_left() {
        let hub = Hub::new(Limits { per_user: 2, in_total: 3 });
        let (ada, ben) = (rng::uuid_v4(), rng::uuid_v4());
        let first = hub.join(ada).unwrap();
        let second = hub.join(ada).unwrap();
        assert_eq!(hub.join(ada).unwrap_err(), Full::User);
        let third = hub.join(ben).unwrap();
        assert_eq!(hub.join(ben).unwrap_err(), Full::Replica);
        drop(first);
        let fourth = hub.join(ada).unwrap();
        drop((second, third, fourth));
        assert_eq!(hub.heads(), []);
        assert_eq!(hub.watched().streams, 0);
    }

    #[test]
    fn only_what_is_new_wakes_and_only_those_concerned() {
        let hub = Hub::new(Limits { per_user: 2, in_total: 3 });
        let (ada, ben) = (rng::uuid_v4(), rng::uuid_v4());
        let (_seat, mut adas) = hub.join(ada).unwrap();
        let (_seat, bens) = hub.join(ben).unwrap();
        let mut woken = |how: &dyn Fn()| {
            how();
            adas.has_changed().unwrap().then(|| *adas.borrow_and_update())
        };
        assert_eq!(woken(&|| hub.raise(ada, 3)), Some(3));
        assert_eq!(woken(&|| hub.raise(ada, 3)), None);
        assert_eq!(woken(&|| hub.raise(ada, 2)), None);
        assert_eq!(woken(&|| hub.looked(ada, 3, 3)), None);
        assert_eq!(woken(&|| hub.looked(ada, 3, 4)), Some(4));
        // It was asked before somebody raised the head, and answers late.
        assert_eq!(woken(&|| hub.looked(ada, 2, 3)), None);
        // A head that never was.
        assert_eq!(woken(&|| hub.raise(ada, 99)), Some(99));
        assert_eq!(woken(&|| hub.looked(ada, 99, 4)), Some(LOOK));
        assert_eq!(woken(&|| hub.raise(ada, 5)), Some(5));
        // Nothing is new, but somebody may have been signed out.
        assert_eq!(woken(&|| hub.check(ben)), None);
        assert_eq!(woken(&|| hub.check(ada)), Some(5));
        assert!(bens.has_changed().unwrap());
        assert_eq!(woken(&|| hub.check_all()), Some(5));
    }
}
