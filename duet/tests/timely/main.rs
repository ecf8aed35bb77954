//! What is promised within so many seconds, by the clock of the machine: two replicas
//! of each service in this process, and one test at a time. Cargo runs one test
//! binary after another, so nothing but the pair is measured. The clock that the
//! services look at stands still meanwhile, or is moved by the test: what is in time
//! is so by being told.
#![cfg(test)]
#![expect(clippy::disallowed_methods, reason = "a test has no Config")]

#[path = "../pair/harness.rs"]
#[expect(dead_code, reason = "most of it is for the program `duet`")]
mod harness;
#[path = "../pair/world.rs"]
mod world;

mod keys;
mod outage;
mod sessions;

use std::time::Duration;

use proto::task::v1::{WatchTasksRequest, WatchTasksResponse, watch_tasks_response::Event};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::{interval, timeout},
};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::{
    harness::Tasks,
    world::{PATIENCE, World},
};

/// How soon nothing is answered any more.
const AT_MOST: Duration = Duration::from_secs(2);

static ALONE: Mutex<()> = Mutex::const_new(());

/// A pair that nothing else runs beside.
async fn alone() -> (MutexGuard<'static, ()>, World) {
    let guard = ALONE.lock().await;
    (guard, World::start().await)
}

/// Calls until it is refused.
async fn until_refused<T>(mut call: impl AsyncFnMut() -> Result<T, Status>) -> Status {
    let mut pace = interval(Duration::from_millis(5));
    loop {
        pace.tick().await;
        if let Err(status) = call().await {
            return status;
        }
    }
}

/// A stream that has told everything there was.
async fn watching(tasks: &mut Tasks) -> Streaming<WatchTasksResponse> {
    let mut stream = tasks.watch_tasks(WatchTasksRequest::default()).await.unwrap().into_inner();
    while !matches!(next(&mut stream).await.unwrap().event, Some(Event::Current(_))) {}
    stream
}

async fn next(stream: &mut Streaming<WatchTasksResponse>) -> Result<WatchTasksResponse, Status> {
    let next = timeout(PATIENCE, stream.message()).await;
    Ok(next.expect("an event comes")?.expect("a stream ends with a status"))
}

/// The status that a stream ends with.
async fn end(stream: &mut Streaming<WatchTasksResponse>) -> Status {
    loop {
        if let Err(status) = next(stream).await {
            return status;
        }
    }
}

#[track_caller]
fn is(status: &Status, reason: &str) {
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    assert_eq!(status.get_details_error_info().unwrap().reason, reason);
}
