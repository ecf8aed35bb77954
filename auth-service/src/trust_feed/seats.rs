//! Who watches on this replica: how many there may be, and what each has taken
//! in.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use uuid::Uuid;

/// How many may watch at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// With tokens of one service account.
    pub per_account: usize,
    /// On this replica.
    pub in_total: usize,
}

/// Those who watch. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Seats(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    taken: Mutex<Taken>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    by_number: HashMap<u64, Watching>,
}

#[derive(Debug)]
struct Watching {
    account: Uuid,
    acknowledged: i64,
}

/// The place of one watcher. Dropping it frees it.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    number: u64,
}

/// There are as many as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as many watch as may")]
pub struct Full;

impl Seats {
    pub(super) fn new(limits: Limits) -> Self {
        Self(Arc::new(Inner { limits, taken: Mutex::default(), moved: Notify::new() }))
    }

    /// Seats somebody, who has taken in nothing yet.
    pub(super) fn join(&self, account: Uuid) -> Result<Seat, Full> {
        let Limits { per_account, in_total } = self.0.limits;
        let mut taken = self.taken();
        let same = taken.by_number.values().filter(|other| other.account == account).count();
        if taken.by_number.len() >= in_total || same >= per_account {
            return Err(Full);
        }
        let number = taken.next;
        taken.next += 1;
        taken.by_number.insert(number, Watching { account, acknowledged: -1 });
        Ok(Seat { seats: self.clone(), number })
    }

    /// How many there are, and up to where each of them has taken in everything;
    /// None if there is nobody.
    pub(super) fn acknowledged(&self) -> Option<(usize, i64)> {
        let taken = self.taken();
        let least = taken.by_number.values().map(|watching| watching.acknowledged).min()?;
        Some((taken.by_number.len(), least))
    }

    /// Ends when somebody has taken in more, or has left.
    pub(super) async fn moved(&self) {
        self.0.moved.notified().await;
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it is held.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// It has taken in everything up to here.
    pub(super) fn acknowledge(&self, rev: i64) {
        let mut taken = self.seats.taken();
        let watching = taken.by_number.get_mut(&self.number);
        let Some(watching) = watching.filter(|watching| watching.acknowledged < rev) else {
            return;
        };
        watching.acknowledged = rev;
        drop(taken);
        self.seats.0.moved.notify_one();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().by_number.remove(&self.number);
        // Those who stay may have taken in more.
        self.seats.0.moved.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use shared::rng::uuid_v4;

    use super::*;

    #[test]
    fn there_are_so_many_seats() {
        let seats = Seats::new(Limits { per_account: 2, in_total: 3 });
        let (a, b) = (uuid_v4(), uuid_v4());
        let first = seats.join(a).unwrap();
        let second = seats.join(a).unwrap();
        assert_eq!(seats.join(a).unwrap_err(), Full);
        let third = seats.join(b).unwrap();
        assert_eq!(seats.join(b).unwrap_err(), Full);
        drop(first);
        let fourth = seats.join(b).unwrap();
        drop((second, third, fourth));
        assert_eq!(seats.acknowledged(), None);
    }

    #[test]
    fn all_have_taken_in_what_the_slowest_has() {
        let seats = Seats::new(Limits { per_account: 9, in_total: 9 });
        let (quick, slow) = (seats.join(uuid_v4()).unwrap(), seats.join(uuid_v4()).unwrap());
        quick.acknowledge(7);
        assert_eq!(seats.acknowledged(), Some((2, -1)));
        slow.acknowledge(5);
        slow.acknowledge(3);
        assert_eq!(seats.acknowledged(), Some((2, 5)));
        drop(slow);
        assert_eq!(seats.acknowledged(), Some((1, 7)));
    }
}
