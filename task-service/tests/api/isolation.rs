//! Nobody reaches another user's tasks, nor learns whether there are any.

use shared::{name, rng};
use tonic::Code;

use crate::{
    app::{TestApp, reason, refused},
    raw::{Names, methods},
};

/// S3.4, S5.3, S5.4, FR-020, FR-022, FR-023, SC-004, SC-005: every method, as
/// Ada with Ben's names, real and made up; Ben's data stays as it was.
#[tokio::test]
async fn a_name_under_another_user_is_refused_whatever_is_there() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let bens = ben.create("Ben's secret").await;
    let before = app.stored(ben.id).await;
    let authorization = format!("Bearer {}", app.token(ada.id));
    let stranger = name::of_user(rng::uuid_v4());
    for method in methods() {
        for (user, task) in [
            (ben.name(), bens.name.clone()),
            (ben.name(), name::of_member(ben.id, "tasks", rng::uuid_v4())),
            (stranger.clone(), format!("{stranger}/tasks/{}", rng::uuid_v4())),
        ] {
            let request = method.naming(&user, &task);
            let answer = method.call(&app.channel, &[&authorization], request).await;
            let status = refused(answer, Code::PermissionDenied, "NOT_YOURS");
            assert_eq!(status.message(), "This belongs to another user.", "{}", method.name);
        }
    }
    assert_eq!(app.stored(ben.id).await, before);
}

/// S3.1, S5.3, S5.4, SC-004, SC-005: under Ada's own name a task that never
/// was, one that is Ben's and one that she deleted look exactly alike.
#[tokio::test]
async fn what_is_not_there_always_looks_the_same() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let bens = ben.create("Ben's secret").await;
    let id_of_bens = bens.name.rsplit('/').next().unwrap().to_owned();
    let deleted = ada.create("Deleted").await;
    ada.delete(&deleted.name).await.unwrap();
    let (ada_before, ben_before) = (app.stored(ada.id).await, app.stored(ben.id).await);

    let authorization = format!("Bearer {}", app.token(ada.id));
    let mut answers = Vec::new();
    for method in methods().into_iter().filter(|method| method.names() == Names::Task) {
        for task in [
            name::of_member(ada.id, "tasks", rng::uuid_v4()),
            format!("users/me/tasks/{}", rng::uuid_v7(chrono::DateTime::UNIX_EPOCH)),
            format!("{}/tasks/{id_of_bens}", ada.name()),
            format!("users/me/tasks/{id_of_bens}"),
            deleted.name.clone(),
        ] {
            let request = method.naming(&ada.name(), &task);
            let answer = method.call(&app.channel, &[&authorization], request).await;
            let status = answer.expect_err("there is nothing");
            assert_eq!(reason(&status), "TASK_NOT_FOUND");
            answers.push((status.code(), status.message().to_owned(), status.details().to_vec()));
        }
    }
    assert_eq!(answers.len(), 5 * 5);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, Code::NotFound);
    assert_eq!(app.stored(ada.id).await, ada_before);
    assert_eq!(app.stored(ben.id).await, ben_before);
    assert!(ada.titles().await.is_empty());
    assert_eq!(ben.titles().await, ["Ben's secret"]);
}

/// FR-020: whose a name is comes before what else is wrong with the request.
#[tokio::test]
async fn another_users_name_is_refused_before_bad_fields_are() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let mut client = ada.client.clone();
    let request = proto::task::v1::CreateTaskRequest {
        parent: ben.name(),
        task: None,
        request_id: "no UUID".to_owned(),
        task_id: String::new(),
    };
    refused(client.create_task(request).await, Code::PermissionDenied, "NOT_YOURS");
    let request = proto::task::v1::ListTasksRequest {
        parent: ben.name(),
        page_size: -1,
        page_token: "forged".to_owned(),
        filter: "((".to_owned(),
        ..Default::default()
    };
    refused(ada.list(request).await, Code::PermissionDenied, "NOT_YOURS");
}
