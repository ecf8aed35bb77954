//! Challenges: what SignIn answers with when a second factor is asked for, and
//! CompleteSignIn brings back. A token is `dc1.` and base64url of everything that
//! a code is checked with, sealed, and a checksum that tells a mistyped token from
//! a forged one: so that a sign-in is ended by one statement.
//!
//! Invariant: a token only says what was asked for. Whether it still counts, and
//! how many codes were wrong, the database says.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use shared::secret::Secret;
use uuid::Uuid;

use crate::{
    factors::{Kind, KnownFactor},
    sealing::Sealer,
};

/// How long a second factor is waited for.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(5);

const PREFIX: &str = "dc1.";
const VERSION: u8 = 2;
const LABEL: &str = "challenge";

/// A sign-in whose password was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Whose it is.
    pub user: Uuid,
    /// Its id.
    pub id: Uuid,
    /// When it is over, to the second.
    pub expires_at: DateTime<Utc>,
    /// Whether the refresh token shall travel in a cookie.
    pub in_cookie: bool,
    /// What can end it.
    pub factors: Vec<KnownFactor>,
}

impl Challenge {
    /// The token as the client holds it.
    #[must_use]
    pub fn seal(&self, sealer: &Sealer) -> Secret {
        let Self { user, id, expires_at, in_cookie, factors } = self;
        let mut body = vec![VERSION, u8::from(*in_cookie)];
        body.extend(user.as_bytes());
        body.extend(id.as_bytes());
        body.extend(expires_at.timestamp().to_be_bytes());
        for KnownFactor { id, kind, sealed } in factors {
            body.push(match kind {
                Kind::Totp => 1,
                Kind::RecoveryCodes => 2,
                Kind::Passkey => 3,
            });
            body.extend(id.as_bytes());
            // A sealed secret has about fifty bytes, and a passkey a thousand at most.
            body.extend(u16::try_from(sealed.len()).unwrap_or(u16::MAX).to_be_bytes());
            body.extend(sealed.iter().take(usize::from(u16::MAX)));
        }
        let mut token = sealer.seal(LABEL, &body);
        token.extend(crc32fast::hash(&token).to_be_bytes());
        Secret::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(token)))
    }

    /// Reads a token, if this service made it.
    #[must_use]
    pub fn open(token: &str, sealer: &Sealer) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        let (sealed, checksum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(sealed).to_be_bytes() != *checksum {
            return None;
        }
        Self::read(&sealer.open(LABEL, sealed)?)
    }

    fn read(body: &[u8]) -> Option<Self> {
        let (&[VERSION, in_cookie], rest) = body.split_first_chunk()? else { return None };
        let (user, rest) = rest.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (expires, mut rest) = rest.split_first_chunk()?;
        let mut factors = Vec::new();
        while let Some((&kind, after)) = rest.split_first() {
            let (id, after) = after.split_first_chunk()?;
            let (length, after) = after.split_first_chunk()?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (sealed, after) = after.split_at_checked(length)?;
            rest = after;
            let kind = match kind {
                1 => Kind::Totp,
                2 => Kind::RecoveryCodes,
                3 => Kind::Passkey,
                _ => return None,
            };
            factors.push(KnownFactor { id: Uuid::from_bytes(*id), kind, sealed: sealed.to_vec() });
        }
        Some(Self {
            user: Uuid::from_bytes(*user),
            id: Uuid::from_bytes(*id),
            expires_at: DateTime::from_timestamp(i64::from_be_bytes(*expires), 0)?,
            in_cookie: in_cookie == 1,
            factors,
        })
    }
}

#[cfg(test)]
mod tests {
    use shared::secret::Key;

    use super::*;

    #[test]
    fn a_token_is_read_back_and_no_forgery_is() {
        let sealer = Sealer::new(&Key::random(), None);
        let factor = |n: u8, kind, length| KnownFactor {
            id: Uuid::from_u128(n.into()),
            kind,
            sealed: vec![n; length],
        };
        let challenge = Challenge {
            user: Uuid::from_u128(1),
            id: Uuid::from_u128(2),
            expires_at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            in_cookie: true,
            factors: vec![
                factor(3, Kind::Totp, 51),
                factor(4, Kind::RecoveryCodes, 52),
                factor(5, Kind::Passkey, 300),
            ],
        };
        let sealed = challenge.seal(&sealer);
        let text = sealed.expose();
        assert_eq!(Challenge::open(text, &sealer), Some(challenge));
        assert_eq!(Challenge::open(text, &Sealer::new(&Key::random(), None)), None);
        for at in 0..text.len() {
            let mut forged = text.as_bytes().to_vec();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(Challenge::open(&forged, &sealer), None, "{at}");
            assert_eq!(Challenge::open(&text[..at], &sealer), None, "{at}");
        }
    }
}
