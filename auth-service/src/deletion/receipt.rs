//! What somebody has in hand whose account is gone: the token with which the
//! deletion can be asked for, and in the end the signed statement.
//!
//! Invariant: a token is computed and not stored; the database has the hash of
//! its secret. The same request is always answered with the same token.

use std::fmt;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{rng, secret::Secret};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Deletion, Erasure};
use crate::{
    email::Email,
    sealing::{MAC_BYTES, Sealer},
    signing::SigningKey,
};

/// The type of a receipt (RFC 7515, section 4.1.9): no access token.
pub const TYPE: &str = "duet-erasure+jwt";

const PREFIX: &str = "dr_";
const BODY_BYTES: usize = 16 + MAC_BYTES;
/// Nothing else is authenticated under this name.
const LABEL: &[u8] = b"duet: deletion receipts";

/// `dr_` and base64url of the user, the secret and a checksum, which tells a
/// mistyped token from a wrong one.
#[derive(Clone)]
pub struct ReceiptToken {
    user: Uuid,
    secret: Zeroizing<[u8; MAC_BYTES]>,
}

/// What a receipt says. Times are seconds since 1970.
#[derive(Serialize)]
struct Receipt<'a> {
    /// Who says so.
    iss: &'a str,
    /// The user whose account it was.
    sub: Uuid,
    /// When this was signed.
    iat: i64,
    jti: Uuid,
    /// When the deletion was asked for.
    deleted_at: i64,
    /// What each service did.
    services: Vec<Erased<'a>>,
}

#[derive(Serialize)]
struct Erased<'a> {
    service: &'a str,
    /// When it confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_at: Option<i64>,
    /// If it did not: when an operator closed this.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<i64>,
}

impl ReceiptToken {
    /// The token of this request.
    #[must_use]
    pub fn of(sealer: &Sealer, user: Uuid, request: Uuid, email: &Email) -> Self {
        let email = email.canonical();
        let said = [user.as_bytes().as_slice(), request.as_bytes(), email.as_bytes()].concat();
        Self { user, secret: Zeroizing::new(sealer.mac(LABEL, &said)) }
    }

    /// Reads a token.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn read(token: &str) -> Result<Self, &'static str> {
        Self::try_read(token).ok_or("This is no receipt; look for one that begins with dr_.")
    }

    fn try_read(token: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?);
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        let (user, secret) = body.split_first_chunk::<16>()?;
        let secret = Zeroizing::new(secret.try_into().ok()?);
        let right = crc32fast::hash(body).to_be_bytes() == *checksum;
        right.then_some(Self { user: Uuid::from_bytes(*user), secret })
    }

    /// The token as its owner holds it.
    #[must_use]
    pub fn seal(&self) -> Secret {
        let mut bytes = Zeroizing::new(Vec::with_capacity(BODY_BYTES + 4));
        bytes.extend_from_slice(self.user.as_bytes());
        bytes.extend_from_slice(self.secret.as_slice());
        let checksum = crc32fast::hash(&bytes).to_be_bytes();
        bytes.extend_from_slice(&checksum);
        Secret::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&*bytes)))
    }

    /// Whose account it is about.
    #[must_use]
    pub const fn user(&self) -> Uuid {
        self.user
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        digest::digest(&digest::SHA256, self.secret.as_slice()).as_ref().to_vec()
    }
}

impl fmt::Debug for ReceiptToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiptToken").field("user", &self.user).finish_non_exhaustive()
    }
}

/// The signed statement of who erased everything when, and what an operator closed
/// without that; None while anybody is waited for. It is
/// signed each time anew, so that there is a key at hand to check it with for as
/// long as anybody asks.
///
/// # Errors
/// If the key cannot sign.
pub fn statement(
    deletion: &Deletion,
    issuer: &str,
    key: &SigningKey,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<String>> {
    if !deletion.is_complete() {
        return Ok(None);
    }
    let Deletion { user, requested_at, erasures } = deletion;
    let services = erasures.iter().map(|Erasure { service, erased_at, closed_at }| {
        let closed_at = closed_at.filter(|_| erased_at.is_none()).map(|at| at.timestamp());
        let erased_at = erased_at.map(|at| at.timestamp());
        Erased { service, erased_at, closed_at }
    });
    let receipt = Receipt {
        iss: issuer,
        sub: *user,
        iat: now.timestamp(),
        jti: rng::uuid_v4(),
        deleted_at: requested_at.timestamp(),
        services: services.collect(),
    };
    key.sign_as(TYPE, &receipt).map(Some)
}

#[cfg(test)]
mod tests {
    use shared::secret::Key;

    use super::*;

    #[test]
    fn a_token_is_read_back_and_no_mistyped_one_is() {
        let sealer = Sealer::new(&Key::random(), None);
        let email = Email::parse("Ada@example.org").unwrap();
        let (user, request) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let token = ReceiptToken::of(&sealer, user, request, &email);
        let text = token.seal();
        let read = ReceiptToken::read(text.expose()).unwrap();
        assert_eq!((read.user(), read.hash()), (user, token.hash()));
        assert!(!format!("{token:?}").contains(&text.expose()[10..]));
        for at in 0..text.expose().len() {
            let mut typed = text.expose().as_bytes().to_vec();
            typed[at] = if typed[at] == b'A' { b'B' } else { b'A' };
            let typed = String::from_utf8(typed).unwrap();
            assert!(typed == text.expose() || ReceiptToken::read(&typed).is_err(), "{at}");
        }
        for bad in ["", "dr_", "dr_AAAA", "rt1.AAAA", "dr_é"] {
            assert!(ReceiptToken::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_same_request_has_the_same_token() {
        let sealer = Sealer::new(&Key::random(), None);
        let email = |text| Email::parse(text).unwrap();
        let of = |user, request, text| {
            let (user, request) = (Uuid::from_u128(user), Uuid::from_u128(request));
            ReceiptToken::of(&sealer, user, request, &email(text)).hash()
        };
        let first = of(1, 2, "ada@example.org");
        assert_eq!(first, of(1, 2, "ADA@example.org"));
        for other in
            [of(2, 2, "ada@example.org"), of(1, 3, "ada@example.org"), of(1, 2, "eve@example.org")]
        {
            assert_ne!(first, other);
        }
    }
}
