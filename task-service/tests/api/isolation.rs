//! Nobody reaches another user's tasks and lists, nor learns whether there are
//! any.

use bytes::Bytes;
use prost::Message as _;
use proto::task::v1 as pb;
use shared::{name, rng};
use tonic::{Code, Status};

use crate::{
    app::{TestApp, User, reason, refused},
    list_calls::{self, make},
    matrix::{self, Owned},
    raw,
};

/// A task in a list, and the names of both.
async fn owner(user: &User) -> Owned {
    let list = make(user, "Secret list").await.name;
    let task = pb::Task { title: "Secret".to_owned(), list: list.clone(), ..pb::Task::default() };
    let task = user.create_with(task, "").await.expect("a task is made").into_inner().name;
    Owned { user: user.name(), task, list }
}

/// S3.4, S5.3, S5.4, FR-020, FR-022, FR-023, SC-004, SC-005: every method, as
/// Ada with Ben's names, real and made up, wherever a request has one; nothing
/// of either changes.
#[tokio::test]
async fn a_name_under_another_user_is_refused_whatever_is_there() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let (adas, bens) = (owner(&ada).await, owner(&ben).await);
    let before = (app.stored(ada.id).await, app.stored(ben.id).await);
    let authorization = format!("Bearer {}", app.token(ada.id));
    for other in [&bens, &Owned::made_up(ben.id), &Owned::made_up(rng::uuid_v4())] {
        for row in matrix::rows(&adas, other) {
            assert!(!row.requests.is_empty());
            for (place, request) in row.requests.into_iter().enumerate() {
                let answer = row.method.call(&app.channel, &[&authorization], request).await;
                let status = answer.expect_err("this is refused");
                let said = (status.code(), reason(&status), status.message());
                let told = "This belongs to another user.";
                let expected = (Code::PermissionDenied, "NOT_YOURS".to_owned(), told);
                assert_eq!(said, expected, "{}, request {place}", row.method.name);
            }
        }
    }
    assert_eq!((app.stored(ada.id).await, app.stored(ben.id).await), before);
}

/// What a refusal says to whoever gets it.
fn said(status: &Status) -> (Code, String, Vec<u8>) {
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

/// S3.1, S5.3, S5.4, SC-004, SC-005: under Ada's own name a task that never
/// was and one that is Ben's look exactly alike to every method that names one,
/// and to those that change it one that she deleted does as well.
#[tokio::test]
async fn what_is_not_there_always_looks_the_same() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let bens = owner(&ben).await;
    let id_of_bens = bens.task.rsplit('/').next().unwrap();
    let deleted = ada.create("Deleted").await;
    ada.delete(&deleted.name).await.unwrap();
    let before = (app.stored(ada.id).await, app.stored(ben.id).await);

    let authorization = format!("Bearer {}", app.token(ada.id));
    let methods = [
        ("GetTask", false),
        ("UpdateTask", true),
        ("DeleteTask", true),
        ("UndeleteTask", false),
        ("CompleteTask", true),
        ("ReopenTask", true),
        ("MoveTask", true),
    ];
    let mut answers = Vec::new();
    for (method, hides_the_bin) in methods {
        let mut names = vec![
            name::of_member(ada.id, "tasks", rng::uuid_v4()),
            format!("users/me/tasks/{}", rng::uuid_v7(chrono::DateTime::UNIX_EPOCH)),
            format!("{}/tasks/{id_of_bens}", ada.name()),
            format!("users/me/tasks/{id_of_bens}"),
        ];
        names.extend(hides_the_bin.then(|| deleted.name.clone()));
        for task in names {
            let adas = Owned { user: ada.name(), task, list: String::new() };
            let row = matrix::rows(&adas, &adas).into_iter().find(|row| row.method.name == method);
            let row = row.expect("a row");
            let request = row.requests[0].clone();
            let answer = row.method.call(&app.channel, &[&authorization], request).await;
            let status = answer.expect_err("there is nothing");
            assert_eq!(reason(&status), "TASK_NOT_FOUND", "{method}");
            answers.push(said(&status));
        }
    }
    assert_eq!(answers.len(), 7 * 4 + 5);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, Code::NotFound);
    assert_eq!((app.stored(ada.id).await, app.stored(ben.id).await), before);
}

/// SC-004, SC-005: the same for lists, also as the list of a task and as a
/// neighbour.
#[tokio::test]
async fn a_list_that_is_not_there_always_looks_the_same() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let (adas, bens) = (owner(&ada).await, owner(&ben).await);
    let deleted = make(&ada, "Deleted").await;
    list_calls::delete(&ada, &deleted.name, false).await.unwrap();
    let id_of_bens = bens.list.rsplit('/').next().unwrap();
    let before = (app.stored(ada.id).await, app.stored(ben.id).await);

    let (mut lists, mut places) = (Vec::new(), Vec::new());
    for name in [
        name::of_member(ada.id, "lists", rng::uuid_v4()),
        format!("users/me/lists/{}", rng::uuid_v7(chrono::DateTime::UNIX_EPOCH)),
        format!("{}/lists/{id_of_bens}", ada.name()),
        format!("users/me/lists/{id_of_bens}"),
        deleted.name.clone(),
    ] {
        let list = pb::List { name: name.clone(), ..pb::List::default() };
        let archived = pb::List { archived: true, ..list.clone() };
        let task = pb::Task { title: "Task".to_owned(), list: name.clone(), ..pb::Task::default() };
        let moved = pb::MoveTaskRequest {
            name: adas.task.clone(),
            list: Some(name.clone()),
            ..Default::default()
        };
        lists.extend([
            said(&list_calls::get(&ada, &name).await.unwrap_err()),
            said(&list_calls::update(&ada, list, &["archived"]).await.unwrap_err()),
            said(&list_calls::update(&ada, archived, &[]).await.unwrap_err()),
            said(&list_calls::delete(&ada, &name, true).await.unwrap_err()),
            said(&ada.create_with(task, "").await.unwrap_err()),
            said(&ada.move_with(moved).await.unwrap_err()),
        ]);
        places.push(said(&list_calls::after(&ada, &adas.list, &name).await.unwrap_err()));
    }
    assert_eq!(lists.len(), 5 * 6);
    lists.dedup();
    assert_eq!(lists.len(), 1, "{lists:?}");
    assert_eq!(lists[0].0, Code::NotFound);
    places.dedup();
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!((app.stored(ada.id).await, app.stored(ben.id).await), before);
}

/// FR-020: whose a name is comes before what else is wrong with the request.
#[tokio::test]
async fn another_users_name_is_refused_before_bad_fields_are() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let authorization = format!("Bearer {}", app.token(ada.id));
    let bad = || "no UUID".to_owned();
    let requests: [(&str, Bytes); 4] = [
        ("CreateTask", {
            let (parent, request_id) = (ben.name(), bad());
            let request = pb::CreateTaskRequest { parent, request_id, ..Default::default() };
            request.encode_to_vec().into()
        }),
        ("ListTasks", {
            let (page_size, page_token, filter) = (-1, "forged".to_owned(), "((".to_owned());
            let parent = ben.name();
            pb::ListTasksRequest { parent, page_size, page_token, filter, ..Default::default() }
                .encode_to_vec()
                .into()
        }),
        ("CreateList", {
            let (parent, request_id, list_id) = (ben.name(), bad(), bad());
            let request = pb::CreateListRequest { parent, request_id, list_id, list: None };
            request.encode_to_vec().into()
        }),
        ("ListLists", {
            let (parent, page_token) = (ben.name(), "forged".to_owned());
            let request = pb::ListListsRequest { parent, page_token, page_size: -1 };
            request.encode_to_vec().into()
        }),
    ];
    for (name, request) in requests {
        let method = raw::all().into_iter().find(|method| method.name == name).expect("a method");
        let answer = method.call(&app.channel, &[&authorization], request).await;
        refused(answer, Code::PermissionDenied, "NOT_YOURS");
    }
}

/// FR-022: a token of a page of Ben's lists is worth nothing to Ada.
#[tokio::test]
async fn a_page_token_of_another_user_is_refused() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    make(&ada, "Ada's").await;
    make(&ben, "Ben's").await;
    let request = pb::ListListsRequest { page_size: 1, ..Default::default() };
    let page = ben.lists.clone().list_lists(request.clone()).await.unwrap().into_inner();
    let stolen = pb::ListListsRequest { page_token: page.next_page_token, ..request };
    assert!(ben.lists.clone().list_lists(stolen.clone()).await.is_ok());
    let answer = ada.lists.clone().list_lists(stolen).await;
    refused(answer, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
}
