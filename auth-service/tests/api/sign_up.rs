//! Signing up.

use std::sync::atomic::Ordering;

use proto::auth::v1::{GetUserRequest, SignUpRequest, SignUpResponse};
use shared::{testing::ManualClock, verify::Claims};
use sqlx::ConnectOptions as _;
use tonic::Code;

use crate::harness::{PASSWORD, TestApp, Told as _, key};

/// S1.1, FR-001, FR-006, FR-011.
#[tokio::test]
async fn a_visitor_gets_an_account_and_a_session() {
    let app = TestApp::start().await;
    let SignUpResponse { user, credentials } = app.sign_up("ada").await.unwrap();
    let (user, credentials) = (user.unwrap(), credentials.unwrap());
    assert_eq!(user.email, "ada@example.org");
    assert_eq!(user.display_name, "ada");
    assert!(!user.email_verified);
    assert!(credentials.session.starts_with(&format!("{}/sessions/", user.name)));

    let claims = claims(&credentials.access_token);
    assert_eq!(format!("users/{}", claims.sub), user.name);
    assert_eq!(claims.email, "ada@example.org");
    assert_eq!(claims.iss, "https://auth.test");
    assert_eq!(claims.aud, ["auth-service", "task-service"]);
    assert_eq!(claims.exp - claims.iat, 300);
    assert_eq!(claims.amr, ["pwd"]);
    let mut account = app.account(&credentials.access_token);
    let read = account.get_user(GetUserRequest::default()).await.unwrap().into_inner();
    assert_eq!(read.user, Some(user));
}

/// S1.2, FR-005: case makes no other address.
#[tokio::test]
async fn a_taken_email_is_refused_and_nothing_changes() {
    let app = TestApp::start().await;
    app.signed_up("ada").await;
    let request = SignUpRequest {
        email: "ADA@Example.org".to_owned(),
        password: "another-Walnut-17".to_owned(),
        ..SignUpRequest::default()
    };
    let refused = app.auth().sign_up(request).await.unwrap_err();
    refused.is(Code::AlreadyExists, "EMAIL_ALREADY_REGISTERED");
    assert_eq!(refused.message(), "Email already registered");
    assert!(app.sign_in("ada@example.org", PASSWORD).await.is_ok());
    assert!(app.sign_in("ada@example.org", "another-Walnut-17").await.is_err());
}

/// S1.3, S1.4, E3, FR-002, FR-003: every fault at once, the field named.
#[tokio::test]
async fn bad_input_is_refused_field_by_field() {
    let app = TestApp::start().await;
    let long = format!(
        "{}@{}.org",
        "a".repeat(64),
        ["bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"; 4].join(".")
    );
    assert!(long.len() > 254);
    let cases: &[(&str, &str, &str, &str, &[&str])] = &[
        ("nobody", PASSWORD, "", "FIELD_INVALID", &["email"]),
        ("", PASSWORD, "", "FIELD_INVALID", &["email"]),
        ("a@b@example.org", PASSWORD, "", "FIELD_INVALID", &["email"]),
        ("a@example.org\r\nx", PASSWORD, "", "FIELD_INVALID", &["email"]),
        ("a\0@example.org", PASSWORD, "", "FIELD_INVALID", &["email"]),
        (&long, PASSWORD, "", "FIELD_INVALID", &["email"]),
        ("a@example.org", "1234567", "", "FIELD_INVALID", &["password"]),
        ("a@example.org", "", "", "FIELD_INVALID", &["password"]),
        ("a@example.org", &"aB3$".repeat(33), "", "FIELD_INVALID", &["password"]),
        ("a@example.org", &"x".repeat(1025), "", "FIELD_INVALID", &["password"]),
        ("a@example.org", "password1", "", "PASSWORD_COMPROMISED", &["password"]),
        ("lovelace@example.org", "lovelace1", "", "PASSWORD_COMPROMISED", &["password"]),
        ("a@example.org", PASSWORD, "a\nb", "FIELD_INVALID", &["display_name"]),
        ("a@example.org", PASSWORD, &"n".repeat(101), "FIELD_INVALID", &["display_name"]),
        ("nobody", "short", "a\0", "FIELD_INVALID", &["email", "display_name", "password"]),
    ];
    for &(email, password, display_name, reason, fields) in cases {
        let request = SignUpRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            display_name: display_name.to_owned(),
            ..SignUpRequest::default()
        };
        let refused = app.auth().sign_up(request).await.unwrap_err();
        refused.is(Code::InvalidArgument, reason);
        assert_eq!(refused.fields(), fields, "{email:?}");
    }
    let request = SignUpRequest {
        email: "a@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        refresh_token_transport: 99,
        ..SignUpRequest::default()
    };
    let refused = app.auth().sign_up(request).await.unwrap_err();
    refused.is(Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(refused.fields(), ["refresh_token_transport"]);
}

/// S1.3, S1.4: the words that a page shows.
#[tokio::test]
async fn the_rules_are_told_in_words() {
    let app = TestApp::start().await;
    let refused = |email: &str, password: &str| {
        let request = SignUpRequest {
            email: email.to_owned(),
            password: password.to_owned(),
            ..SignUpRequest::default()
        };
        let mut auth = app.auth();
        async move { auth.sign_up(request).await.unwrap_err().message().to_owned() }
    };
    assert_eq!(refused("nobody", PASSWORD).await, "Invalid email format");
    assert_eq!(refused("a@example.org", "1234567").await, "Password must be at least 8 characters");
}

/// FR-004, SC-007: nothing in the database tells the password.
#[tokio::test]
async fn a_password_is_stored_hashed() {
    let app = TestApp::start().await;
    app.signed_up("ada").await;
    let mut connection = app.database.superuser.connect().await.unwrap();
    let row: String = sqlx::query_scalar("select u::text from data.users u")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(row.contains("$argon2id$v=19$") && !row.contains(PASSWORD));
}

/// A profile for those who follow NIST SP 800-63B.
#[tokio::test]
async fn the_nist_profile_asks_for_fifteen_characters() {
    let app = TestApp::start_with(&["--password-profile=nist"]).await;
    let mut request = SignUpRequest {
        email: "ada@example.org".to_owned(),
        password: "walnut-Tromb91".to_owned(),
        ..SignUpRequest::default()
    };
    let refused = app.auth().sign_up(request.clone()).await.unwrap_err();
    assert_eq!(refused.message(), "Password must be at least 15 characters");
    request.password.push('!');
    assert!(app.auth().sign_up(request).await.is_ok());
}

/// As much is done for an address that is taken as for one that is free: the
/// attempt is counted, the password hashed, and the mail written.
#[tokio::test]
async fn a_strict_sign_up_costs_two_statements_either_way() {
    shared::program::install_cryptography();
    let (database, clock, key) =
        (shared::testing::database(&auth_service::SCHEMA).await, ManualClock::new(), key());
    let app = TestApp::start_on(database, clock, &key, &[]).await;
    app.signed_up("ada").await;
    let (database, clock) = app.stop().await;
    let app = TestApp::start_alone_on(database, clock, &key, &["--enumeration=strict"]).await;
    app.sign_up("warm-up").await.unwrap();
    for name in ["ada", "bob"] {
        app.statements.take();
        let hashes = app.hashes.load(Ordering::Relaxed);
        assert_eq!(app.sign_up(name).await.unwrap(), SignUpResponse::default());
        assert_eq!(app.statements.take(), 2, "{name}");
        assert_eq!(app.hashes.load(Ordering::Relaxed) - hashes, 1, "{name}");
    }
}

pub(crate) fn claims(token: &str) -> Claims {
    jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap()
}
