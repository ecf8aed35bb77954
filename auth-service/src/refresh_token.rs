//! Refresh tokens: `rt1.` and base64url of version, user, session, generation,
//! an HMAC under the session's own key, and a checksum that tells a mistyped
//! token from a forged one. A token names its user, so that it leads to one row
//! without a look-up across users.
//!
//! Invariant: nothing that could make or check a token is stored; the database
//! holds the generation only. The same generation is always the same token.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::secret::Secret;
use uuid::Uuid;

use crate::sealing::{MAC_BYTES, Sealer};

const PREFIX: &str = "rt1.";
const VERSION: u8 = 1;
const BODY_BYTES: usize = 1 + 16 + 16 + 8;
const TOKEN_BYTES: usize = BODY_BYTES + MAC_BYTES + 4;

/// Which exchange of which session a token stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The user's id.
    pub user: Uuid,
    /// The session's id.
    pub session: Uuid,
    /// How many exchanges came before.
    pub generation: i64,
}

impl RefreshToken {
    /// The token as the client holds it.
    #[must_use]
    pub fn seal(&self, sealer: &Sealer) -> Secret {
        let body = self.body();
        let mut token = body.to_vec();
        token.extend(sealer.mac(self.session.as_bytes(), &body));
        token.extend(crc32fast::hash(&token).to_be_bytes());
        Secret::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(token)))
    }

    /// Reads a token, if this service made it.
    #[must_use]
    pub fn open(token: &str, sealer: &Sealer) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        let bytes: [u8; TOKEN_BYTES] = bytes.try_into().ok()?;
        let (authenticated, checksum) = bytes.split_last_chunk::<4>()?;
        if crc32fast::hash(authenticated).to_be_bytes() != *checksum {
            return None;
        }
        let (body, mac) = authenticated.split_first_chunk::<BODY_BYTES>()?;
        let read = Self::read(body)?;
        sealer.mac_is_good(read.session.as_bytes(), body, mac).then_some(read)
    }

    fn body(&self) -> [u8; BODY_BYTES] {
        let mut body = [VERSION; BODY_BYTES];
        body[1..17].copy_from_slice(self.user.as_bytes());
        body[17..33].copy_from_slice(self.session.as_bytes());
        body[33..].copy_from_slice(&self.generation.to_be_bytes());
        body
    }

    fn read(body: &[u8; BODY_BYTES]) -> Option<Self> {
        let (&VERSION, rest) = body.split_first()? else { return None };
        let (user, rest) = rest.split_first_chunk::<16>()?;
        let (session, generation) = rest.split_first_chunk::<16>()?;
        Some(Self {
            user: Uuid::from_bytes(*user),
            session: Uuid::from_bytes(*session),
            generation: i64::from_be_bytes(generation.try_into().ok()?),
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
        let token =
            RefreshToken { user: Uuid::from_u128(1), session: Uuid::from_u128(2), generation: 3 };
        let sealed = token.seal(&sealer);
        let text = sealed.expose();
        assert_eq!(RefreshToken::open(text, &sealer), Some(token));
        assert_eq!(token.seal(&sealer), sealed);
        assert_eq!(RefreshToken::open(text, &Sealer::new(&Key::random(), None)), None);

        // Another generation with a right checksum, and every flipped character.
        let mut bytes = URL_SAFE_NO_PAD.decode(&text[4..]).unwrap();
        bytes.truncate(TOKEN_BYTES - 4);
        bytes[BODY_BYTES - 1] = 4;
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        let forged = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(RefreshToken::open(&forged, &sealer), None);
        for at in 0..text.len() {
            let mut forged = text.as_bytes().to_vec();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(RefreshToken::open(&forged, &sealer), None, "{at}");
        }
    }
}
