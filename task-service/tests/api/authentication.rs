//! Who may call at all. What a good token is not is in `hostile`.

use std::time::Duration;

use bytes::Bytes;
use shared::{clock::Clock as _, rng};
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
