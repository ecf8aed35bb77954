//! A client that keeps what it is told, and checks on the way what must hold
//! of every stream: revisions rise, nothing is told twice, Current comes once,
//! a Reset only first.

use std::{collections::BTreeMap, time::Duration};

use proto::task::v1::{self as pb, change::Resource, watch_tasks_response::Event as Wire};
use tonic::{Status, Streaming};
use uuid::Uuid;

/// How long a client waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream, and how far it is.
pub(crate) struct Stream {
    messages: Streaming<pb::WatchTasksResponse>,
    told: bool,
    current: bool,
    last: i64,
}

/// What a client has.
#[derive(Default)]
pub(crate) struct Mirror {
    /// Revisions and titles of tasks and lists by id.
    pub(crate) rows: BTreeMap<Uuid, (i64, String)>,
    /// Goes on from here.
    pub(crate) token: String,
    /// The last revision that was told.
    last: i64,
}

/// What happened, without what the mirror keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// What is there is named by its title, what is gone by its id.
    Changes(Vec<String>),
    Current,
    Bookmark,
    Reset,
}

impl Stream {
    pub(crate) fn new(messages: Streaming<pb::WatchTasksResponse>) -> Self {
        Self { messages, told: false, current: false, last: 0 }
    }

    /// The next event.
    pub(crate) async fn next(&mut self, mirror: &mut Mirror) -> Result<Event, Status> {
        let next = tokio::time::timeout(PATIENCE, self.messages.message()).await;
        let message = next.expect("an event comes")?.expect("a stream ends with a status");
        Ok(self.read(mirror, message))
    }

    /// Reads until everything there was has been told.
    pub(crate) async fn until_current(&mut self, mirror: &mut Mirror) -> Vec<Event> {
        let mut events = Vec::new();
        while events.last() != Some(&Event::Current) {
            events.push(self.next(mirror).await.expect("an event"));
        }
        events
    }

    /// What the stream ends with.
    pub(crate) async fn end(&mut self, mirror: &mut Mirror) -> Status {
        loop {
            if let Err(status) = self.next(mirror).await {
                return status;
            }
        }
    }

    fn read(&mut self, mirror: &mut Mirror, message: pb::WatchTasksResponse) -> Event {
        if !self.told {
            self.last = mirror.last;
        }
        let pb::WatchTasksResponse { event, resume_token } = message;
        assert!(!resume_token.is_empty(), "every event can be gone on from");
        mirror.token = resume_token;
        let event = match event.expect("something happened") {
            Wire::Changes(pb::Changes { changes }) => {
                assert!(!changes.is_empty());
                let read = |change: pb::Change| {
                    assert!(change.revision > self.last, "{change:?} after {}", self.last);
                    self.last = change.revision;
                    mirror.keep(change)
                };
                Event::Changes(changes.into_iter().map(read).collect())
            }
            Wire::Current(pb::Current {}) => {
                assert!(!self.current, "told once");
                self.current = true;
                Event::Current
            }
            Wire::Bookmark(pb::Bookmark {}) => {
                assert!(self.current);
                Event::Bookmark
            }
            Wire::Reset(pb::Reset {}) => {
                assert!(!self.told, "told first");
                self.last = 0;
                mirror.rows.clear();
                Event::Reset
            }
        };
        self.told = true;
        mirror.last = self.last;
        event
    }
}

impl Mirror {
    /// Takes in a change, and tells whose: the title, or the id of what is gone.
    pub(crate) fn keep(&mut self, change: pb::Change) -> String {
        let pb::Change { revision, resource } = change;
        let (name, title) = match resource.expect("a resource") {
            Resource::Task(task) => {
                assert_eq!(task.revision, revision);
                (task.name, Some(task.title))
            }
            Resource::List(list) => {
                assert_eq!(list.revision, revision);
                (list.name, Some(list.title))
            }
            Resource::RemovedTask(name) | Resource::RemovedList(name) => (name, None),
        };
        let id = name.rsplit('/').next().expect("an id").parse().expect("a UUID");
        match title {
            Some(title) => {
                self.rows.insert(id, (revision, title.clone()));
                title
            }
            None => {
                self.rows.remove(&id);
                id.to_string()
            }
        }
    }

    /// Whether the client has exactly this.
    pub(crate) fn has(&self, expected: &[(Uuid, i64, String)]) -> bool {
        let rows = self.rows.iter().map(|(id, (rev, title))| (*id, *rev, title));
        rows.eq(expected.iter().map(|(id, rev, title)| (*id, *rev, title)))
    }
}
