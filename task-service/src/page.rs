//! Where a page of tasks begins, sealed into its token together with whose list
//! it is, which filter and which order.

use shared::page::PageTokens;
use uuid::Uuid;

/// Newest first is the only order yet.
const NEWEST_FIRST: u8 = 1;

/// A list of tasks: everything that decides what it holds and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    /// Whose tasks.
    pub user: Uuid,
    /// Only those that are done, or not; None for all.
    pub done: Option<bool>,
}

impl List {
    /// The token of the page after `last`.
    #[must_use]
    pub fn token_after(self, tokens: &PageTokens, last: Uuid) -> String {
        tokens.seal(&self.context(), last.as_bytes())
    }

    /// The last task of the page before, out of a token; None if the token is
    /// empty.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn read_token(
        self,
        tokens: &PageTokens,
        token: &str,
    ) -> Result<Option<Uuid>, &'static str> {
        if token.is_empty() {
            return Ok(None);
        }
        let cursor = tokens.open(&self.context(), token)?;
        Uuid::from_slice(&cursor).map(Some).map_err(|_| "This page token cannot be read.")
    }

    fn context(self) -> Vec<u8> {
        let Self { user, done } = self;
        let done = match done {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        };
        [user.as_bytes().as_slice(), &[done, NEWEST_FIRST]].concat()
    }
}

#[cfg(test)]
mod tests {
    use shared::{rng, secret::Key};

    use super::*;

    #[test]
    fn a_token_belongs_to_one_list() {
        let tokens = PageTokens::new(&Key::random());
        let (user, last) = (rng::uuid_v4(), rng::uuid_v4());
        let list = List { user, done: Some(true) };
        let token = list.token_after(&tokens, last);
        assert_eq!(list.read_token(&tokens, &token), Ok(Some(last)));
        assert_eq!(list.read_token(&tokens, ""), Ok(None));
        for other in [
            List { done: None, ..list },
            List { done: Some(false), ..list },
            List { user: rng::uuid_v4(), ..list },
        ] {
            assert!(other.read_token(&tokens, &token).is_err());
        }
    }
}
