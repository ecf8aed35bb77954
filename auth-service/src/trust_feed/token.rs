//! The token from which WatchTrust goes on: how far its holder knows the
//! events. Sealed, so that nobody learns how much happens here, or makes one up.

use shared::page::PageTokens;

/// Says which kind of token this is, and of which layout.
const CONTEXT: &[u8] = b"trust/1";

/// The token of whoever knows every event up to `rev`.
#[must_use]
pub(crate) fn seal(tokens: &PageTokens, rev: i64) -> String {
    tokens.seal(CONTEXT, &rev.to_be_bytes())
}

/// What a token says.
///
/// # Errors
/// In words for the caller, if it is none of ours.
pub(crate) fn open(tokens: &PageTokens, token: &str) -> Result<i64, &'static str> {
    const NOT_ISSUED: &str = "This resume token is not one of ours; start again without one.";
    let content = tokens.open(CONTEXT, token).map_err(|_| NOT_ISSUED)?;
    content.try_into().map(i64::from_be_bytes).map_err(|_| NOT_ISSUED)
}

#[cfg(test)]
mod tests {
    use shared::secret::Key;

    use super::*;

    #[test]
    fn a_token_says_what_it_was_given_and_no_other_is_one() {
        let tokens = PageTokens::new(&Key::random());
        for rev in [0, 7, i64::MAX] {
            assert_eq!(open(&tokens, &seal(&tokens, rev)), Ok(rev));
        }
        let page = tokens.seal(b"sessions/", &[0; 8]);
        let short = tokens.seal(CONTEXT, &[0; 7]);
        let foreign = seal(&PageTokens::new(&Key::random()), 7);
        for bad in ["", "A", &page, &short, &foreign] {
            assert!(open(&tokens, bad).is_err(), "{bad}");
        }
    }
}
