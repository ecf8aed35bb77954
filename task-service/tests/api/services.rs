//! Other services: each may do what its scopes say, for the users it names.

use proto::task::v1 as pb;
use shared::{clock::Clock as _, rng};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::{
    app::{TestApp, User, fields, reason, refused},
    list_calls::{get, make, titles},
    matrix::{self, Owned},
};

/// A token of a service with these scopes.
fn token(app: &TestApp, scopes: &[&str]) -> String {
    let (account, now) = (rng::uuid_v4(), app.clock.now());
    app.issuer.token(&app.issuer.service_claims(account, scopes, "task-service", now))
}

pub(crate) fn service(app: &TestApp, scopes: &[&str]) -> User {
    // The id is nobody's: a service is no user.
    app.with_token(rng::uuid_v4(), &token(app, scopes))
}

/// Every method asks a service for its scope, before anything else, and says
/// which; writing does not include reading, nor the other way round.
#[tokio::test]
async fn every_method_asks_for_its_scope() {
    let app = TestApp::start().await;
    let ada = app.user();
    ada.create("Task").await;
    let before = app.stored(ada.id).await;
    let (nobody, adas) = (Owned::made_up(rng::uuid_v4()), Owned::made_up(ada.id));
    for row in matrix::rows(&nobody, &adas) {
        let other = if row.scope == "tasks:read" { "tasks:write" } else { "tasks:read" };
        for scopes in [&[][..], &[other], &["tasks", "tasks:", "TASKS:READ", "tasks:writes"]] {
            let authorization = format!("Bearer {}", token(&app, scopes));
            for request in [row.requests[0].clone(), bytes::Bytes::new()] {
                let answer = row.method.call(&app.channel, &[&authorization], request).await;
                let status = refused(answer, Code::PermissionDenied, "SCOPE_MISSING");
                let details = status.get_error_details();
                let info = details.error_info().unwrap();
                assert_eq!(info.metadata["scope"], row.scope, "{}", row.method.name);
            }
        }
    }
    assert_eq!(app.stored(ada.id).await, before);
}

/// With its scope a service is let in by every method, for any user, as far as
/// there is something; and a user's own token needs no scope.
#[tokio::test]
async fn every_method_is_open_to_a_service_with_its_scope() {
    let app = TestApp::start().await;
    let ada = app.user();
    let (nobody, adas) = (Owned::made_up(rng::uuid_v4()), Owned::made_up(ada.id));
    for row in matrix::rows(&nobody, &adas) {
        let authorization = format!("Bearer {}", token(&app, &["else", row.scope]));
        let request = row.requests[0].clone();
        let answer = row.method.call(&app.channel, &[&authorization], request.clone()).await;
        let outcome = |answer: Result<_, tonic::Status>| match answer {
            Ok(_) => "OK".to_owned(),
            Err(status) => reason(&status),
        };
        let services = outcome(answer);
        assert!(!["SCOPE_MISSING", "NOT_YOURS"].contains(&services.as_str()), "{services}");
        let authorization = format!("Bearer {}", app.token(ada.id));
        let users = outcome(row.method.call(&app.channel, &[&authorization], request).await);
        assert_eq!(services, users, "{}", row.method.name);
    }
}

/// A service is nobody: it names the user, or is told to.
#[tokio::test]
async fn a_service_names_the_user() {
    let app = TestApp::start().await;
    let both = service(&app, &["tasks:read", "tasks:write"]);
    let me = |segments: &str| format!("users/me/{segments}/{}", rng::uuid_v4());
    let (nobody, named) = (
        Owned::made_up(rng::uuid_v4()),
        Owned { user: "users/me".to_owned(), task: me("tasks"), list: me("lists") },
    );
    let authorization = format!("Bearer {}", token(&app, &["tasks:read", "tasks:write"]));
    for row in matrix::rows(&nobody, &named) {
        let request = row.requests[0].clone();
        let answer = row.method.call(&app.channel, &[&authorization], request).await;
        let status = refused(answer, Code::InvalidArgument, "FIELD_INVALID");
        let named = fields(&status);
        let expected = ["parent", "name", "task.name", "list.name"];
        assert!(named.iter().any(|field| expected.contains(&field.as_str())), "{status:?}");
    }
    let empty = both.client.clone().get_usage(pb::GetUsageRequest::default()).await;
    let status = refused(empty, Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(fields(&status), ["parent"]);
}

/// What a service does is done for the user, and nothing for itself; a request
/// lies under one user all the same.
#[tokio::test]
async fn a_service_acts_for_the_user_it_names() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let bens = make(&ben, "Ben's").await;
    let both = service(&app, &["tasks:read", "tasks:write"]);
    let request = |task: pb::Task| pb::CreateTaskRequest {
        parent: ada.name(),
        task: Some(pb::Task { title: "From a service".to_owned(), ..task }),
        ..Default::default()
    };
    let made = both.client.clone().create_task(request(pb::Task::default())).await.unwrap();
    let made = made.into_inner().task.unwrap();
    assert!(made.name.starts_with(&ada.name()));
    assert_eq!(ada.get(&made.name).await.unwrap(), made);
    assert_eq!(both.get(&made.name).await.unwrap(), made);
    let list = pb::CreateListRequest {
        parent: ada.name(),
        list: Some(pb::List { title: "By a service".to_owned(), ..pb::List::default() }),
        ..Default::default()
    };
    let list = both.lists.clone().create_list(list).await.unwrap().into_inner().list.unwrap();
    assert_eq!(titles(&ada).await, ["By a service"]);
    assert_eq!(get(&both, &bens.name).await.unwrap(), bens);

    let before = (app.stored(ada.id).await, app.stored(ben.id).await);
    let elsewhere = pb::Task { list: bens.name.clone(), ..pb::Task::default() };
    let mixed = both.client.clone().create_task(request(elsewhere)).await;
    let status = refused(mixed, Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(fields(&status), ["task.list"]);
    let mixed = pb::UpdateListRequest {
        list: Some(list),
        place: Some(pb::update_list_request::Place::After(bens.name)),
        ..Default::default()
    };
    let mixed = both.lists.clone().update_list(mixed).await;
    let status = refused(mixed, Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(fields(&status), ["after"]);
    assert_eq!((app.stored(ada.id).await, app.stored(ben.id).await), before);
    assert_eq!(app.stored(both.id).await, "");
}
