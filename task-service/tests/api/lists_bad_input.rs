//! What no list can be, and how it is told.

use prost_types::FieldMask;
use proto::task::v1::{
    CreateListRequest, DeleteListRequest, GetListRequest, List, ListListsRequest,
    UpdateListRequest, update_list_request::Place,
};
use tonic::{Code, Status};

use crate::{
    app::{TestApp, fields, refused},
    list_calls::{create, creating, delete_with, get, make, update_with},
};

const ID: &str = "0190c7e2-5b1a-7c3e-8a55-0d8c6f3f2a11";
const NIL: &str = "00000000-0000-0000-0000-000000000000";
const NIL_NAME: &str = "users/me/lists/00000000-0000-0000-0000-000000000000";
const INBOX: &str = "users/me/lists/inbox";

#[track_caller]
fn names<T: std::fmt::Debug>(answer: Result<T, Status>, reason: &str, expected: &[&str]) {
    let status = refused(answer, Code::InvalidArgument, reason);
    assert_eq!(fields(&status), expected, "{status:?}");
}

/// Everything that is wrong with a request is said at once.
#[tokio::test]
async fn a_list_that_cannot_be_is_not_made() {
    let app = TestApp::start().await;
    let ada = app.user();
    let long = "é".repeat(201);
    for title in ["", "   ", "a\nb", "a\tb", "a\0b", "a\u{2028}b", &long] {
        names(create(&ada, creating(title, "", "")).await, "FIELD_INVALID", &["list.title"]);
    }
    for id in ["1", NIL, "inbox", "0190c7e25b1a7c3e8a550d8c6f3f2a11", &format!("{ID} ")] {
        names(create(&ada, creating("List", id, "")).await, "FIELD_INVALID", &["list_id"]);
    }
    for id in ["1", "\0", "0190c7e25b1a7c3e8a550d8c6f3f2a11"] {
        names(create(&ada, creating("List", "", id)).await, "FIELD_INVALID", &["request_id"]);
    }
    for parent in ["me", "users", "users/", "users/me/", "users/me/lists"] {
        let request = CreateListRequest { parent: parent.to_owned(), ..creating("List", "", "") };
        names(create(&ada, request).await, "FIELD_INVALID", &["parent"]);
    }
    let request = CreateListRequest {
        parent: "me".to_owned(),
        list: None,
        request_id: "1".to_owned(),
        list_id: "1".to_owned(),
    };
    let all = ["parent", "list.title", "list_id", "request_id"];
    names(create(&ada, request).await, "FIELD_INVALID", &all);
    assert_eq!(app.stored(ada.id).await, "");
    create(&ada, creating(&format!(" {} ", "😀".repeat(200)), "", "")).await.expect("the longest");
}

/// AIP-122: names have one spelling, and the id of the inbox is none.
#[tokio::test]
async fn malformed_names_are_refused() {
    let app = TestApp::start().await;
    let ada = app.user();
    let task = format!("users/me/tasks/{ID}");
    let trailing = format!("users/me/lists/{ID}/");
    for name in ["", "lists/1", "users/me", "users/me/lists/", NIL_NAME, &task, &trailing] {
        names(get(&ada, name).await, "FIELD_INVALID", &["name"]);
        let request = DeleteListRequest { name: name.to_owned(), ..Default::default() };
        names(delete_with(&ada, request).await, "FIELD_INVALID", &["name"]);
        let list = List { name: name.to_owned(), archived: true, ..List::default() };
        let request = UpdateListRequest { list: Some(list), ..Default::default() };
        names(update_with(&ada, request).await, "FIELD_INVALID", &["list.name"]);
    }
    for bad in ["users/me/lists/Inbox", "users/me/lists/inbox/", "users//lists/inbox", "inbox"] {
        let request = GetListRequest { name: bad.to_owned() };
        let answer = ada.lists.clone().get_list(request).await;
        names(answer, "FIELD_INVALID", &["name"]);
    }
}

/// The inbox stays as it is.
#[tokio::test]
async fn the_inbox_cannot_be_changed() {
    let app = TestApp::start().await;
    let ada = app.user();
    let list = make(&ada, "List").await;
    let before = app.stored(ada.id).await;
    for name in [INBOX.to_owned(), format!("{}/lists/inbox", ada.name())] {
        for force in [false, true] {
            let request = DeleteListRequest { name: name.clone(), force, ..Default::default() };
            names(delete_with(&ada, request).await, "FIELD_INVALID", &["name"]);
        }
        for place in [None, Some(Place::After(list.name.clone()))] {
            let inbox = List { name: name.clone(), title: "Mine".to_owned(), ..List::default() };
            let request = UpdateListRequest { list: Some(inbox), place, ..Default::default() };
            names(update_with(&ada, request).await, "FIELD_INVALID", &["list.name"]);
        }
        let request = UpdateListRequest {
            list: Some(list.clone()),
            place: Some(Place::Before(name)),
            ..Default::default()
        };
        names(update_with(&ada, request).await, "FIELD_INVALID", &["before"]);
    }
    assert_eq!(app.stored(ada.id).await, before);
}

/// AIP-134, AIP-154: masks, titles, etags, request ids and neighbours.
#[tokio::test]
async fn a_change_that_cannot_be_is_refused() {
    let app = TestApp::start().await;
    let ada = app.user();
    let list = make(&ada, "List").await;
    let before = app.stored(ada.id).await;
    let update = |list: List, paths: &[&str]| UpdateListRequest {
        list: Some(list),
        update_mask: Some(FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() }),
        ..Default::default()
    };
    for path in ["", "color", "Title", "list.title", "title.x", "a\0b"] {
        let request = update(list.clone(), &["title", path]);
        names(update_with(&ada, request).await, "MASK_INVALID", &["update_mask"]);
    }
    for title in ["", "  ", "a\nb"] {
        let bad = List { title: title.to_owned(), ..list.clone() };
        for paths in [&["title"], &["*"]] {
            let answer = update_with(&ada, update(bad.clone(), paths)).await;
            names(answer, "FIELD_INVALID", &["list.title"]);
        }
    }
    for etag in ["1", "\"0\"", "\"01\"", "W/\"1\"", "*", "\"1\0\""] {
        let bad = List { etag: etag.to_owned(), ..list.clone() };
        let answer = update_with(&ada, update(bad, &["title"])).await;
        names(answer, "FIELD_INVALID", &["list.etag"]);
        let (name, etag) = (list.name.clone(), etag.to_owned());
        let request = DeleteListRequest { name, etag, ..Default::default() };
        names(delete_with(&ada, request).await, "FIELD_INVALID", &["etag"]);
    }
    for other in ["", "first", "users/me/lists/1", NIL_NAME] {
        for (place, field) in
            [(Place::After(other.to_owned()), "after"), (Place::Before(other.to_owned()), "before")]
        {
            let request = UpdateListRequest { place: Some(place), ..update(list.clone(), &[]) };
            names(update_with(&ada, request).await, "FIELD_INVALID", &[field]);
        }
    }
    let request = UpdateListRequest {
        list: Some(List { title: "\0".to_owned(), etag: "1".to_owned(), ..List::default() }),
        place: Some(Place::After("x".to_owned())),
        request_id: "1".to_owned(),
        update_mask: None,
    };
    let all = ["list.name", "list.title", "after", "list.etag", "request_id"];
    names(update_with(&ada, request).await, "FIELD_INVALID", &all);
    let nothing = ada.lists.clone().update_list(UpdateListRequest::default()).await;
    names(nothing, "FIELD_INVALID", &["list.name"]);
    assert_eq!(app.stored(ada.id).await, before);
}

/// AIP-158: sizes and tokens.
#[tokio::test]
async fn pages_are_asked_for_properly_or_refused() {
    let app = TestApp::start().await;
    let ada = app.user();
    make(&ada, "List").await;
    let page = ListListsRequest::default;
    let token = |token: &str| ListListsRequest { page_token: token.to_owned(), ..page() };
    let tasks = proto::task::v1::ListTasksRequest { page_size: 1, ..Default::default() };
    for title in ["One", "Two"] {
        ada.create(title).await;
    }
    let of_tasks = ada.list(tasks).await.unwrap().next_page_token;
    assert!(!of_tasks.is_empty());
    for (request, reason, field) in [
        (ListListsRequest { page_size: -1, ..page() }, "FIELD_INVALID", "page_size"),
        (ListListsRequest { page_size: i32::MIN, ..page() }, "FIELD_INVALID", "page_size"),
        (ListListsRequest { parent: "users".to_owned(), ..page() }, "FIELD_INVALID", "parent"),
        (token("x"), "PAGE_TOKEN_INVALID", "page_token"),
        (token("\0"), "PAGE_TOKEN_INVALID", "page_token"),
        (token(&of_tasks), "PAGE_TOKEN_INVALID", "page_token"),
    ] {
        names(ada.lists.clone().list_lists(request).await, reason, &[field]);
    }
}
