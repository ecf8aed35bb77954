//! What a browser gets at the address of `duet up`: the page of `web/`, embedded
//! when this program was built, or a built-in one that says how to have it.
//! Which addresses the page has, and how each is answered. The files themselves
//! are the matter of `asset`, the words about security that of `headers`.

mod asset;
mod headers;
mod not_built;
mod preference;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};

use self::asset::{Asset, Kept};
use super::Addresses;

/// The addresses of the page's screens, `deploy/Caddyfile` knows them too. What
/// is not among them is answered with 404, and the page says so.
const SCREENS: [&str; 17] = [
    "/",
    "/signup",
    "/signin",
    "/forgot",
    "/reset",
    "/verify",
    "/receipt",
    "/tasks",
    "/tasks/{id}",
    "/settings/profile",
    "/settings/password",
    "/settings/sessions",
    "/settings/factors",
    "/settings/activity",
    "/settings/import",
    "/settings/export",
    "/settings/delete",
];

/// Everything that belongs to one page.
pub(super) struct Page {
    /// What every screen begins with.
    index: Asset,
    /// Its scripts, styles and pictures, by path.
    assets: HashMap<&'static str, Asset>,
}

impl Page {
    /// The embedded page, or the one that stands in for it.
    pub(super) fn embedded(addresses: &Addresses) -> Self {
        let files = embedded().unwrap_or_else(|why| not_built::files(why, addresses));
        Self::of(files)
    }

    fn of(files: Vec<Asset>) -> Self {
        let mut assets: HashMap<_, _> = files.into_iter().map(|file| (file.path, file)).collect();
        let index = assets.remove("/index.html").unwrap_or_default();
        Self { index, assets }
    }
}

/// The files that `build.rs` found, or why there are none.
fn embedded() -> Result<Vec<Asset>, &'static str> {
    include!(concat!(env!("OUT_DIR"), "/page.rs"))
}

/// The page, and an answer for everything else.
pub(super) fn routes(page: Page) -> Router {
    let screens =
        SCREENS.iter().fold(Router::new(), |router, path| router.route(path, get(screen)));
    screens
        .route("/assets/{*file}", get(file))
        .fallback(unknown)
        .layer(middleware::map_response(headers::add))
        .with_state(Arc::new(page))
}

async fn screen(State(page): State<Arc<Page>>, asked: HeaderMap) -> Response {
    page.index.answer(&asked, Kept::Asked)
}

async fn file(State(page): State<Arc<Page>>, uri: Uri, asked: HeaderMap) -> Response {
    match page.assets.get(uri.path()) {
        Some(file) => file.answer(&asked, Kept::ForEver),
        None => nothing(),
    }
}

async fn unknown(State(page): State<Arc<Page>>, method: Method, asked: HeaderMap) -> Response {
    let reads = [Method::GET, Method::HEAD].contains(&method);
    if reads && preference::takes_html(&asked) {
        page.index.answer_instead(&asked, StatusCode::NOT_FOUND)
    } else {
        nothing()
    }
}

fn nothing() -> Response {
    let never_kept = [(header::CACHE_CONTROL, "no-store")];
    (StatusCode::NOT_FOUND, never_kept, "There is nothing here.\n").into_response()
}

#[cfg(test)]
mod tests;
