//! Browsers: the refresh token travels in a cookie that no script can read.

use proto::auth::v1::{
    RefreshSessionRequest, RefreshTokenTransport, SignInRequest, SignOutRequest,
};
use tonic::{Code, Request, metadata::MetadataMap};

use crate::harness::{PASSWORD, TestApp, Told as _};

const PAGE: &str = "https://tasks.example.org";

fn with(
    origin: &str,
    cookie: Option<&str>,
    message: impl Into<String>,
) -> Request<RefreshSessionRequest> {
    let mut request = Request::new(RefreshSessionRequest { refresh_token: message.into() });
    add(request.metadata_mut(), origin, cookie);
    request
}

fn add(metadata: &mut MetadataMap, origin: &str, cookie: Option<&str>) {
    if !origin.is_empty() {
        metadata.insert("origin", origin.parse().unwrap());
    }
    if let Some(cookie) = cookie {
        metadata.append("cookie", "theme=dark".parse().unwrap());
        metadata.append("cookie", cookie.parse().unwrap());
    }
}

async fn signed_in(app: &TestApp, origin: &str) -> Result<(String, String), tonic::Status> {
    let mut request = Request::new(SignInRequest {
        email: "ada@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        refresh_token_transport: RefreshTokenTransport::Cookie.into(),
        ..SignInRequest::default()
    });
    add(request.metadata_mut(), origin, None);
    let answer = app.auth().sign_in(request).await?;
    let set = answer.metadata().get("set-cookie").unwrap().to_str().unwrap().to_owned();
    assert_eq!(answer.get_ref().credentials.as_ref().unwrap().refresh_token, "");
    let pair = set.split(';').next().unwrap().to_owned();
    Ok((pair, set))
}

/// FR-014, FR-015.
#[tokio::test]
async fn the_refresh_token_of_a_page_lives_in_a_cookie() {
    let app = TestApp::start_with(&["--allowed-origins", PAGE]).await;
    app.signed_up("ada").await;
    let (cookie, set) = signed_in(&app, PAGE).await.unwrap();
    assert!(cookie.starts_with("__Host-duet-rt=rt1."));
    for attribute in
        ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Secure", "; Max-Age=3196800"]
    {
        assert!(set.contains(attribute), "{set}");
    }
    assert!(!set.contains("Domain"));

    let refreshed = app.auth().refresh_session(with(PAGE, Some(&cookie), "")).await.unwrap();
    let next = refreshed.metadata().get("set-cookie").unwrap().to_str().unwrap().to_owned();
    let next = next.split(';').next().unwrap();
    assert_ne!(next, cookie);
    assert_eq!(refreshed.into_inner().credentials.unwrap().refresh_token, "");

    let mut request = Request::new(SignOutRequest::default());
    add(request.metadata_mut(), PAGE, Some(next));
    let out = app.auth().sign_out(request).await.unwrap();
    let cleared = out.metadata().get("set-cookie").unwrap().to_str().unwrap();
    assert!(cleared.starts_with("__Host-duet-rt=;") && cleared.contains("Max-Age=0"));
    let over = app.auth().refresh_session(with(PAGE, Some(next), "")).await.unwrap_err();
    over.is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
}

/// A page's device is known by a cookie of its own, which outlives the session.
#[tokio::test]
async fn the_pass_of_a_device_lives_in_a_cookie_too() {
    let app = TestApp::start_with(&["--allowed-origins", PAGE]).await;
    app.signed_up("ada").await;
    let sign_in = async |password: &str, origin: &str, cookie: Option<&str>, transport| {
        let mut request = Request::new(SignInRequest {
            email: "ada@example.org".to_owned(),
            password: password.to_owned(),
            refresh_token_transport: i32::from(transport),
            ..SignInRequest::default()
        });
        add(request.metadata_mut(), origin, cookie);
        app.auth().sign_in(request).await
    };
    let answer = sign_in(PASSWORD, PAGE, None, RefreshTokenTransport::Cookie).await.unwrap();
    assert_eq!(answer.get_ref().credentials.as_ref().unwrap().device_token, "");
    let set: Vec<_> = answer.metadata().get_all("set-cookie").iter().collect();
    assert_eq!(set.len(), 2);
    let set = set[1].to_str().unwrap();
    let attributes = "; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict; Secure";
    assert!(set.starts_with("__Host-duet-device=dp1.") && set.ends_with(attributes), "{set}");
    let cookie = set.split(';').next().unwrap();

    for _ in 0..5 {
        app.sign_in("ada@example.org", "not-Her-Password").await.unwrap_err();
    }
    let both = format!("{cookie}; __Host-duet-rt=rt1.junk");
    sign_in(PASSWORD, PAGE, Some(&both), RefreshTokenTransport::Cookie).await.unwrap();
    for (cookie, transport) in [
        (None, RefreshTokenTransport::Cookie),
        (Some("__Host-duet-device="), RefreshTokenTransport::Cookie),
        (Some(cookie), RefreshTokenTransport::Message),
    ] {
        let refused = sign_in(PASSWORD, PAGE, cookie, transport).await.unwrap_err();
        refused.is(Code::ResourceExhausted, "SIGN_IN_THROTTLED");
    }
    // A refresh brings no pass: it is no sign-in.
    let token = app.signed_up("bea").await.credentials.refresh_token;
    assert_eq!(app.refresh(&token).await.unwrap().device_token, "");
}

/// No other site, and nobody who hides where they come from.
#[tokio::test]
async fn the_cookie_is_good_from_allowed_origins_only() {
    let app = TestApp::start_with(&["--allowed-origins", PAGE]).await;
    app.signed_up("ada").await;
    let (cookie, _) = signed_in(&app, PAGE).await.unwrap();
    for origin in ["", "null", "https://evil.example", "http://tasks.example.org"] {
        let refused = app.auth().refresh_session(with(origin, Some(&cookie), "")).await;
        refused.unwrap_err().is(Code::PermissionDenied, "ORIGIN_REJECTED");
        signed_in(&app, origin).await.unwrap_err().is(Code::PermissionDenied, "ORIGIN_REJECTED");
    }
    let none = app.auth().refresh_session(with(PAGE, None, "")).await.unwrap_err();
    none.is(Code::Unauthenticated, "REFRESH_TOKEN_MISSING");
    let junk = app.auth().refresh_session(with(PAGE, Some("__Host-duet-rt=rt1.junk"), "")).await;
    junk.unwrap_err().is(Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    // A native client's token counts, whatever cookie comes with it.
    let native = app.sign_in("ada@example.org", PASSWORD).await.unwrap().refresh_token;
    let answer = app.auth().refresh_session(with("", Some(&cookie), native)).await.unwrap();
    assert!(answer.metadata().get("set-cookie").is_none());
}
