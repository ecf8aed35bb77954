//! Values that must never be printed. They have no `Display`, their `Debug`
//! shows nothing, and their memory is wiped when they are dropped.

use std::{fmt, path::Path, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// A text that must not be seen: a password, a database URL.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself. Do not print it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The secret's value: given directly, or the contents of `file` without
    /// the line end.
    ///
    /// # Errors
    /// In words for the operator, without the value: both are given, or the
    /// file cannot be read.
    pub fn either(direct: Option<&Self>, file: Option<&Path>) -> Result<Option<Self>, String> {
        match (direct, file) {
            (Some(_), Some(_)) => Err("is given twice, directly and by file".to_owned()),
            (Some(secret), None) => Ok(Some(secret.clone())),
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(Some(Self::from(text.trim_end_matches(['\r', '\n']).to_owned()))),
                Err(error) => Err(format!("cannot be read from {}: {error}", path.display())),
            },
            (None, None) => Ok(None),
        }
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A 256-bit key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A new random key.
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(crate::rng::bytes()))
    }

    /// Reads a key from base64 of exactly 32 bytes.
    ///
    /// # Errors
    /// In words for the operator, without the value: wrong alphabet, wrong
    /// length, or a key that nobody can have drawn at random.
    pub fn parse(text: &str) -> Result<Self, String> {
        const HOW: &str = "make one with `openssl rand -base64 32`";
        let bytes = Zeroizing::new(
            STANDARD.decode(text.trim()).map_err(|_| format!("is not base64; {HOW}"))?,
        );
        let key: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| format!("has {} bytes and needs 32; {HOW}", bytes.len()))?;
        let mut kinds = key;
        kinds.sort_unstable();
        let distinct = kinds.chunk_by(|a, b| a == b).count();
        // 32 random bytes have fewer than 16 distinct values once in 10^15.
        if distinct < 16 {
            return Err(format!("is not random; {HOW}"));
        }
        Ok(Self(Zeroizing::new(key)))
    }

    /// The key's bytes. Do not print them.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key in the form that `parse` reads. Do not print it.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }
}

impl From<[u8; 32]> for Key {
    fn from(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e6_a_weak_key_is_refused_without_being_shown() {
        let random = Key::random();
        assert!(Key::parse(&random.to_base64()).is_ok_and(|key| key == random));
        for weak in ["", "password", "****", &STANDARD.encode([7; 32]), &STANDARD.encode([1; 31])] {
            let refusal = Key::parse(weak).unwrap_err();
            assert!(weak.is_empty() || !refusal.contains(weak), "{refusal}");
        }
        assert_eq!(format!("{random:?}"), "Key(…)");
        assert_eq!(format!("{:?}", Secret::from("hush".to_owned())), "Secret(…)");
    }
}
