//! What one watcher does next. It knows no time, no database and no client; it
//! is told what happened and says what to do, so that a test can walk it
//! through whatever order of events there may be.
//!
//! Invariant: the token of every event covers that event and all before it,
//! and nothing that was not told yet.

use crate::{feed::changes::Page, sync_token::SyncToken};

/// Wakes a watcher that cannot say what it has missed: it looks for itself.
pub(crate) const LOOK: i64 = -1;

/// The state of a watcher. `C` is a change.
#[derive(Debug)]
pub(crate) struct Machine<C> {
    /// Everything up to here was told.
    rev: i64,
    /// The head when the client began with nothing; None until it is known.
    base: Option<i64>,
    /// The head when the stream began; None until it is known.
    start: Option<i64>,
    /// Whether all that there was at the start was told, and that it was.
    current: bool,
    /// Whether there may be more than was fetched.
    behind: bool,
    next: Option<Event<C>>,
    /// Whether what was told already is in the database no more.
    lost: bool,
}

/// What a watcher does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<C> {
    /// Fetch the changes after `since` and give them to `fetched`.
    Fetch {
        /// The last revision that was told.
        since: i64,
        /// What was gone by then need not be told; None for now.
        base: Option<i64>,
    },
    /// Send this to the client.
    Tell(Told<C>),
    /// Wait for `woken` or `quiet`.
    Wait,
    /// End: what was told is gone. The database was set back, and the client's token
    /// finds that out; or the user was erased.
    Lost,
}

/// An event and the token that goes on after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<C> {
    /// What happened.
    pub event: Event<C>,
    /// Goes on after it.
    pub token: SyncToken,
}

/// What a watcher tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<C> {
    /// At least one change, in the order of their revisions.
    Changes(Vec<C>),
    /// Everything there was when the stream began has been told.
    Current,
    /// Nothing happened for a while.
    Bookmark,
    /// The token was too old; everything follows.
    Reset,
}

impl<C> Machine<C> {
    /// A watcher that goes on from a token, or begins with all there is.
    pub(crate) fn new(token: Option<SyncToken>) -> Self {
        Self {
            rev: token.map_or(0, |token| token.rev),
            base: token.map(|token| token.base),
            start: None,
            current: false,
            behind: true,
            next: None,
            lost: false,
        }
    }

    /// What to do now.
    pub(crate) fn next(&mut self) -> Step<C> {
        if self.lost {
            return Step::Lost;
        }
        if let Some(event) = self.next.take() {
            return self.tell(event);
        }
        if !self.current && self.start.is_some_and(|start| start <= self.rev) {
            self.current = true;
            return self.tell(Event::Current);
        }
        match self.behind {
            true => Step::Fetch { since: self.rev, base: self.base },
            false => Step::Wait,
        }
    }

    /// What `Step::Fetch` asked for is here.
    pub(crate) fn fetched(&mut self, page: Page<C>) {
        let expired = page.expires(self.rev, self.base);
        let Page { head, horizon: _, reached, changes } = page;
        let first = self.start.is_none();
        if expired {
            self.lost = !first;
            self.rev = 0;
            self.base = Some(head);
            self.next = Some(Event::Reset);
        } else {
            self.base.get_or_insert(head);
            self.rev = reached;
            self.next = (!changes.is_empty()).then(|| Event::Changes(changes));
        }
        self.start.get_or_insert(head);
        self.behind = self.rev < head;
    }

    /// The user's head is at `head` by now, or it is time to `LOOK`.
    pub(crate) fn woken(&mut self, head: i64) {
        self.behind |= head == LOOK || head > self.rev;
    }

    /// Nothing was told for a while.
    pub(crate) fn quiet(&mut self) {
        self.next.get_or_insert(Event::Bookmark);
    }

    fn tell(&self, event: Event<C>) -> Step<C> {
        let token = SyncToken { rev: self.rev, base: self.base.unwrap_or_default() };
        Step::Tell(Told { event, token })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(head: i64, horizon: i64, reached: i64, changes: &[i64]) -> Page<i64> {
        Page { head, horizon, reached, changes: changes.to_vec() }
    }

    fn told(event: Event<i64>, rev: i64, base: i64) -> Step<i64> {
        Step::Tell(Told { event, token: SyncToken { rev, base } })
    }

    #[test]
    fn who_begins_with_nothing_gets_all_then_current_then_changes() {
        let mut machine = Machine::new(None);
        assert_eq!(machine.next(), Step::Fetch { since: 0, base: None });
        machine.fetched(page(5, 4, 2, &[1, 2]));
        assert_eq!(machine.next(), told(Event::Changes(vec![1, 2]), 2, 5));
        assert_eq!(machine.next(), Step::Fetch { since: 2, base: Some(5) });
        // Others write meanwhile.
        machine.fetched(page(9, 4, 6, &[5, 6]));
        assert_eq!(machine.next(), told(Event::Changes(vec![5, 6]), 6, 5));
        assert_eq!(machine.next(), told(Event::Current, 6, 5));
        assert_eq!(machine.next(), Step::Fetch { since: 6, base: Some(5) });
        machine.fetched(page(9, 4, 9, &[9]));
        assert_eq!(machine.next(), told(Event::Changes(vec![9]), 9, 5));
        assert_eq!(machine.next(), Step::Wait);
        machine.woken(9);
        assert_eq!(machine.next(), Step::Wait);
        machine.quiet();
        assert_eq!(machine.next(), told(Event::Bookmark, 9, 5));
        machine.woken(10);
        assert_eq!(machine.next(), Step::Fetch { since: 9, base: Some(5) });
        machine.fetched(page(9, 4, 9, &[]));
        assert_eq!(machine.next(), Step::Wait);
        machine.woken(LOOK);
        assert_eq!(machine.next(), Step::Fetch { since: 9, base: Some(5) });
    }

    #[test]
    fn a_token_that_is_too_old_is_reset_and_all_follows() {
        let mut machine = Machine::new(Some(SyncToken { rev: 3, base: 1 }));
        assert_eq!(machine.next(), Step::Fetch { since: 3, base: Some(1) });
        machine.fetched(page(8, 4, 8, &[8]));
        assert_eq!(machine.next(), told(Event::Reset, 0, 8));
        assert_eq!(machine.next(), Step::Fetch { since: 0, base: Some(8) });
        machine.fetched(page(8, 4, 8, &[2, 8]));
        assert_eq!(machine.next(), told(Event::Changes(vec![2, 8]), 8, 8));
        assert_eq!(machine.next(), told(Event::Current, 8, 8));
        assert_eq!(machine.next(), Step::Wait);
    }

    #[test]
    fn a_token_lives_as_long_as_all_it_needs_is_known() {
        for (rev, base, horizon) in [(4, 1, 4), (0, 4, 4), (4, 4, 4), (8, 8, 8)] {
            let mut machine = Machine::new(Some(SyncToken { rev, base }));
            machine.fetched(page(8, horizon, 8, &[]));
            assert_eq!(machine.next(), told(Event::Current, 8, base), "{rev} {base}");
        }
    }

    #[test]
    fn a_database_that_was_set_back_is_found_out() {
        for token in [SyncToken { rev: 9, base: 0 }, SyncToken { rev: 0, base: 9 }] {
            let mut machine = Machine::new(Some(token));
            machine.fetched(page(8, 0, 8, &[]));
            assert_eq!(machine.next(), told(Event::Reset, 0, 8));
        }
        // Within a stream there is no Reset; the client's token brings it.
        let mut machine = Machine::new(Some(SyncToken { rev: 8, base: 0 }));
        machine.fetched(page(8, 0, 8, &[]));
        assert_eq!(machine.next(), told(Event::Current, 8, 0));
        machine.woken(LOOK);
        machine.fetched(page(7, 0, 7, &[]));
        assert_eq!(machine.next(), Step::Lost);
    }
}
