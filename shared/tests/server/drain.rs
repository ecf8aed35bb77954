//! The end: what is in flight finishes, nothing holds the process.

use std::time::Duration;

use shared::server::Limits;
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::harness::{in_time, reason, start, tell};

/// Limits under which only a drain that works ends in time.
fn patient() -> Limits {
    Limits { drain_timeout: Duration::from_secs(3600), ..Limits::default() }
}

#[tokio::test]
async fn a_call_in_flight_finishes() {
    let mut server = start(patient()).await;
    let mut client = server.client().await;
    let waiting = tokio::spawn(async move { client.verify_token(tell("wait")).await });
    server.obedient.arrived().await;

    server.stop();
    in_time(server.draining.cancelled()).await;
    assert!(!server.health.is_ready());
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    in_time(refused).await;
    assert!(!server.serving.is_finished());

    server.obedient.release();
    assert_eq!(in_time(waiting).await.unwrap().unwrap().into_inner().subject, "wait");
    server.ended().await;
}

#[tokio::test]
async fn whoever_watches_health_is_told_and_let_go() {
    let mut server = start(patient()).await;
    let mut health = HealthClient::new(server.channel().await);
    let watch = health.watch(HealthCheckRequest::default()).await.unwrap();
    let mut watch = watch.into_inner();
    let serving = in_time(watch.message()).await.unwrap().unwrap();
    assert_eq!(serving.status(), ServingStatus::Serving);

    server.stop();
    let not_serving = in_time(watch.message()).await.unwrap().unwrap();
    assert_eq!(not_serving.status(), ServingStatus::NotServing);
    let status = in_time(watch.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let (reason, details) = reason(&status);
    assert_eq!(reason, "SERVER_DRAINING");
    assert!(details.retry_info().is_some());
    server.ended().await;
}

#[tokio::test]
async fn an_idle_connection_holds_nobody() {
    let mut server = start(patient()).await;
    let mut client = server.client().await;
    client.verify_token(tell("hello")).await.unwrap();
    let mut silent = server.connect().await;
    server.stop();
    server.ended().await;
    let _ = in_time(silent.read(&mut [0; 1])).await;
    drop(client);
}

#[tokio::test]
async fn calls_are_taken_while_balancers_turn_away() {
    let limits = Limits { drain_delay: Duration::from_secs(3600), ..patient() };
    let mut server = start(limits).await;
    let mut watch = HealthClient::new(server.channel().await)
        .watch(HealthCheckRequest::default())
        .await
        .unwrap()
        .into_inner();
    in_time(watch.message()).await.unwrap();
    server.stop();
    let told = in_time(watch.message()).await.unwrap().unwrap();
    assert_eq!(told.status(), ServingStatus::NotServing);
    server.client().await.verify_token(tell("hello")).await.unwrap();
    assert!(!server.draining.is_cancelled());
}

#[tokio::test]
async fn what_does_not_finish_is_cut_off() {
    let limits = Limits {
        unary_deadline: Duration::from_secs(3600),
        drain_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let mut server = start(limits).await;
    let mut client = server.client().await;
    let hanging = tokio::spawn(async move { client.verify_token(tell("hang")).await });
    server.obedient.arrived().await;
    server.stop();
    server.ended().await;
    assert!(in_time(hanging).await.unwrap().is_err());
}

/// How a second signal stops at once.
#[tokio::test]
async fn dropping_the_server_ends_everything() {
    let server = start(patient()).await;
    let mut client = server.client().await;
    let hanging = tokio::spawn(async move { client.verify_token(tell("hang")).await });
    server.obedient.arrived().await;
    server.serving.abort();
    assert!(in_time(hanging).await.unwrap().is_err());
}
