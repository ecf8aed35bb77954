//! What comes back from the bin: where it stands, what it hangs on, and that
//! many at once come back as if one by one.

use proto::task::v1::{self as pb, move_task_request::Place, task_operation::Operation};
use tonic::Code;

use crate::{
    app::{TestApp, User, refused},
    batch::{index, op},
    list_calls,
    tree::chain,
};

fn undelete(name: &str) -> pb::TaskOperation {
    op(Operation::Undelete(pb::UndeleteTaskRequest { name: name.to_owned(), ..Default::default() }))
}

/// What is not in the bin, in the manual order: each title with its parent's.
async fn outline(user: &User) -> Vec<(String, String)> {
    let tasks = user.in_order().await;
    let title = |name: &str| {
        let task = tasks.iter().find(|task| task.name == name);
        task.map(|task| task.title.clone()).unwrap_or_default()
    };
    tasks.iter().map(|task| (task.title.clone(), title(&task.parent_task))).collect()
}

/// Two that were deleted from the same place, one after the other, do not both
/// get it back.
#[tokio::test]
async fn those_from_the_same_place_do_not_share_it() {
    let app = TestApp::start().await;
    let ada = app.user();
    ada.create("y").await;
    let x = ada.create("x").await;
    let (first, second) = (ada.create("first").await, ada.create("second").await);
    for task in [&first, &second] {
        ada.place(&task.name, Some(Place::After(x.name.clone()))).await.unwrap();
        ada.delete(&task.name).await.unwrap();
    }
    let back = ada.batch(vec![undelete(&first.name), undelete(&second.name)]).await.unwrap();
    assert_ne!(back[0].position, back[1].position);
    let titles: Vec<_> = outline(&ada).await.into_iter().map(|(title, _)| title).collect();
    assert_eq!(titles, ["second", "x", "first", "y"]);
}

/// A task whose parent went deeper meanwhile becomes a task of its own rather
/// than lie too deep.
#[tokio::test]
async fn what_comes_back_lies_no_deeper_than_five() {
    let app = TestApp::start().await;
    let ada = app.user();
    let deep = chain(&ada, &["0", "1", "2", "3", "4"]).await;
    let made = chain(&ada, &["a", "b", "c"]).await;
    let leaf = ada.step("leaf", &made[0].name).await;
    ada.delete(&made[1].name).await.unwrap();
    ada.delete(&leaf.name).await.unwrap();
    ada.move_under(&made[0].name, &deep[3].name).await.unwrap();
    // At depth 5 there is room for one, and none for one with a step.
    assert_eq!(ada.undelete(&leaf.name).await.unwrap().parent_task, made[0].name);
    assert_eq!(ada.undelete(&made[1].name).await.unwrap().parent_task, "");
    assert_eq!(ada.get(&made[2].name).await.unwrap().parent_task, made[1].name);
}

/// A step in the bin does not change when its task moves to another list, and
/// comes back to where its task is.
#[tokio::test]
async fn a_step_comes_back_to_the_list_of_its_task() {
    let app = TestApp::start().await;
    let ada = app.user();
    let home = list_calls::make(&ada, "Home").await.name;
    let made = chain(&ada, &["a", "b", "c"]).await;
    ada.delete(&made[1].name).await.unwrap();
    let binned = ada.get(&made[1].name).await.unwrap();
    let to_home = pb::MoveTaskRequest {
        name: made[0].name.clone(),
        list: Some(home.clone()),
        ..Default::default()
    };
    ada.move_with(to_home).await.unwrap();
    assert_eq!(ada.get(&made[1].name).await.unwrap(), binned);
    let back = ada.undelete(&made[1].name).await.unwrap();
    assert_eq!((back.parent_task, &back.list), (made[0].name.clone(), &home));
    let below = ada.get(&made[2].name).await.unwrap();
    assert_eq!((below.parent_task, &below.list), (made[1].name.clone(), &home));
}

/// Tasks that belong together come back in a batch as they do one by one, in
/// either order.
#[tokio::test]
async fn a_batch_brings_back_as_one_by_one() {
    let app = TestApp::start().await;
    // A step that was deleted with its task, or before it.
    for (together, order) in [(true, [0, 1]), (true, [1, 0]), (false, [0, 1]), (false, [1, 0])] {
        let (one, all) = (app.user(), app.user());
        let mut names = Vec::new();
        for user in [&one, &all] {
            let made = chain(user, &["a", "b", "c"]).await;
            if !together {
                user.delete(&made[1].name).await.unwrap();
            }
            user.delete(&made[0].name).await.unwrap();
            names.push(order.map(|n| made[n].name.clone()));
        }
        let mut outcome = Ok(());
        for (place, name) in names[0].iter().enumerate() {
            if let Err(status) = one.undelete(name).await {
                outcome = Err((place.to_string(), status.code()));
            }
        }
        let batch = all.batch(names[1].iter().map(|name| undelete(name)).collect()).await;
        match outcome {
            Ok(()) => {
                batch.unwrap();
                assert_eq!(outline(&one).await, outline(&all).await, "{together} {order:?}");
                assert_eq!(app.head(&one).await, app.head(&all).await);
            }
            Err((place, code)) => {
                assert_eq!((together, order, code), (true, [0, 1], Code::AlreadyExists));
                let status = refused(batch, code, "TASK_NOT_DELETED");
                assert_eq!(index(&status), Some(place));
                assert!(outline(&all).await.is_empty(), "all or none");
            }
        }
    }
}

/// So do as many as a batch may have, each with one that was deleted before it.
#[tokio::test]
async fn five_hundred_that_belong_together_come_back_at_once() {
    let app = TestApp::start().await;
    let ada = app.user();
    let make = |parent_task: &str| {
        let task = pb::Task {
            title: "x".to_owned(),
            parent_task: parent_task.to_owned(),
            ..pb::Task::default()
        };
        op(Operation::Create(pb::CreateTaskRequest { task: Some(task), ..Default::default() }))
    };
    let delete = |task: &pb::Task| {
        let name = task.name.clone();
        op(Operation::Delete(pb::DeleteTaskRequest { name, ..Default::default() }))
    };
    let tops = ada.batch((0..250).map(|_| make("")).collect()).await.unwrap();
    let steps = ada.batch(tops.iter().map(|top| make(&top.name)).collect()).await.unwrap();
    let all: Vec<_> = steps.iter().chain(&tops).collect();
    ada.batch(all.iter().map(|task| delete(task)).collect()).await.unwrap();
    assert_eq!(ada.usage().await.tasks, 0);
    let back = all.iter().rev().map(|task| undelete(&task.name));
    let back = ada.batch(back.collect()).await.unwrap();
    let parents = back.iter().skip(250).rev().map(|task| &task.parent_task);
    assert!(parents.eq(tops.iter().map(|task| &task.name)));
}
