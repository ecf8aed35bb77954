//! Cross-origin calls from browsers: which origins may make them, and what
//! their scripts may send and see. There is no wildcard.

use std::{fmt, str::FromStr, time::Duration};

use http::{HeaderName, HeaderValue, Method, Uri, header};
use tower_http::cors::CorsLayer;

use crate::call;

/// How long a browser may remember the answer to a preflight.
const MAX_AGE: Duration = Duration::from_secs(7200);

/// A web origin (RFC 6454) as browsers send it: `https://app.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// Why a text is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an origin is a scheme, a host and maybe a port, as in https://app.example.com")]
pub struct NotAnOrigin;

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let uri: Uri = text.parse().map_err(|_| NotAnOrigin)?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(NotAnOrigin);
        };
        // A path, user information or a trailing slash would never match what browsers send.
        let plain = format!("{scheme}://{authority}").to_ascii_lowercase();
        if plain != text || authority.as_str().contains('@') {
            return Err(NotAnOrigin);
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| NotAnOrigin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// The layer that answers preflights and marks what these origins may read.
pub(super) fn cors(origins: Vec<Origin>) -> CorsLayer {
    let own = HeaderName::from_static;
    CorsLayer::new()
        .allow_origin(origins.into_iter().map(|origin| origin.0).collect::<Vec<_>>())
        .allow_methods([Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            own("x-grpc-web"),
            own("x-user-agent"),
            own("grpc-timeout"),
            own(call::REQUEST_ID),
        ])
        .expose_headers([
            own("grpc-status"),
            own("grpc-message"),
            own("grpc-status-details-bin"),
            own("x-idempotent-replay"),
            own(call::REQUEST_ID),
        ])
        .allow_credentials(true)
        .max_age(MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_would_send() {
        for good in ["https://app.example.com", "http://127.0.0.1:8080", "http://[::1]:3000"] {
            assert_eq!(good.parse::<Origin>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://app.example.com/",
            "https://a@b",
            "ftp://a",
        ] {
            assert_eq!(bad.parse::<Origin>(), Err(NotAnOrigin), "{bad}");
        }
    }
}
