//! The two databases of the pair on one server: a role of one service has no
//! way into the other's.

use shared::testing::{TestDatabase, database};
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

/// Connects to `other` as the role in `own`.
async fn intrude(own: &PgConnectOptions, other: &TestDatabase) -> String {
    let refused = own.clone().database(&other.name).connect().await.err();
    refused.expect("a refusal").as_database_error().unwrap().code().unwrap().into_owned()
}

/// FR-022, SC-005.
#[tokio::test]
async fn no_role_enters_the_other_services_database() {
    let auth = database(&auth_service::SCHEMA).await;
    let tasks = database(&task_service::SCHEMA).await;
    for (own, other) in
        [(&auth.app, &tasks), (&auth.owner, &tasks), (&tasks.app, &auth), (&tasks.owner, &auth)]
    {
        // 42501: insufficient privilege.
        assert_eq!(intrude(own, other).await, "42501");
    }
    assert!(auth.app.connect().await.is_ok() && tasks.app.connect().await.is_ok());
}
