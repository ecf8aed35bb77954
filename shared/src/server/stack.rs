//! What every request meets first, from the outside in: its id, CORS, the
//! content-type guard, grpc-web. Pages and other plain HTTP branch off before
//! grpc-web, which would refuse them over HTTP/1.1.
//!
//! Invariant: only a request with a gRPC content type reaches a gRPC method,
//! so no page of another origin can make a call without a preflight.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    time::Duration,
};

use futures_util::FutureExt as _;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use tokio::time::Instant;
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::cors::CorsLayer;

use super::{
    dispatch::Dispatch,
    forwarded::{self, Network},
};
use crate::{
    call::{self, Call, REQUEST_ID, RequestId},
    telemetry,
};

/// The address at the other end of a request's connection, among its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Where a request comes from: over which connection, and from whom.
#[derive(Clone, Copy)]
pub(super) struct Source {
    pub(super) peer: SocketAddr,
    /// The same address, unless a trusted proxy speaks for somebody else.
    pub(super) client: IpAddr,
}

/// Everything that answers requests.
pub(super) struct Stack {
    pub(super) dispatch: Dispatch,
    /// None if no other origin may call.
    pub(super) cors: Option<CorsLayer>,
    pub(super) http: axum::Router,
    /// How long plain HTTP may take.
    pub(super) http_deadline: Duration,
    /// Who may say for whom they call.
    pub(super) trusted_proxies: Vec<Network>,
}

/// What a request is, by its method and content type.
enum Kind {
    Grpc,
    /// The content type without parameters, as the grpc-web layer knows it.
    GrpcWeb(&'static str),
    Http,
    Refused(StatusCode, &'static str),
}

impl Stack {
    /// Answers one request.
    pub(super) async fn answer(
        &self,
        peer: SocketAddr,
        mut request: Request<Incoming>,
    ) -> Response<Body> {
        let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let id = given.and_then(RequestId::parse).unwrap_or_else(RequestId::random);
        let client = forwarded::client(&self.trusted_proxies, peer.ip(), request.headers());
        let source = Source { peer, client };
        request.extensions_mut().insert(Peer(peer));

        let cross = request.headers().contains_key(header::ORIGIN);
        let mut response = match &self.cors {
            // Plain HTTP always, because its answers may be cached and `vary`.
            Some(cors) if cross || request.method() != Method::POST => {
                let route = service_fn(|request| self.route(id.clone(), source, request).map(Ok));
                infallible(Box::pin(cors.layer(route).oneshot(request)).await)
            }
            _ => self.route(id.clone(), source, request).await,
        };
        if let Ok(mut id) = HeaderValue::from_str(id.as_str()) {
            // Never the same twice: it would only push others out of HPACK's table.
            id.set_sensitive(true);
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    async fn route(
        &self,
        id: RequestId,
        source: Source,
        mut request: Request<Incoming>,
    ) -> Response<Body> {
        match Kind::of(&request) {
            Kind::Grpc => self.dispatch.call(id, source, request).await,
            Kind::GrpcWeb(content_type) => {
                let content_type = HeaderValue::from_static(content_type);
                request.headers_mut().insert(header::CONTENT_TYPE, content_type);
                let call =
                    service_fn(|request| self.dispatch.call(id.clone(), source, request).map(Ok));
                infallible(Box::pin(GrpcWebLayer::new().layer(call).oneshot(request)).await)
            }
            Kind::Http => Box::pin(self.http(id, source, request)).await,
            Kind::Refused(status, why) => plain(status, why),
        }
    }

    async fn http(
        &self,
        id: RequestId,
        source: Source,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let headers = request.headers().clone();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let routed = self.http.clone().oneshot(request.map(axum::body::Body::new));
        let deadline = Instant::now() + self.http_deadline;
        let call = Call {
            id: id.clone(),
            deadline: deadline.into_std(),
            client: source.client,
            user_agent: Call::user_agent(&headers),
        };
        let guarded = call::scope(call, AssertUnwindSafe(routed).catch_unwind());
        let response = match tokio::time::timeout_at(deadline, guarded).await {
            Ok(Ok(response)) => infallible(response).map(Body::new),
            Ok(Err(panic)) => {
                let error = telemetry::panic_text(&*panic);
                tracing::error!(request.id = id.as_str(), error, "A page could not be served.");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.\n")
            }
            Err(_) => plain(StatusCode::GATEWAY_TIMEOUT, "This took too long.\n"),
        };
        tracing::debug!(
            target: "http",
            {
                http.method = method.as_str(),
                http.path = path,
                http.status = response.status().as_u16(),
                request.id = id.as_str(),
            },
            "A page was asked for."
        );
        response
    }
}

impl Kind {
    fn of<B>(request: &Request<B>) -> Self {
        if request.method() != Method::POST {
            return Self::Http;
        }
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let is = |known: &&'static str| essence.eq_ignore_ascii_case(known);
        const GRPC: [&str; 2] = ["application/grpc", "application/grpc+proto"];
        const WEB: [&str; 4] = [
            "application/grpc-web+proto",
            "application/grpc-web",
            "application/grpc-web-text",
            "application/grpc-web-text+proto",
        ];
        if GRPC.iter().any(is) {
            if request.version() == Version::HTTP_2 {
                return Self::Grpc;
            }
            let why = "gRPC needs HTTP/2. Over HTTP/1.1 there is grpc-web.\n";
            return Self::Refused(StatusCode::BAD_REQUEST, why);
        }
        match WEB.into_iter().find(is) {
            Some(known) => Self::GrpcWeb(known),
            None => Self::Refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "What is posted here is application/grpc or application/grpc-web.\n",
            ),
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::new(axum::body::Body::from(text)));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

fn infallible<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}
