//! Services that act for a user (RFC 8693): each may do what its scopes say, for
//! that user and no other.

use bytes::Bytes;
use proto::task::v1 as pb;
use shared::{clock::Clock as _, rng};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::{
    app::{TestApp, reason, refused},
    matrix::{self, Owned},
};

/// What a service sends that acts for this user with these scopes.
fn authorization(app: &TestApp, user: Uuid, scopes: &[&str]) -> String {
    let (actor, now) = (rng::uuid_v4(), app.clock.now());
    let claims = app.issuer.delegated_claims(user, actor, scopes, "task-service", now);
    format!("Bearer {}", app.issuer.token(&claims))
}

fn outcome(answer: Result<impl Sized, Status>) -> String {
    answer.map_or_else(|status| reason(&status), |_| "OK".to_owned())
}

/// Every method asks for its scope, though the user themselves needs none; with
/// it the service gets what the user gets.
#[tokio::test]
async fn every_method_asks_who_acts_for_its_scope() {
    let app = TestApp::start().await;
    let ada = app.user();
    ada.create("Task").await;
    let before = app.stored(ada.id).await;
    let (nobody, adas) = (Owned::made_up(rng::uuid_v4()), Owned::made_up(ada.id));
    for row in matrix::rows(&nobody, &adas) {
        let other = if row.scope == "tasks:read" { "tasks:write" } else { "tasks:read" };
        for scopes in [&[][..], &[other], &["tasks", "TASKS:READ", "admin"]] {
            let authorization = authorization(&app, ada.id, scopes);
            for request in [row.requests[0].clone(), Bytes::new()] {
                let answer = row.method.call(&app.channel, &[&authorization], request).await;
                let status = refused(answer, Code::PermissionDenied, "SCOPE_MISSING");
                let details = status.get_error_details();
                assert_eq!(details.error_info().unwrap().metadata["scope"], row.scope);
            }
        }
    }
    assert_eq!(app.stored(ada.id).await, before);
    for row in matrix::rows(&nobody, &adas) {
        let request = row.requests[0].clone();
        let acting = authorization(&app, ada.id, &[row.scope]);
        let acting = row.method.call(&app.channel, &[&acting], request.clone()).await;
        let own = format!("Bearer {}", app.token(ada.id));
        let own = row.method.call(&app.channel, &[&own], request).await;
        assert_eq!(outcome(acting), outcome(own), "{}", row.method.name);
    }
}

/// Unlike a service by itself it may name one user only, and need not.
#[tokio::test]
async fn who_acts_for_a_user_reaches_no_other() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    ben.create("Ben's").await;
    let before = app.stored(ben.id).await;
    let (adas, bens) = (Owned::made_up(ada.id), Owned::made_up(ben.id));
    let authorization = authorization(&app, ada.id, &["tasks:read", "tasks:write"]);
    for row in matrix::rows(&adas, &bens) {
        for request in row.requests {
            let answer = row.method.call(&app.channel, &[&authorization], request).await;
            refused(answer, Code::PermissionDenied, "NOT_YOURS");
        }
    }
    assert_eq!(app.stored(ben.id).await, before);

    ada.create("Ada's").await;
    let acting = app.with_token(ada.id, authorization.strip_prefix("Bearer ").unwrap());
    let listed = acting.client.clone().list_tasks(pb::ListTasksRequest::default()).await.unwrap();
    let titles: Vec<_> = listed.into_inner().tasks.into_iter().map(|task| task.title).collect();
    assert_eq!(titles, ["Ada's"]);
    let made = acting.create("From a service").await;
    assert!(made.name.starts_with(&ada.name()));
}
