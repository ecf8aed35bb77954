//! What is imported is like what was made one by one, and the other way round.

use proto::task::v1::{
    self as pb, ExportTasksRequest, ImportTasksRequest,
    TransferFormat::{Csv, Json},
    move_task_request::Place,
    transfer_service_client::TransferServiceClient,
};
use shared::{clock::Clock as _, rng};
use tonic::Code;

use super::{export, import, importing, places, try_import, with_token};
use crate::{
    app::{TestApp, date, refused, repeating},
    mirror::{Event, Mirror, Stream},
};

/// An account as it comes to be goes round like one that was imported: what is
/// in the bin stays there, the manual order and series are kept.
#[tokio::test]
async fn an_account_in_use_goes_round() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user(), app.user());
    let plants = repeating("Plants", date(2099, 1, 31), "FREQ=MONTHLY;COUNT=3");
    let plants = ada.create_with(plants, "").await.unwrap().into_inner();
    let step = ada.step("Kitchen", &plants.name).await;
    ada.step("Window", &step.name).await;
    let (a, b, gone) = (ada.create("a").await, ada.create("b").await, ada.create("gone").await);
    ada.place(&b.name, Some(Place::After(a.name.clone()))).await.unwrap();
    let force = pb::CompleteTaskRequest { name: plants.name, force: true, ..Default::default() };
    ada.client.clone().complete_task(force).await.unwrap();
    let cancel = pb::CompleteTaskRequest { name: a.name, cancel: true, ..Default::default() };
    ada.client.clone().complete_task(cancel).await.unwrap();
    ada.delete(&gone.name).await.unwrap();
    app.clock.advance(std::time::Duration::from_secs(60));

    let file = export(&app, &ada, Json).await;
    assert!(file.contains("Plants") && !file.contains("gone"), "{file}");
    let answer = import(&app, &eve, Json, file.as_str()).await;
    assert_eq!((answer.tasks, places(&answer)), (8, vec![]), "{file}");
    assert_eq!(export(&app, &eve, Json).await, file);
}

/// Tasks that were imported are moved, closed, repeated and deleted as others.
#[tokio::test]
async fn imported_tasks_are_like_any_other() {
    let app = TestApp::start().await;
    let ada = app.user();
    let file = "id,parent,title,due_date,rrule,rrule_start,rrule_number
1,,a,,,,
2,,plants,2099-03-31,FREQ=MONTHLY;COUNT=4,2099-01-31,3
3,2,kitchen,,,,
4,,b,,,,
";
    import(&app, &ada, Csv, file).await;
    let titles = |tasks: Vec<pb::Task>| tasks.into_iter().map(|t| t.title).collect::<Vec<_>>();
    let [a, plants, _, b] = ada.in_order().await.try_into().expect("four tasks");
    ada.place(&a.name, Some(Place::After(b.name.clone()))).await.unwrap();
    ada.create("new").await;
    let order = titles(ada.in_order().await);
    assert_eq!(order, ["new", "plants", "kitchen", "b", "a"]);

    let force = |name: &str| pb::CompleteTaskRequest {
        name: name.into(),
        force: true,
        ..Default::default()
    };
    let done = ada.client.clone().complete_task(force(&plants.name)).await.unwrap().into_inner();
    let next = done.next.expect("the fourth");
    let day = next.due.clone().unwrap().date.unwrap();
    assert_eq!((day.month, day.day), (4, 30));
    assert_eq!(titles(ada.children(&next.name).await), ["kitchen"]);
    let done = ada.client.clone().complete_task(force(&next.name)).await.unwrap().into_inner();
    assert_eq!(done.next, None, "it was the last of four");
    ada.delete(&plants.name).await.unwrap();
    let order = titles(ada.in_order().await);
    assert_eq!(order.iter().filter(|title| *title == "plants").count(), 1, "{order:?}");
}

/// Whoever watches is told at once, lists first and parents before their steps
/// where the file has them so.
#[tokio::test]
async fn an_import_wakes_those_who_watch() {
    let app = TestApp::start().await;
    let (ada, mut mirror) = (app.user(), Mirror::default());
    let mut client = ada.client.clone();
    let answer = client.watch_tasks(pb::WatchTasksRequest::default()).await.unwrap();
    let mut stream = Stream::new(answer.into_inner());
    assert_eq!(stream.until_current(&mut mirror).await, [Event::Current]);
    let dry = ImportTasksRequest { dry_run: true, ..importing(Csv, "title\nnothing\n") };
    try_import(&app, &ada, dry).await.unwrap();
    import(&app, &ada, Csv, "title,list\na,Work\nb,\n").await;
    let mut told = Vec::new();
    while told.len() < 3 {
        let Event::Changes(more) = stream.next(&mut mirror).await.unwrap() else { panic!() };
        told.extend(more);
    }
    assert_eq!(told, ["Work", "a", "b"]);
}

/// A service reads and writes for the users it names, if its scopes say so.
#[tokio::test]
async fn services_transfer_for_the_users_they_name() {
    let app = TestApp::start().await;
    let ada = app.user();
    let service = |scope: &str| {
        let claims =
            app.issuer.service_claims(rng::uuid_v4(), &[scope], "task-service", app.clock.now());
        app.issuer.token(&claims)
    };
    let (reads, writes) = (service("tasks:read"), service("tasks:write"));
    let mut client = TransferServiceClient::new(app.channel.clone());
    let file = ImportTasksRequest {
        parent: ada.name(),
        list: format!("{}/lists/inbox", ada.name()),
        ..importing(Csv, "title\na\n")
    };
    let read_only = client.import_tasks(with_token(&reads, file.clone())).await;
    refused(read_only, Code::PermissionDenied, "SCOPE_MISSING");
    let theirs =
        ImportTasksRequest { list: format!("{}/lists/inbox", app.user().name()), ..file.clone() };
    let mixed = client.import_tasks(with_token(&writes, theirs)).await;
    refused(mixed, Code::InvalidArgument, "FIELD_INVALID");
    client.import_tasks(with_token(&writes, file)).await.unwrap();
    let request = ExportTasksRequest { parent: ada.name(), format: Json.into() };
    let write_only = client.export_tasks(with_token(&writes, request.clone())).await;
    refused(write_only.map(drop), Code::PermissionDenied, "SCOPE_MISSING");
    let mut stream = client.export_tasks(with_token(&reads, request)).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    assert_eq!(ada.titles().await, ["a"]);
}
