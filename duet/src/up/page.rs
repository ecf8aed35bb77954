//! What a browser sees at the address of `duet up`: a page without scripts that
//! says what runs where.

use axum::{
    Router,
    http::{HeaderName, StatusCode, header},
    response::Html,
    routing::get,
};

use super::Addresses;

/// Nothing may be loaded, run, framed or sent.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The page, and an answer for everything else.
pub(super) fn routes(addresses: &Addresses) -> Router {
    let Addresses { web, auth, task } = addresses;
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content='width=device-width'><title>Duet</title>\
         <style>body{{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;\
         padding:0 1rem;color-scheme:light dark}}code{{font-size:.95em}}</style>\
         <h1>Duet is running</h1>\
         <p>Both services answer grpc-web on this origin, <code>http://{web}</code>.\
         <p>gRPC: <code>{auth}</code> for accounts, <code>{task}</code> for tasks.\
         <p>Public keys: <a href=/.well-known/jwks.json>/.well-known/jwks.json</a>."
    );
    let page = move || {
        let html = html.clone();
        async move { (security(), Html(html)) }
    };
    Router::new()
        .route("/", get(page))
        .fallback(async || (StatusCode::NOT_FOUND, security(), "There is nothing here.\n"))
}

fn security() -> [(HeaderName, &'static str); 3] {
    [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ]
}
