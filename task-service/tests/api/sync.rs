//! What SyncTasks tells somebody who comes back.

use std::time::Duration;

use proto::task::v1 as pb;
use tonic::Code;

use crate::{
    app::refused,
    mirror::Mirror,
    replica::{Caller, Replica, World},
};

/// Reads to the end, in pages of this size: what was told, and the last token.
async fn read(
    replica: &Replica,
    caller: &Caller,
    mirror: &mut Mirror,
    token: &str,
    size: i32,
) -> (Vec<String>, String) {
    let (mut told, mut token) = (Vec::new(), token.to_owned());
    loop {
        let page = replica.sync(caller, &token, size).await.expect("a page");
        assert!(page.changes.is_sorted_by(|one, next| one.revision < next.revision));
        told.extend(page.changes.into_iter().map(|change| mirror.keep(change)));
        token = page.next_sync_token;
        if !page.more {
            return (told, token);
        }
    }
}

/// Sync: everything once, in its newest state, what is gone as gone, in pages
/// of any size.
#[tokio::test]
async fn everything_that_changed_is_told_once() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let (empty, start) = read(&replica, &ada, &mut Mirror::default(), "", 0).await;
    assert_eq!(empty, [""; 0]);
    let one = world.stamp(ada.id, None, "One").await;
    let home = world.stamp_list(ada.id, None, "Home", false).await;
    let two = world.stamp(ada.id, None, "Two").await;
    let work = world.stamp_list(ada.id, None, "Work", false).await;
    world.stamp(ada.id, Some(one.id), "One, changed").await;
    world.stamp_gone(ada.id, two.id).await;
    world.stamp_list(ada.id, Some(work.id), "", true).await;
    let gone = [two.id.to_string(), work.id.to_string()];
    for size in [1, 2, 3, 4, 5, 0] {
        let mut mirror = Mirror::default();
        let (told, token) = read(&replica, &ada, &mut mirror, &start, size).await;
        assert_eq!(told, ["Home", "One, changed", &gone[0], &gone[1]], "{size}");
        assert!(mirror.has(&world.rows(ada.id).await));
        let (nothing, _) = read(&replica, &ada, &mut mirror, &token, size).await;
        assert_eq!(nothing, [""; 0]);
        // Who begins is not told what was gone before.
        let (told, _) = read(&replica, &ada, &mut Mirror::default(), "", size).await;
        assert_eq!(told, ["Home", "One, changed"], "{size}");
    }
    assert_eq!(home.rev, 2);
}

/// Sync: what goes while somebody reads the first pages is told as gone, if it
/// was told before.
#[tokio::test]
async fn what_goes_while_pages_are_read_is_told() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let one = world.stamp(ada.id, None, "One").await;
    world.stamp(ada.id, None, "Two").await;
    let mut mirror = Mirror::default();
    let page = replica.sync(&ada, "", 1).await.unwrap();
    assert!(page.more);
    for change in page.changes {
        mirror.keep(change);
    }
    world.stamp_gone(ada.id, one.id).await;
    read(&replica, &ada, &mut mirror, &page.next_sync_token, 1).await;
    assert!(mirror.has(&world.rows(ada.id).await));
}

/// Sync: who was away for too long is told so, and how to go on; a token that
/// needs nothing of what was purged stays good.
#[tokio::test]
async fn a_token_that_is_too_old_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let one = world.stamp(ada.id, None, "One").await;
    world.stamp(ada.id, None, "Two").await;
    let (_, old) = read(&replica, &ada, &mut Mirror::default(), "", 0).await;
    world.stamp_gone(ada.id, one.id).await;
    // In the middle of a snapshot that began after the deletion.
    let middle = replica.sync(&ada, "", 1).await.unwrap().next_sync_token;
    let (_, new) = read(&replica, &ada, &mut Mirror::default(), "", 0).await;
    world.purge(ada.id).await;
    let status = refused(replica.sync(&ada, &old, 0).await, Code::OutOfRange, "SYNC_TOKEN_EXPIRED");
    assert!(status.message().contains("again"), "{status:?}");
    for token in [middle, new, String::new()] {
        replica.sync(&ada, &token, 0).await.unwrap();
    }
    world
        .sql("update data.user_state set head_rev = 1, horizon_rev = 0 where user_id = $1", ada.id)
        .await;
    refused(replica.sync(&ada, &old, 0).await, Code::OutOfRange, "SYNC_TOKEN_EXPIRED");
}

/// Sync: pages that cannot be and names of others are refused.
#[tokio::test]
async fn a_bad_request_is_refused() {
    let world = World::new().await;
    let replica = world.replica().await;
    let (ada, ben) = (world.user(), world.user());
    refused(replica.sync(&ada, "", -1).await, Code::InvalidArgument, "FIELD_INVALID");
    let request = |parent: String| pb::SyncTasksRequest { parent, ..Default::default() };
    let ask = |parent: String| {
        let request = ada.with(request(parent));
        async { replica.client().sync_tasks(request).await }
    };
    refused(ask(format!("users/{}", ben.id)).await, Code::PermissionDenied, "NOT_YOURS");
    refused(ask("users".to_owned()).await, Code::InvalidArgument, "FIELD_INVALID");
    world.clock.advance(Duration::from_secs(306));
    refused(replica.sync(&ada, "", 0).await, Code::Unauthenticated, "TOKEN_EXPIRED");
}

/// Sync: the token of a list goes on from the moment of its first page, and
/// says what else was, lists too.
#[tokio::test]
async fn a_list_of_tasks_can_be_gone_on_from() {
    let world = World::new().await;
    let replica = world.replica().await;
    let ada = world.user();
    let one = world.stamp(ada.id, None, "One").await;
    world.stamp(ada.id, None, "Two").await;
    let request = pb::ListTasksRequest { page_size: 1, ..Default::default() };
    let page = replica.client().list_tasks(ada.with(request)).await.unwrap().into_inner();
    assert_eq!(page.tasks.len(), 1);
    world.stamp_gone(ada.id, one.id).await;
    world.stamp_list(ada.id, None, "Home", false).await;
    let mut mirror = Mirror::default();
    let (told, _) = read(&replica, &ada, &mut mirror, &page.sync_token, 0).await;
    assert_eq!(told, [one.id.to_string(), "Home".to_owned()]);
    let mut stream = replica.watch(&ada, &page.sync_token).await.unwrap();
    stream.until_current(&mut mirror).await;
    // A page token is none.
    let status = replica.sync(&ada, &page.next_page_token, 0).await;
    refused(status, Code::InvalidArgument, "SYNC_TOKEN_INVALID");
}
