//! Pages of a list (AIP-158): how many rows a page has, and the sealed token
//! that says where the next one begins. A token is good for the request it was
//! issued for and for no other: whose list, which filter, which order.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{rng, secret::Key};

const DEFAULT_SIZE: u16 = 50;
const MAX_SIZE: u16 = 500;
/// The first byte of every token; another layout gets another number.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;

/// The rows of a page: 0 means 50, more than 500 means 500.
///
/// # Errors
/// In words for the caller, if it is negative.
pub fn size(asked: i32) -> Result<u16, &'static str> {
    match asked {
        ..0 => Err("The page size must not be negative."),
        0 => Ok(DEFAULT_SIZE),
        _ => Ok(u16::try_from(asked).unwrap_or(MAX_SIZE).min(MAX_SIZE)),
    }
}

/// Seals and opens page tokens.
pub struct PageTokens(LessSafeKey);

impl PageTokens {
    /// Tokens under this key, which all replicas of a service share.
    ///
    /// # Panics
    /// Never: the key has the length that the algorithm wants.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a Key has exactly the bytes that AES-256 wants")]
    pub fn new(key: &Key) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).expect("32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// A token for the page that begins after `cursor`, good only together
    /// with `context`: everything that decides what the list holds.
    #[must_use]
    #[expect(clippy::expect_used, reason = "AES-GCM refuses only messages of 64 GiB")]
    pub fn seal(&self, context: &[u8], cursor: &[u8]) -> String {
        let nonce: [u8; NONCE_BYTES] = rng::bytes();
        let mut sealed = cursor.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                aad(context),
                &mut sealed,
            )
            .expect("a short message");
        let token = [&[VERSION], nonce.as_slice(), &sealed].concat();
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The cursor in a token.
    ///
    /// # Errors
    /// In words for the caller, if the token was not issued for this request.
    pub fn open(&self, context: &[u8], token: &str) -> Result<Vec<u8>, &'static str> {
        self.try_open(context, token)
            .ok_or("This page token was not issued for this request; start again without one.")
    }

    fn try_open(&self, context: &[u8], token: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (&VERSION, bytes) = bytes.split_first()? else { return None };
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        Some(self.0.open_in_place(nonce, aad(context), &mut sealed).ok()?.to_vec())
    }
}

fn aad(context: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([&[VERSION], context].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_list_only() {
        let tokens = PageTokens::new(&Key::random());
        let token = tokens.seal(b"ada/open", b"cursor");
        assert_eq!(tokens.open(b"ada/open", &token).unwrap(), b"cursor");
        assert!(tokens.open(b"ada/done", &token).is_err());
        assert!(PageTokens::new(&Key::random()).open(b"ada/open", &token).is_err());
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert!(tokens.open(b"ada/open", std::str::from_utf8(&forged).unwrap()).is_err());
        }
        for bad in ["", "A", "****", &token[1..]] {
            assert!(tokens.open(b"ada/open", bad).is_err());
        }
    }

    #[test]
    fn sizes() {
        assert_eq!([0, 1, 500, 501, i32::MAX].map(|n| size(n).unwrap()), [50, 1, 500, 500, 500]);
        assert!(size(-1).is_err() && size(i32::MIN).is_err());
    }
}
