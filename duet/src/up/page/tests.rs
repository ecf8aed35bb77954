//! Both pages through the router, as browsers ask for them: the built one with
//! files of this test's own, the built-in one as it is.

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{Method, Request, Response, StatusCode},
};
use tower::ServiceExt as _;

use super::{Asset, Page, SCREENS, headers::HEADERS, not_built, routes};
use crate::up::Addresses;

const CADDYFILE: &str = include_str!("../../../../deploy/Caddyfile");

fn addresses() -> Addresses {
    let at = |port| ([127, 0, 0, 1], port).into();
    Addresses { web: at(8080), auth: at(50051), task: at(50052) }
}

fn built() -> Page {
    let index = Asset {
        path: "/index.html",
        media_type: "text/html; charset=utf-8",
        etag: Some("W/\"1\""),
        identity: Bytes::from_static(b"plain index"),
        gzip: Some(Bytes::from_static(b"gzip index")),
        brotli: Some(Bytes::from_static(b"br index")),
    };
    let script = Asset {
        path: "/assets/main-AB12.js",
        media_type: "text/javascript; charset=utf-8",
        etag: Some("W/\"2\""),
        identity: Bytes::from_static(b"plain script"),
        gzip: Some(Bytes::from_static(b"gzip script")),
        brotli: None,
    };
    Page::of(vec![index, script])
}

/// What one caller gets from a page.
async fn ask(page: Page, method: Method, path: &str, said: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in said {
        request = request.header(*name, *value);
    }
    routes(page).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn get(page: Page, path: &str, said: &[(&str, &str)]) -> Response<Body> {
    ask(page, Method::GET, path, said).await
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().into()).unwrap()
}

#[tokio::test]
async fn every_screen_begins_with_the_index_and_asks_each_time() {
    for screen in SCREENS {
        let path = screen.replace("{id}", "0b8f5d2e");
        let response = get(built(), &path, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(header(&response, "content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(header(&response, "cache-control"), Some("no-cache"));
        assert_eq!(header(&response, "etag"), Some("W/\"1\""));
        assert_eq!(text(response).await, "plain index");
    }
}

#[tokio::test]
async fn a_file_is_kept_for_ever_and_one_that_is_gone_is_not() {
    let response = get(built(), "/assets/main-AB12.js", &[]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), Some("text/javascript; charset=utf-8"));
    let cache = header(&response, "cache-control");
    assert_eq!(cache, Some("public, max-age=31536000, immutable"));
    assert_eq!(text(response).await, "plain script");

    let browser = [("accept", "text/html,*/*;q=0.8")];
    for path in ["/assets/main-CD34.js", "/assets/", "/assets/main-AB12.js.gz", "/assets/a/b"] {
        let response = get(built(), path, &browser).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&response, "cache-control"), Some("no-store"), "{path}");
    }
}

#[tokio::test]
async fn people_get_the_page_for_what_is_not_there_and_programs_a_line() {
    for path in ["/nope", "/tasks/1/2", "/tasks/", "/index.html", "/favicon.ico"] {
        let known = ("if-none-match", "W/\"1\"");
        let response = get(built(), path, &[("accept", "text/html"), known]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&response, "cache-control"), Some("no-store"));
        assert_eq!(text(response).await, "plain index");

        for accept in ["*/*", "application/json", "text/html;q=0"] {
            let response = get(built(), path, &[("accept", accept)]).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(header(&response, "content-type"), Some("text/plain; charset=utf-8"));
        }
    }
}

#[tokio::test]
async fn the_best_encoding_that_the_caller_takes_is_sent() {
    let cases = [
        (&[][..], None),
        (&["gzip, deflate, br, zstd"], Some("br")),
        (&["gzip", "br"], Some("br")),
        (&["gzip"], Some("gzip")),
        (&["X-GZip"], Some("gzip")),
        (&["br;q=0.5, gzip;q=0.9"], Some("gzip")),
        (&["br;q=0.001"], Some("br")),
        (&["br;q=0, gzip;q=0"], None),
        (&["br;q=much"], None),
        (&["*"], Some("br")),
        (&["*, br;q=0"], Some("gzip")),
        (&["identity, gzip;q=0.5"], None),
        (&["identity;q=0.5, gzip;q=0.5"], Some("gzip")),
        (&["identity;q=0, *;q=0"], None),
        (&["deflate"], None),
    ];
    for (fields, expected) in cases {
        let said: Vec<_> = fields.iter().map(|value| ("accept-encoding", *value)).collect();
        let response = get(built(), "/tasks", &said).await;
        assert_eq!(header(&response, "content-encoding"), expected, "{fields:?}");
        assert_eq!(header(&response, "vary"), Some("accept-encoding"));
        let kind = expected.unwrap_or("plain");
        assert_eq!(text(response).await, format!("{kind} index"), "{fields:?}");
    }
    // Without a Brotli form the next best is sent.
    let response = get(built(), "/assets/main-AB12.js", &[("accept-encoding", "br, gzip")]).await;
    assert_eq!(header(&response, "content-encoding"), Some("gzip"));
}

#[tokio::test]
async fn who_has_this_version_is_told_so() {
    for known in ["W/\"1\"", "\"1\"", "\"x\", W/\"1\"", "*"] {
        let response = get(built(), "/", &[("if-none-match", known)]).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(header(&response, "etag"), Some("W/\"1\""));
        assert_eq!(header(&response, "cache-control"), Some("no-cache"));
        assert_eq!(text(response).await, "");
    }
    for other in ["W/\"2\"", "1", ""] {
        let response = get(built(), "/", &[("if-none-match", other)]).await;
        assert_eq!(response.status(), StatusCode::OK, "{other}");
    }
}

#[tokio::test]
async fn a_head_is_a_get_without_a_body_and_nothing_else_is_taken() {
    for (path, status, length) in [
        ("/tasks", StatusCode::OK, "11"),
        ("/assets/main-AB12.js", StatusCode::OK, "12"),
        ("/nope", StatusCode::NOT_FOUND, "11"),
    ] {
        let response = ask(built(), Method::HEAD, path, &[("accept", "text/html")]).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(header(&response, "content-length"), Some(length), "{path}");
        assert_eq!(text(response).await, "", "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let response = ask(built(), method.clone(), "/tasks", &[]).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(header(&response, "allow"), Some("GET,HEAD"));
        let response = ask(built(), method, "/nope", &[("accept", "text/html")]).await;
        assert_eq!(text(response).await, "There is nothing here.\n");
    }
}

#[tokio::test]
async fn every_answer_says_the_same_about_security() {
    let browser = ("accept", "text/html");
    for page in [built, || Page::of(not_built::files("…", &addresses()))] {
        for path in ["/", "/tasks/1", "/assets/main-AB12.js", "/assets/none.js", "/nope"] {
            for (method, said) in [
                (Method::GET, &[browser][..]),
                (Method::GET, &[]),
                (Method::GET, &[("if-none-match", "*")]),
                (Method::PUT, &[]),
            ] {
                let response = ask(page(), method, path, said).await;
                for (name, value) in HEADERS {
                    assert_eq!(header(&response, name), Some(value), "{path}");
                }
            }
        }
    }
}

#[test]
fn caddy_says_the_same_and_knows_the_same_screens() {
    let lines: Vec<_> = CADDYFILE.lines().map(|line| line.trim().to_lowercase()).collect();
    for (name, value) in HEADERS {
        let line = format!("{name} \"{value}\"").to_lowercase();
        assert_eq!(lines.iter().filter(|said| **said == line).count(), 1, "{line}");
    }
    let screens = SCREENS.join("|").replace("{id}", "[^/]+");
    let line = format!("@screen path_regexp ^({screens})$");
    assert!(lines.contains(&line), "{line}");
}

#[tokio::test]
async fn without_a_page_the_address_says_why_and_how_to_have_it() {
    let page = || Page::of(not_built::files("was left out", &addresses()));
    let response = get(page(), "/tasks", &[("accept-encoding", "br")]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "content-type"), Some("text/html; charset=utf-8"));
    // The page that is built next has the same address.
    assert_eq!(header(&response, "cache-control"), Some("no-store"));
    assert_eq!(header(&response, "etag"), None);
    let html = text(response).await;
    for said in
        ["The page was left out.", "npm", "cargo run", "127.0.0.1:8080", "127.0.0.1:50051", "50052"]
    {
        assert!(html.contains(said), "{said}: {html}");
    }
    assert!(!html.contains(['{', '}']), "{html}");
    assert!(html.contains("href=\"/assets/not-built.css\""));
    let style = get(page(), "/assets/not-built.css", &[]).await;
    assert_eq!(style.status(), StatusCode::OK);
    assert_eq!(header(&style, "content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(header(&style, "cache-control"), Some("no-store"));
}
