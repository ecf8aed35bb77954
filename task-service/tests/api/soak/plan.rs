//! What a seed decides: who writes what, what is killed when, and how long a
//! client waits for an answer.
//!
//! Invariant: nothing here depends on the time or on an answer. A seed always
//! makes the same plan; only what happens at once happens in whatever order.

use std::time::Duration;

use shared::testing::{Chance, Crash};

pub(super) const USERS: usize = 8;
pub(super) const WRITERS: usize = 16;
pub(super) const WATCHERS: usize = 50;
pub(super) const REPLICAS: usize = 2;
/// Writes of each writer.
const WRITES: usize = 25;
/// Times that a replica is killed.
const KILLS: usize = 4;
/// Times that Postgres crashes.
const CRASHES: usize = 2;
/// Times that what a user deleted is forgotten, if it ever is.
const PURGES: usize = 20;

/// What happens in one soak.
pub(super) struct Plan {
    /// What each writer does, in order.
    pub(super) writers: Vec<Vec<Write>>,
    /// In the order of their moments.
    pub(super) blows: Vec<Blow>,
    /// Whether what is deleted is forgotten before its time, so that those who
    /// watch must begin again. Otherwise nobody ever must.
    pub(super) forgets: bool,
}

/// Something that gets in the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blow {
    /// It comes when so many writes were answered.
    pub(super) after: usize,
    pub(super) what: Harm,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Harm {
    /// A replica is killed and started again.
    Replica(usize),
    /// So does Postgres.
    Postgres(Crash),
    /// What this user deleted is forgotten.
    Purge(usize),
}

/// One write.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) user: usize,
    pub(super) what: What,
    pub(super) title: String,
    /// Which replica is asked first.
    pub(super) replica: usize,
    /// After so long the client gives up and asks again.
    pub(super) haste: Option<Duration>,
    /// Whether what is deleted may be forgotten before that is answered.
    pub(super) forgets: bool,
}

/// What is written. Rows are counted in the order in which a writer makes them.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    MakeTask,
    MakeList,
    /// Two tasks in one call.
    MakeTwo,
    RenameTask(usize),
    RenameList(usize),
    /// A task that all writers rename.
    RenameShared,
    DeleteTask(usize),
    DeleteList(usize),
    UndeleteTask(usize),
}

impl What {
    /// Revisions that it takes.
    pub(super) fn revisions(self) -> i64 {
        if matches!(self, Self::MakeTwo) { 2 } else { 1 }
    }
}

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let forgets = seed % 2 == 1;
        let chance = |n| Chance::of(seed, WATCHERS + n);
        let writes = |n| Author::new(chance(n), forgets).writes(n);
        Self {
            writers: (0..WRITERS).map(writes).collect(),
            blows: blows(chance(WRITERS), forgets),
            forgets,
        }
    }

    /// Revisions that all writes of a user take.
    pub(super) fn revisions(&self, user: usize) -> i64 {
        let writes = self.writers.iter().flatten().filter(|write| write.user == user);
        writes.map(|write| write.what.revisions()).sum()
    }
}

fn blows(mut chance: Chance, forgets: bool) -> Vec<Blow> {
    let purges = if forgets { PURGES } else { 0 };
    let mut last = 0;
    let mut blows = Vec::new();
    for n in 0..KILLS + CRASHES + purges {
        // One in three comes together with another.
        if !chance.one_in(3) {
            last = chance.below(WRITERS * WRITES);
        }
        let what = match n {
            n if n < KILLS => Harm::Replica(chance.below(REPLICAS)),
            n if n < KILLS + CRASHES && chance.one_in(2) => Harm::Postgres(Crash::Killed),
            n if n < KILLS + CRASHES => Harm::Postgres(Crash::Aborted),
            _ => Harm::Purge(chance.below(USERS)),
        };
        blows.push(Blow { after: last, what });
    }
    // The last hints die, and nothing that comes later tells the same.
    blows[0].after = WRITERS * WRITES;
    blows.sort_by_key(|blow| blow.after);
    blows
}

/// Makes up what one writer does.
struct Author {
    chance: Chance,
    forgets: bool,
    rows: Vec<Row>,
}

/// A task or list of a writer's own.
struct Row {
    user: usize,
    is_list: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    Binned,
    Gone,
}

impl Author {
    fn new(chance: Chance, forgets: bool) -> Self {
        Self { chance, forgets, rows: Vec::new() }
    }

    fn writes(mut self, writer: usize) -> Vec<Write> {
        let mut write = |n| {
            let (user, what) = self.next();
            let haste = self.chance.one_in(5).then(|| 1 + self.chance.below(8) as u64);
            Write {
                user,
                what,
                title: format!("{writer}/{n}"),
                replica: self.chance.below(REPLICAS),
                haste: haste.map(Duration::from_millis),
                forgets: self.forgets,
            }
        };
        (0..WRITES).map(&mut write).collect()
    }

    fn next(&mut self) -> (usize, What) {
        let any = self.chance.below(USERS);
        let drawn = match self.chance.below(10) {
            0 => Some((any, What::RenameShared)),
            1 => Some(self.make(any, true, What::MakeList)),
            2 => {
                self.make(any, false, What::MakeTwo);
                Some(self.make(any, false, What::MakeTwo))
            }
            3 | 4 => self.any(State::Live).map(|row| self.delete(row)),
            5 => self.any(State::Binned).map(|row| self.undelete(row)),
            6..9 => self.any(State::Live).map(|row| self.rename(row)),
            _ => None,
        };
        drawn.unwrap_or_else(|| self.make(any, false, What::MakeTask))
    }

    /// One of the writer's rows that are in this state.
    fn any(&mut self, state: State) -> Option<usize> {
        let rows = self.rows.iter().enumerate().filter(|(_, row)| row.state == state);
        let rows: Vec<usize> = rows.map(|(n, _)| n).collect();
        rows.get(self.chance.below(rows.len())).copied()
    }

    fn make(&mut self, user: usize, is_list: bool, what: What) -> (usize, What) {
        self.rows.push(Row { user, is_list, state: State::Live });
        (user, what)
    }

    fn rename(&self, n: usize) -> (usize, What) {
        let Row { user, is_list, .. } = self.rows[n];
        (user, if is_list { What::RenameList(n) } else { What::RenameTask(n) })
    }

    fn delete(&mut self, n: usize) -> (usize, What) {
        let Row { user, is_list, ref mut state } = self.rows[n];
        // What may be forgotten cannot be brought back, and no list can.
        *state = if is_list || self.forgets { State::Gone } else { State::Binned };
        (user, if is_list { What::DeleteList(n) } else { What::DeleteTask(n) })
    }

    fn undelete(&mut self, n: usize) -> (usize, What) {
        self.rows[n].state = State::Live;
        (self.rows[n].user, What::UndeleteTask(n))
    }
}
