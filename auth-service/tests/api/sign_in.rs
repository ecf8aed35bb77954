//! Signing in.

use std::sync::atomic::Ordering;

use sqlx::ConnectOptions as _;
use tonic::Code;

use crate::{
    harness::{PASSWORD, TestApp, Told as _},
    recovery::rows,
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
/// answered alike, byte for byte; both hash once, and write the same rows, but for
/// what the owner can read of it.
#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let app = TestApp::start().await;
    app.signed_up("ada").await;
    let mut seen = Vec::new();
    for email in ["ada@example.org", "eve@example.org"] {
        // Both are the first from this address.
        app.tamper("delete from data.throttles").await;
        let (hashes, before) = (app.hashes.load(Ordering::Relaxed), rows(&app).await);
        let refused = app.sign_in(email, "not-Her-Password").await.unwrap_err();
        assert_eq!(app.hashes.load(Ordering::Relaxed) - hashes, 1, "{email}");
        let after = rows(&app).await;
        let added = before.into_iter().zip(after).map(|((table, a), (_, b))| (table, b - a));
        seen.push((refused, added.filter(|(_, count)| *count != 0).collect::<Vec<_>>()));
        // For the e-mail, counted and noted once; and for the address.
        let written: Vec<(i64, i64)> = {
            let mut connection = app.database.superuser.connect().await.unwrap();
            sqlx::query_as("select attempts, noted from data.throttles order by attempts, noted")
                .fetch_all(&mut connection)
                .await
                .unwrap()
        };
        assert_eq!(written, [(1, 0), (1, 1)], "{email}");
    }
    let [(wrong, for_ada), (unknown, for_nobody)] = &seen[..] else { unreachable!() };
    let throttles = ("throttles".to_owned(), 2);
    // A refusal is told in the log of its owner, where there is one; it is written by
    // the statement that both make.
    assert_eq!(*for_ada, [("audit_events".to_owned(), 1), throttles.clone()]);
    assert_eq!(*for_nobody, [throttles]);
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
