//! The newest events in memory, shared by all watchers of a replica: telling
//! many of them what happened asks the database once.
//!
//! Invariant: it holds every event after `start`; what is older is read from the
//! database, which is where all of it is.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::events::{Event, LIMIT, Page};

/// Events that are held.
const HELD: usize = 8 * LIMIT;

/// The newest events.
#[derive(Debug)]
pub(super) struct Tail {
    held: Mutex<Held>,
    head: watch::Sender<i64>,
    looked_at: watch::Sender<DateTime<Utc>>,
}

#[derive(Debug, Default)]
struct Held {
    events: VecDeque<Event>,
    start: i64,
    head: i64,
    horizon: i64,
}

impl Tail {
    pub(super) fn new() -> Self {
        Self {
            held: Mutex::default(),
            head: watch::Sender::new(0),
            looked_at: watch::Sender::new(DateTime::<Utc>::MIN_UTC),
        }
    }

    /// The last event that is known.
    pub(super) fn head(&self) -> i64 {
        self.held().head
    }

    /// Events up to here were swept.
    pub(super) fn horizon(&self) -> i64 {
        self.held().horizon
    }

    /// Wakes whoever tells them when there are more.
    pub(super) fn heads(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    /// When the database was last asked, and nothing was left to tell.
    pub(super) fn looks(&self) -> watch::Receiver<DateTime<Utc>> {
        self.looked_at.subscribe()
    }

    /// The database was asked for what comes after the head.
    pub(super) fn append(&self, page: &Page) {
        let mut held = self.held();
        held.events.extend(&page.events);
        held.head = page.reached;
        held.horizon = page.horizon;
        while held.events.len() > HELD
            && let Some(Event { rev, .. }) = held.events.pop_front()
        {
            held.start = rev;
        }
        drop(held);
        self.head.send_if_modified(|head| std::mem::replace(head, page.reached) != page.reached);
    }

    /// Nothing was left to tell at `now`.
    pub(super) fn looked(&self, now: DateTime<Utc>) {
        self.looked_at.send_if_modified(|at| std::mem::replace(at, now) != now);
    }

    /// The database was set back: nothing is known any more.
    pub(super) fn restart(&self) {
        *self.held() = Held::default();
        self.head.send_replace(0);
    }

    /// The events after `since`; None if they are not all here.
    pub(super) fn page(&self, since: i64) -> Option<Page> {
        let held = self.held();
        if since < held.start || since > held.head {
            return None;
        }
        let first = held.events.partition_point(|event| event.rev <= since);
        let events: Vec<Event> = held.events.range(first..).take(LIMIT).copied().collect();
        let last = events.last().filter(|_| events.len() == LIMIT);
        let reached = last.map_or(held.head, |event| event.rev);
        Some(Page { events, reached, head: held.head, horizon: held.horizon })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing panics while it is held.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust_feed::events::What;

    fn page(revs: std::ops::RangeInclusive<i64>, head: i64) -> Page {
        let reached = *revs.end();
        let events = revs.map(|rev| Event { rev, what: What::Keys }).collect();
        Page { events, reached, head, horizon: 0 }
    }

    #[test]
    fn what_is_held_is_told_from_anywhere_within() {
        let tail = Tail::new();
        tail.append(&page(1..=10, 10));
        assert_eq!(tail.page(0), Some(page(1..=10, 10)));
        assert_eq!(tail.page(7), Some(page(8..=10, 10)));
        let nothing = Page { events: vec![], reached: 10, head: 10, horizon: 0 };
        assert_eq!(tail.page(10), Some(nothing));
        assert_eq!(tail.page(11), None);
        let limit = i64::try_from(LIMIT).unwrap();
        tail.append(&page(11..=2 * limit, 2 * limit));
        assert_eq!(tail.page(5), Some(page(6..=5 + limit, 2 * limit)));
    }

    #[test]
    fn only_so_much_is_held() {
        let tail = Tail::new();
        let held = i64::try_from(HELD).unwrap();
        tail.append(&page(1..=held + 5, held + 5));
        assert_eq!(tail.page(4), None);
        assert_eq!(tail.page(5).unwrap().events[0].rev, 6);
        tail.restart();
        assert_eq!((tail.head(), tail.page(5)), (0, None));
    }
}
