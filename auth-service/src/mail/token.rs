//! The tokens that go by mail: `dm_` and base64url of the purpose, the user, 256
//! random bits and a checksum that tells a mistyped token from a wrong one. A
//! token names its user, so that it leads to one row without a look-up across
//! users.
//!
//! Invariant: stored is the SHA-256 of the random bits, and nothing else.

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use shared::secret::Secret;
use uuid::Uuid;
use zeroize::Zeroizing;

const PREFIX: &str = "dm_";
const BODY_BYTES: usize = 1 + 16 + 32;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Proving that the address of an account is its owner's.
    Verify,
    /// Proving the same of an account that is not made before.
    SignUp,
    /// Setting a password.
    Reset,
    /// Agreeing to a change, as the address that the account has.
    ChangeOld,
    /// Agreeing to a change, as the address that it shall have.
    ChangeNew,
}

/// A token as it stands in a mail.
#[derive(PartialEq, Eq)]
pub struct MailToken {
    /// What it is good for.
    pub purpose: Purpose,
    /// The user whom it is about, or a stand-in.
    pub user: Uuid,
    /// What makes it hard to guess.
    pub(super) secret: Zeroizing<[u8; 32]>,
}

impl Purpose {
    pub(super) const ALL: [Self; 5] =
        [Self::Verify, Self::SignUp, Self::Reset, Self::ChangeOld, Self::ChangeNew];

    /// The purpose as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::SignUp => "sign-up",
            Self::Reset => "reset",
            Self::ChangeOld => "change-old",
            Self::ChangeNew => "change-new",
        }
    }

    /// How long a token is good.
    #[must_use]
    pub const fn lifetime(self) -> TimeDelta {
        match self {
            Self::Reset => TimeDelta::minutes(30),
            Self::Verify | Self::SignUp | Self::ChangeOld | Self::ChangeNew => TimeDelta::hours(24),
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Verify => 1,
            Self::SignUp => 2,
            Self::Reset => 3,
            Self::ChangeOld => 4,
            Self::ChangeNew => 5,
        }
    }
}

impl MailToken {
    /// The token as it stands in the mail.
    #[must_use]
    pub fn text(&self) -> Secret {
        let mut token = Zeroizing::new(Vec::with_capacity(BODY_BYTES + 4));
        token.push(self.purpose.byte());
        token.extend_from_slice(self.user.as_bytes());
        token.extend_from_slice(self.secret.as_slice());
        let checksum = crc32fast::hash(&token);
        token.extend_from_slice(&checksum.to_be_bytes());
        Secret::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(token.as_slice())))
    }

    /// Reads a token; whether it is good is for the database to say.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(PREFIX)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(body).to_be_bytes() != *checksum {
            return None;
        }
        let (purpose, rest) = body.split_first()?;
        let (user, secret) = rest.split_first_chunk::<16>()?;
        Some(Self {
            purpose: Purpose::ALL.into_iter().find(|known| known.byte() == *purpose)?,
            user: Uuid::from_bytes(*user),
            secret: Zeroizing::new(secret.try_into().ok()?),
        })
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        hash(&self.secret)
    }
}

/// What is stored of a token with this secret. The secret cannot be guessed, so
/// the hash need not be slow.
#[must_use]
pub(super) fn hash(secret: &[u8; 32]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_no_mistyped_one_is() {
        for purpose in Purpose::ALL {
            let token = MailToken {
                purpose,
                user: Uuid::from_u128(0x1234_5678),
                secret: Zeroizing::new([9; 32]),
            };
            let text = token.text();
            let text = text.expose();
            assert!(MailToken::parse(text).is_some_and(|read| read == token));
            for at in 0..text.len() {
                let mut wrong = text.as_bytes().to_vec();
                wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
                let wrong = String::from_utf8(wrong).unwrap();
                assert!(MailToken::parse(&wrong).is_none(), "{at}");
            }
            assert!(MailToken::parse(&text[..text.len() - 1]).is_none());
            assert!(MailToken::parse(&format!("{text}A")).is_none());
        }
        assert!(MailToken::parse("").is_none() && MailToken::parse("dm_").is_none());
    }
}
