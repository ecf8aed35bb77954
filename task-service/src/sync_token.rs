//! The token from which SyncTasks and WatchTasks go on: how far its holder
//! knows the changes of a user.
//!
//! Invariant: a token is good for the user it was issued to and for no other,
//! whatever filter or order it was obtained with.

use shared::page::PageTokens;
use uuid::Uuid;

/// Says which kind of token this is: a page token is not accepted as one.
const KIND: &[u8] = b"sync";

const NOT_ISSUED: &str = "This sync token was not issued for this user; start again without one.";

/// What the holder of a token knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncToken {
    /// Every change up to this revision is known.
    pub rev: i64,
    /// The head when the holder began with all there is: what was gone by then
    /// was never told to it.
    pub base: i64,
}

impl SyncToken {
    /// The token, for this user.
    #[must_use]
    pub fn seal(self, tokens: &PageTokens, user: Uuid) -> String {
        let Self { rev, base } = self;
        let content = [rev.to_be_bytes(), base.to_be_bytes()].concat();
        tokens.seal(&context(user), &content)
    }

    /// What a token of this user says.
    ///
    /// # Errors
    /// In words for the caller, if it was not issued for this user.
    pub fn open(tokens: &PageTokens, user: Uuid, token: &str) -> Result<Self, &'static str> {
        let content = tokens.open(&context(user), token).map_err(|_| NOT_ISSUED)?;
        Self::from_bytes(&content).ok_or(NOT_ISSUED)
    }

    fn from_bytes(content: &[u8]) -> Option<Self> {
        let (rev, base) = content.split_first_chunk()?;
        let base = base.try_into().ok()?;
        Some(Self { rev: i64::from_be_bytes(*rev), base: i64::from_be_bytes(base) })
    }
}

fn context(user: Uuid) -> Vec<u8> {
    [KIND, user.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use shared::{rng, secret::Key};

    use super::*;

    #[test]
    fn a_token_says_what_it_was_given() {
        let (tokens, user) = (PageTokens::new(&Key::random()), rng::uuid_v4());
        for said in [
            SyncToken { rev: 0, base: 0 },
            SyncToken { rev: 7, base: 3 },
            SyncToken { rev: i64::MAX, base: i64::MIN },
        ] {
            let token = said.seal(&tokens, user);
            assert_eq!(SyncToken::open(&tokens, user, &token), Ok(said));
        }
    }

    #[test]
    fn a_token_of_another_user_or_of_another_kind_is_refused() {
        let (tokens, user) = (PageTokens::new(&Key::random()), rng::uuid_v4());
        let token = SyncToken { rev: 7, base: 3 }.seal(&tokens, user);
        assert!(SyncToken::open(&tokens, rng::uuid_v4(), &token).is_err());
        let page = tokens.seal(user.as_bytes(), &[0; 16]);
        let short = tokens.seal(&context(user), &[0; 15]);
        let long = tokens.seal(&context(user), &[0; 17]);
        for bad in ["", "A", &token[1..], &page, &short, &long] {
            assert!(SyncToken::open(&tokens, user, bad).is_err(), "{bad}");
        }
    }
}
