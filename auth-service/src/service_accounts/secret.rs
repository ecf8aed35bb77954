//! Secrets of service accounts: `ds_`, the account's name, `_`, and base64url of
//! 256 random bits and a checksum that tells a mistyped secret from a wrong one.
//!
//! Invariant: only the hash of a secret is ever stored. The name in it leads to
//! one account, and says in a leaked file whose it is.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{rng, secret::Secret};

use super::AccountName;

/// What every secret begins with.
pub const PREFIX: &str = "ds_";
const RANDOM_BYTES: usize = 32;
const TOKEN_BYTES: usize = RANDOM_BYTES + 4;

/// A secret that may be one of an account's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSecret {
    account: AccountName,
    text: Secret,
}

impl ServiceSecret {
    /// A new secret for an account.
    #[must_use]
    pub fn random(account: &AccountName) -> Self {
        let random: [u8; RANDOM_BYTES] = rng::bytes();
        let token = [random.as_slice(), &checksum(account, &random)].concat();
        let text = format!("{PREFIX}{}_{}", account.as_str(), URL_SAFE_NO_PAD.encode(token));
        Self { account: account.clone(), text: Secret::from(text) }
    }

    /// Reads a secret that is written as ours are.
    #[must_use]
    pub fn read(text: Secret) -> Option<Self> {
        let (account, token) = text.expose().strip_prefix(PREFIX)?.split_once('_')?;
        let account: AccountName = account.parse().ok()?;
        let token: [u8; TOKEN_BYTES] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let (random, sum) = token.split_last_chunk::<4>()?;
        (checksum(&account, random) == *sum).then_some(Self { account, text })
    }

    /// Whose it says it is.
    #[must_use]
    pub const fn account(&self) -> &AccountName {
        &self.account
    }

    /// What is stored of it. It needs no salt and no effort: nobody guesses 256
    /// random bits.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        let text = self.text.expose().as_bytes();
        hash.copy_from_slice(digest::digest(&digest::SHA256, text).as_ref());
        hash
    }

    /// The secret as its holder keeps it.
    #[must_use]
    pub fn into_text(self) -> Secret {
        self.text
    }
}

fn checksum(account: &AccountName, random: &[u8]) -> [u8; 4] {
    crc32fast::hash(&[account.as_str().as_bytes(), random].concat()).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_a_mistyped_one_is_not() {
        let account: AccountName = "task-service".parse().unwrap();
        let secret = ServiceSecret::random(&account);
        let text = secret.text.expose();
        assert!(text.starts_with("ds_task-service_"), "{}", text.len());
        let read = ServiceSecret::read(secret.text.clone()).unwrap();
        assert_eq!((read.account(), read.hash()), (&account, secret.hash()));
        assert_ne!(ServiceSecret::random(&account).hash(), secret.hash());
        assert!(!format!("{secret:?}").contains(&text[20..]));

        for at in 0..text.len() {
            let mut wrong = text.as_bytes().to_vec();
            wrong[at] = if wrong[at] == b'a' { b'b' } else { b'a' };
            let wrong = Secret::from(String::from_utf8(wrong).unwrap());
            assert_eq!(ServiceSecret::read(wrong), None, "{at}");
        }
        for wrong in ["", "ds_", "ds_task-service", "ds_task-service_", &text[..text.len() - 1]] {
            assert_eq!(ServiceSecret::read(wrong.to_owned().into()), None, "{wrong}");
        }
    }
}
