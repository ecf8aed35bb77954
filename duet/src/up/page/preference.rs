//! What a caller says it takes (RFC 9110, §12.4.2 quality values, §12.5.1
//! Accept, §12.5.3 Accept-Encoding) and has (§13.1.2 If-None-Match).

use axum::http::{HeaderMap, HeaderName, header};

/// A compression that a file may be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// Its name in Content-Encoding.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn is_called(self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.name())
            || (self == Self::Gzip && name.eq_ignore_ascii_case("x-gzip"))
    }
}

/// The best of these encodings, the earlier among equals; None for the plain
/// file, which is also what a caller gets who takes nothing at all.
pub(super) fn encoding(asked: &HeaderMap, offered: &[Encoding]) -> Option<Encoding> {
    let wanted = wanted(asked, &header::ACCEPT_ENCODING);
    let named = |is: &dyn Fn(&str) -> bool| {
        wanted.iter().find(|(name, _)| is(name)).map(|(_, quality)| *quality)
    };
    let any = named(&|name| name == "*");
    // The plain file always does, but whatever is named comes first.
    let plain = named(&|name| name.eq_ignore_ascii_case("identity")).unwrap_or(0);
    let mut best = (None, plain.max(1));
    for encoding in offered {
        let quality = named(&|name| encoding.is_called(name)).or(any).unwrap_or(0);
        let (chosen, least) = best;
        if quality > least || (quality == least && quality > 0 && chosen.is_none()) {
            best = (Some(*encoding), quality);
        }
    }
    best.0
}

/// Whether the caller is somebody who looks at pages: it names HTML.
pub(super) fn takes_html(asked: &HeaderMap) -> bool {
    let is_html = |name: &str| name.eq_ignore_ascii_case("text/html");
    wanted(asked, &header::ACCEPT).iter().any(|(name, quality)| is_html(name) && *quality > 0)
}

/// Whether the caller has this version already. `etag` is a weak one.
pub(super) fn has(asked: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    items(asked, &header::IF_NONE_MATCH).any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

/// The names in a header with their quality in thousandths.
fn wanted<'a>(asked: &'a HeaderMap, name: &HeaderName) -> Vec<(&'a str, u16)> {
    let item = |item: &'a str| {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        (name, quality.map_or(1000, thousandths))
    };
    items(asked, name).map(item).collect()
}

/// What is no quality is none: the caller shall rather get the plain file.
fn thousandths(quality: &str) -> u16 {
    let quality = quality.parse::<f32>().ok().filter(|quality| (0.0..=1.0).contains(quality));
    // At most 1000, by the line above.
    quality.map_or(0, |quality| (quality * 1000.0).round() as u16)
}

fn items<'a>(asked: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    asked.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','))
}
