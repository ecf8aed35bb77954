//! The page of a program that was built without one: what runs where, and how
//! to have the page. Files like any others, so that the same rules hold, but of no
//! version: the next program may have the real page at the same address.

use axum::body::Bytes;

use super::{
    super::{Addresses, settings::reachable},
    Asset,
};

const HTML: &str = include_str!("not_built.html");
const CSS: &str = include_str!("not_built.css");

/// Its files; `why` completes a sentence that begins "The page".
pub(super) fn files(why: &str, addresses: &Addresses) -> Vec<Asset> {
    let Addresses { web, auth, task } = *addresses;
    let html = HTML
        .replace("{why}", why)
        .replace("{web}", &reachable(web).to_string())
        .replace("{auth}", &reachable(auth).to_string())
        .replace("{task}", &reachable(task).to_string());
    let index = Asset {
        path: "/index.html",
        media_type: "text/html; charset=utf-8",
        identity: Bytes::from(html),
        ..Asset::default()
    };
    let style = Asset {
        path: "/assets/not-built.css",
        media_type: "text/css; charset=utf-8",
        identity: Bytes::from_static(CSS.as_bytes()),
        ..Asset::default()
    };
    vec![index, style]
}
