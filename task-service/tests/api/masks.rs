//! Read masks (AIP-157), and what is in the bin.

use prost_types::FieldMask;
use proto::task::v1::{GetTaskRequest, ListTasksRequest, Task};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::app::{TestApp, User, refused};

fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask { paths: paths.iter().map(|&path| path.to_owned()).collect() })
}

async fn get(user: &User, name: &str, paths: &[&str]) -> Result<Task, Status> {
    let request = GetTaskRequest { name: name.to_owned(), read_mask: mask(paths) };
    Ok(user.client.clone().get_task(request).await?.into_inner().task.expect("a task"))
}

async fn list(user: &User, paths: &[&str]) -> Result<Vec<Task>, Status> {
    let request = ListTasksRequest { read_mask: mask(paths), ..Default::default() };
    Ok(user.list(request).await?.tasks)
}

/// A mask returns the fields that it names and no others, not even the name.
#[tokio::test]
async fn a_read_mask_returns_what_it_names() {
    let app = TestApp::start().await;
    let ada = app.user();
    let asked = Task {
        title: "Title".to_owned(),
        notes: "Notes".to_owned(),
        labels: vec!["home".to_owned()],
        ..Task::default()
    };
    let task = ada.create_with(asked, "").await.unwrap().into_inner();
    let titled = Task { title: task.title.clone(), ..Task::default() };
    let known = Task { name: task.name.clone(), etag: task.etag.clone(), ..Task::default() };
    for (paths, expected) in [
        (&[][..], &task),
        (&["*"], &task),
        (&["title", "*"], &task),
        (&["title"], &titled),
        (&["title", "due", "title", "delete_time"], &titled),
        (&["name", "etag"], &known),
    ] {
        assert_eq!(&get(&ada, &task.name, paths).await.unwrap(), expected, "{paths:?}");
        assert_eq!(list(&ada, paths).await.unwrap(), std::slice::from_ref(expected), "{paths:?}");
    }
    for bad in ["", "colour", "due.date", "Title", "task.title", "title "] {
        for answer in [
            get(&ada, &task.name, &["title", bad]).await.map(drop),
            list(&ada, &["title", bad]).await.map(drop),
        ] {
            let status = refused(answer, Code::InvalidArgument, "MASK_INVALID");
            let details = status.get_error_details();
            assert_eq!(details.bad_request().unwrap().field_violations[0].field, "read_mask");
        }
    }
}

/// GetTask shows a task in the bin; ListTasks does if it is asked to.
#[tokio::test]
async fn the_bin_is_listed_only_when_asked_for() {
    let app = TestApp::start().await;
    let ada = app.user();
    let kept = ada.create("Kept").await;
    let binned = ada.create("Binned").await;
    ada.delete(&binned.name).await.unwrap();
    assert!(ada.get(&binned.name).await.unwrap().delete_time.is_some());
    assert_eq!(ada.titles().await, ["Kept"]);
    let titles = async |filter: &str, show_deleted| {
        let filter = filter.to_owned();
        let request = ListTasksRequest { filter, show_deleted, ..Default::default() };
        let tasks = ada.list(request).await.unwrap().tasks;
        tasks.into_iter().map(|task| task.title).collect::<Vec<_>>()
    };
    assert_eq!(titles("", true).await.len(), 2);
    assert_eq!(titles("delete_time:*", true).await, ["Binned"]);
    assert_eq!(titles("-delete_time:*", true).await, ["Kept"]);
    assert_eq!(titles("delete_time:*", false).await, [""; 0]);
    assert_eq!(ada.get(&kept.name).await.unwrap().delete_time, None);
}
