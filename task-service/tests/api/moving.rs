//! The manual order.

use proto::task::v1::{self as pb, move_task_request::Place};
use shared::rng;
use tonic::Code;

use crate::{
    app::{TestApp, User, at_once, fields, refused},
    list_calls,
};

/// The titles of the inbox in the manual order, and that no two places are the
/// same.
async fn order(user: &User) -> Vec<String> {
    let tasks = user.in_order().await;
    let places: std::collections::HashSet<_> = tasks.iter().map(|task| &task.position).collect();
    assert_eq!(places.len(), tasks.len(), "every place is taken once");
    tasks.into_iter().map(|task| task.title).collect()
}

/// New tasks are first; a task goes to the front, after and before another.
#[tokio::test]
async fn a_task_goes_where_it_is_put() {
    let app = TestApp::start().await;
    let ada = app.user();
    let mut made = Vec::new();
    for title in ["d", "c", "b", "a"] {
        made.push(ada.create(title).await);
    }
    assert_eq!(order(&ada).await, ["a", "b", "c", "d"]);
    let [d, c, b, a] = made.try_into().expect("four");
    ada.place(&a.name, Some(Place::After(d.name.clone()))).await.unwrap();
    assert_eq!(order(&ada).await, ["b", "c", "d", "a"]);
    ada.place(&d.name, Some(Place::Before(b.name.clone()))).await.unwrap();
    assert_eq!(order(&ada).await, ["d", "b", "c", "a"]);
    ada.place(&a.name, Some(Place::After(b.name.clone()))).await.unwrap();
    assert_eq!(order(&ada).await, ["d", "b", "a", "c"]);
    ada.place(&c.name, None).await.unwrap();
    assert_eq!(order(&ada).await, ["c", "d", "b", "a"]);

    let status = refused(
        ada.place(&a.name, Some(Place::After(a.name.clone()))).await,
        Code::InvalidArgument,
        "FIELD_INVALID",
    );
    assert_eq!(fields(&status), ["after"]);
    let step = ada.step("step", &b.name).await;
    let status = refused(
        ada.place(&a.name, Some(Place::Before(step.name))).await,
        Code::InvalidArgument,
        "FIELD_INVALID",
    );
    assert_eq!(fields(&status), ["before"]);
    // Nor beside one that is in another list.
    let home = list_calls::make(&ada, "Home").await.name;
    let elsewhere = pb::Task { title: "else".to_owned(), list: home, ..Default::default() };
    let elsewhere = ada.create_with(elsewhere, "").await.unwrap().into_inner();
    let status = refused(
        ada.place(&a.name, Some(Place::After(elsewhere.name))).await,
        Code::InvalidArgument,
        "FIELD_INVALID",
    );
    assert_eq!(fields(&status), ["after"]);
    let nobody = format!("{}/tasks/{}", ada.name(), rng::uuid_v4());
    refused(
        ada.place(&a.name, Some(Place::Before(nobody))).await,
        Code::InvalidArgument,
        "FIELD_INVALID",
    );
}

/// Moving between the same two again and again stays exact, and the places do
/// not grow without end.
#[tokio::test]
async fn a_gap_never_runs_out() {
    let app = TestApp::start().await;
    let ada = app.user();
    let (y, x, first) = (ada.create("y").await, ada.create("x").await, ada.create("f").await);
    for _ in 0..60 {
        ada.place(&x.name, Some(Place::After(first.name.clone()))).await.unwrap();
        ada.place(&y.name, Some(Place::After(first.name.clone()))).await.unwrap();
    }
    assert_eq!(order(&ada).await, ["f", "y", "x"]);
    let longest = ada.in_order().await.iter().map(|task| task.position.len()).max();
    assert!(longest <= Some(17 + 20), "{longest:?}");
}

/// 16 callers who move at once leave a total order, with every task in it.
#[tokio::test]
async fn sixteen_movers_leave_a_total_order() {
    let app = TestApp::start().await;
    let ada = app.user();
    let mut names = Vec::new();
    for n in 0..24 {
        names.push(ada.create(&n.to_string()).await.name);
    }
    let calls = (0..16).map(|caller: usize| {
        let (ada, names) = (ada.clone(), names.clone());
        async move {
            for turn in 0..12 {
                let from = (caller * 7 + turn * 5) % names.len();
                let to = (caller * 11 + turn * 3 + 1) % names.len();
                if from != to {
                    let place = if turn % 2 == 0 { Place::After } else { Place::Before };
                    ada.place(&names[from], Some(place(names[to].clone()))).await.unwrap();
                }
            }
        }
    });
    at_once(calls).await;
    assert_eq!(order(&ada).await.len(), 24);
}

/// A batch of moves comes to the same end as the moves one by one.
#[tokio::test]
async fn moves_in_a_batch_are_as_if_one_by_one() {
    let app = TestApp::start().await;
    for seed in 0..12_u64 {
        let (one, all) = (app.user(), app.user());
        let mut names = [Vec::new(), Vec::new()];
        for n in 0..8 {
            names[0].push(one.create(&n.to_string()).await.name);
            names[1].push(all.create(&n.to_string()).await.name);
        }
        // A small generator of its own: the same moves for both.
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut draw = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % below as u64).expect("small")
        };
        let moves: Vec<_> = (0..20).map(|_| (draw(8), draw(8), draw(3))).collect();
        let request = |names: &[String], &(from, to, kind): &(usize, usize, usize)| {
            let place = match kind {
                0 if from != to => Some(Place::After(names[to].clone())),
                1 if from != to => Some(Place::Before(names[to].clone())),
                _ => None,
            };
            pb::MoveTaskRequest { name: names[from].clone(), place, ..Default::default() }
        };
        for step in &moves {
            one.client.clone().move_task(request(&names[0], step)).await.unwrap();
        }
        let operations = moves.iter().map(|step| pb::TaskOperation {
            operation: Some(pb::task_operation::Operation::Move(request(&names[1], step))),
        });
        all.batch(operations.collect()).await.unwrap();
        assert_eq!(order(&one).await, order(&all).await, "seed {seed}");
    }
}

/// Tasks that move to another list take their steps along, also many at once
/// and also where one of them lies below another.
#[tokio::test]
async fn steps_go_along_to_another_list() {
    let app = TestApp::start().await;
    let ada = app.user();
    let home = list_calls::make(&ada, "Home").await.name;
    let (top, other) = (ada.create("top").await, ada.create("other").await);
    let step = ada.step("step", &top.name).await;
    let below = ada.step("below", &step.name).await;
    let to_home = |name: &str| pb::TaskOperation {
        operation: Some(pb::task_operation::Operation::Move(pb::MoveTaskRequest {
            name: name.to_owned(),
            list: Some(home.clone()),
            ..Default::default()
        })),
    };
    let moved = ada.batch(vec![to_home(&top.name), to_home(&other.name)]).await.unwrap();
    assert!(moved.iter().all(|task| task.list == home));
    assert_eq!(ada.get(&below.name).await.unwrap().list, home);
    assert_eq!(ada.get(&below.name).await.unwrap().parent_task, step.name);
    let tasks = ada.in_order().await;
    let places: std::collections::HashSet<_> = tasks.iter().map(|task| &task.position).collect();
    assert_eq!(places.len(), 4);

    let back = |name: &str| pb::TaskOperation {
        operation: Some(pb::task_operation::Operation::Move(pb::MoveTaskRequest {
            name: name.to_owned(),
            list: Some("users/me/lists/inbox".to_owned()),
            ..Default::default()
        })),
    };
    // The step is in the inbox already when its turn comes, so it stays a step.
    ada.batch(vec![back(&top.name), back(&step.name)]).await.unwrap();
    assert_eq!(ada.get(&step.name).await.unwrap().parent_task, top.name);
    assert_eq!(ada.get(&other.name).await.unwrap().list, home);
    // Alone it becomes a task of its own.
    let alone = ada.batch(vec![to_home(&step.name)]).await.unwrap();
    assert_eq!((alone[0].parent_task.as_str(), alone[0].list.as_str()), ("", home.as_str()));
}
