//! Who may call at all.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde_json::json;
use shared::{clock::Clock as _, rng, testing::TestIssuer};
use tonic::Code;

use crate::{
    app::{TestApp, refused},
    raw::{all, methods},
};

/// S3.2, S3.3, E5, FR-016, FR-017, FR-019: no method answers without a good
/// token, whatever is wrong with it.
#[tokio::test]
async fn every_method_wants_a_good_token() {
    let app = TestApp::start().await;
    let user = rng::uuid_v4();
    let claims = app.issuer.claims(user, "task-service", app.clock.now());
    let good = app.issuer.token(&claims);
    let foreign = app.issuer.token(&app.issuer.claims(user, "auth-service", app.clock.now()));
    let mut flipped = good.clone().into_bytes();
    let last = flipped.len() - 10;
    flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    app.clock.advance(Duration::from_secs(301 + 5));

    assert!(all().len() > methods().len());
    for method in all() {
        let bearer = |token: &str| format!("Bearer {token}");
        for (header, reason) in [
            (None, "TOKEN_MISSING"),
            (Some(bearer(&good)), "TOKEN_EXPIRED"),
            (Some(bearer(&foreign)), "TOKEN_INVALID"),
            (Some(bearer(&flipped)), "TOKEN_INVALID"),
        ] {
            let headers: Vec<&str> = header.as_deref().into_iter().collect();
            let answer = method.call(&app.channel, &headers, Bytes::new()).await;
            refused(answer, Code::Unauthenticated, reason);
        }
    }
}

/// S3.3, E5: every bad token gets the same answer, which says nothing of why.
#[tokio::test]
async fn what_is_wrong_with_a_token_is_not_said() {
    let app = TestApp::start().await;
    let claims = app.issuer.claims(rng::uuid_v4(), "task-service", app.clock.now());
    let (header, payload) = (app.issuer.header(), json!(claims));
    let with = |part: &serde_json::Value, key: &str, value: serde_json::Value| {
        let mut part = part.clone();
        part[key] = value;
        part
    };
    let sign = |header: &serde_json::Value, payload: &serde_json::Value| {
        format!("Bearer {}", app.issuer.sign(header, payload))
    };
    let good = sign(&header, &payload);
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    let none = with(&header, "alg", json!("none")).to_string();
    let bad = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer a.b.c".to_owned(),
        "Basic YTpi".to_owned(),
        good.replace("Bearer ", "Bearer Bearer "),
        format!("{good}."),
        format!("{good} x"),
        format!("Bearer {}", "A".repeat(5000)),
        format!("Bearer {}.{}.", encode(none), encode(payload.to_string())),
        sign(&with(&header, "alg", json!("HS256")), &payload),
        sign(&with(&header, "typ", json!("JWT")), &payload),
        sign(&with(&header, "crit", json!(["exp"])), &payload),
        sign(&with(&header, "jwk", json!(app.issuer.jwk())), &payload),
        sign(&with(&header, "kid", json!("another")), &payload),
        sign(&header, &with(&payload, "iss", json!("https://else.test"))),
        sign(&header, &with(&payload, "sub", json!("1"))),
        sign(&header, &with(&payload, "exp", json!("soon"))),
        sign(&header, &with(&payload, "exp", json!(claims.exp + 86_400))),
        sign(&header, &with(&payload, "nbf", json!(claims.nbf + 60))),
        format!("Bearer {}", TestIssuer::new().sign(&header, &payload)),
    ];
    let list = methods().into_iter().find(|method| method.name == "ListTasks").unwrap();
    list.call(&app.channel, &[&good], Bytes::new()).await.expect("the good one is good");
    list.call(&app.channel, &[&good.replace("Bearer", "bEARER")], Bytes::new()).await.unwrap();
    let mut said = Vec::new();
    for header in &bad {
        let answer = list.call(&app.channel, &[header], Bytes::new()).await;
        let status = refused(answer, Code::Unauthenticated, "TOKEN_INVALID");
        said.push((status.message().to_owned(), status.details().to_vec()));
    }
    let twice = list.call(&app.channel, &[&good, &good], Bytes::new()).await;
    let status = refused(twice, Code::Unauthenticated, "TOKEN_INVALID");
    said.push((status.message().to_owned(), status.details().to_vec()));
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}
