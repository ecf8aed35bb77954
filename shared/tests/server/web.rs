//! Browsers: grpc-web, pages beside it, other origins, and what must not get
//! in by way of them.

use axum::routing::get;
use bytes::Bytes;
use http::{Method, Request, Version};
use http_body_util::Full;
use proto::auth::v1::token_service_server::TokenServiceServer;
use shared::server::Limits;
use tonic::Code;

use crate::harness::{Running, VERIFY, ask, framed, post, reason, start, start_with, tell};

const GRPC: &str = "application/grpc";
const WEB: &str = "application/grpc-web+proto";
const VERSIONS: [Version; 2] = [Version::HTTP_11, Version::HTTP_2];

async fn with_page() -> Running {
    start_with(Limits::default(), |server, obedient| {
        let page = axum::Router::new()
            .route("/panic", get(async || -> &'static str { panic!("a page") }))
            .fallback(get(async || "a page"));
        server
            .open(TokenServiceServer::new(obedient))
            .http(page)
            .allow_origins(vec!["https://app.example.com".parse().unwrap()])
    })
    .await
}

#[tokio::test]
async fn grpc_web_works_over_both_versions_binary_and_text() {
    let server = with_page().await;
    for version in VERSIONS {
        for content_type in
            ["application/grpc-web", WEB, "application/grpc-web+proto; charset=utf-8"]
        {
            let request = post(version, VERIFY, content_type, &[], framed(&tell("hello")));
            let answer = ask(server.address, request).await;
            assert_eq!(answer.status().code(), Code::Ok, "{version:?} {content_type}");
            assert!(answer.body.windows(5).any(|window| window == b"hello"));
        }
        // The frame of VerifyTokenRequest { token: "hello" } in base64.
        let text = Bytes::from_static(b"AAAAAAcKBWhlbGxv");
        let headers = [("accept", "application/grpc-web-text")];
        let request = post(version, VERIFY, "application/grpc-web-text", &headers, text);
        let answer = ask(server.address, request).await;
        assert_eq!(answer.head.status, 200);
        assert!(answer.header("content-type").unwrap().starts_with("application/grpc-web-text"));
        assert!(answer.body.starts_with(b"AAAA"));
    }
}

#[tokio::test]
async fn pages_are_served_over_both_versions() {
    let server = with_page().await;
    for version in VERSIONS {
        let request = Request::get("/anything").version(version).body(Full::default()).unwrap();
        let answer = ask(server.address, request).await;
        assert_eq!((answer.head.status.as_u16(), &*answer.body), (200, &b"a page"[..]));
        assert!(answer.header("x-request-id").is_some());
        let request = Request::get("/panic").version(version).body(Full::default()).unwrap();
        assert_eq!(ask(server.address, request).await.head.status, 500);
    }
}

#[tokio::test]
async fn only_grpc_may_be_posted() {
    let server = with_page().await;
    for version in VERSIONS {
        for content_type in [
            "text/plain",
            "application/json",
            "application/x-www-form-urlencoded",
            "",
            "application/grpc+json",
        ] {
            for path in [VERIFY, "/anything"] {
                let request = post(version, path, content_type, &[], framed(&tell("hello")));
                assert_eq!(ask(server.address, request).await.head.status, 415, "{content_type}");
            }
        }
        let request = Request::post(VERIFY).version(version).body(Full::default()).unwrap();
        assert_eq!(ask(server.address, request).await.head.status, 415);
    }
    assert_eq!(server.obedient.entered(), 0);
}

#[tokio::test]
async fn grpc_without_its_transport_is_told_so() {
    let server = with_page().await;
    let request = post(Version::HTTP_11, VERIFY, GRPC, &[], framed(&tell("hello")));
    assert_eq!(ask(server.address, request).await.head.status, 400);
}

#[tokio::test]
async fn an_unknown_service_is_unimplemented_even_beside_a_page() {
    let server = with_page().await;
    for (version, content_type) in
        [(Version::HTTP_2, GRPC), (Version::HTTP_2, WEB), (Version::HTTP_11, WEB)]
    {
        let path = "/grpc.reflection.v1beta.ServerReflection/ServerReflectionInfo";
        let request = post(version, path, content_type, &[], Bytes::new());
        let status = ask(server.address, request).await.status();
        assert_eq!(status.code(), Code::Unimplemented);
        assert_eq!(reason(&status).0, "METHOD_UNKNOWN");
    }
}

fn preflight(origin: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(Method::OPTIONS)
        .uri(VERIFY)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-grpc-web,authorization")
        .body(Full::default())
        .unwrap()
}

#[tokio::test]
async fn listed_origins_may_call_and_read_the_status() {
    let server = with_page().await;
    let answer = ask(server.address, preflight("https://app.example.com")).await;
    let listed = |answer: &crate::harness::Answer, header: &str, wanted: &[&str]| {
        let value = answer.header(header).unwrap_or_default().to_ascii_lowercase();
        let has: Vec<_> = value.split(',').map(str::trim).collect();
        wanted.iter().for_each(|wanted| assert!(has.contains(wanted), "{header}: {has:?}"));
    };
    assert!(answer.head.status.is_success());
    listed(&answer, "access-control-allow-origin", &["https://app.example.com"]);
    listed(&answer, "access-control-allow-methods", &["post"]);
    listed(&answer, "access-control-allow-credentials", &["true"]);
    let sent = ["content-type", "x-grpc-web", "x-user-agent", "grpc-timeout", "authorization"];
    listed(&answer, "access-control-allow-headers", &sent);
    assert!(answer.header("access-control-max-age").is_some());

    for token in ["hello", "blurt"] {
        let headers = [("origin", "https://app.example.com")];
        let request = post(Version::HTTP_11, VERIFY, WEB, &headers, framed(&tell(token)));
        let answer = ask(server.address, request).await;
        listed(&answer, "access-control-allow-origin", &["https://app.example.com"]);
        let read = ["grpc-status", "grpc-message", "grpc-status-details-bin", "x-request-id"];
        listed(&answer, "access-control-expose-headers", &read);
        listed(&answer, "access-control-expose-headers", &["x-idempotent-replay"]);
        listed(&answer, "vary", &["origin"]);
    }
}

#[tokio::test]
async fn other_origins_may_not() {
    let server = with_page().await;
    for origin in ["https://evil.example.com", "http://app.example.com", "null"] {
        let answer = ask(server.address, preflight(origin)).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        let headers = [("origin", origin)];
        let request = post(Version::HTTP_11, VERIFY, WEB, &headers, framed(&tell("hello")));
        let answer = ask(server.address, request).await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
}

#[tokio::test]
async fn without_a_list_no_origin_may_call() {
    let server = start(Limits::default()).await;
    let answer = ask(server.address, preflight("https://app.example.com")).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}
