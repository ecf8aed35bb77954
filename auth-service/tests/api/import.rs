//! Accounts of another system: which are taken over, and that their passwords
//! work and are hashed anew.

use proto::auth::v1::{
    ImportUsersRequest, import_users_request::ImportedUser, import_users_response::Result as Row,
};
use sqlx::ConnectOptions as _;
use tonic::{Code, Status};

use crate::{
    harness::{TestApp, Told as _},
    operators::{Admin, kinds},
};

/// Test vectors of other libraries: jBCrypt's, and the reference implementation
/// of argon2.
pub(crate) const BCRYPT: (&str, &str) =
    ("$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", "abc");
const ARGON2ID: (&str, &str) = (
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    "password",
);
const ARGON2I: (&str, &str) = (
    "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
    "password",
);

fn one(email: &str, hash: &str) -> ImportedUser {
    ImportedUser {
        email: email.to_owned(),
        email_verified: true,
        display_name: "Ada".to_owned(),
        password_hash: hash.to_owned(),
    }
}

async fn import(admin: &mut Admin, users: Vec<ImportedUser>) -> Result<Vec<Row>, Status> {
    Ok(admin.import_users(ImportUsersRequest { users }).await?.into_inner().results)
}

/// Each row is told for itself, in the order of the request.
#[tokio::test]
async fn every_row_is_judged_for_itself() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let mut admin = app.admin(&operator.credentials.access_token);
    app.signed_up("taken").await;
    let bcrypt = BCRYPT.0;
    let huge = ARGON2ID.0.replace("m=65536", "m=4194304");
    let table = [
        ("z@example.org", bcrypt.to_owned(), ""),
        ("a@example.org", bcrypt.replace("$2a$", "$2b$"), ""),
        ("b@example.org", bcrypt.replace("$2a$06$", "$2y$12$"), ""),
        ("c@example.org", ARGON2ID.0.to_owned(), ""),
        ("taken@example.org", bcrypt.to_owned(), "email"),
        ("Z@Example.ORG", bcrypt.to_owned(), "email"),
        ("nobody", bcrypt.to_owned(), "email"),
        ("", bcrypt.to_owned(), "email"),
        ("d@example.org", bcrypt.replace("$06$", "$13$"), "password_hash"),
        ("d@example.org", ARGON2ID.0.replace("m=65536", "m=65537"), "password_hash"),
        ("d@example.org", ARGON2ID.0.replace("t=2", "t=4"), "password_hash"),
        ("d@example.org", bcrypt.replace("$2a$", "$2x$"), "password_hash"),
        ("d@example.org", bcrypt[..59].to_owned(), "password_hash"),
        ("d@example.org", huge, "password_hash"),
        ("d@example.org", ARGON2ID.0.replace("t=2", "t=1000"), "password_hash"),
        ("d@example.org", ARGON2ID.0.replace("p=1", "p=99"), "password_hash"),
        ("d@example.org", ARGON2ID.0.replace("argon2id", "argon2d"), "password_hash"),
        ("d@example.org", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ".to_owned(), "password_hash"),
        ("d@example.org", "hunter2".to_owned(), "password_hash"),
        ("d@example.org", String::new(), "password_hash"),
        ("d@example.org", ARGON2I.0.to_owned(), ""),
    ];
    let users = table.iter().map(|(email, hash, _)| one(email, hash)).collect();
    let results = import(&mut admin, users).await.unwrap();
    assert_eq!(results.len(), table.len());
    for ((email, hash, field), row) in table.iter().zip(&results) {
        assert_eq!(row.field, *field, "{email} {hash}: {row:?}");
        assert_eq!(row.user.is_empty(), !field.is_empty(), "{email} {hash}: {row:?}");
        assert_eq!(row.description.is_empty(), field.is_empty());
    }
    assert_eq!(kinds(&mut admin, &results[0].user).await, ["admin.user.imported"]);
    let long = ImportedUser { display_name: "x".repeat(101), ..one("e@example.org", bcrypt) };
    assert_eq!(import(&mut admin, vec![long]).await.unwrap()[0].field, "display_name");
    assert!(import(&mut admin, vec![]).await.unwrap().is_empty());
}

/// The password of the other system opens a session, and is ours from then on.
#[tokio::test]
async fn an_imported_password_works_and_is_hashed_anew() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let mut admin = app.admin(&operator.credentials.access_token);
    let bcrypt_y = (BCRYPT.0.replace("$2a$", "$2y$"), BCRYPT.1);
    let table = [
        ("a@example.org", BCRYPT.0, BCRYPT.1),
        ("b@example.org", &bcrypt_y.0, bcrypt_y.1),
        ("c@example.org", ARGON2ID.0, ARGON2ID.1),
        ("d@example.org", ARGON2I.0, ARGON2I.1),
    ];
    let users = table.iter().map(|(email, hash, _)| one(email, hash)).collect();
    for row in import(&mut admin, users).await.unwrap() {
        assert_eq!(row.field, "", "{row:?}");
    }
    for (email, hash, password) in table {
        let wrong = app.sign_in(email, "not-the-Password").await.unwrap_err();
        wrong.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
        assert_eq!(stored(&app, email).await, hash);
        for _ in 0..2 {
            let credentials = app.sign_in(email, password).await.unwrap();
            let said = app.introspect(&credentials.access_token).await;
            assert!(said.email_verified && said.scopes.is_empty());
            let anew = stored(&app, email).await;
            assert!(anew.starts_with("$argon2id$v=19$m=7168,t=1,p=1$"), "{anew}");
        }
    }
}

async fn stored(app: &TestApp, email: &str) -> String {
    let mut connection = app.database.superuser.connect().await.unwrap();
    let hash = sqlx::query_scalar("select password_hash from data.users where email = $1");
    hash.bind(email).fetch_one(&mut connection).await.unwrap()
}

/// Five hundred go in one call; more are refused, and none is made.
#[tokio::test]
async fn five_hundred_at_once_and_no_more() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let mut admin = app.admin(&operator.credentials.access_token);
    let many = |count: usize| {
        (0..count).map(|n| one(&format!("user-{n}@example.org"), BCRYPT.0)).collect::<Vec<_>>()
    };
    let refused = import(&mut admin, many(501)).await.unwrap_err();
    refused.is(Code::InvalidArgument, "BATCH_TOO_LARGE");
    assert_eq!(refused.fields(), ["users"]);
    let made = import(&mut admin, many(500)).await.unwrap();
    assert!(made.iter().all(|row| row.field.is_empty()));
    let again = import(&mut admin, many(500)).await.unwrap();
    assert!(again.iter().all(|row| row.field == "email"));
}

/// Imports of the same accounts side by side: each is made once.
#[tokio::test(flavor = "multi_thread")]
async fn imports_side_by_side_make_each_account_once() {
    let app = TestApp::start().await;
    let operator = app.operator("olga").await;
    let table: Vec<_> = (0..50).map(|n| one(&format!("user-{n}@example.org"), BCRYPT.0)).collect();
    let imports = (0..4).map(|turn| {
        let mut admin = app.admin(&operator.credentials.access_token);
        let mut users = table.clone();
        users.rotate_left(turn * 13);
        async move { import(&mut admin, users).await.unwrap() }
    });
    let results = futures_util::future::join_all(imports).await;
    let made = results.iter().flatten().filter(|row| !row.user.is_empty()).count();
    assert_eq!(made, 50);
}
