//! What an operator is told about a token: the check that refuses it, and never
//! the token.

use std::process::Stdio;

use auth_service::explain::{Explanation, explain};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proto::auth::v1::SignOutRequest;
use serde_json::{Value, json};
use shared::{
    clock::{Clock as _, SystemClock},
    testing::TestIssuer,
    verify::Rules,
};
use sqlx::ConnectOptions as _;
use tokio::io::AsyncWriteExt as _;

use crate::{
    harness::{TestApp, minutes},
    inside::keyed,
};

async fn explained(app: &TestApp, audience: &str, token: &str) -> Explanation {
    let rules = Rules {
        issuer: "https://auth.test".to_owned(),
        audience: audience.to_owned(),
        max_lifetime: minutes(5),
    };
    let explanation = explain(&app.own_database(), rules, token, app.clock.shared()).await.unwrap();
    let said = explanation.to_string();
    assert!(!said.contains("@example.org"), "{said}");
    for part in token.split('.').filter(|part| part.len() > 20) {
        assert!(!said.contains(part), "{said}");
    }
    explanation
}

/// The check that a token fails, or none.
async fn failed(app: &TestApp, token: &str) -> Option<&'static str> {
    explained(app, "auth-service", token).await.failed().map(|line| line.check)
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// The same token with another header; its signature is not looked at so far.
fn with_header(token: &str, change: impl FnOnce(&mut Value)) -> String {
    let (header, rest) = token.split_once('.').unwrap();
    let mut header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    change(&mut header);
    format!("{}.{rest}", part(&header))
}

/// A token for each check: it is that one that is named.
#[tokio::test]
async fn the_check_that_fails_is_named() {
    let (app, key) = keyed().await;
    let ada = app.signed_up("ada").await;
    let good = &ada.credentials.access_token;
    assert_eq!(failed(&app, good).await, None);

    let claims: Value = {
        let payload = good.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    };
    let now = app.clock.now().timestamp();
    let signed = |change: Value| {
        let mut claims = claims.clone();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        key.sign(&claims).unwrap()
    };
    assert_eq!(failed(&app, &signed(json!({}))).await, None);
    let foreign = {
        let issuer = TestIssuer::new();
        issuer.token(&issuer.claims(uuid::Uuid::nil(), "auth-service", app.clock.now()))
    };
    let other = app.signed_up("bob").await.credentials.access_token;
    let mixed =
        format!("{}.{}", good.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
    let table = [
        ("size", format!("{good}{}", "A".repeat(4096))),
        ("form", "junk".to_owned()),
        ("form", String::new()),
        ("header", with_header(good, |header| header["alg"] = json!("none"))),
        ("header", with_header(good, |header| header["crit"] = json!(["exp"]))),
        ("header", with_header(good, |header| header["jku"] = json!("https://evil.test"))),
        ("type", with_header(good, |header| header["typ"] = json!("JWT"))),
        ("key", foreign),
        ("key", with_header(good, |header| header["kid"] = json!("\u{1b}[2J\u{202e}"))),
        ("algorithm", with_header(good, |header| header["alg"] = json!("HS256"))),
        ("signature", mixed),
        ("claims", signed(json!({ "sub": 1 }))),
        ("claims", signed(json!({ "sid": null }))),
        ("issuer", signed(json!({ "iss": "https://evil.test" }))),
        ("audience", signed(json!({ "aud": ["other"] }))),
        ("lifetime", signed(json!({ "exp": now + 301 }))),
        ("lifetime", signed(json!({ "iat": now + 400 }))),
        ("issue", signed(json!({ "iat": now + 60 }))),
        ("beginning", signed(json!({ "nbf": now + 60 }))),
        ("expiry", signed(json!({ "iat": now - 400, "nbf": now - 400, "exp": now - 100 }))),
        ("session", signed(json!({ "sid": uuid::Uuid::nil() }))),
    ];
    for (check, token) in table {
        let explanation = explained(&app, "auth-service", &token).await;
        let said = explanation.to_string();
        let line = explanation.failed();
        assert_eq!(line.map(|line| line.check), Some(check), "{said}");
        assert!(said.contains(&format!("The token is refused: {check}.")), "{said}");
        assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{said:?}");
        assert!(!said.contains('\u{202e}'), "{said:?}");
    }
    let for_tasks = explained(&app, "task-service", good).await;
    assert_eq!(for_tasks.failed(), None);
    let for_mail = explained(&app, "mail-service", good).await;
    assert_eq!(for_mail.failed().unwrap().check, "audience");
}

/// What ended with the session, with the account or with a service account, and
/// what expired.
#[tokio::test]
async fn a_token_that_outlived_what_it_lives_with_fails_the_last_check() {
    let (app, _) = keyed().await;
    let ada = app.signed_up("ada").await;
    let (_, secret) = app.service("reporter", &["tasks:read"]).await;
    let service = app.service_token(&secret).await.unwrap();
    assert_eq!(failed(&app, &service).await, None);
    app.delete_service("reporter").await;
    assert_eq!(failed(&app, &service).await, Some("session"));
    let refresh_token = ada.credentials.refresh_token;
    app.auth().sign_out(SignOutRequest { refresh_token }).await.unwrap();
    assert_eq!(failed(&app, &ada.credentials.access_token).await, Some("session"));
    app.clock.advance(minutes(6));
    assert_eq!(failed(&app, &ada.credentials.access_token).await, Some("expiry"));
}

/// The program reads the token where nobody else sees it, and tells by its exit
/// code.
#[tokio::test]
async fn the_program_explains_a_token() {
    let (app, _) = keyed().await;
    let ahead = SystemClock.now() - app.clock.now();
    app.clock.advance(ahead.to_std().unwrap());
    let token = app.signed_up("ada").await.credentials.access_token;
    let run = async |args: &[&str], input: &str| {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_auth-service"));
        let url = app.database.app.to_url_lossy().to_string();
        command.args(["--issuer=https://auth.test", "explain"]).args(args).env_clear();
        command.env("AUTH_DATABASE_URL", url).stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let signature = token.rsplit('.').next().unwrap();
    for (args, input) in [(["-"].as_slice(), token.as_str()), (&[token.as_str()], "")] {
        let (code, said, log) = run(args, &format!("{input}\n")).await;
        assert_eq!(code, Some(0), "{said}{log}");
        assert!(said.contains("The token is accepted."), "{said}");
        assert!(!said.contains(signature) && !log.contains(signature), "{said}{log}");
    }
    let (code, said, log) = run(&["-", "--for", "mail-service"], &token).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(said.contains("FAILS  audience"), "{said}");
    assert!(!said.contains(signature) && !log.contains(signature), "{said}{log}");
}
