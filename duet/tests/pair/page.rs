//! The page as the real program serves it, over HTTP/1.1 and HTTP/2, whether it
//! was built along or stands in for one that was not: what a browser is told,
//! and that nothing on it comes from anywhere else.

use std::{collections::BTreeSet, io::Read as _};

use reqwest::{Client, Method, Response, StatusCode};

use crate::harness::{Up, folder};

/// Hosts that a script or style may name without ever calling them: the names
/// of XML namespaces, and where a library's error message says to read on.
const NAMES_ONLY: [&str; 2] = ["github.com", "www.w3.org"];

/// A browser without a screen, on one version of HTTP.
struct Browser {
    client: Client,
    origin: String,
}

impl Browser {
    fn both(up: &Up) -> [Self; 2] {
        let builder = || Client::builder().no_proxy();
        let clients = [builder().http1_only(), builder().http2_prior_knowledge()];
        clients.map(|client| Self {
            client: client.build().unwrap(),
            origin: format!("http://{}", up.web),
        })
    }

    async fn ask(&self, method: Method, path: &str, said: &[(&str, &str)]) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.origin));
        for (name, value) in said {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str, said: &[(&str, &str)]) -> Response {
        self.ask(Method::GET, path, said).await
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Whether the program has the real page. The one that stands in says so.
fn is_built(html: &str) -> bool {
    !html.contains("without its page")
}

/// The values of an attribute.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let starts = html.split(attribute).skip(1);
    starts.filter_map(|rest| rest.strip_prefix("=\"")?.split('"').next()).collect()
}

/// The files that the index loads.
fn loaded(html: &str) -> Vec<&str> {
    let tags = html.split('<').filter(|tag| tag.starts_with("link") || tag.starts_with("script"));
    tags.flat_map(|tag| [values(tag, "href"), values(tag, "src")].concat()).collect()
}

/// The hosts named in a script or a style.
fn hosts(text: &str) -> BTreeSet<&str> {
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    let after = ["http://", "https://", "ws://", "wss://"].into_iter();
    after
        .flat_map(|scheme| text.split(scheme).skip(1))
        .map(|rest| rest.split(|c| !is_host(c)).next().unwrap_or_default())
        .filter(|host| !host.is_empty())
        .collect()
}

#[tokio::test]
async fn every_screen_is_served_and_what_is_not_there_is_not_found() {
    let data = folder();
    let up = Up::start(data.path()).await;
    for browser in Browser::both(&up) {
        let index = browser.get("/", &[]).await.text().await.unwrap();
        for path in [
            "/signup",
            "/signin",
            "/tasks",
            "/tasks?status=done&page=2",
            "/tasks/0b8f5d2e",
            "/settings/profile",
            "/settings/password",
            "/settings/sessions",
            "/settings/factors",
            "/settings/activity",
            "/settings/delete",
            "/forgot",
            "/reset",
            "/verify",
            "/receipt",
        ] {
            let screen = browser.get(path, &[("accept", "text/html")]).await;
            assert_eq!(screen.status(), StatusCode::OK, "{path}");
            assert_eq!(header(&screen, "content-type"), "text/html; charset=utf-8");
            assert_eq!(screen.text().await.unwrap(), index, "{path}");
        }

        let lost = browser.get("/nowhere", &[("accept", "text/html,*/*;q=0.8")]).await;
        assert_eq!(lost.status(), StatusCode::NOT_FOUND);
        assert_eq!(lost.text().await.unwrap(), index);
        let lost = browser.get("/nowhere", &[("accept", "*/*")]).await;
        assert_eq!(lost.status(), StatusCode::NOT_FOUND);
        assert_eq!(lost.text().await.unwrap(), "There is nothing here.\n");

        // Only gRPC may be posted, wherever to; nothing else is written.
        let posted = browser.ask(Method::POST, "/tasks", &[("content-type", "text/plain")]).await;
        assert_eq!(posted.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let put = browser.ask(Method::PUT, "/tasks", &[]).await;
        assert_eq!(put.status(), StatusCode::METHOD_NOT_ALLOWED);

        let head = browser.ask(Method::HEAD, "/tasks", &[]).await;
        assert_eq!(head.status(), StatusCode::OK);
        assert_eq!(header(&head, "content-length"), index.len().to_string());
        assert_eq!(head.bytes().await.unwrap().len(), 0);
    }
    up.stop().await;
}

#[tokio::test]
async fn what_the_index_loads_is_here_hashed_and_kept_for_ever() {
    let data = folder();
    let up = Up::start(data.path()).await;
    for browser in Browser::both(&up) {
        let index = browser.get("/", &[]).await.text().await.unwrap();
        let files = loaded(&index);
        assert!(files.iter().any(|file| file.ends_with(".css")), "{index}");
        assert_eq!(files.iter().any(|file| file.ends_with(".js")), is_built(&index), "{index}");
        for file in files.iter().filter(|file| **file != "data:,") {
            assert!(file.starts_with("/assets/"), "{file}");
            let plain = browser.get(file, &[]).await;
            assert_eq!(plain.status(), StatusCode::OK, "{file}");
            if !is_built(&index) {
                assert_eq!(header(&plain, "cache-control"), "no-store", "{file}");
                continue;
            }
            assert_eq!(header(&plain, "cache-control"), "public, max-age=31536000, immutable");
            let stem = file.rsplit_once('.').unwrap().0;
            let hash = stem.rsplit_once('-').unwrap().1;
            assert!(hash.len() == 8 && hash.chars().all(|c| c.is_ascii_alphanumeric()), "{file}");

            let (media_type, etag) =
                (header(&plain, "content-type").to_owned(), header(&plain, "etag").to_owned());
            let plain = plain.bytes().await.unwrap();
            let zipped = browser.get(file, &[("accept-encoding", "gzip")]).await;
            assert_eq!(header(&zipped, "content-encoding"), "gzip", "{file}");
            assert_eq!(header(&zipped, "content-type"), media_type);
            let zipped = zipped.bytes().await.unwrap();
            let mut unzipped = Vec::new();
            flate2::read::GzDecoder::new(&zipped[..]).read_to_end(&mut unzipped).unwrap();
            assert_eq!(unzipped, plain, "{file}");

            let best = browser.get(file, &[("accept-encoding", "gzip, deflate, br")]).await;
            assert_eq!(header(&best, "content-encoding"), "br", "{file}");
            let vary = best.headers().get_all("vary");
            assert!(vary.iter().any(|value| value == "accept-encoding"), "{vary:?}");
            assert!(best.bytes().await.unwrap().len() < zipped.len(), "{file}");

            let again = browser.get(file, &[("if-none-match", &etag)]).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{file}");
            assert_eq!(again.bytes().await.unwrap().len(), 0);
        }
    }
    up.stop().await;
}

#[tokio::test]
async fn nothing_is_inline_and_nothing_comes_from_another_host() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let [browser, _] = Browser::both(&up);
    let response = browser.get("/", &[("accept", "text/html")]).await;
    let policy = header(&response, "content-security-policy").to_owned();
    for said in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(said), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(header(&response, name), value);
    }

    let index = response.text().await.unwrap();
    for tag in index.split('<').filter_map(|rest| Some(rest.split_once('>')?.0)) {
        assert!(!tag.starts_with("style") && !tag.contains("javascript:"), "{tag}");
        let mut attributes = tag.split_whitespace().skip(1);
        assert!(!attributes.any(|a| a.starts_with("style=") || a.starts_with("on")), "{tag}");
    }
    for script in index.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').unwrap();
        assert!(tag.contains(" src=\"/assets/"), "{tag}");
        assert!(rest.starts_with("</script>"), "{index}");
    }
    for file in loaded(&index).into_iter().filter(|file| *file != "data:,") {
        let text = browser.get(file, &[]).await.text().await.unwrap();
        let foreign: Vec<_> =
            hosts(&text).into_iter().filter(|host| !NAMES_ONLY.contains(host)).collect();
        assert_eq!(foreign, Vec::<&str>::new(), "{file}");
        assert!(!text.contains("@import"), "{file}");
        assert!(!text.contains("url(//") && !text.contains("url(\"//"), "{file}");
    }
    up.stop().await;
}
