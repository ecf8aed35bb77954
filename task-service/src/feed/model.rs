//! A model of one user's rows and of what `api.changes` says about them, and
//! chance that a seed decides.

use std::collections::BTreeMap;

use super::changes::Page;

/// Rows of a user: few, so that they change again and again.
const ROWS: usize = 6;

/// One user's rows.
#[derive(Default)]
pub(super) struct Model {
    pub(super) head: i64,
    horizon: i64,
    rows: BTreeMap<u8, Row>,
}

#[derive(Clone, Copy)]
struct Row {
    rev: i64,
    deleted: bool,
    /// Whether the filter lets it through.
    fits: bool,
}

/// A row as it is now, for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) revision: i64,
    pub(super) row: u8,
    /// False if it is gone, or the filter does not let it through.
    pub(super) here: bool,
}

impl Model {
    /// Makes, changes, deletes or brings back a row, and returns the new head.
    pub(super) fn write(&mut self, rng: &mut Rng) -> i64 {
        self.head += 1;
        let row = Row { rev: self.head, deleted: rng.one_in(3), fits: !rng.one_in(3) };
        self.rows.insert(rng.below(ROWS) as u8, row);
        self.head
    }

    /// Forgets what was deleted before some moment.
    pub(super) fn purge(&mut self, rng: &mut Rng) {
        let until = rng.below(self.head as usize + 1) as i64;
        let horizon = &mut self.horizon;
        self.rows.retain(|_, row| {
            let purged = row.deleted && row.rev <= until;
            if purged {
                *horizon = row.rev.max(*horizon);
            }
            !purged
        });
    }

    /// What `api.changes` says.
    pub(super) fn changes(
        &self,
        since: i64,
        base: Option<i64>,
        limit: usize,
        filtered: bool,
    ) -> Page<Change> {
        let base = base.unwrap_or(self.head);
        let mut changes: Vec<Change> = self
            .rows
            .iter()
            .map(|(id, row)| Change { revision: row.rev, row: *id, here: row.here(filtered) })
            .filter(|change| change.revision > since && (change.here || change.revision > base))
            .collect();
        changes.sort_by_key(|change| change.revision);
        let all = changes.len() < limit;
        changes.truncate(limit);
        let last = changes.last().map_or(self.head, |change| change.revision);
        let reached = if all { self.head } else { last };
        Page { head: self.head, horizon: self.horizon, reached, changes }
    }

    /// The rows that a client should have which did not change after `until`.
    pub(super) fn rows(&self, filtered: bool, until: i64) -> BTreeMap<u8, i64> {
        let here = self.rows.iter().filter(|(_, row)| row.here(filtered) && row.rev <= until);
        here.map(|(id, row)| (*id, row.rev)).collect()
    }
}

impl Row {
    fn here(self, filtered: bool) -> bool {
        !self.deleted && (self.fits || !filtered)
    }
}

/// Chance that a seed decides: SplitMix64.
pub(super) struct Rng(pub(super) u64);

impl Rng {
    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}
