//! Who takes data out at the moment.
//!
//! Invariant: a user has one export at a time, so that nobody keeps the others from
//! theirs; and there are no more in all than the process has memory for.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shared::error::{Failure, Reason};
use tokio::{
    sync::{Notify, Semaphore, SemaphorePermit},
    time::timeout,
};
use uuid::Uuid;

/// The turns that there are.
#[derive(Debug)]
pub struct Turns {
    places: Semaphore,
    users: Mutex<BTreeSet<Uuid>>,
    freed: Notify,
}

/// The turn of a user, until it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    _own: Own<'a>,
    _place: SemaphorePermit<'a>,
}

/// What there is one of for each user.
#[derive(Debug)]
struct Own<'a> {
    turns: &'a Turns,
    user: Uuid,
}

impl Turns {
    /// So many at once.
    #[must_use]
    pub const fn new(places: usize) -> Self {
        Self {
            places: Semaphore::const_new(places),
            users: Mutex::new(BTreeSet::new()),
            freed: Notify::const_new(),
        }
    }

    /// A turn for `user`, who waits at most `patience` for an earlier one of their
    /// own, and again for others.
    ///
    /// # Errors
    /// `RateLimited` if the user has one already, `Overloaded` if too many others do.
    pub async fn take(&self, user: Uuid, patience: Duration) -> Result<Turn<'_>, Failure> {
        let own = timeout(patience, self.own(user)).await.map_err(|_| {
            let again = "You are taking your data out already; please wait until that has ended.";
            Failure::new(Reason::RateLimited, again).retry_after(patience)
        })?;
        let place = timeout(patience, self.places.acquire()).await;
        let place = place.ok().and_then(Result::ok).ok_or_else(|| {
            let busy = "Others take their data out at the moment; please try again shortly.";
            Failure::new(Reason::Overloaded, busy).retry_after(patience)
        })?;
        Ok(Turn { _own: own, _place: place })
    }

    async fn own(&self, user: Uuid) -> Own<'_> {
        loop {
            let freed = self.freed.notified();
            if self.users().insert(user) {
                return Own { turns: self, user };
            }
            freed.await;
        }
    }

    fn users(&self) -> MutexGuard<'_, BTreeSet<Uuid>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Own<'_> {
    fn drop(&mut self) {
        self.turns.users().remove(&self.user);
        self.turns.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: Uuid = Uuid::from_u128(1);
    const BOB: Uuid = Uuid::from_u128(2);
    const EVE: Uuid = Uuid::from_u128(3);

    #[tokio::test]
    async fn a_user_has_one_turn_and_the_others_have_theirs() {
        let turns = Turns::new(2);
        let turn = turns.take(ADA, Duration::ZERO).await.unwrap();
        let again = turns.take(ADA, Duration::ZERO).await.unwrap_err();
        assert_eq!(again.reason(), Reason::RateLimited);
        let _bob = turns.take(BOB, Duration::ZERO).await.unwrap();
        let crowded = turns.take(EVE, Duration::ZERO).await.unwrap_err();
        assert_eq!(crowded.reason(), Reason::Overloaded);
        drop(turn);
        // Whoever was refused holds nothing.
        let _eve = turns.take(EVE, Duration::ZERO).await.unwrap();
    }

    #[tokio::test]
    async fn the_next_turn_begins_when_the_one_before_ends() {
        let turns = Turns::new(1);
        let turn = turns.take(ADA, Duration::ZERO).await.unwrap();
        let (next, ()) = tokio::join!(turns.take(ADA, Duration::MAX), async { drop(turn) });
        assert!(next.is_ok());
    }
}
