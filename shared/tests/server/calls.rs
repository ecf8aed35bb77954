//! What one call is given and what it cannot take from others: deadlines,
//! sizes, panics, ids, the shape of errors, the log line.

use std::time::Duration;

use bytes::Bytes;
use http::Version;
use proto::auth::v1::token_service_server::TokenServiceServer;
use shared::server::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::brittle::Brittle;
use crate::harness::{VERIFY, ask, framed, in_time, post, reason, start, start_with, tell};
use crate::issuer::Issuer;

const GRPC: &str = "application/grpc";
const WEB: &str = "application/grpc-web+proto";

#[tokio::test]
async fn a_call_knows_its_id_and_its_peer_and_leaves_one_line() {
    let server = start(Limits::default()).await;
    let mut request = tonic::Request::new(tell("hello"));
    request.metadata_mut().insert("x-request-id", "from-outside.1".parse().unwrap());
    let answer = server.client().await.verify_token(request).await.unwrap();
    assert_eq!(answer.metadata().get("x-request-id").unwrap(), "from-outside.1");
    assert_eq!(answer.get_ref().issuer, "from-outside.1");
    assert!(answer.get_ref().user.starts_with("127.0.0.1:"));

    let line = server.line("from-outside.1").await;
    assert_eq!(line["rpc.service"], "auth.v1.TokenService");
    assert_eq!(line["rpc.method"], "VerifyToken");
    assert_eq!(line["rpc.code"], "OK");
    assert_eq!(line["peer.address"], answer.get_ref().user);
    assert!(line["duration_us"].is_u64());
    assert_eq!(server.log.text().matches("from-outside.1").count(), 1);
}

/// The address that a limit counts by cannot be made up by whoever is limited.
#[tokio::test]
async fn only_a_trusted_proxy_says_where_a_call_comes_from() {
    let proxied = Limits {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()],
        ..Limits::default()
    };
    let from = ("x-forwarded-for", "198.51.100.1, 203.0.113.9, 10.0.0.1");
    for (limits, id, client) in
        [(Limits::default(), "forged", None), (proxied, "proxied", Some("203.0.113.9"))]
    {
        let server = start(limits).await;
        let headers = [from, ("x-request-id", id)];
        let request = post(Version::HTTP_2, VERIFY, GRPC, &headers, framed(&tell("hello")));
        assert_eq!(ask(server.address, request).await.status().code(), Code::Ok);
        let line = server.line(id).await;
        assert!(line["peer.address"].as_str().unwrap().starts_with("127.0.0.1:"));
        assert_eq!(line["client.address"].as_str(), client);
    }
}

#[tokio::test]
async fn an_id_that_is_not_harmless_is_replaced() {
    let server = start(Limits::default()).await;
    for bad in ["with blank", &"x".repeat(65), "quote\""] {
        let headers = [("x-request-id", bad)];
        let request = post(Version::HTTP_2, VERIFY, GRPC, &headers, framed(&tell("hello")));
        let answer = ask(server.address, request).await;
        let id = answer.header("x-request-id").unwrap();
        assert!(id != bad && id.len() == 36, "{id}");
    }
}

#[tokio::test]
async fn a_panic_fails_its_own_call_and_no_other() {
    let server = start(Limits::default()).await;
    let client = server.client().await;
    let mut beside = client.clone();
    let waiting = tokio::spawn(async move { beside.verify_token(tell("wait")).await });
    server.obedient.arrived().await;

    let status = client.clone().verify_token(tell("panic")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    let (reason, details) = reason(&status);
    assert_eq!(reason, "INTERNAL");
    let id = details.request_info().unwrap().request_id.clone();
    assert_eq!(status.metadata().get("x-request-id").unwrap(), id.as_str());
    assert!(!status.message().contains("told"));

    server.obedient.release();
    in_time(waiting).await.unwrap().unwrap();
    assert_eq!(server.line(&id).await["rpc.code"], "INTERNAL");
    let causes = server.log.text();
    let cause = causes.lines().find(|line| line.contains(&id) && line.contains("as I was told"));
    assert!(cause.unwrap().contains("harness.rs"), "{cause:?}");
}

#[tokio::test]
async fn an_expired_deadline_is_called_so_over_every_transport() {
    let limits = Limits { unary_deadline: Duration::from_millis(100), ..Limits::default() };
    let server = start(limits).await;
    for (version, content_type) in
        [(Version::HTTP_2, GRPC), (Version::HTTP_2, WEB), (Version::HTTP_11, WEB)]
    {
        let request = post(version, VERIFY, content_type, &[], framed(&tell("hang")));
        let answer = ask(server.address, request).await;
        assert_eq!(answer.head.status, 200);
        assert!(answer.header("content-type").unwrap().starts_with(content_type));
        let status = answer.status();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{version:?} {content_type}");
        assert_eq!(reason(&status).0, "DEADLINE_EXCEEDED");
    }
}

#[tokio::test]
async fn a_client_may_allow_less_time_but_not_more() {
    let limits = Limits { unary_deadline: Duration::from_secs(3600), ..Limits::default() };
    let server = start(limits).await;
    let hurried = [("grpc-timeout", "50m")];
    let request = post(Version::HTTP_2, VERIFY, GRPC, &hurried, framed(&tell("hang")));
    assert_eq!(ask(server.address, request).await.status().code(), Code::DeadlineExceeded);

    let limits = Limits { unary_deadline: Duration::from_millis(50), ..Limits::default() };
    let server = start(limits).await;
    let patient = [("grpc-timeout", "1H")];
    let request = post(Version::HTTP_2, VERIFY, GRPC, &patient, framed(&tell("hang")));
    assert_eq!(ask(server.address, request).await.status().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn slow_methods_have_a_deadline_of_their_own() {
    let limits = Limits {
        unary_deadline: Duration::ZERO,
        slow_deadline: Duration::from_secs(3600),
        slow_methods: &[VERIFY],
        ..Limits::default()
    };
    let server = start(limits).await;
    let mut client = server.client().await;
    let waiting = tokio::spawn(async move { client.verify_token(tell("wait")).await });
    server.obedient.arrived().await;
    server.obedient.release();
    in_time(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_ends_when_its_client_said_and_not_before() {
    let limits = Limits { unary_deadline: Duration::from_millis(100), ..Limits::default() };
    let server = start(limits).await;
    let watch = "/grpc.health.v1.Health/Watch";
    let body = framed(&HealthCheckRequest::default());
    let headers = [("grpc-timeout", "500m"), ("x-request-id", "watching")];
    let started = tokio::time::Instant::now();
    let answer = ask(server.address, post(Version::HTTP_2, watch, GRPC, &headers, body)).await;
    assert!(started.elapsed() >= Duration::from_millis(500));
    assert_eq!(answer.status().code(), Code::DeadlineExceeded);
    assert!(!answer.body.is_empty());
    let line = server.line("watching").await;
    assert_eq!(line["rpc.code"], "DEADLINE_EXCEEDED");
    assert!(line["duration_us"].as_u64().unwrap() >= 500_000);
}

#[tokio::test]
async fn a_client_that_goes_away_is_logged_as_cancelled() {
    let server = start(Limits::default()).await;
    let mut client = server.client().await;
    let mut request = tonic::Request::new(tell("hang"));
    request.metadata_mut().insert("x-request-id", "gone-away".parse().unwrap());
    let call = tokio::spawn(async move { client.verify_token(request).await });
    server.obedient.arrived().await;
    call.abort();
    assert_eq!(server.line("gone-away").await["rpc.code"], "CANCELLED");
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_and_says_so() {
    let limits = Limits { max_message_bytes: 1000, ..Limits::default() };
    let server = start(limits).await;
    let large = tell(&"x".repeat(1001));
    let status = server.client().await.verify_token(large.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let (reason, details) = reason(&status);
    assert_eq!(reason, "MESSAGE_TOO_LARGE");
    assert_eq!(details.error_info().unwrap().metadata["max_bytes"], "1000");
    assert_eq!(details.error_info().unwrap().domain, "duet.auth");

    let fits = tell(&"x".repeat(1000 - 3));
    server.client().await.verify_token(fits).await.unwrap();
    assert_eq!(server.obedient.entered(), 1);
}

#[tokio::test]
async fn four_mebibytes_are_refused_over_every_transport() {
    let server = start(Limits::default()).await;
    let large = framed(&tell(&"x".repeat(4 << 20)));
    for (version, content_type) in
        [(Version::HTTP_2, GRPC), (Version::HTTP_2, WEB), (Version::HTTP_11, WEB)]
    {
        let request = post(version, VERIFY, content_type, &[], large.clone());
        let status = ask(server.address, request).await.status();
        assert_eq!(status.code(), Code::ResourceExhausted, "{version:?} {content_type}");
    }
    assert_eq!(server.obedient.entered(), 0);
}

/// Over HTTP/1.1 a client that writes first and reads then has to be let finish
/// writing, or it would see its connection break instead of the answer.
#[tokio::test]
async fn a_refused_client_can_finish_writing_and_read_why() {
    let server = start(Limits::default()).await;
    let mut stream = server.connect().await;
    let body = framed(&tell(&"x".repeat(4 << 20)));
    let head = format!(
        "POST {VERIFY} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: {WEB}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    in_time(stream.write_all(&body)).await.unwrap();
    let mut answer = String::new();
    in_time(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.contains("grpc-status: 8"), "{answer}");
}

#[tokio::test]
async fn a_service_may_take_larger_messages() {
    let limits = Limits { max_message_bytes: 10, ..Limits::default() };
    let server = start_with(limits, |server, obedient| {
        server.open(TokenServiceServer::new(obedient)).message_limit("auth.v1.TokenService", 2000)
    })
    .await;
    let mut client = server.client().await;
    client.verify_token(tell(&"x".repeat(1000))).await.unwrap();
    assert!(client.verify_token(tell(&"x".repeat(2000))).await.is_err());
}

#[tokio::test]
async fn a_request_that_cannot_be_decoded_is_the_callers_fault() {
    let server = start(Limits::default()).await;
    let bodies: [&[u8]; 5] = [
        b"\0\0\0\0\x04\xff\xff\xff\xff",
        b"",
        b"\0\0\0\0\x09abc",
        b"\x07\0\0\0\x01a",
        b"\x01\0\0\0\x01a",
    ];
    for body in bodies {
        for (version, content_type) in [(Version::HTTP_2, GRPC), (Version::HTTP_11, WEB)] {
            let body = Bytes::from_static(body);
            let request = post(version, VERIFY, content_type, &[], body.clone());
            let status = ask(server.address, request).await.status();
            assert_eq!(status.code(), Code::InvalidArgument, "{body:?}");
            assert_eq!(reason(&status).0, "FIELD_INVALID");
        }
    }
    let text = Bytes::from_static(b"%%%%");
    let request = post(Version::HTTP_11, VERIFY, "application/grpc-web-text", &[], text);
    assert_eq!(ask(server.address, request).await.status().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn compression_is_refused_in_words() {
    let server = start(Limits::default()).await;
    let gzip = [("grpc-encoding", "gzip")];
    let request = post(Version::HTTP_2, VERIFY, GRPC, &gzip, framed(&tell("hello")));
    let answer = ask(server.address, request).await;
    assert_eq!(answer.status().code(), Code::Unimplemented);
    reason(&answer.status());
}

#[tokio::test]
async fn a_bare_internal_error_keeps_its_cause_to_itself() {
    let server = start(Limits::default()).await;
    let status = server.client().await.verify_token(tell("blurt")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    let (reason, details) = reason(&status);
    assert_eq!(reason, "INTERNAL");
    assert!(!status.message().contains("secret"));
    let id = &details.request_info().unwrap().request_id;
    let log = server.log.text();
    assert!(log.lines().any(|line| line.contains(id) && line.contains("the cause is a secret")));
}

#[tokio::test]
async fn what_nobody_answers_is_unimplemented() {
    let server = start(Limits::default()).await;
    for path in ["/auth.v1.TokenService/Nonsense", "/nobody.v1.Nothing/Nowhere", "/", "/a/b/c"] {
        let request = post(Version::HTTP_2, path, GRPC, &[], framed(&tell("hello")));
        let status = ask(server.address, request).await.status();
        assert_eq!(status.code(), Code::Unimplemented, "{path}");
        assert_eq!(reason(&status).0, "METHOD_UNKNOWN");
    }
}

#[tokio::test]
async fn calls_beyond_the_limit_are_shed_but_health_still_answers() {
    let server = start(Limits { in_flight: 1, ..Limits::default() }).await;
    let mut client = server.client().await;
    let waiting = tokio::spawn(async move { client.verify_token(tell("wait")).await });
    server.obedient.arrived().await;

    for (version, content_type) in [(Version::HTTP_2, GRPC), (Version::HTTP_11, WEB)] {
        let request = post(version, VERIFY, content_type, &[], framed(&tell("hello")));
        let status = ask(server.address, request).await.status();
        assert_eq!(status.code(), Code::ResourceExhausted);
        let (reason, details) = reason(&status);
        assert_eq!(reason, "OVERLOADED");
        assert!(details.retry_info().unwrap().retry_delay.is_some());
    }
    let mut health = HealthClient::new(server.channel().await);
    health.check(HealthCheckRequest::default()).await.unwrap();

    server.obedient.release();
    in_time(waiting).await.unwrap().unwrap();
    server.client().await.verify_token(tell("hello")).await.unwrap();
}

#[tokio::test]
async fn an_authenticated_service_asks_who_calls_and_the_log_knows() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let server = start_with(Limits::default(), |server, obedient| {
        server.authenticated(TokenServiceServer::new(obedient), &verifier)
    })
    .await;
    for (version, content_type) in [(Version::HTTP_2, GRPC), (Version::HTTP_11, WEB)] {
        let request = post(version, VERIFY, content_type, &[], framed(&tell("hello")));
        let status = ask(server.address, request).await.status();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert_eq!(reason(&status).0, "TOKEN_MISSING");
    }
    assert_eq!(server.obedient.entered(), 0);

    let (user, token) = issuer.token();
    let headers = [("authorization", &*format!("Bearer {token}")), ("x-request-id", "known")];
    let request = post(Version::HTTP_2, VERIFY, GRPC, &headers, framed(&tell("hello")));
    assert_eq!(ask(server.address, request).await.status().code(), Code::Ok);
    assert_eq!(server.line("known").await["user.id"], user.to_string());
    assert!(!server.log.text().contains(&token));
}

#[tokio::test]
async fn a_stream_that_panics_ends_with_a_status() {
    let server = start_with(Limits::default(), |server, _| server.open(Brittle)).await;
    for (version, content_type) in [(Version::HTTP_2, GRPC), (Version::HTTP_11, WEB)] {
        let request = post(version, "/test.v1.Brittle/Break", content_type, &[], Bytes::new());
        let answer = ask(server.address, request).await;
        assert_eq!(answer.status().code(), Code::Internal);
        assert!(reason(&answer.status()).1.request_info().is_some());
        assert!(answer.body.starts_with(&framed(&tell("first"))));
    }
}
