//! What must be true of the database so that it can grow: one statement per
//! call, and tables that can be spread over many servers.

use proto::task::v1::{
    List, ListTasksRequest, SyncTasksRequest, Task, TaskOperation, UndeleteTaskRequest,
    task_operation::Operation,
};
use shared::{
    rng,
    testing::{self, StatementCounter, shard_faults},
};
use task_service::SCHEMA;

use crate::{
    app::{TestApp, User, date, repeating},
    list_calls, raw,
};

/// P6: every unary method is exactly one statement and one round trip, refusals
/// from the name alone none at all.
#[tokio::test]
async fn every_method_is_one_statement() {
    let database = testing::database(&SCHEMA).await;
    let counter = StatementCounter::before(&database.app).unwrap();
    let through = counter.through(&database.app);
    // One connection, so that what is prepared stays prepared.
    let app = TestApp::start_on(database, through, 1).await;
    let ada = app.user();
    // Its statements are those of SyncTasks, one each time it wakes.
    let mut seen = std::collections::HashSet::from(["WatchTasks"]);
    for warm in [false, true] {
        let mut check = |method: &'static str| {
            let counted = (counter.take(), counter.take_round_trips());
            seen.insert(method);
            if warm {
                assert_eq!(counted, (1, 1), "{method}");
            }
        };
        let _ = (counter.take(), counter.take_round_trips());
        let id = || rng::uuid_v4().to_string();
        let task = Task { title: "Task".to_owned(), ..Task::default() };
        let task = ada.create_with(task, &id()).await.unwrap().into_inner();
        check("CreateTask");
        ada.get(&task.name).await.unwrap();
        check("GetTask");
        let page = ada.list(ListTasksRequest::default()).await.unwrap();
        check("ListTasks");
        let filter = "status = OPEN AND (due:* OR title:task)".to_owned();
        let order_by = "priority desc".to_owned();
        let request =
            ListTasksRequest { filter, order_by, show_deleted: true, ..Default::default() };
        ada.list(request).await.unwrap();
        check("ListTasks");
        ada.update(Task { title: "New".to_owned(), ..task.clone() }, &["title"]).await.unwrap();
        check("UpdateTask");
        ada.complete_with(&task.name, "", &id()).await.unwrap();
        check("CompleteTask");
        ada.reopen(&task.name).await.unwrap();
        check("ReopenTask");
        ada.place(&task.name, None).await.unwrap();
        check("MoveTask");
        ada.delete_with(&task.name, "", &id()).await.unwrap();
        check("DeleteTask");
        ada.undelete(&task.name).await.unwrap();
        check("UndeleteTask");
        let again = UndeleteTaskRequest { name: task.name.clone(), ..Default::default() };
        ada.client.clone().undelete_task(again).await.unwrap_err();
        check("UndeleteTask");
        let delete = proto::task::v1::DeleteTaskRequest { name: task.name, ..Default::default() };
        ada.batch(vec![TaskOperation { operation: Some(Operation::Delete(delete)) }])
            .await
            .unwrap();
        check("BatchMutateTasks");
        let sync_token = page.sync_token;
        let request = SyncTasksRequest { sync_token, ..Default::default() };
        ada.client.clone().sync_tasks(request).await.unwrap();
        check("SyncTasks");
        ada.usage().await;
        check("GetUsage");
        ada.get(&format!("users/me/tasks/{}", rng::uuid_v4())).await.unwrap_err();
        check("GetTask");
    }
    assert_eq!(seen.len(), raw::methods().len(), "every method is counted");
    // The exception: when it comes again is worked out in between.
    for _ in 0..2 {
        let task = repeating("Recurs", date(2099, 1, 1), "FREQ=DAILY");
        let task = ada.create_with(task, "").await.unwrap().into_inner();
        let _ = (counter.take(), counter.take_round_trips());
        ada.complete(&task.name).await.unwrap();
        assert_eq!((counter.take(), counter.take_round_trips()), (2, 2));
    }
    the_lists_too(&ada, &counter).await;
    let others = app.user().create("Theirs").await;
    let _ = (counter.take(), counter.take_round_trips());
    ada.get(&others.name).await.unwrap_err();
    let filter = format!("parent_task = {}", others.name);
    ada.list(ListTasksRequest { filter, ..Default::default() }).await.unwrap_err();
    assert_eq!((counter.take(), counter.take_round_trips()), (0, 0));
}

async fn the_lists_too(ada: &User, counter: &StatementCounter) {
    for warm in [false, true] {
        let check = |method: &str| {
            let counted = (counter.take(), counter.take_round_trips());
            assert!(!warm || counted == (1, 1), "{method}: {counted:?}");
        };
        let _ = (counter.take(), counter.take_round_trips());
        let list = list_calls::make(ada, "List").await;
        check("CreateList");
        list_calls::get(ada, &list.name).await.expect("it is answered");
        check("GetList");
        list_calls::all_by(ada, 500).await;
        check("ListLists");
        list_calls::update(ada, List { title: "New".to_owned(), ..list.clone() }, &["title"])
            .await
            .expect("it is answered");
        check("UpdateList");
        list_calls::delete(ada, &list.name, true).await.expect("it is answered");
        check("DeleteList");
    }
}

/// DESIGN, section 3, "shard readiness": nothing in the tables keeps a user's
/// rows from living on a server of their own. What looks across users says
/// counters only.
#[tokio::test]
async fn the_tables_can_be_sharded_by_user() {
    let database = testing::database(&SCHEMA).await;
    let faults = shard_faults(&database, &["api.sweep(", "api.heads("]).await;
    assert_eq!(faults, Vec::<String>::new());
}
