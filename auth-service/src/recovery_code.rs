//! Recovery codes: 80 random bits each, in an alphabet that people do not mix up
//! (Crockford's base32), written `xxxx-xxxx-xxxx-xxxx`.
//!
//! Invariant: what is stored of a code is an HMAC under the key of its set, and
//! that key is stored sealed: the database alone cannot tell a right guess.

use aws_lc_rs::hmac;
use shared::{
    rng,
    secret::{Key, Secret},
};
use zeroize::Zeroizing;

use crate::totp::base32;

/// How many codes there are in a set.
pub const CODES: usize = 10;

const BYTES: usize = 10;
const CHARACTERS: usize = 16;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A recovery code, in the form that is hashed.
#[derive(Clone)]
pub struct RecoveryCode(Zeroizing<String>);

/// A new set: its key, and the codes, which are shown once.
pub struct RecoveryCodes {
    /// What the hashes are made with.
    pub key: Key,
    codes: Vec<RecoveryCode>,
}

impl RecoveryCode {
    /// Reads a code; blanks and dashes are left out, case does not count, and
    /// what looks alike is alike.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut code = Zeroizing::new(String::with_capacity(CHARACTERS));
        for c in text.chars().filter(|c| !matches!(c, ' ' | '-')) {
            let c = match c.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                c => c,
            };
            if code.len() == CHARACTERS || !c.is_ascii() || !ALPHABET.contains(&(c as u8)) {
                return Err(SHAPE);
            }
            code.push(c);
        }
        if code.len() == CHARACTERS { Ok(Self(code)) } else { Err(SHAPE) }
    }

    /// What is stored of the code.
    #[must_use]
    pub fn hash(&self, key: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::sign(&key, self.0.as_bytes()).as_ref().to_vec()
    }

    fn shown(&self) -> Secret {
        let groups: Vec<&str> = (0..CHARACTERS).step_by(4).map(|n| &self.0[n..n + 4]).collect();
        Secret::from(groups.join("-"))
    }
}

const SHAPE: &str = "A recovery code has 16 letters and digits.";

impl RecoveryCodes {
    /// Ten new codes.
    #[must_use]
    pub fn random() -> Self {
        let code = || RecoveryCode(Zeroizing::new(base32(&rng::bytes::<BYTES>(), ALPHABET)));
        Self { key: Key::random(), codes: (0..CODES).map(|_| code()).collect() }
    }

    /// What is stored of the codes.
    #[must_use]
    pub fn hashes(&self) -> Vec<Vec<u8>> {
        self.codes.iter().map(|code| code.hash(self.key.expose())).collect()
    }

    /// The codes as they are shown.
    pub fn shown(&self) -> impl Iterator<Item = Secret> {
        self.codes.iter().map(RecoveryCode::shown)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_code_is_read_back_however_it_is_typed() {
        let set = RecoveryCodes::random();
        let shown: Vec<Secret> = set.shown().collect();
        let distinct: HashSet<&str> = shown.iter().map(Secret::expose).collect();
        assert_eq!(distinct.len(), CODES);
        for (shown, hash) in shown.iter().zip(set.hashes()) {
            let shown = shown.expose();
            assert_eq!(shown.split('-').map(str::len).collect::<Vec<_>>(), [4; 4]);
            let mistyped = shown.to_uppercase().replace('0', "O").replace('1', "l");
            for typed in [shown, &shown.replace('-', " "), &shown.replace('-', ""), &mistyped] {
                assert_eq!(RecoveryCode::parse(typed).unwrap().hash(set.key.expose()), hash);
            }
            let other = RecoveryCodes::random();
            assert_ne!(RecoveryCode::parse(shown).unwrap().hash(other.key.expose()), hash);
        }
    }

    #[test]
    fn anything_else_is_no_code() {
        let long = "0".repeat(17);
        for bad in ["", "0000-0000-0000-000", &long, "0000-0000-0000-000u", "0000-0000-0000-000é"]
        {
            assert!(RecoveryCode::parse(bad).is_err(), "{bad}");
        }
    }
}
