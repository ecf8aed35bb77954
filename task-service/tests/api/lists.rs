//! Lists: made, read, changed and deleted, once each.

use proto::task::v1 as pb;
use shared::rng;
use tonic::Code;

use crate::{
    app::{TestApp, User, at_once, is_replay, refused},
    list_calls::{
        all_by, create, creating, delete, delete_with, get, make, titles, update, update_with,
    },
};

async fn task_in(user: &User, list: &pb::List, title: &str) -> pb::Task {
    let (title, list) = (title.to_owned(), list.name.clone());
    let task = pb::Task { title, list, ..pb::Task::default() };
    user.create_with(task, "").await.expect("a task is made").into_inner()
}

/// The inbox is always there, always first, and nothing changes it.
#[tokio::test]
async fn the_inbox_is_there_without_having_been_made() {
    let app = TestApp::start().await;
    let ada = app.user();
    let inbox = get(&ada, "users/me/lists/inbox").await.unwrap();
    assert_eq!(inbox.name, format!("{}/lists/inbox", ada.name()));
    assert_eq!((inbox.title.as_str(), inbox.revision, inbox.etag.as_str()), ("Inbox", 0, ""));
    assert_eq!((inbox.archived, inbox.create_time, inbox.update_time), (false, None, None));
    assert_eq!(all_by(&ada, 0).await, std::slice::from_ref(&inbox));
    make(&ada, "Work").await;
    assert_eq!(all_by(&ada, 0).await[0], inbox);
    let task = ada.create("Task").await;
    assert_eq!(task.list, inbox.name);
}

/// AIP-133, AIP-134: a list is made first, renamed and put aside; each change
/// is one of the user's revisions.
#[tokio::test]
async fn a_list_is_made_renamed_and_put_aside() {
    let app = TestApp::start().await;
    let ada = app.user();
    ada.create("First").await;
    let made = make(&ada, "  Work ").await;
    assert_eq!((made.title.as_str(), made.archived, made.revision), ("Work", false, 2));
    assert_eq!(made.etag, "\"2\"");
    assert_eq!(made.create_time, made.update_time);
    assert_eq!(get(&ada, &made.name).await.unwrap(), made);
    make(&ada, "Home").await;
    assert_eq!(titles(&ada).await, ["Home", "Work"]);

    app.clock.advance(std::time::Duration::from_secs(60));
    let renamed = pb::List { title: "Office".to_owned(), archived: true, ..made.clone() };
    let renamed = update(&ada, renamed, &["title", "position", "revision"]).await.unwrap();
    assert_eq!((renamed.title.as_str(), renamed.archived, renamed.revision), ("Office", false, 4));
    assert_ne!(renamed.update_time, made.update_time);
    assert_eq!((&renamed.position, renamed.create_time), (&made.position, made.create_time));
    let aside = pb::List { name: made.name.clone(), archived: true, ..pb::List::default() };
    let aside = update(&ada, aside, &[]).await.unwrap();
    assert_eq!((aside.title.as_str(), aside.archived, aside.revision), ("Office", true, 5));
    let back = pb::List { name: made.name.clone(), ..pb::List::default() };
    assert!(!update(&ada, back, &["archived"]).await.unwrap().archived);
    assert_eq!(titles(&ada).await, ["Home", "Office"]);

    // Nothing to write is no change.
    let nothing = pb::List { name: made.name.clone(), ..pb::List::default() };
    let same = update(&ada, nothing, &["etag"]).await.unwrap();
    assert_eq!(same, get(&ada, &made.name).await.unwrap());
    assert_eq!(app.head(&ada).await, 6);
}

/// AIP-154: a stale etag changes nothing, and tells the one it has now.
#[tokio::test]
async fn a_stale_etag_is_refused() {
    let app = TestApp::start().await;
    let ada = app.user();
    let made = make(&ada, "Work").await;
    let titled = |title: &str, etag: &str| pb::List {
        title: title.to_owned(),
        etag: etag.to_owned(),
        ..made.clone()
    };
    let renamed = update(&ada, titled("Office", &made.etag), &["title"]).await.unwrap();
    let before = app.stored(ada.id).await;
    let stale = update(&ada, titled("Job", &made.etag), &["title"]).await;
    let status = refused(stale, Code::Aborted, "ETAG_MISMATCH");
    let details = tonic_types::StatusExt::get_error_details(&status);
    assert_eq!(details.error_info().unwrap().metadata["current_etag"], renamed.etag);
    let request = pb::DeleteListRequest {
        name: made.name.clone(),
        etag: made.etag.clone(),
        ..Default::default()
    };
    let stale = delete_with(&ada, request.clone()).await;
    refused(stale, Code::Aborted, "ETAG_MISMATCH");
    assert_eq!(app.stored(ada.id).await, before);
    delete_with(&ada, pb::DeleteListRequest { etag: renamed.etag, ..request }).await.unwrap();
    assert!(titles(&ada).await.is_empty());
}

/// AIP-155: a repeated write does nothing more and tells how things are now.
#[tokio::test]
async fn a_repeated_write_does_nothing_more() {
    let app = TestApp::start().await;
    let ada = app.user();
    let ids: Vec<String> = (0..4).map(|_| rng::uuid_v4().to_string()).collect();
    let made = create(&ada, creating("Work", "", &ids[0])).await.unwrap();
    assert!(!is_replay(&made));
    let made = made.into_inner();
    let renaming = pb::UpdateListRequest {
        list: Some(pb::List { title: "Office".to_owned(), ..made.clone() }),
        request_id: ids[1].clone(),
        ..Default::default()
    };
    let renamed = update_with(&ada, renaming.clone()).await.unwrap();
    assert!(!is_replay(&renamed));
    let renamed = renamed.into_inner();
    let again = create(&ada, creating(" Work", "", &ids[0])).await.unwrap();
    assert!(is_replay(&again));
    assert_eq!(again.into_inner(), renamed);
    // Its etag is stale by now, and was not when it was made.
    let again = update_with(&ada, renaming.clone()).await.unwrap();
    assert!(is_replay(&again));
    assert_eq!(again.into_inner(), renamed);

    for reused in [
        create(&ada, creating("Other", "", &ids[0])).await.map(drop),
        create(&ada, creating("Work", "", &ids[1])).await.map(drop),
        update_with(&ada, pb::UpdateListRequest { request_id: ids[0].clone(), ..renaming.clone() })
            .await
            .map(drop),
        ada.create_with(pb::Task { title: "Work".to_owned(), ..pb::Task::default() }, &ids[0])
            .await
            .map(drop),
    ] {
        refused(reused, Code::FailedPrecondition, "REQUEST_ID_REUSED");
    }
    assert_eq!(app.head(&ada).await, 2);

    let request = pb::DeleteListRequest {
        name: made.name.clone(),
        request_id: ids[2].clone(),
        ..Default::default()
    };
    assert!(!is_replay(&delete_with(&ada, request.clone()).await.unwrap()));
    assert!(is_replay(&delete_with(&ada, request.clone()).await.unwrap()));
    refused(
        delete_with(&ada, pb::DeleteListRequest { force: true, ..request }).await,
        Code::FailedPrecondition,
        "REQUEST_ID_REUSED",
    );
    let gone = create(&ada, creating("Work", "", &ids[0])).await;
    refused(gone, Code::NotFound, "LIST_NOT_FOUND");
    refused(update_with(&ada, renaming).await, Code::NotFound, "LIST_NOT_FOUND");
    assert_eq!(app.head(&ada).await, 3);
}

/// AIP-155: what was refused may be tried again under the same id, and leaves
/// nothing behind.
#[tokio::test]
async fn a_refused_write_leaves_nothing_behind() {
    let app = TestApp::start_with(&["--max-lists", "2"]).await;
    let (ada, ben) = (app.user(), app.user());
    let id = rng::uuid_v4().to_string();
    let unknown = pb::DeleteListRequest {
        name: format!("users/me/lists/{}", rng::uuid_v4()),
        request_id: id.clone(),
        ..Default::default()
    };
    refused(delete_with(&ben, unknown).await, Code::NotFound, "LIST_NOT_FOUND");
    assert_eq!(app.stored(ben.id).await, "");

    let first = make(&ada, "First").await;
    make(&ada, "Second").await;
    let before = app.stored(ada.id).await;
    let full = create(&ada, creating("Third", "", &id)).await;
    let status = refused(full, Code::ResourceExhausted, "LIST_QUOTA");
    assert!(tonic_types::StatusExt::get_error_details(&status).retry_info().is_some());
    let task = task_in(&ada, &first, "Task").await;
    let request = pb::DeleteListRequest {
        name: first.name.clone(),
        request_id: id.clone(),
        ..Default::default()
    };
    let full = delete_with(&ada, request.clone()).await;
    refused(full, Code::FailedPrecondition, "LIST_NOT_EMPTY");
    assert_eq!(get(&ada, &first.name).await.unwrap(), first);
    assert_ne!(app.stored(ada.id).await, before);
    ada.delete(&task.name).await.unwrap();
    assert!(!is_replay(&delete_with(&ada, request).await.unwrap()));

    // One that is gone makes room.
    assert!(!is_replay(&create(&ada, creating("Third", "", "")).await.unwrap()));
    refused(create(&ada, creating("Fourth", "", "")).await, Code::ResourceExhausted, "LIST_QUOTA");
    assert_eq!(titles(&ada).await, ["Third", "Second"]);
}

/// An id that the client chose is taken once, for good.
#[tokio::test]
async fn a_chosen_id_is_taken_once() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let id = rng::uuid_v4().to_string();
    let made = create(&ada, creating("Work", &id.to_uppercase(), "")).await.unwrap().into_inner();
    assert_eq!(made.name, format!("{}/lists/{id}", ada.name()));
    let taken = create(&ada, creating("Work", &id, "")).await;
    refused(taken, Code::AlreadyExists, "LIST_ID_TAKEN");
    delete(&ada, &made.name, false).await.unwrap();
    let before = app.stored(ada.id).await;
    let request_id = rng::uuid_v4().to_string();
    let taken = create(&ada, creating("Work", &id, &request_id)).await;
    refused(taken, Code::AlreadyExists, "LIST_ID_TAKEN");
    assert_eq!(app.stored(ada.id).await, before);
    // Another user's ids are another's.
    create(&ben, creating("Work", &id, "")).await.unwrap();
}

/// With force the tasks of a list go to the bin with it, and come back to the
/// inbox, each with its steps.
#[tokio::test]
async fn a_deleted_list_takes_its_tasks_to_the_bin() {
    let app = TestApp::start().await;
    let ada = app.user();
    let (kept, list) = (make(&ada, "Kept").await, make(&ada, "Secret list").await);
    let other = task_in(&ada, &kept, "Other").await;
    let task = task_in(&ada, &list, "Task").await;
    let step = ada.step("Step", &task.name).await;
    let done = task_in(&ada, &list, "Done").await;
    ada.complete(&done.name).await.unwrap();
    let binned = task_in(&ada, &list, "Binned").await;
    ada.delete(&binned.name).await.unwrap();
    let binned = ada.get(&binned.name).await.unwrap();
    refused(delete(&ada, &list.name, false).await, Code::FailedPrecondition, "LIST_NOT_EMPTY");
    let head = app.head(&ada).await;

    delete(&ada, &list.name, true).await.unwrap();
    assert_eq!(app.head(&ada).await, head + 4);
    let mut revisions = Vec::new();
    for name in [&task.name, &step.name, &done.name] {
        let task = ada.get(name).await.unwrap();
        assert!(task.delete_time.is_some() && task.expire_time.is_some());
        revisions.push(task.revision);
    }
    revisions.sort_unstable();
    assert_eq!(revisions, [head + 2, head + 3, head + 4]);
    assert_eq!(ada.get(&binned.name).await.unwrap(), binned);
    assert_eq!(ada.get(&other.name).await.unwrap(), other);
    assert_eq!(titles(&ada).await, ["Kept"]);
    let usage = ada.usage().await;
    assert_eq!((usage.tasks, usage.lists, usage.open_tasks), (1, 1, 1));
    assert!(!app.stored(ada.id).await.contains("Secret list"));

    ada.undelete(&task.name).await.unwrap();
    let inbox = format!("{}/lists/inbox", ada.name());
    let (task, step) = (ada.get(&task.name).await.unwrap(), ada.get(&step.name).await.unwrap());
    assert_eq!((&task.list, &step.list), (&inbox, &inbox));
    assert_eq!((task.delete_time, step.delete_time), (None, None));
    assert_eq!(step.parent_task, task.name);
    assert!(ada.get(&done.name).await.unwrap().delete_time.is_some());
    assert_eq!(ada.usage().await.tasks, 3);
}

/// AIP-158: pages of every size show each list once, the inbox among them.
#[tokio::test]
async fn pages_show_every_list_once() {
    let app = TestApp::start().await;
    let ada = app.user();
    for n in 0..7 {
        make(&ada, &format!("List {n}")).await;
    }
    let all = all_by(&ada, 0).await;
    assert_eq!(all.len(), 8);
    for size in [1, 2, 3, 7, 8, 9, 501] {
        assert_eq!(all_by(&ada, size).await, all, "{size}");
    }

    // What goes and comes meanwhile moves nothing that stays.
    let request = pb::ListListsRequest { page_size: 4, ..Default::default() };
    let page = ada.lists.clone().list_lists(request.clone()).await.unwrap().into_inner();
    delete(&ada, &page.lists[3].name, false).await.unwrap();
    make(&ada, "Another").await;
    let next = pb::ListListsRequest { page_token: page.next_page_token, ..request };
    let next = ada.lists.clone().list_lists(next).await.unwrap().into_inner();
    assert_eq!(next.lists, all[4..]);
    assert_eq!(next.next_page_token, "");
}

/// The quota holds against many at once, and revisions have no gaps whoever
/// else writes.
#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_keep_the_quota_and_the_revisions() {
    let app = TestApp::start_with(&["--max-lists", "10"]).await;
    let ada = app.user();
    let revisions = at_once((0..16).map(|n| {
        let ada = ada.clone();
        async move {
            let task = ada.create(&format!("Task {n}")).await;
            let made = create(&ada, creating(&format!("List {n}"), "", "")).await;
            let made = match made {
                Ok(made) => made.into_inner(),
                Err(status) => {
                    refused::<()>(Err(status), Code::ResourceExhausted, "LIST_QUOTA");
                    return vec![task.revision];
                }
            };
            let aside = pb::List { archived: true, ..made.clone() };
            let aside = update(&ada, aside, &["archived"]).await.expect("it changes");
            vec![task.revision, made.revision, aside.revision]
        }
    }))
    .await;
    let mut revisions = revisions.concat();
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=16 + 10 + 10).collect::<Vec<_>>());
    assert_eq!(ada.usage().await.lists, 10);
    assert_eq!(titles(&ada).await.len(), 10);
}
