//! Several replicas on one database: a change on one reaches those who watch on
//! another, by a hint, and without one by looking.

use std::time::Duration;

use shared::testing::eventually;

use crate::{
    mirror::{Event, Mirror},
    replica::World,
};

fn changes(told: &str) -> Event {
    Event::Changes(vec![told.to_owned()])
}

/// Watch: while the clock stands still, so that nobody looks, hints bring what
/// was written on another replica.
#[tokio::test]
async fn a_change_on_one_replica_reaches_the_other_by_a_hint() {
    let world = World::new().await;
    let (here, there) = (world.replica().await, world.replica().await);
    let ada = world.user();
    let mut mirror = Mirror::default();
    let mut stream = there.watch(&ada, "").await.unwrap();
    stream.until_current(&mut mirror).await;
    listening(&world, 2).await;
    for (n, title) in ["One", "Two", "Three"].into_iter().enumerate() {
        // Even if the connection that says them died meanwhile.
        assert_eq!(world.cut("select from unnest").await, n.min(1) as i64);
        let task = world.stamp(ada.id, None, title).await;
        here.feed.changed(ada.id, task.rev);
        assert_eq!(stream.next(&mut mirror).await.unwrap(), changes(title));
    }
}

/// Watch: what nobody hinted at is found by looking, after five seconds.
#[tokio::test]
async fn what_nobody_hinted_at_is_found_by_looking() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (ada, ben) = (world.user(), world.user());
    let (mut adas, mut bens) = (Mirror::default(), Mirror::default());
    let mut hers = replica.watch(&ada, "").await.unwrap();
    let mut his = replica.watch(&ben, "").await.unwrap();
    hers.until_current(&mut adas).await;
    his.until_current(&mut bens).await;
    for title in ["One", "Two"] {
        world.stamp(ada.id, None, title).await;
        world.clock.advance(Duration::from_secs(5));
        assert_eq!(hers.next(&mut adas).await.unwrap(), changes(title));
    }
    let task = world.stamp(ben.id, None, "Ben's").await;
    replica.feed.changed(ben.id, task.rev);
    assert_eq!(his.next(&mut bens).await.unwrap(), changes("Ben's"));
}

/// Watch: a replica whose connection for hints is cut listens again, and finds
/// what was said meanwhile.
#[tokio::test]
async fn a_replica_that_was_cut_off_listens_again() {
    let world = World::new().await;
    let (here, there) = (world.replica().await, world.replica().await);
    let ada = world.user();
    let mut mirror = Mirror::default();
    let mut stream = there.watch(&ada, "").await.unwrap();
    stream.until_current(&mut mirror).await;
    for title in ["One", "Two", "Three"] {
        listening(&world, 2).await;
        assert_eq!(world.cut("listen").await, 2);
        let task = world.stamp(ada.id, None, title).await;
        here.feed.changed(ada.id, task.rev);
        assert_eq!(stream.next(&mut mirror).await.unwrap(), changes(title));
    }
}

/// Waits until so many replicas listen.
async fn listening(world: &World, replicas: i64) {
    eventually("the replicas listen", || async { world.listeners().await == replicas }).await;
}
