//! What somebody who watches is told: what there is, what changes, where to go
//! on, and through a filter no more than it lets through.

use std::time::Duration;

use proto::task::v1 as pb;
use shared::rng;
use tonic::Code;

use crate::{
    app::{reason, refused},
    mirror::{Event, Mirror},
    replica::World,
};

fn changes(told: &[&str]) -> Event {
    Event::Changes(told.iter().map(|&told| told.to_owned()).collect())
}

/// Watch: an empty token brings what there is, in the order of the revisions
/// and without what was deleted before, then Current, then changes.
#[tokio::test]
async fn who_begins_is_told_what_there_is_and_then_what_changes() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (ada, ben) = (world.user(), world.user());
    let milk = world.stamp(ada.id, None, "Milk").await;
    let home = world.stamp_list(ada.id, None, "Home", false).await;
    let gone = world.stamp(ada.id, None, "Gone").await;
    world.stamp_gone(ada.id, gone.id).await;
    world.stamp(ada.id, Some(milk.id), "Oat milk").await;
    world.stamp(ben.id, None, "Ben's").await;

    let mut mirror = Mirror::default();
    let mut stream = replica.watch(&ada, "").await.unwrap();
    let told = stream.until_current(&mut mirror).await;
    assert_eq!(told, [changes(&["Home", "Oat milk"]), Event::Current]);

    let bread = world.stamp(ada.id, None, "Bread").await;
    replica.feed.changed(ada.id, bread.rev);
    assert_eq!(stream.next(&mut mirror).await.unwrap(), changes(&["Bread"]));
    world.stamp_gone(ada.id, bread.id).await;
    let last = world.stamp_list(ada.id, Some(home.id), "", true).await;
    replica.feed.changed(ada.id, last.rev);
    let (bread, home) = (bread.id.to_string(), home.id.to_string());
    let mut told = Vec::new();
    while told.len() < 2 {
        let Event::Changes(more) = stream.next(&mut mirror).await.unwrap() else { panic!() };
        told.extend(more);
    }
    assert_eq!(told, [bread, home]);
    assert!(mirror.has(&world.rows(ada.id).await));
}

/// Watch: somebody who has nothing is told that this is all there is.
#[tokio::test]
async fn who_has_nothing_is_current_at_once() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let mut mirror = Mirror::default();
    let mut stream = replica.watch(&ada, "").await.unwrap();
    assert_eq!(stream.until_current(&mut mirror).await, [Event::Current]);
    let first = world.stamp(ada.id, None, "First").await;
    replica.feed.changed(ada.id, first.rev);
    assert_eq!(stream.next(&mut mirror).await.unwrap(), changes(&["First"]));
}

/// Watch: a token goes on after the event that it came with, on any replica:
/// nothing is told twice, and what changed several times is told once.
#[tokio::test]
async fn a_token_goes_on_where_it_was_given() {
    let world = World::new().await;
    let ada = world.user();
    let mut mirror = Mirror::default();
    let (one, two) = {
        let replica = world.replica().await;
        let one = world.stamp(ada.id, None, "One").await;
        let two = world.stamp(ada.id, None, "Two").await;
        let mut stream = replica.watch(&ada, "").await.unwrap();
        stream.until_current(&mut mirror).await;
        (one, two)
    };
    world.stamp(ada.id, Some(one.id), "One, changed").await;
    world.stamp_gone(ada.id, two.id).await;
    world.stamp(ada.id, Some(one.id), "One, changed twice").await;

    let replica = world.replica().await;
    let mut stream = replica.watch(&ada, &mirror.token).await.unwrap();
    let told = stream.until_current(&mut mirror).await;
    assert_eq!(told, [changes(&[&two.id.to_string(), "One, changed twice"]), Event::Current]);
    let mut stream = replica.watch(&ada, &mirror.token).await.unwrap();
    assert_eq!(stream.until_current(&mut mirror).await, [Event::Current]);
    // A token of SyncTasks is as good.
    let synced = replica.sync(&ada, "", 1).await.unwrap();
    let mut stream = replica.watch(&ada, &synced.next_sync_token).await.unwrap();
    assert_eq!(stream.until_current(&mut Mirror::default()).await, [Event::Current]);
}

/// Watch: pages of a long list, and a snapshot that is cut off in the middle.
#[tokio::test]
async fn a_snapshot_that_is_cut_off_goes_on_from_its_middle() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    world
        .sql(
            "select public.stamp('task', $1, gen_random_uuid(), 'Task', false, now())
             from generate_series(1, 450)",
            ada.id,
        )
        .await;
    let mut mirror = Mirror::default();
    let mut stream = replica.watch(&ada, "").await.unwrap();
    let Event::Changes(first) = stream.next(&mut mirror).await.unwrap() else { panic!() };
    assert_eq!(first.len(), 200);
    drop(stream);
    // One that was told goes, and one that was not.
    let told = *mirror.rows.keys().next().unwrap();
    world.stamp_gone(ada.id, told).await;
    let rows = world.rows(ada.id).await;
    let untold = rows.iter().find(|(id, ..)| !mirror.rows.contains_key(id)).unwrap().0;
    world.stamp_gone(ada.id, untold).await;
    let mut stream = replica.watch(&ada, &mirror.token).await.unwrap();
    let told = stream.until_current(&mut mirror).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(mirror.has(&world.rows(ada.id).await));
}

/// Watch: an expired token is no dead end: a Reset, and all there is follows.
#[tokio::test]
async fn a_token_that_is_too_old_is_reset() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let (kept, gone) =
        (world.stamp(ada.id, None, "Kept").await, world.stamp(ada.id, None, "Gone").await);
    let mut mirror = Mirror::default();
    replica.watch(&ada, "").await.unwrap().until_current(&mut mirror).await;
    world.stamp_gone(ada.id, gone.id).await;
    let mut aware = Mirror::default();
    replica.watch(&ada, "").await.unwrap().until_current(&mut aware).await;
    world.purge(ada.id).await;

    let mut stream = replica.watch(&ada, &mirror.token).await.unwrap();
    let told = stream.until_current(&mut mirror).await;
    assert_eq!(told, [Event::Reset, changes(&["Kept"]), Event::Current]);
    assert!(mirror.has(&[(kept.id, kept.rev, "Kept".to_owned())]));
    // Who knew of the deletion, or began after it, is told nothing again.
    let mut stream = replica.watch(&ada, &aware.token).await.unwrap();
    assert_eq!(stream.until_current(&mut aware).await, [Event::Current]);
}

/// A database that was set back knows less than the token.
#[tokio::test]
async fn a_database_that_was_set_back_is_read_again() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let one = world.stamp(ada.id, None, "One").await;
    let lost = world.stamp(ada.id, None, "Lost").await;
    let (mut stream, mut mirror) = replica.follow(&ada).await;
    replica.feed.changed(ada.id, lost.rev);
    world.sql("delete from data.tasks where user_id = $1 and rev = 2", ada.id).await;
    world.sql("update data.user_state set head_rev = 1 where user_id = $1", ada.id).await;
    world.clock.advance(Duration::from_secs(5));
    let status = stream.end(&mut mirror).await;
    assert_eq!((status.code(), &*reason(&status)), (Code::Unavailable, "DATABASE_UNAVAILABLE"));
    let mut stream = replica.watch(&ada, &mirror.token).await.unwrap();
    let told = stream.until_current(&mut mirror).await;
    assert_eq!(told, [Event::Reset, changes(&["One"]), Event::Current]);
    assert_eq!(mirror.rows.keys().copied().collect::<Vec<_>>(), [one.id]);
}

/// Watch: through a filter, what does not fit is not told, what no longer fits
/// is told as removed, and lists are always told.
#[tokio::test]
async fn a_task_that_leaves_the_filter_is_told_as_removed() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let milk = world.stamp(ada.id, None, "Milk").await;
    world.stamp(ada.id, None, "Bread").await;
    world.stamp_list(ada.id, None, "Home", false).await;
    let filtered = |token: &str| pb::WatchTasksRequest {
        resume_token: token.to_owned(),
        filter: "title:milk".to_owned(),
        ..Default::default()
    };
    let mut mirror = Mirror::default();
    let mut stream = replica.watch_as(&ada, filtered("")).await.unwrap();
    let told = stream.until_current(&mut mirror).await;
    assert_eq!(told, [changes(&["Milk", "Home"]), Event::Current]);

    let out = world.stamp(ada.id, Some(milk.id), "Cheese").await;
    replica.feed.changed(ada.id, out.rev);
    assert_eq!(stream.next(&mut mirror).await.unwrap(), changes(&[&milk.id.to_string()]));
    let back = world.stamp(ada.id, Some(milk.id), "Buttermilk").await;
    replica.feed.changed(ada.id, back.rev);
    assert_eq!(stream.next(&mut mirror).await.unwrap(), changes(&["Buttermilk"]));
    drop(stream);

    world.stamp(ada.id, Some(milk.id), "Butter").await;
    let mut stream = replica.watch_as(&ada, filtered(&mirror.token)).await.unwrap();
    let told = stream.until_current(&mut mirror).await;
    assert_eq!(told, [changes(&[&milk.id.to_string()]), Event::Current]);
}

/// Watch: `today()` is the day of the change, in the zone that was asked for.
#[tokio::test]
async fn today_is_the_day_of_the_change_in_the_clients_zone() {
    let world = World::new().await;
    let replica = world.replica().await;
    // Noon of 20 January in UTC, and already the 21st where the client is.
    let ada = world.user();
    let task = world.stamp(ada.id, None, "Due on the 21st").await;
    world.sql("update data.tasks set due_date = '2026-01-21' where user_id = $1", ada.id).await;
    let request = |zone: &str| pb::WatchTasksRequest {
        filter: "due <= today()".to_owned(),
        time_zone: zone.to_owned(),
        ..Default::default()
    };
    let mut ahead = replica.watch_as(&ada, request("Pacific/Kiritimati")).await.unwrap();
    let told = ahead.until_current(&mut Mirror::default()).await;
    assert_eq!(told, [changes(&["Due on the 21st"]), Event::Current]);
    let (mut utc, mut mirror) =
        (replica.watch_as(&ada, request("")).await.unwrap(), Mirror::default());
    assert_eq!(utc.until_current(&mut mirror).await, [Event::Current]);

    // What midnight alone changes is not told; the next change is.
    world.clock.advance(Duration::from_secs(12 * 3600));
    let caller = world.caller(ada.id);
    let request = pb::WatchTasksRequest { resume_token: mirror.token.clone(), ..request("") };
    let mut utc = replica.watch_as(&caller, request).await.unwrap();
    assert_eq!(utc.until_current(&mut mirror).await, [Event::Current]);
    let again = world.stamp(ada.id, Some(task.id), "Still due on the 21st").await;
    world.sql("update data.tasks set due_date = '2026-01-21' where user_id = $1", ada.id).await;
    replica.feed.changed(ada.id, again.rev);
    assert_eq!(utc.next(&mut mirror).await.unwrap(), changes(&["Still due on the 21st"]));
}

/// Watch: tokens of others, made up ones and bad filters are refused, all at
/// once, before anything is read.
#[tokio::test]
async fn what_is_not_the_callers_is_refused() {
    use tonic_types::StatusExt as _;
    let world = World::new().await;
    let replica = world.replica().await;
    let (ada, ben) = (world.user(), world.user());
    let mut mirror = Mirror::default();
    replica.watch(&ben, "").await.unwrap().until_current(&mut mirror).await;
    for bad in [mirror.token.as_str(), "forged", "AAAA"] {
        let status = replica.watch(&ada, bad).await.map(drop);
        refused(status, Code::InvalidArgument, "SYNC_TOKEN_INVALID");
        let status = replica.sync(&ada, bad, 0).await;
        refused(status, Code::InvalidArgument, "SYNC_TOKEN_INVALID");
    }
    let request = pb::WatchTasksRequest {
        resume_token: "forged".to_owned(),
        filter: "due>hello".to_owned(),
        time_zone: "Mars/Base".to_owned(),
        ..Default::default()
    };
    let status = replica.watch_as(&ada, request).await.map(drop).unwrap_err();
    let details = status.get_error_details();
    let fields = &details.bad_request().unwrap().field_violations;
    let named: Vec<_> = fields.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(named, ["resume_token", "filter", "time_zone"]);
    for parent in [format!("users/{}", ben.id), format!("users/{}", rng::uuid_v4())] {
        let request = pb::WatchTasksRequest {
            parent,
            resume_token: "forged".to_owned(),
            ..Default::default()
        };
        let status = replica.watch_as(&ada, request).await.map(drop);
        refused(status, Code::PermissionDenied, "NOT_YOURS");
    }
}

/// Watch: bookmarks after 15 seconds of silence, by the clock, each with a token
/// that is good.
#[tokio::test]
async fn silence_is_told_every_fifteen_seconds() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let (mut stream, mut mirror) = replica.follow(&ada).await;
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(14));
        let task = world.stamp(ada.id, None, "Task").await;
        replica.feed.changed(ada.id, task.rev);
        // Whatever is told begins the silence anew.
        assert_eq!(stream.next(&mut mirror).await.unwrap(), changes(&["Task"]));
    }
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(15));
        assert_eq!(stream.next(&mut mirror).await.unwrap(), Event::Bookmark);
    }
    let mut stream = replica.watch(&ada, &mirror.token).await.unwrap();
    assert_eq!(stream.until_current(&mut mirror).await, [Event::Current]);
}

/// P6: one statement for SyncTasks, one for each time that a stream reads.
#[tokio::test]
async fn reading_changes_is_one_statement() {
    let world = World::new().await;
    let (counter, replica) = world.counted().await;
    let ada = world.user();
    let (mut stream, mut mirror) = replica.follow(&ada).await;
    for title in ["Prepared", "Counted"] {
        let counted = || (counter.take(), counter.take_round_trips());
        let _ = counted();
        let task = world.stamp(ada.id, None, title).await;
        replica.feed.changed(ada.id, task.rev);
        assert_eq!(stream.next(&mut mirror).await.unwrap(), changes(&[title]));
        let watched = counted();
        replica.sync(&ada, "", 0).await.unwrap();
        let synced = counted();
        if title == "Counted" {
            assert_eq!((watched, synced), ((1, 1), (1, 1)));
        }
    }
}
