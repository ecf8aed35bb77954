//! The commands about lists: what they ask for, and what they show.

use proto::task::v1::{
    CreateListRequest, DeleteListRequest, Task, UpdateListRequest, update_list_request::Place,
};

use super::{House, store::list_name};

/// Somebody with the lists Home and Garden, and a task in the first.
async fn house() -> House {
    let house = House::signed_in().await;
    house.asked(|script| {
        script.store.add_list("Home");
        script.store.add_list("Garden\u{1b}[2J");
        script.store.add(Task { list: list_name(0), ..Task::default() });
    });
    house
}

#[tokio::test]
async fn lists_are_made_renamed_and_put_aside() {
    let house = house().await;
    let shown = house.sees("lists add To read").await;
    assert!(shown.contains("To read") && shown.contains("00000002"), "{shown}");
    assert!(!house.last::<CreateListRequest>().request_id.is_empty());

    house.gets("lists rename 00000002 Books to read").await;
    let request: UpdateListRequest = house.last();
    assert_eq!(request.update_mask.unwrap().paths, ["title"]);
    assert!(!request.request_id.is_empty() && request.place.is_none());
    assert!(house.sees("lists").await.contains("Books to read"));

    let json = house.gets("lists archive Home 00000002").await;
    assert_eq!(json["lists"][1]["archived"], true);
    assert_eq!(house.last::<UpdateListRequest>().update_mask.unwrap().paths, ["archived"]);
    let shown = house.sees("lists ls").await;
    assert!(!shown.contains("Home") && shown.contains("Garden"), "{shown:?}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert!(house.sees("lists ls --all").await.contains("put aside"));
    house.gets("lists unarchive home").await;
    assert_eq!(house.gets("lists").await["lists"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_list_is_moved_among_the_others() {
    let house = house().await;
    for (place, expected) in [
        ("--after 00000001", Place::After(list_name(1))),
        ("--before 00000001", Place::Before(list_name(1))),
        ("--first", Place::After("users/me/lists/inbox".to_owned())),
    ] {
        house.gets(&format!("lists move Home {place}")).await;
        let request: UpdateListRequest = house.last();
        assert_eq!(request.list.unwrap().name, list_name(0));
        assert_eq!(request.place, Some(expected));
        assert!(!request.request_id.is_empty());
    }
}

#[tokio::test]
async fn a_list_with_tasks_goes_only_if_forced() {
    let house = house().await;
    let ran = house.duet("lists rm Home", true).await;
    assert_eq!(ran.exit, 9);
    assert_eq!(ran.errors, "Not now. With --force they go to the bin with it.\n");
    assert_eq!(house.sees("lists rm Home --force").await, "Deleted Home.\n");
    let request: DeleteListRequest = house.last();
    assert!(request.force && !request.request_id.is_empty());
    let ran = house.duet("lists rm Home", true).await;
    assert_eq!(ran.exit, 5);
    assert!(ran.errors.contains("`duet lists`"), "{ran:?}");
}

#[tokio::test]
async fn what_is_used_is_told() {
    let house = house().await;
    let shown = house.sees("usage").await;
    assert!(shown.contains("1 of 10000") && shown.contains("2 of 200"), "{shown}");
    assert_eq!(house.gets("usage").await["tasksLimit"], "10000");
}
