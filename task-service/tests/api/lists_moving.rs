//! The order of lists.

use proto::task::v1 as pb;
use tonic::Code;

use crate::{
    app::{TestApp, at_once, fields, refused},
    list_calls::{after, all_by, before, delete, get, make, titles, update_with},
};

/// A list goes after and before another, and first after the inbox.
#[tokio::test]
async fn a_list_goes_where_it_is_put() {
    let app = TestApp::start().await;
    let ada = app.user();
    let mut made = Vec::new();
    for title in ["d", "c", "b", "a"] {
        made.push(make(&ada, title).await.name);
    }
    let [d, c, b, a] = made.try_into().expect("four");
    after(&ada, &a, &d).await.unwrap();
    assert_eq!(titles(&ada).await, ["b", "c", "d", "a"]);
    before(&ada, &d, &b).await.unwrap();
    assert_eq!(titles(&ada).await, ["d", "b", "c", "a"]);
    after(&ada, &a, &b).await.unwrap();
    assert_eq!(titles(&ada).await, ["d", "b", "a", "c"]);
    after(&ada, &c, "users/me/lists/inbox").await.unwrap();
    assert_eq!(titles(&ada).await, ["c", "d", "b", "a"]);
    before(&ada, &a, &d).await.unwrap();
    assert_eq!(titles(&ada).await, ["c", "a", "d", "b"]);
    make(&ada, "new").await;
    assert_eq!(titles(&ada).await, ["new", "c", "a", "d", "b"]);
    let head = app.head(&ada).await;
    assert_eq!(head, 10);

    // Who is there already does not move; what else is written is.
    let there = get(&ada, &a).await.unwrap();
    assert_eq!(after(&ada, &a, &c).await.unwrap(), there);
    assert_eq!(before(&ada, &a, &d).await.unwrap(), there);
    assert_eq!(app.head(&ada).await, head);
    let renaming = pb::UpdateListRequest {
        list: Some(pb::List { title: "A".to_owned(), ..there.clone() }),
        place: Some(pb::update_list_request::Place::After(b)),
        ..Default::default()
    };
    let renamed = update_with(&ada, renaming).await.unwrap().into_inner();
    assert_eq!((renamed.title.as_str(), renamed.revision), ("A", head + 1));
    assert_eq!(titles(&ada).await, ["new", "c", "d", "b", "A"]);
}

/// A neighbour that is not there, or is the list itself, is a bad field.
#[tokio::test]
async fn a_list_stands_beside_another_that_is_there() {
    let app = TestApp::start().await;
    let ada = app.user();
    let (list, gone) = (make(&ada, "List").await.name, make(&ada, "Gone").await.name);
    delete(&ada, &gone, false).await.unwrap();
    let stored = app.stored(ada.id).await;
    for other in [&list, &gone] {
        let status =
            refused(after(&ada, &list, other).await, Code::InvalidArgument, "FIELD_INVALID");
        assert_eq!(fields(&status), ["after"]);
        let status =
            refused(before(&ada, &list, other).await, Code::InvalidArgument, "FIELD_INVALID");
        assert_eq!(fields(&status), ["before"]);
    }
    assert_eq!(app.stored(ada.id).await, stored);
}

/// Between the same two again and again: the order is exact, places do not
/// grow without end, and no revision is left out when all are numbered anew.
#[tokio::test]
async fn places_are_numbered_anew_before_they_grow_long() {
    let app = TestApp::start().await;
    let ada = app.user();
    let mut made = Vec::new();
    for title in ["last", "y", "x", "first"] {
        made.push(make(&ada, title).await.name);
    }
    let [last, y, x, first] = made.try_into().expect("four");
    let (mut anew, mut head) = (0, app.head(&ada).await);
    for turn in 0..160 {
        let (name, expected) = match turn % 2 {
            0 => (&y, ["first", "y", "x", "last"]),
            _ => (&x, ["first", "x", "y", "last"]),
        };
        let moved = after(&ada, name, &first).await.unwrap();
        assert_eq!(titles(&ada).await, expected, "turn {turn}");
        assert!(moved.position.len() <= 16 + 1 + 20, "{}", moved.position);
        assert_eq!(moved.position.split('.').next().unwrap().len(), 16);
        let lists = all_by(&ada, 0).await;
        let now = app.head(&ada).await;
        let mut fresh: Vec<i64> = lists.iter().map(|list| list.revision).collect();
        fresh.retain(|revision| *revision > head);
        fresh.sort_unstable();
        assert_eq!(fresh, (head + 1..=now).collect::<Vec<_>>(), "turn {turn}");
        match now - head {
            1 => {}
            4 => anew += 1,
            other => panic!("{other} revisions for one move"),
        }
        head = now;
    }
    assert!((1..=4).contains(&anew), "numbered anew {anew} times in 160 moves");
    // The others stay where they were put, and new ones are first.
    assert_eq!(get(&ada, &last).await.unwrap().title, "last");
    make(&ada, "new").await;
    assert_eq!(titles(&ada).await, ["new", "first", "x", "y", "last"]);
}

/// Sixteen movers at once leave a total order without equal places, and each
/// move is one revision.
#[tokio::test(flavor = "multi_thread")]
async fn moves_by_sixteen_callers_leave_a_total_order() {
    let app = TestApp::start().await;
    let ada = app.user();
    let mut names = Vec::new();
    for n in 0..16 {
        names.push(make(&ada, &format!("{n:02}")).await.name);
    }
    at_once((0..16).map(|n: usize| {
        let (ada, names) = (ada.clone(), names.clone());
        async move {
            for round in 1..=10 {
                let other = &names[(n + round * 5) % 16];
                if *other == names[n] {
                    after(&ada, &names[n], "users/me/lists/inbox").await.expect("a move");
                } else if round % 2 == 0 {
                    after(&ada, &names[n], other).await.expect("a move");
                } else {
                    before(&ada, &names[n], other).await.expect("a move");
                }
            }
        }
    }))
    .await;
    // Fails if two have the same place.
    let mut left = titles(&ada).await;
    left.sort_unstable();
    assert_eq!(left, (0..16).map(|n| format!("{n:02}")).collect::<Vec<_>>());
    let mut revisions: Vec<i64> =
        all_by(&ada, 0).await.iter().skip(1).map(|list| list.revision).collect();
    revisions.sort_unstable();
    revisions.dedup();
    assert_eq!(revisions.len(), 16);
    assert_eq!(*revisions.last().unwrap(), app.head(&ada).await);
}
