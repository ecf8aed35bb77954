//! What makes a write repeatable (AIP-155) and safe against lost edits
//! (AIP-154): request ids with what was asked under them, and etags.
//!
//! Invariant: two requests have the same payload hash only if they ask for the
//! same thing, however they spell its name.

use aws_lc_rs::digest::{Context, SHA256};
use uuid::Uuid;

/// A client's own id for a write, and what the write asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    /// The id.
    pub id: Uuid,
    /// SHA-256 of the payload.
    pub payload: [u8; 32],
}

impl RequestId {
    /// Reads a request id; None if it is empty.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(text: &str) -> Result<Option<Uuid>, &'static str> {
        match text {
            "" => Ok(None),
            // The library reads other spellings too.
            _ if text.len() != 36 => Err("A request id is a UUID."),
            _ => Uuid::try_parse(text).map(Some).map_err(|_| "A request id is a UUID."),
        }
    }
}

/// Sums up what a write asks for. Every part goes in with its length, so that
/// no two lists of parts look alike.
pub struct Payload(Context);

impl Payload {
    /// The payload of a call to this method.
    #[must_use]
    pub fn of(method: &str) -> Self {
        Self(Context::new(&SHA256)).part(method.as_bytes())
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, bytes: &[u8]) -> Self {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    /// The hash.
    #[must_use]
    pub fn hash(self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.0.finish().as_ref());
        hash
    }
}

/// The etag of a revision: the quoted number.
#[must_use]
pub fn etag(revision: i64) -> String {
    format!("\"{revision}\"")
}

/// The revision in an etag; None if it is empty.
///
/// # Errors
/// In words for the caller.
pub fn parse_etag(text: &str) -> Result<Option<i64>, &'static str> {
    const HOW: &str = "An etag is a quoted number, as tasks carry it.";
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or(HOW)?;
    let revision: i64 = digits.parse().map_err(|_| HOW)?;
    // One revision has one spelling.
    if revision > 0 && etag(revision) == text { Ok(Some(revision)) } else { Err(HOW) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags() {
        assert_eq!(parse_etag(""), Ok(None));
        assert_eq!(parse_etag(&etag(i64::MAX)), Ok(Some(i64::MAX)));
        for bad in
            ["1", "\"", "\"\"", "\"0\"", "\"-1\"", "\"+1\"", "\"01\"", "W/\"1\"", "*", "\"1\"\0"]
        {
            assert!(parse_etag(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn request_ids() {
        assert_eq!(RequestId::parse(""), Ok(None));
        assert!(RequestId::parse("0190c7e2-5b1a-7c3e-8a55-0d8c6f3f2a11").is_ok());
        for bad in
            ["1", " ", "0190c7e25b1a7c3e8a550d8c6f3f2a11", "0190c7e2-5b1a-7c3e-8a55-0d8c6f3f2a1z"]
        {
            assert!(RequestId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn payloads_that_differ_look_different() {
        let hash = |parts: &[&[u8]]| {
            parts.iter().fold(Payload::of("m"), |payload, part| payload.part(part)).hash()
        };
        assert_eq!(hash(&[b"a", b""]), hash(&[b"a", b""]));
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert_ne!(hash(&[b""]), hash(&[]));
        assert_ne!(Payload::of("a").hash(), Payload::of("b").hash());
    }
}
