//! `GET /.well-known/jwks.json` (RFC 7517): the same keys as GetJsonWebKeySet,
//! for verifiers that speak no gRPC.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::jwk::JwkSet;

use crate::signing::KeyRing;

/// The route.
pub fn routes(keys: Arc<KeyRing>) -> Router {
    Router::new().route("/.well-known/jwks.json", get(key_set)).with_state(keys)
}

async fn key_set(State(keys): State<Arc<KeyRing>>, asked: HeaderMap) -> Response {
    let Ok(body) = serde_json::to_string(&JwkSet { keys: keys.published() }) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let hash = digest::digest(&digest::SHA256, body.as_bytes());
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash));
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known == etag.as_str());
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CACHE_CONTROL, "public, max-age=60".to_owned()),
        (header::ETAG, etag),
    ];
    if known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, body).into_response()
    }
}
