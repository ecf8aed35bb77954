//! How a stream ends, each time with what its client needs to go on; and how
//! many there may be.

use std::time::Duration;

use proto::task::v1 as pb;
use shared::{server::Limits, testing::eventually};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    app::reason,
    mirror::{Event, Mirror},
    replica::World,
};

/// Checks code and reason of an end, and when the client may come back.
#[track_caller]
fn ended(status: &Status, code: Code, expected: &str) -> Option<Duration> {
    assert_eq!((status.code(), &*reason(status)), (code, expected), "{status:?}");
    status.get_error_details().retry_info().and_then(|info| info.retry_delay)
}

/// Watch: a stream ends when the access token does, and goes on with a new one.
#[tokio::test]
async fn a_stream_ends_when_the_access_token_expires() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let (mut stream, mut mirror) = replica.follow(&ada).await;
    // As long as it is good for calls: 300 seconds and five for other clocks.
    world.clock.advance(Duration::from_secs(304));
    assert_eq!(stream.next(&mut mirror).await.unwrap(), Event::Bookmark);
    replica.sync(&ada, "", 0).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    let end = stream.end(&mut mirror).await;
    ended(&end, Code::Unauthenticated, "TOKEN_EXPIRED");
    let refused = replica.sync(&ada, "", 0).await.unwrap_err();
    ended(&refused, Code::Unauthenticated, "TOKEN_EXPIRED");
    let mut stream = replica.watch(&world.caller(ada.id), &mirror.token).await.unwrap();
    assert_eq!(stream.until_current(&mut mirror).await, [Event::Current]);
}

/// Watch: a server that drains ends its streams at once and waits for none;
/// another replica goes on where they were.
#[tokio::test]
async fn a_server_that_drains_ends_its_streams() {
    let world = World::new().await;
    let (first, second) = (world.replica().await, world.replica().await);
    let ada = world.user();
    let (mut mirror, mut other) = (Mirror::default(), Mirror::default());
    let mut stream = first.watch(&ada, "").await.unwrap();
    stream.until_current(&mut mirror).await;
    let mut elsewhere = second.watch(&ada, "").await.unwrap();
    elsewhere.until_current(&mut other).await;
    let (end, ()) = tokio::join!(stream.end(&mut mirror), first.drain());
    assert!(ended(&end, Code::Unavailable, "SERVER_DRAINING").is_some());

    let task = world.stamp(ada.id, None, "Written meanwhile").await;
    second.feed.changed(ada.id, task.rev);
    let told = Event::Changes(vec!["Written meanwhile".to_owned()]);
    assert_eq!(elsewhere.next(&mut other).await.unwrap(), told);
    let mut stream = second.watch(&ada, &mirror.token).await.unwrap();
    assert_eq!(stream.until_current(&mut mirror).await, [told, Event::Current]);
}

/// Watch: without a database a stream ends and says when to come back.
#[tokio::test]
async fn a_stream_ends_when_the_database_is_away() {
    let world = World::new().await;
    let (proxy, replica) = world.counted().await;
    let ada = world.user();
    let (mut stream, mut mirror) = replica.follow(&ada).await;
    let task = world.stamp(ada.id, None, "Task").await;
    drop(proxy);
    eventually("no connection is left", || async { world.cut("").await == 0 }).await;
    replica.feed.changed(ada.id, task.rev);
    let end = stream.end(&mut mirror).await;
    assert!(ended(&end, Code::Unavailable, "DATABASE_UNAVAILABLE").is_some());
    let replica = world.replica().await;
    let mut stream = replica.watch(&ada, &mirror.token).await.unwrap();
    let told = stream.until_current(&mut mirror).await;
    assert_eq!(told, [Event::Changes(vec!["Task".to_owned()]), Event::Current]);
}

/// Watch: so many streams of one user and of one replica, and no more; a client
/// that goes away leaves its place to another.
#[tokio::test]
async fn there_are_so_many_streams_and_no_more() {
    let world = World::new().await;
    let flags = ["--max-watches-per-user=2", "--max-watches=3"];
    let replica = world.replica_with(&flags, world.database.app.clone()).await;
    let (ada, ben) = (world.user(), world.user());
    let first = replica.watch(&ada, "").await.unwrap();
    let _second = replica.watch(&ada, "").await.unwrap();
    let full = replica.watch(&ada, "").await.map(drop).unwrap_err();
    assert!(ended(&full, Code::ResourceExhausted, "WATCH_LIMIT").is_some());
    let _third = replica.watch(&ben, "").await.unwrap();
    let full = replica.watch(&ben, "").await.map(drop).unwrap_err();
    assert!(ended(&full, Code::ResourceExhausted, "WATCH_LIMIT").is_some());
    drop(first);
    eventually("the place is free", || async {
        replica.watch(&ada, "").await.map(std::mem::forget).is_ok()
    })
    .await;
    let full = replica.watch(&ada, "").await.map(drop).unwrap_err();
    ended(&full, Code::ResourceExhausted, "WATCH_LIMIT");
}

/// Streams take no place among the calls in flight, and no deadline of calls
/// ends them.
#[tokio::test]
async fn streams_are_no_calls_in_flight() {
    let world = World::new().await;
    let limits =
        Limits { in_flight: 1, unary_deadline: Duration::from_millis(500), ..Limits::default() };
    let options = world.database.app.clone();
    let replica = world.replica_alone(&[], options, limits).await;
    let ada = world.user();
    let mut streams = Vec::new();
    for _ in 0..5 {
        streams.push(replica.follow(&ada).await);
    }
    // Longer than a call may take.
    let began = std::time::Instant::now();
    eventually("the deadline of a call is over", || async {
        began.elapsed() > Duration::from_millis(600)
    })
    .await;
    let task = world.stamp(ada.id, None, "Task").await;
    replica.feed.changed(ada.id, task.rev);
    replica.sync(&ada, "", 0).await.unwrap();
    for (stream, mirror) in &mut streams {
        assert_eq!(stream.next(mirror).await.unwrap(), Event::Changes(vec!["Task".to_owned()]));
    }
}

/// Watch: while a client does not read, nothing is read for it either; later it
/// gets the newest state, once, and no gap.
#[tokio::test]
async fn a_slow_reader_gets_the_newest_state_later() {
    let world = World::new().await;
    let (counter, replica) = world.counted().await;
    let ada = world.user();
    // More than fits into sockets and windows: 40 times 80 kB, twice.
    let write = "select public.stamp('task', $1, md5(n::text)::uuid, 'Task', false, now())
                 from generate_series(1, 40) n";
    let swell = "update data.tasks set notes = repeat('é', 20000) where user_id = $1";
    world.sql(write, ada.id).await;
    world.sql(swell, ada.id).await;
    let mut stream = replica.watch(&ada, "").await.unwrap();
    for _ in 0..50 {
        world.sql(write, ada.id).await;
        replica.feed.changed(ada.id, 40 * 51);
    }
    // What fits into the sockets, and no more: reading all along would take
    // four for each of the writes.
    let read = counter.take();
    assert!(read <= 20, "{read} statements for a client that does not read");
    let mut mirror = Mirror::default();
    let rows = world.rows(ada.id).await;
    let mut messages = 0;
    while !mirror.has(&rows) {
        messages += 1;
        stream.next(&mut mirror).await.unwrap();
    }
    // What was on its way, and then the newest state in parts of a megabyte.
    assert!(messages <= read + 8, "{messages}");
}

/// A page is cut at about one megabyte, so that every client can take it.
#[tokio::test]
async fn no_message_is_much_larger_than_a_megabyte() {
    use prost::Message as _;
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let write = "select public.stamp('task', $1, gen_random_uuid(), 'Task', false, now())
                 from generate_series(1, 100) n";
    world.sql(write, ada.id).await;
    let swell = "update data.tasks set notes = repeat('é', 20000) where user_id = $1";
    world.sql(swell, ada.id).await;
    let (mut token, mut mirror) = (String::new(), Mirror::default());
    loop {
        let page: pb::SyncTasksResponse = replica.sync(&ada, &token, 500).await.unwrap();
        assert!(page.encoded_len() < 1_200_000, "{}", page.encoded_len());
        assert!(!page.changes.is_empty());
        for change in page.changes {
            mirror.keep(change);
        }
        token = page.next_sync_token;
        if !page.more {
            break;
        }
    }
    assert!(mirror.has(&world.rows(ada.id).await));
}
