//! One file of the page, in memory in up to three encodings, and how it is
//! handed out: encoding, version, for how long it may be kept.

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::preference::{self, Encoding};

/// A file of the page.
#[derive(Clone, Debug, Default)]
pub(super) struct Asset {
    /// Where it is: `/index.html`, `/assets/…`.
    pub(super) path: &'static str,
    pub(super) media_type: &'static str,
    /// Names its content in any encoding; what has none is not to be kept.
    pub(super) etag: Option<&'static str>,
    pub(super) identity: Bytes,
    pub(super) gzip: Option<Bytes>,
    pub(super) brotli: Option<Bytes>,
}

/// For how long whoever got a file may keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// Its name is bound to its content: for ever.
    ForEver,
    /// Only if asked, each time, whether it is still the same.
    Asked,
}

impl Kept {
    const fn cache_control(self) -> &'static str {
        match self {
            Self::ForEver => "public, max-age=31536000, immutable",
            Self::Asked => "no-cache",
        }
    }
}

impl Asset {
    /// The file, or the news that it is still the one that the caller has.
    pub(super) fn answer(&self, asked: &HeaderMap, kept: Kept) -> Response {
        let Some(etag) = self.etag else {
            return self.answer_instead(asked, StatusCode::OK);
        };
        let common = [
            (header::CACHE_CONTROL, kept.cache_control()),
            (header::VARY, "accept-encoding"),
            (header::ETAG, etag),
        ];
        if preference::has(asked, etag) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        (common, self.body(asked)).into_response()
    }

    /// The file in place of something else: not to be kept, and no version of it.
    pub(super) fn answer_instead(&self, asked: &HeaderMap, status: StatusCode) -> Response {
        let common = [(header::CACHE_CONTROL, "no-store"), (header::VARY, "accept-encoding")];
        (status, common, self.body(asked)).into_response()
    }

    fn body(&self, asked: &HeaderMap) -> Response {
        let Self { media_type, identity, gzip, brotli, .. } = self;
        let offered = [
            brotli.as_ref().map(|bytes| (Encoding::Brotli, bytes)),
            gzip.as_ref().map(|bytes| (Encoding::Gzip, bytes)),
        ];
        let offered: Vec<_> = offered.into_iter().flatten().collect();
        let encodings: Vec<_> = offered.iter().map(|(encoding, _)| *encoding).collect();
        let chosen = preference::encoding(asked, &encodings);
        let bytes = offered.iter().find(|(encoding, _)| Some(*encoding) == chosen);
        let bytes = bytes.map_or(identity, |(_, bytes)| bytes).clone();
        let mut response = bytes.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
        if let Some(encoding) = chosen {
            let name = header::HeaderValue::from_static(encoding.name());
            headers.insert(header::CONTENT_ENCODING, name);
        }
        response
    }
}
