//! Signing in.

use std::sync::atomic::Ordering;

use sqlx::ConnectOptions as _;
use tonic::Code;

use crate::{
    harness::{PASSWORD, TestApp, Told as _},
    sign_up::claims,
};

/// S2.1, FR-007, FR-008, FR-009: and the address may be spelled in other case.
#[tokio::test]
async fn the_right_password_opens_a_session() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let credentials = app.sign_in("Ada@Example.ORG", PASSWORD).await.unwrap();
    assert_eq!(format!("users/{}", claims(&credentials.access_token).sub), ada.name);
    assert_ne!(credentials.session, ada.credentials.session);
    assert!(credentials.refresh_token.starts_with("rt1."));
}

/// S2.2, S2.3, FR-010, SC-008: a wrong password and an unknown e-mail are
/// answered alike, byte for byte; both hash once, and write rows of one shape.
#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let app = TestApp::start().await;
    app.signed_up("ada").await;
    app.tamper("delete from data.throttles").await;
    let mut seen = Vec::new();
    for email in ["ada@example.org", "eve@example.org"] {
        let before = app.hashes.load(Ordering::Relaxed);
        let refused = app.sign_in(email, "not-Her-Password").await.unwrap_err();
        assert_eq!(app.hashes.load(Ordering::Relaxed) - before, 1, "{email}");
        seen.push(refused);
    }
    let [wrong, unknown] = &seen[..] else { unreachable!() };
    // One for each e-mail, counted and noted once; and the address.
    let written: Vec<(i64, i64)> = {
        let mut connection = app.database.superuser.connect().await.unwrap();
        sqlx::query_as("select attempts, noted from data.throttles order by attempts, noted")
            .fetch_all(&mut connection)
            .await
            .unwrap()
    };
    assert_eq!(written, [(1, 1), (1, 1), (2, 0)]);
    wrong.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    assert_eq!(wrong.message(), "Invalid credentials");
    assert_eq!(
        (wrong.code(), wrong.message(), wrong.details()),
        (unknown.code(), unknown.message(), unknown.details())
    );
}

/// E3: bounds hold before anything is hashed.
#[tokio::test]
async fn impossible_input_is_refused_by_field() {
    let app = TestApp::start().await;
    for (email, password, fields) in [
        ("nobody", PASSWORD.to_owned(), &["email"][..]),
        ("a@example.org", String::new(), &["password"]),
        ("a@example.org", "x".repeat(1025), &["password"]),
        ("", String::new(), &["email", "password"]),
    ] {
        let refused = app.sign_in(email, &password).await.unwrap_err();
        refused.is(Code::InvalidArgument, "FIELD_INVALID");
        assert_eq!(refused.fields(), fields);
    }
}

/// Parameters may be raised: the next sign-in hashes anew.
#[tokio::test]
async fn an_outdated_hash_is_replaced_at_sign_in() {
    let app = TestApp::start().await;
    app.signed_up("ada").await;
    let (database, clock) = app.stop().await;
    let key = crate::harness::key();
    let app = TestApp::start_on(
        {
            // Keys sealed under the first key do not open under another.
            let mut connection = database.superuser.connect().await.unwrap();
            sqlx::query("delete from data.signing_keys").execute(&mut connection).await.unwrap();
            database
        },
        clock,
        &key,
        &["--argon2-passes=3"],
    )
    .await;
    assert!(app.sign_in("ada@example.org", PASSWORD).await.is_ok());
    let hash = {
        let mut connection = app.database.superuser.connect().await.unwrap();
        sqlx::query_scalar::<_, String>("select password_hash from data.users")
            .fetch_one(&mut connection)
            .await
            .unwrap()
    };
    assert!(hash.contains("t=3"), "{hash}");
    assert!(app.sign_in("ada@example.org", PASSWORD).await.is_ok());
}

/// P6: one statement before the password is hashed, one after; right, wrong and
/// unknown alike.
#[tokio::test]
async fn a_sign_in_costs_two_statements() {
    let app = TestApp::start_alone().await;
    app.signed_up("ada").await;
    for prepared in [false, true] {
        for (email, password, right) in [
            ("ada@example.org", PASSWORD, true),
            ("ada@example.org", "not-Her-Password", false),
            ("eve@example.org", PASSWORD, false),
        ] {
            assert_eq!(app.sign_in(email, password).await.is_ok(), right);
            let (statements, trips) = (app.statements.take(), app.statements.take_round_trips());
            // Prepared once, a statement costs one round trip.
            assert!(!prepared || (statements, trips) == (2, 2), "{statements} in {trips}");
        }
    }
}
