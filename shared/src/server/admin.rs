//! The admin port: probes and metrics, for the operator's network only.
//!
//! Invariant: `/livez` depends on nothing. A process that cannot reach its
//! database is not helped by being killed.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use axum::{
    Router,
    routing::{MethodRouter, get},
};
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tonic::body::Body;
use tower::ServiceExt as _;

use super::{
    Health, Limits,
    connections::{Answers, Connections},
};
use crate::telemetry;

/// How long a probe in flight is waited for at the end.
const DRAIN: Duration = Duration::from_secs(1);

/// Serves `/livez`, `/readyz` and `/metrics` at `address`, for ever; nothing if
/// there is none.
///
/// # Errors
/// If the address cannot be listened on.
pub async fn serve_admin(address: Option<SocketAddr>, health: Health) -> anyhow::Result<()> {
    let Some(address) = address else { return std::future::pending().await };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} for probes and metrics"))?;
    answer_probes(listener, health, telemetry::metrics(), std::future::pending()).await;
    Ok(())
}

/// Serves the probes on `listener` until `until` ends.
pub async fn answer_probes(
    listener: TcpListener,
    health: Health,
    metrics: PrometheusHandle,
    until: impl Future<Output = ()> + Send,
) {
    let ready = move || async move {
        if health.is_ready() {
            (StatusCode::OK, "ready\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    };
    let render = move || async move {
        ([(http::header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render())
    };
    let live: MethodRouter = get(async || "alive\n");
    let router = Router::new()
        .route("/livez", live)
        .route("/readyz", get(ready))
        .route("/metrics", get(render));
    let connections = Connections::new(Admin(router), &Limits::default(), None);
    tokio::select! {
        never = connections.accept(&listener) => match never {},
        () = until => {}
    }
    drop(listener);
    let _ = tokio::time::timeout(DRAIN, connections.drain()).await;
}

struct Admin(Router);

impl Answers for Admin {
    async fn answer(&self, _: SocketAddr, request: Request<Incoming>) -> Response<Body> {
        match self.0.clone().oneshot(request.map(axum::body::Body::new)).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}
