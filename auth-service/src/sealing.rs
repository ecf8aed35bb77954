//! Everything that hangs on the key-encryption key: secrets sealed for the
//! database, and the keys that refresh and page tokens are made with. The first
//! key makes, every key opens, so that it can be exchanged without a pause.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hmac,
};
use shared::{rng, secret::Key};
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 12;

/// The bytes of an HMAC-SHA-256.
pub const MAC_BYTES: usize = 32;

/// What seals and authenticates for this service.
pub struct Sealer(Vec<Derived>);

struct Derived {
    sealing: LessSafeKey,
    refresh: hmac::Key,
    tags: hmac::Key,
    pages: Key,
    derivation: hmac::Key,
}

impl Sealer {
    /// Seals under `current`; opens what `previous` keys sealed, too.
    #[must_use]
    pub fn new(current: &Key, previous: Option<&Key>) -> Self {
        Self([Some(current), previous].into_iter().flatten().map(Derived::from).collect())
    }

    /// Seals a secret so that only the same `label` opens it.
    #[must_use]
    #[expect(clippy::expect_used, reason = "AES-GCM refuses only messages of 64 GiB")]
    pub fn seal(&self, label: &str, secret: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rng::bytes();
        let mut sealed = secret.to_vec();
        let Derived { sealing, .. } = &self.0[0];
        sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(label),
                &mut sealed,
            )
            .expect("a short message");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what was sealed under `label`, unless another key sealed it.
    #[must_use]
    pub fn open(&self, label: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.0.iter().find_map(|key| key.open(label, sealed))
    }

    /// Seals under the current key what another one sealed; none if there is
    /// nothing to do, or nothing that can be done.
    #[must_use]
    pub fn reseal(&self, label: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (_, previous) = self.0.split_first()?;
        let opened = previous.iter().find_map(|key| key.open(label, sealed))?;
        Some(self.seal(label, &opened))
    }

    /// Whether something may still be sealed under another than the current key.
    #[must_use]
    pub fn has_previous(&self) -> bool {
        self.0.len() > 1
    }

    /// Authenticates a refresh token of the session `session`.
    #[must_use]
    pub fn mac(&self, session: &[u8], token: &[u8]) -> [u8; MAC_BYTES] {
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(hmac::sign(&self.0[0].of_session(session), token).as_ref());
        mac
    }

    /// Whether `mac` authenticates this refresh token of the session.
    #[must_use]
    pub fn mac_is_good(&self, session: &[u8], token: &[u8], mac: &[u8]) -> bool {
        self.0.iter().any(|keys| hmac::verify(&keys.of_session(session), token, mac).is_ok())
    }

    /// Authenticates `message` for one purpose; the same for another is different.
    #[must_use]
    pub fn tag(&self, purpose: &str, message: &[u8]) -> [u8; MAC_BYTES] {
        let mut tag = [0; MAC_BYTES];
        tag.copy_from_slice(hmac::sign(&self.0[0].of_purpose(purpose), message).as_ref());
        tag
    }

    /// Whether `tag` authenticates this message for this purpose.
    #[must_use]
    pub fn tag_is_good(&self, purpose: &str, message: &[u8], tag: &[u8]) -> bool {
        self.0.iter().any(|keys| hmac::verify(&keys.of_purpose(purpose), message, tag).is_ok())
    }

    /// Secrets that follow from `label` and are stored nowhere, of each key one,
    /// the current key's first.
    pub fn derive(&self, label: &str) -> impl Iterator<Item = Zeroizing<[u8; MAC_BYTES]>> {
        self.0.iter().map(|Derived { derivation, .. }| {
            let mut derived = Zeroizing::new([0; MAC_BYTES]);
            derived.copy_from_slice(hmac::sign(derivation, label.as_bytes()).as_ref());
            derived
        })
    }

    /// The key that page tokens are sealed with.
    #[must_use]
    pub fn page_key(&self) -> &Key {
        &self.0[0].pages
    }
}

impl Derived {
    fn open(&self, label: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.sealing.open_in_place(nonce, Aad::from(label), &mut opened).ok()?.len();
        opened.truncate(length);
        Some(opened)
    }

    /// A session's own key, so that a forged token of one tells nothing about
    /// another's.
    fn of_session(&self, session: &[u8]) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&self.refresh, session).as_ref())
    }

    /// A purpose's own key.
    fn of_purpose(&self, purpose: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&self.tags, purpose.as_bytes()).as_ref())
    }
}

impl From<&Key> for Derived {
    #[expect(clippy::expect_used, reason = "an HMAC-SHA-256 has the bytes that AES-256 wants")]
    fn from(key: &Key) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
        let derive = |purpose: &str| {
            let mut derived = Zeroizing::new([0; MAC_BYTES]);
            derived.copy_from_slice(hmac::sign(&root, purpose.as_bytes()).as_ref());
            derived
        };
        let sealing = derive("duet: private signing keys");
        let refresh = derive("duet: refresh tokens");
        let tags = derive("duet: tags");
        let pages = derive("duet: page tokens");
        let derivation = derive("duet: derived secrets");
        Self {
            sealing: LessSafeKey::new(
                UnboundKey::new(&AES_256_GCM, sealing.as_slice()).expect("32 bytes"),
            ),
            refresh: hmac::Key::new(hmac::HMAC_SHA256, refresh.as_slice()),
            tags: hmac::Key::new(hmac::HMAC_SHA256, tags.as_slice()),
            pages: Key::from(*pages),
            derivation: hmac::Key::new(hmac::HMAC_SHA256, derivation.as_slice()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_opens_what_the_previous_one_sealed_and_not_the_other_way_round() {
        let (old, new) = (Key::random(), Key::random());
        let before = Sealer::new(&old, None);
        let after = Sealer::new(&new, Some(&old));
        let sealed = before.seal("kid", b"secret");
        assert_eq!(after.open("kid", &sealed).unwrap().as_slice(), b"secret");
        assert!(after.open("other", &sealed).is_none());
        assert!(before.open("kid", &after.seal("kid", b"secret")).is_none());
        assert!(after.mac_is_good(b"s", b"t", &before.mac(b"s", b"t")));
        assert!(!after.mac_is_good(b"x", b"t", &before.mac(b"s", b"t")));
        assert!(!before.mac_is_good(b"s", b"t", &after.mac(b"s", b"t")));
        assert!(after.tag_is_good("p", b"t", &before.tag("p", b"t")));
        assert!(!after.tag_is_good("q", b"t", &before.tag("p", b"t")));
        assert!(!before.tag_is_good("p", b"t", &after.tag("p", b"t")));
        assert!(before.reseal("kid", &sealed).is_none() && !before.has_previous());
        let resealed = after.reseal("kid", &sealed).unwrap();
        assert!(after.reseal("kid", &resealed).is_none());
        assert_eq!(Sealer::new(&new, None).open("kid", &resealed).unwrap().as_slice(), b"secret");
        let derived: Vec<_> = after.derive("label").collect();
        assert_eq!(derived[1..], before.derive("label").collect::<Vec<_>>());
        assert_ne!(derived[0], derived[1]);
        assert_ne!(before.derive("label").next(), before.derive("other").next());
    }
}
