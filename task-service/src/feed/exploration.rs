//! Watchers, hubs and a model of the database, walked through thousands of
//! orders of events that a seed decides: writes, deletions, purges, hints that
//! are lost, late, doubled or wrong, clients that read slowly, are cut off and
//! go on. In the end every client has what the database has.
//!
//! Invariant: nothing here waits or runs at once, so a seed always walks the
//! same way.

use std::collections::{BTreeMap, VecDeque};

use tokio::sync::watch;
use uuid::Uuid;

use super::{
    changes::Page,
    hub::{Hub, Limits, Seat},
    machine::{Event, Machine, Step, Told},
    model::{Change, Model, Rng},
};
use crate::sync_token::SyncToken;

/// How many walks there are, and how long each is.
const WALKS: u64 = 10_000;
const STEPS: u64 = 400;
const USERS: usize = 2;
const REPLICAS: usize = 2;
const CLIENTS: usize = 4;
/// Rows of a page: few, so that there are many pages.
const LIMIT: usize = 3;
/// Rounds after which there must be nothing left to do.
const ROUNDS: usize = 100;
/// Events that may wait for a client.
const AHEAD: usize = 2;

#[test]
fn every_client_ends_with_what_the_database_has() {
    let mut walked = Walked::default();
    for seed in 0..WALKS {
        let mut world = World::new(seed, walked);
        for _ in 0..STEPS {
            world.step();
        }
        world.settle();
        world.compare();
        walked = world.walked;
    }
    // Whatever may happen did.
    let Walked { events, resets, resumed, lost, slow } = walked;
    assert!(events > 100_000 && resumed > 10_000, "{walked:?}");
    assert!(resets > 1_000 && lost > 100 && slow > 1_000, "{walked:?}");
}

/// What happened on the way.
#[derive(Clone, Copy, Debug, Default)]
struct Walked {
    events: u64,
    resets: u64,
    /// Streams that went on from a token.
    resumed: u64,
    /// Streams that ended because what they needed was purged.
    lost: u64,
    /// Times that an event had to wait for its client.
    slow: u64,
}

struct World {
    seed: u64,
    rng: Rng,
    users: Vec<(Uuid, Model)>,
    replicas: Vec<Hub>,
    /// Hints on their way: to which replica, about whom, which head.
    hints: Vec<(usize, usize, i64)>,
    looks: Vec<Look>,
    clients: Vec<Client>,
    walked: Walked,
}

/// A replica that asks the database for heads, step by step.
struct Look {
    replica: usize,
    user: usize,
    before: i64,
    head: Option<i64>,
}

struct Client {
    user: usize,
    filtered: bool,
    stream: Option<Stream>,
    token: Option<SyncToken>,
    /// What the client has: the revision of each row.
    rows: BTreeMap<u8, i64>,
}

struct Stream {
    machine: Machine<Change>,
    heads: watch::Receiver<i64>,
    _seat: Seat,
    replica: usize,
    /// What was read, and has not arrived yet; and the head heard of before.
    page: Option<(i64, Page<Change>)>,
    /// What finds no room among what was sent.
    waiting: Option<Told<Change>>,
    sent: VecDeque<Told<Change>>,
    /// The head when it began.
    start: i64,
    /// The last revision that the client was told, by this stream or before.
    last: i64,
    first: bool,
    current: bool,
}

impl World {
    fn new(seed: u64, walked: Walked) -> Self {
        let mut rng = Rng(seed);
        let limits = Limits { per_user: CLIENTS, in_total: CLIENTS };
        let clients = (0..CLIENTS).map(|n| Client {
            user: n % USERS,
            filtered: rng.one_in(2),
            stream: None,
            token: None,
            rows: BTreeMap::new(),
        });
        let clients = clients.collect();
        Self {
            seed,
            rng,
            users: (0..USERS).map(|n| (Uuid::from_u128(n as u128), Model::default())).collect(),
            replicas: (0..REPLICAS).map(|_| Hub::new(limits)).collect(),
            hints: Vec::new(),
            looks: Vec::new(),
            clients,
            walked,
        }
    }

    fn step(&mut self) {
        match self.rng.below(20) {
            0..3 => self.write(),
            3 => self.purge(),
            4..6 => self.hint(),
            6 => self.look(),
            7 => self.cut_or_begin(),
            8..15 => {
                let client = self.rng.below(CLIENTS);
                self.serve(client);
            }
            _ => {
                let client = self.rng.below(CLIENTS);
                self.read(client);
            }
        }
    }

    fn write(&mut self) {
        let user = self.rng.below(USERS);
        let (id, model) = &mut self.users[user];
        let head = model.write(&mut self.rng);
        let at = self.rng.below(REPLICAS);
        for replica in 0..REPLICAS {
            match self.rng.below(8) {
                0 => {}
                1 => self.hints.extend([(replica, user, head); 2]),
                2 => self.hints.push((replica, user, head + 5)),
                3..6 => self.hints.push((replica, user, head)),
                _ if replica == at => self.replicas[replica].raise(*id, head),
                _ => self.hints.push((replica, user, head)),
            }
        }
    }

    fn purge(&mut self) {
        let user = self.rng.below(USERS);
        if self.rng.one_in(4) {
            self.users[user].1.purge(&mut self.rng);
        }
    }

    fn hint(&mut self) {
        if !self.hints.is_empty() {
            let (replica, user, head) = self.hints.swap_remove(self.rng.below(self.hints.len()));
            self.replicas[replica].raise(self.users[user].0, head);
        }
    }

    fn look(&mut self) {
        if self.looks.is_empty() || self.rng.one_in(3) {
            let replica = self.rng.below(REPLICAS);
            for (id, before) in self.replicas[replica].heads() {
                let user = self.users.iter().position(|(user, _)| *user == id).unwrap();
                self.looks.push(Look { replica, user, before, head: None });
            }
            return;
        }
        let at = self.rng.below(self.looks.len());
        let look = &mut self.looks[at];
        match look.head {
            None => look.head = Some(self.users[look.user].1.head),
            Some(head) => {
                let Look { replica, user, before, .. } = self.looks.swap_remove(at);
                self.replicas[replica].looked(self.users[user].0, before, head);
            }
        }
    }

    fn cut_or_begin(&mut self) {
        let client = self.rng.below(CLIENTS);
        if self.clients[client].stream.take().is_none() {
            if self.rng.one_in(6) {
                self.clients[client].token = None;
                self.clients[client].rows.clear();
            }
            self.begin(client);
        }
    }

    fn begin(&mut self, client: usize) {
        let replica = self.rng.below(REPLICAS);
        let client = &mut self.clients[client];
        let (id, model) = &self.users[client.user];
        let (seat, heads) = self.replicas[replica].join(*id).unwrap();
        self.walked.resumed += u64::from(client.token.is_some());
        client.stream = Some(Stream {
            machine: Machine::new(client.token),
            heads,
            _seat: seat,
            replica,
            page: None,
            waiting: None,
            sent: VecDeque::new(),
            start: model.head,
            last: client.token.map_or(0, |token| token.rev),
            first: true,
            current: false,
        });
    }

    /// The replica does one thing for this client. Whether there was any.
    fn serve(&mut self, client: usize) -> bool {
        let quiet = self.rng.one_in(10);
        let client = &mut self.clients[client];
        let Some(stream) = &mut client.stream else { return false };
        if let Some(told) = stream.waiting.take() {
            if stream.sent.len() < AHEAD {
                stream.sent.push_back(told);
                return true;
            }
            stream.waiting = Some(told);
            self.walked.slow += 1;
            return false;
        }
        let (id, model) = &self.users[client.user];
        if let Some((before, page)) = stream.page.take() {
            self.replicas[stream.replica].looked(*id, before, page.head);
            stream.machine.fetched(page);
            return true;
        }
        match stream.machine.next() {
            Step::Fetch { since, base } => {
                let before = *stream.heads.borrow();
                stream.page = Some((before, model.changes(since, base, LIMIT, client.filtered)));
            }
            Step::Tell(told) => stream.waiting = Some(told),
            Step::Wait if stream.heads.has_changed().unwrap() => {
                let head = *stream.heads.borrow_and_update();
                stream.machine.woken(head);
            }
            Step::Wait if quiet => stream.machine.quiet(),
            Step::Wait => return false,
            Step::Lost => {
                self.walked.lost += 1;
                client.stream = None;
            }
        }
        true
    }

    /// The client reads an event. Whether there was any.
    fn read(&mut self, client: usize) -> bool {
        let (seed, client) = (self.seed, &mut self.clients[client]);
        let Some(stream) = &mut client.stream else { return false };
        let Some(Told { event, token }) = stream.sent.pop_front() else { return false };
        self.walked.events += 1;
        match event {
            Event::Changes(changes) => {
                assert!(!changes.is_empty(), "seed {seed}: no changes");
                for Change { revision, row, here } in changes {
                    assert!(revision > stream.last, "seed {seed}: {revision} is told again");
                    stream.last = revision;
                    match here {
                        true => client.rows.insert(row, revision),
                        false => client.rows.remove(&row),
                    };
                }
                assert!(stream.last <= token.rev, "seed {seed}: a token goes back");
            }
            Event::Current => {
                assert!(!stream.current, "seed {seed}: current twice");
                stream.current = true;
                let model = &self.users[client.user].1;
                let old = model.rows(client.filtered, stream.start);
                let missing = old.iter().find(|(row, rev)| client.rows.get(row) != Some(rev));
                assert_eq!(missing, None, "seed {seed}: not current");
            }
            Event::Bookmark => assert!(stream.current, "seed {seed}: a bookmark too early"),
            Event::Reset => {
                assert!(stream.first, "seed {seed}: a reset too late");
                self.walked.resets += 1;
                stream.last = 0;
                client.rows.clear();
            }
        }
        stream.first = false;
        client.token = Some(token);
        true
    }

    /// No more is written; hints are lost; every client is there and reads. All
    /// that replicas still do is to look for themselves.
    fn settle(&mut self) {
        self.hints.clear();
        for _ in 0..ROUNDS {
            for client in 0..CLIENTS {
                if self.clients[client].stream.is_none() {
                    self.begin(client);
                }
            }
            for hub in &self.replicas {
                for (id, before) in hub.heads() {
                    let (_, model) = self.users.iter().find(|(user, _)| *user == id).unwrap();
                    hub.looked(id, before, model.head);
                }
            }
            let mut idle = true;
            for client in 0..CLIENTS {
                while self.serve(client) | self.read(client) {
                    idle = false;
                }
            }
            if idle {
                return;
            }
        }
        panic!("seed {}: this never ends", self.seed);
    }

    fn compare(&self) {
        for (n, client) in self.clients.iter().enumerate() {
            let model = &self.users[client.user].1;
            let expected = model.rows(client.filtered, i64::MAX);
            assert_eq!(client.rows, expected, "seed {}: client {n}", self.seed);
            assert!(client.stream.as_ref().is_some_and(|s| s.current), "seed {}", self.seed);
        }
    }
}
