//! Watchers: those that wait for what they are told and time it, and a crowd
//! that sits there and is told nothing.

use std::{net::SocketAddr, ops::Range, sync::Arc, time::Instant};

use proto::task::v1::{
    ListTasksRequest, WatchTasksRequest, WatchTasksResponse, change::Resource,
    task_service_client::TaskServiceClient, watch_tasks_response::Event,
};
use tokio::task::JoinSet;
use tonic::{
    Status, Streaming,
    transport::{Channel, Endpoint},
};

use crate::{
    callers::{Turns, User, update},
    load::Caller,
};

/// Streams of the crowd that share one connection: below what a connection may
/// have, and few enough that connections weigh little in a watcher's memory.
const STREAMS_PER_CONNECTION: usize = 50;

/// How many the crowd has.
pub(crate) const CROWD: usize = 2_000;

/// A user who changes a task and waits until a watcher of the same user was
/// told. What is timed begins when the change was answered: it is committed
/// then, for as long as an answer takes to come.
pub(crate) struct Sees {
    pub(crate) writer: TaskServiceClient<Channel>,
    pub(crate) watcher: TaskServiceClient<Channel>,
    /// One user, the caller's own.
    pub(crate) turns: Turns,
    pub(crate) stream: Option<Streaming<WatchTasksResponse>>,
    pub(crate) at: usize,
    pub(crate) answered: Instant,
}

impl Sees {
    /// A user who writes through `writer`, and is watched at `watched`.
    ///
    /// # Errors
    /// If the address is none.
    pub(crate) fn new(writer: Channel, watched: &Endpoint, turns: Turns) -> Self {
        Self {
            writer: TaskServiceClient::new(writer),
            watcher: TaskServiceClient::new(watched.connect_lazy()),
            turns,
            stream: None,
            at: 0,
            answered: Instant::now(),
        }
    }
}

impl Caller for Sees {
    async fn call(&mut self) -> Result<(), Status> {
        let user = self.turns.next();
        let stream = match &mut self.stream {
            Some(stream) => stream,
            empty => empty.insert(watch(&mut self.watcher, user, String::new()).await?),
        };
        self.at += 1;
        let revision = update(&mut self.writer, user, self.at).await?;
        self.answered = Instant::now();
        while !tells(&next(stream).await?, revision) {}
        Ok(())
    }

    fn timed_from(&self, _: Instant) -> Instant {
        self.answered
    }
}

/// Watchers that read what they are told, which is nothing. Dropping it ends
/// them all.
pub(crate) struct Crowd {
    _watching: JoinSet<()>,
}

/// An endpoint for a server on this machine.
pub(crate) fn endpoint(address: SocketAddr) -> anyhow::Result<Endpoint> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true))
}

impl Crowd {
    /// Waits until `CROWD` watchers of some of the users have been told what
    /// there is, which each has read already.
    pub(crate) async fn gather(
        address: SocketAddr,
        users: &Arc<[User]>,
        among: Range<usize>,
    ) -> anyhow::Result<Self> {
        let mut watching = JoinSet::new();
        let numbers: Vec<usize> = (0..CROWD).collect();
        // One connection's at a time: a server refuses a crowd that comes at once.
        for numbers in numbers.chunks(STREAMS_PER_CONNECTION) {
            let channel = endpoint(address)?.connect().await?;
            let mut opening = JoinSet::new();
            for number in numbers {
                let turns = Turns::among(users, among.clone(), *number, 1);
                opening.spawn(arrive(TaskServiceClient::new(channel.clone()), turns));
            }
            while let Some(stream) = opening.join_next().await {
                let mut stream = stream??;
                watching.spawn(async move { while next(&mut stream).await.is_ok() {} });
            }
        }
        Ok(Self { _watching: watching })
    }
}

async fn arrive(
    mut client: TaskServiceClient<Channel>,
    mut turns: Turns,
) -> Result<Streaming<WatchTasksResponse>, Status> {
    let user = turns.next();
    let request = ListTasksRequest { page_size: 1, ..ListTasksRequest::default() };
    let listed = client.list_tasks(user.request(request)).await?.into_inner();
    watch(&mut client, user, listed.sync_token).await
}

/// A stream that has told what there is.
async fn watch(
    client: &mut TaskServiceClient<Channel>,
    user: &User,
    resume_token: String,
) -> Result<Streaming<WatchTasksResponse>, Status> {
    let request = WatchTasksRequest { resume_token, ..WatchTasksRequest::default() };
    let mut stream = client.watch_tasks(user.request(request)).await?.into_inner();
    while !matches!(next(&mut stream).await?.event, Some(Event::Current(_))) {}
    Ok(stream)
}

async fn next(stream: &mut Streaming<WatchTasksResponse>) -> Result<WatchTasksResponse, Status> {
    let message = stream.message().await?;
    message.ok_or_else(|| Status::data_loss("the stream ended"))
}

/// Whether it tells this change of a task, or a later one.
fn tells(message: &WatchTasksResponse, revision: i64) -> bool {
    let Some(Event::Changes(changes)) = &message.event else { return false };
    changes.changes.iter().any(|change| {
        matches!(change.resource, Some(Resource::Task(_))) && change.revision >= revision
    })
}

#[cfg(test)]
mod tests {
    use proto::task::v1::{Bookmark, Change, Changes, Task};

    use super::*;

    #[test]
    fn only_the_change_that_was_made_is_what_a_watcher_waits_for() {
        let message = |event| WatchTasksResponse { event: Some(event), ..Default::default() };
        let change = |revision| {
            let resource = Some(Resource::Task(Task::default()));
            message(Event::Changes(Changes { changes: vec![Change { revision, resource }] }))
        };
        assert!(tells(&change(7), 7) && tells(&change(8), 7));
        assert!(!tells(&change(6), 7));
        assert!(!tells(&message(Event::Bookmark(Bookmark {})), 7));
    }
}
