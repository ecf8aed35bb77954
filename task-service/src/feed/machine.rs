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
    /// Whether the database lost what was told already.
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
    /// End: the database was set back. The client's token finds that out.
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
