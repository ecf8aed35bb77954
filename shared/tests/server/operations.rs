//! What operators and tools ask: health, reflection, probes, metrics.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::Full;
use prost::Message as _;
use prost_types::FileDescriptorProto;
use proto::auth::v1::token_service_server::TokenServiceServer;
use shared::{
    server::{Limits, Server, answer_probes},
    telemetry,
};
use tokio::net::TcpListener;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::harness::{Obedient, VERIFY, ask, framed, in_time, post, start, start_with, tell};

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test]
async fn every_service_has_a_health_of_its_own() {
    let server = start(Limits::default()).await;
    let mut health = HealthClient::new(server.channel().await);
    for service in ["", "auth.v1.TokenService", "grpc.reflection.v1.ServerReflection"] {
        let status = health.check(of(service)).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::Serving, "{service}");
    }
    assert_eq!(health.check(of("nobody")).await.unwrap_err().code(), Code::NotFound);

    server.health.set_serving("auth.v1.TokenService", false);
    let status = health.check(of("auth.v1.TokenService")).await.unwrap().into_inner().status();
    assert_eq!(status, ServingStatus::NotServing);
    let status = health.check(of("")).await.unwrap().into_inner().status();
    assert_eq!(status, ServingStatus::Serving);

    server.health.set_ready(false);
    let status = health.check(of("")).await.unwrap().into_inner().status();
    assert_eq!(status, ServingStatus::NotServing);
}

#[tokio::test]
async fn a_watcher_learns_of_each_change_and_may_wait_for_the_unknown() {
    let server = start(Limits::default()).await;
    let mut health = HealthClient::new(server.channel().await);
    let mut watch = health.watch(of("auth.v1.TokenService")).await.unwrap().into_inner();
    let mut next = async || in_time(watch.message()).await.unwrap().unwrap().status();
    assert_eq!(next().await, ServingStatus::Serving);
    server.health.set_ready(false);
    assert_eq!(next().await, ServingStatus::NotServing);
    server.health.set_ready(true);
    assert_eq!(next().await, ServingStatus::Serving);

    let mut unknown = health.watch(of("nobody")).await.unwrap().into_inner();
    let status = in_time(unknown.message()).await.unwrap().unwrap().status();
    assert_eq!(status, ServingStatus::ServiceUnknown);
}

#[tokio::test]
async fn readiness_follows_its_check() {
    let server = start(Limits::default()).await;
    let mut health = HealthClient::new(server.channel().await);
    let mut watch = health.watch(of("")).await.unwrap().into_inner();
    in_time(watch.message()).await.unwrap();
    let good = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let checked = good.clone();
    let handle = server.health.clone();
    let watching = tokio::spawn(async move {
        let check = || async { checked.load(std::sync::atomic::Ordering::SeqCst) };
        handle.watch(Duration::from_millis(5), check).await;
    });
    let down = in_time(watch.message()).await.unwrap().unwrap();
    assert_eq!(down.status(), ServingStatus::NotServing);
    good.store(true, std::sync::atomic::Ordering::SeqCst);
    let up = in_time(watch.message()).await.unwrap().unwrap();
    assert_eq!(up.status(), ServingStatus::Serving);
    watching.abort();
}

/// Asks one version of reflection one thing, and yields the answers' names.
macro_rules! reflect {
    ($version:ident, $server:expr, $ask:ident($symbol:expr)) => {{
        use tonic_reflection::pb::$version::{
            ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
            server_reflection_request::MessageRequest,
        };
        let mut client = ServerReflectionClient::new($server.channel().await);
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::$ask($symbol.to_owned())),
        };
        let requests = futures_util::stream::iter([request]);
        let mut answers = client.server_reflection_info(requests).await.unwrap().into_inner();
        in_time(answers.message()).await.unwrap().unwrap().message_response.unwrap()
    }};
}

macro_rules! file_with {
    ($version:ident, $server:expr, $symbol:expr) => {{
        use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
        match reflect!($version, $server, FileContainingSymbol($symbol)) {
            MessageResponse::FileDescriptorResponse(files) => {
                FileDescriptorProto::decode(&*files.file_descriptor_proto[0]).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }};
}

#[tokio::test]
async fn reflection_knows_error_details_and_keeps_comments_in_both_versions() {
    let server = start(Limits::default()).await;
    for file in [
        file_with!(v1, server, "google.rpc.ErrorInfo"),
        file_with!(v1alpha, server, "google.rpc.ErrorInfo"),
    ] {
        assert_eq!(file.package(), "google.rpc");
    }
    for file in [
        file_with!(v1, server, "auth.v1.TokenService.VerifyToken"),
        file_with!(v1alpha, server, "auth.v1.TokenService"),
    ] {
        let comments: Vec<_> = file.source_code_info.unwrap().location;
        let told = |text| comments.iter().any(|place| place.leading_comments().contains(text));
        assert!(told("What verifiers of access tokens need"));
    }
}

#[tokio::test]
async fn reflection_lists_what_is_mounted_and_nothing_else() {
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

    let server = start(Limits::default()).await;
    let MessageResponse::ListServicesResponse(list) = reflect!(v1, server, ListServices("")) else {
        panic!("no list");
    };
    let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    let mounted = [
        "auth.v1.TokenService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ];
    assert_eq!(names, mounted);
}

#[tokio::test]
async fn reflection_can_be_turned_off() {
    let server = start_with(Limits::default(), |server, _| server.reflection(false)).await;
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let request = post(Version::HTTP_2, path, "application/grpc", &[], Bytes::new());
    assert_eq!(ask(server.address, request).await.status().code(), Code::Unimplemented);
}

#[tokio::test]
async fn what_does_not_fit_together_does_not_start() {
    let serve = async |server: Server| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        in_time(server.serve(listener, std::future::ready(()))).await
    };
    let service = || TokenServiceServer::new(Obedient::default());
    let twice = Server::new(Limits::default()).open(service()).open(service());
    assert!(serve(twice).await.unwrap_err().to_string().contains("auth.v1.TokenService"));

    let limits = Limits { slow_methods: &["/auth.v1.TokenService/Gone"], ..Limits::default() };
    let gone = Server::new(limits).descriptors(proto::DESCRIPTORS).open(service());
    assert!(serve(gone).await.unwrap_err().to_string().contains("Gone"));
    assert!(serve(Server::new(Limits::default()).descriptors(b"\xff")).await.is_err());
}

#[tokio::test]
async fn the_admin_port_tells_probes_and_metrics() {
    let server = start(Limits::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let until = async {
        let _ = stopped.await;
    };
    let health = server.health.clone();
    let admin = tokio::spawn(answer_probes(listener, health, telemetry::metrics(), until));
    let get = async |path: &str| {
        let request = Request::get(path).body(Full::<Bytes>::default()).unwrap();
        let answer = ask(address, request).await;
        (answer.head.status.as_u16(), String::from_utf8(answer.body.to_vec()).unwrap())
    };

    assert_eq!(get("/livez").await.0, 200);
    assert_eq!(get("/readyz").await.0, 200);
    server.health.set_ready(false);
    assert_eq!(get("/livez").await.0, 200);
    assert_eq!(get("/readyz").await.0, 503);
    assert_eq!(get("/anything").await.0, 404);

    let stray = "/made.up.by.a.Caller/Anything";
    for path in [VERIFY, stray] {
        let headers = [("x-request-id", path.trim_matches('/').rsplit('/').next().unwrap())];
        let body = framed(&tell("hello"));
        let request = post(Version::HTTP_2, path, "application/grpc", &headers, body);
        ask(server.address, request).await;
    }
    let line = server.line("Anything").await;
    assert_eq!((&line["rpc.service"], &line["rpc.path"]), (&"unknown".into(), &stray.into()));
    server.line("VerifyToken").await;
    let metrics = get("/metrics").await.1;
    let counted =
        r#"grpc_server_calls_total{service="auth.v1.TokenService",method="VerifyToken",code="OK"}"#;
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains(r#"grpc_server_call_seconds_bucket{service="auth.v1.TokenService""#));
    assert!(metrics.contains(r#"service="unknown",method="unknown",code="UNIMPLEMENTED""#));
    assert!(!metrics.contains("made.up"), "{metrics}");

    drop(stop);
    in_time(admin).await.unwrap();
}
