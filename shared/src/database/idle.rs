//! The connections that lie ready, and the rule by which one may be used again:
//! it is not too old, has not lain too long, and nothing happened since it was
//! opened after which it is probably dead. Plain data under the pool's lock;
//! opening and closing are not here.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The oldest that a connection gets.
const MAX_AGE: Duration = Duration::from_secs(30 * 60);
/// The longest that it lies ready.
const MAX_REST: Duration = Duration::from_secs(10 * 60);

/// A connection, and what decides whether it may be used again.
pub(super) struct Live<C> {
    pub(super) connection: C,
    opened: Instant,
    era: Era,
}

/// The time between two troubles. After one connection was found dead, none of
/// those from the same era is used again: a server that restarted has closed
/// them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Era(u64);

/// The connections that lie ready, the last one used on top, so that those
/// which are too many grow old at the bottom.
pub(super) struct Idle<C> {
    ready: VecDeque<(Live<C>, Instant)>,
    era: Era,
    closed: bool,
}

impl<C> Live<C> {
    /// A connection that was asked for in `era`.
    pub(super) fn new(connection: C, opened: Instant, era: Era) -> Self {
        Self { connection, opened, era }
    }

    /// When it was asked for.
    pub(super) fn era(&self) -> Era {
        self.era
    }
}

impl<C> Idle<C> {
    pub(super) fn new() -> Self {
        Self { ready: VecDeque::new(), era: Era::default(), closed: false }
    }

    /// How many lie ready.
    pub(super) fn len(&self) -> usize {
        self.ready.len()
    }

    /// The era in which a connection is opened now.
    pub(super) fn era(&self) -> Era {
        self.era
    }

    /// The connection used last, if one is good.
    pub(super) fn take(&mut self) -> Option<Live<C>> {
        self.ready.pop_back().map(|(live, _)| live)
    }

    /// Lays a connection ready, or gives it back to be closed.
    pub(super) fn put(&mut self, live: Live<C>, now: Instant) -> Result<(), C> {
        if self.closed || live.era != self.era || now.duration_since(live.opened) > MAX_AGE {
            return Err(live.connection);
        }
        self.ready.push_back((live, now));
        Ok(())
    }

    /// Gives up those that have grown too old or lain too long.
    pub(super) fn retire(&mut self, now: Instant) -> Vec<C> {
        let old = |(live, since): &(Live<C>, Instant)| {
            now.duration_since(live.opened) > MAX_AGE || now.duration_since(*since) > MAX_REST
        };
        if !self.ready.iter().any(old) {
            return Vec::new();
        }
        let (old, good): (VecDeque<_>, _) = self.ready.drain(..).partition(old);
        self.ready = good;
        old.into_iter().map(|(live, _)| live.connection).collect()
    }

    /// Ends `era`, unless that has happened already, and gives up what was
    /// opened in it.
    pub(super) fn end(&mut self, era: Era) -> Vec<C> {
        if era != self.era {
            return Vec::new();
        }
        self.era.0 += 1;
        self.give_up()
    }

    /// Takes nothing any more, and gives up everything.
    pub(super) fn close(&mut self) -> Vec<C> {
        self.closed = true;
        self.give_up()
    }

    /// Whether it takes nothing any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    fn give_up(&mut self) -> Vec<C> {
        self.ready.drain(..).map(|(live, _)| live.connection).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const NONE: [u32; 0] = [];

    fn live(connection: u32, opened: Instant, era: Era) -> Live<u32> {
        Live::new(connection, opened, era)
    }

    fn taken(idle: &mut Idle<u32>) -> Option<u32> {
        idle.take().map(|live| live.connection)
    }

    #[test]
    fn the_last_one_used_is_the_next_one_used() {
        let (mut idle, now) = (Idle::new(), Instant::now());
        for connection in [1, 2] {
            idle.put(live(connection, now, idle.era()), now).unwrap();
        }
        assert_eq!(
            [taken(&mut idle), taken(&mut idle), taken(&mut idle)],
            [Some(2), Some(1), None]
        );
    }

    #[test]
    fn none_lies_longer_than_ten_minutes() {
        let (mut idle, now) = (Idle::new(), Instant::now());
        idle.put(live(1, now, idle.era()), now).unwrap();
        idle.put(live(2, now, idle.era()), now + SECOND).unwrap();
        assert_eq!(idle.retire(now + MAX_REST), NONE);
        assert_eq!(idle.retire(now + MAX_REST + SECOND), [1]);
        assert_eq!(taken(&mut idle), Some(2));
    }

    #[test]
    fn none_gets_older_than_half_an_hour() {
        let (mut idle, now) = (Idle::new(), Instant::now());
        let late = now + MAX_AGE;
        idle.put(live(1, now, idle.era()), late).unwrap();
        assert_eq!(idle.retire(late), NONE);
        assert_eq!(idle.retire(late + SECOND), [1]);
        assert_eq!(idle.put(live(2, now, idle.era()), late + SECOND), Err(2));
        assert_eq!(idle.len(), 0);
    }

    /// Eight that die together are one trouble: it costs what was opened before
    /// it, and nothing that was opened after.
    #[test]
    fn trouble_is_held_against_those_of_its_era_once() {
        let (mut idle, now) = (Idle::new(), Instant::now());
        let before = idle.era();
        idle.put(live(1, now, before), now).unwrap();
        assert_eq!(idle.end(before), [1]);
        assert_eq!(idle.put(live(2, now, before), now), Err(2));
        idle.put(live(3, now, idle.era()), now).unwrap();
        assert_eq!(idle.end(before), NONE);
        assert_eq!(taken(&mut idle), Some(3));
    }

    #[test]
    fn what_is_closed_takes_nothing() {
        let (mut idle, now) = (Idle::new(), Instant::now());
        idle.put(live(1, now, idle.era()), now).unwrap();
        assert_eq!(idle.close(), [1]);
        assert_eq!(idle.put(live(2, now, idle.era()), now), Err(2));
        assert!(idle.is_closed());
    }
}
