//! The pair under another name, behind something that speaks TLS for it.

use proto::auth::v1::{RefreshSessionRequest, SignInRequest};
use reqwest::{Client, Response};

use crate::{
    grpc_web::frame,
    harness::{PASSWORD, Up, folder, sign_up},
};

async fn post(up: &Up, method: &str, origin: &str, cookie: &str, body: Vec<u8>) -> Response {
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(format!("http://{}/auth.v1.AuthService/{method}", up.web))
        .header("content-type", "application/grpc-web+proto")
        .header("origin", origin)
        .header("cookie", cookie);
    request.body(body).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// What is set for the services holds where both are: a cookie for HTTPS only,
/// and pages of other origins, of which only those of auth-service may use it.
#[tokio::test]
async fn the_settings_for_another_name_hold_where_both_services_are() {
    const PAGE: &str = "https://duet.example";
    const OTHER: &str = "https://tasks.example";
    let data = folder();
    let variables = [
        ("AUTH_COOKIE_SECURE", "true"),
        ("AUTH_ALLOWED_ORIGINS", PAGE),
        ("TASK_ALLOWED_ORIGINS", OTHER),
    ];
    let up = Up::start_with(data.path(), &variables).await;
    sign_up(&mut up.auth(), "ada@example.org").await;
    let sign_in = SignInRequest {
        email: "ada@example.org".to_owned(),
        password: PASSWORD.to_owned(),
        refresh_token_transport: 2,
        ..SignInRequest::default()
    };
    let response = post(&up, "SignIn", PAGE, "", frame(&sign_in)).await;
    assert_eq!(header(&response, "access-control-allow-origin"), Some(PAGE));
    let cookie = header(&response, "set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-duet-rt=rt1."), "{cookie}");
    assert!(cookie.split("; ").any(|part| part == "Secure"), "{cookie}");
    let pair = cookie.split(';').next().unwrap().to_owned();

    let refresh = frame(&RefreshSessionRequest::default());
    let own = format!("http://{}", up.web);
    for (origin, allowed, status) in
        [(OTHER, Some(OTHER), "7"), ("https://evil.example", None, "7")]
    {
        let response = post(&up, "RefreshSession", origin, &pair, refresh.clone()).await;
        assert_eq!(header(&response, "access-control-allow-origin"), allowed, "{origin}");
        assert_eq!(header(&response, "grpc-status"), Some(status), "{origin}");
    }
    for origin in [PAGE, &own] {
        let response = post(&up, "RefreshSession", origin, &pair, refresh.clone()).await;
        assert_eq!(header(&response, "access-control-allow-origin"), Some(origin), "{origin}");
        assert!(header(&response, "set-cookie").is_some(), "{origin}");
    }
    up.stop().await;
}
