//! Introspection and the key set. What a good token is not is in `hostile`.

use proto::auth::v1::{
    GetJsonWebKeySetRequest, GetUserRequest, SignOutRequest, VerifyTokenRequest,
    VerifyTokenResponse,
};
use tonic::Code;

use crate::harness::{TestApp, Told as _, minutes};

async fn verify(app: &TestApp, token: &str) -> VerifyTokenResponse {
    let request = VerifyTokenRequest { token: token.to_owned() };
    app.tokens().verify_token(request).await.unwrap().into_inner()
}

/// RFC 7662: a good token is described; of a bad one nothing is said.
#[tokio::test]
async fn introspection_says_all_of_a_good_token_and_nothing_of_a_bad_one() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let token = &ada.credentials.access_token;
    let said = verify(&app, token).await;
    assert!(said.active);
    assert_eq!((said.user, said.email), (ada.name, ada.email));
    assert_eq!(said.session, ada.credentials.session);
    assert_eq!(said.issuer, "https://auth.test");
    assert_eq!(said.authentication_methods, ["pwd"]);
    assert_eq!(said.expire_time.unwrap().seconds - said.issue_time.unwrap().seconds, 300);

    for bad in ["", "junk", &token[..token.len() - 1], &format!("{token}A")] {
        assert_eq!(verify(&app, bad).await, VerifyTokenResponse::default());
    }
    app.clock.advance(minutes(6));
    assert_eq!(verify(&app, token).await, VerifyTokenResponse::default());
    let fresh = app.refresh(&ada.credentials.refresh_token).await.unwrap();
    assert!(verify(&app, &fresh.access_token).await.active);
    let sign_out = SignOutRequest { refresh_token: fresh.refresh_token };
    app.auth().sign_out(sign_out).await.unwrap();
    assert_eq!(verify(&app, &fresh.access_token).await, VerifyTokenResponse::default());
}

/// RFC 7517: one set, by gRPC and by HTTP.
#[tokio::test]
async fn the_key_set_is_published_twice_and_is_the_same() {
    let app = TestApp::start().await;
    let keys = app.tokens().get_json_web_key_set(GetJsonWebKeySetRequest {}).await.unwrap();
    let [key] = &keys.into_inner().keys[..] else { panic!("one key") };
    let url = format!("http://{}/.well-known/jwks.json", app.address);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(&url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert!(answer.headers()["cache-control"].to_str().unwrap().contains("max-age"));
    let etag = answer.headers()["etag"].clone();
    let set: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(set["keys"][0]["kid"], key.kid.as_str());
    assert_eq!(set["keys"][0]["x"], key.x.as_str());
    assert_eq!(set["keys"][0]["use"], "sig");
    assert_eq!(set["keys"][0].get("y"), None);
    let again = client.get(&url).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(again.status(), 304);
}

/// FR-013: ES256 by configuration.
#[tokio::test]
async fn tokens_may_be_signed_with_es256() {
    let app = TestApp::start_with(&["--signing-algorithm=es256"]).await;
    let ada = app.signed_up("ada").await;
    let keys = app.tokens().get_json_web_key_set(GetJsonWebKeySetRequest {}).await.unwrap();
    assert_eq!(keys.into_inner().keys[0].alg, "ES256");
    assert!(verify(&app, &ada.credentials.access_token).await.active);
    let mut account = app.account(&ada.credentials.access_token);
    assert!(account.get_user(GetUserRequest::default()).await.is_ok());
}

/// Larger than all headers may be: the connection refuses, and lives on.
#[tokio::test]
async fn a_large_header_is_refused() {
    let app = TestApp::start().await;
    let ada = app.signed_up("ada").await;
    let huge = app.account(&"x".repeat(1 << 20)).get_user(GetUserRequest::default()).await;
    let huge = huge.unwrap_err();
    assert_ne!(huge.code(), Code::Internal, "{huge:?}");
    let mut account = app.account(&ada.credentials.access_token);
    assert!(account.get_user(GetUserRequest::default()).await.is_ok());
}

/// A message larger than 64 KiB is refused without being read.
#[tokio::test]
async fn a_large_message_is_refused() {
    let app = TestApp::start().await;
    let request = VerifyTokenRequest { token: "x".repeat(4 << 20) };
    let refused = app.tokens().verify_token(request).await.unwrap_err();
    refused.is(Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
}
