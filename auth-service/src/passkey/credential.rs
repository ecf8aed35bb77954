//! Passkeys as they are kept: the id of the credential, and the public key that
//! its answers are checked with.
//!
//! Invariant: a key is one of two kinds, is written in one way only, and is a
//! point of its curve.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, UnparsedPublicKey, VerificationAlgorithm,
};

/// How credentials are written.
const VERSION: u8 = 1;
/// The longest id of a credential, in bytes (section 4).
const MAX_ID: usize = 1023;

/// SubjectPublicKeyInfo of a P-256 key (RFC 5480), up to the uncompressed point.
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The same of an Ed25519 key (RFC 8410), up to the key.
const ED25519_SPKI: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// The first byte of an uncompressed point.
const UNCOMPRESSED: u8 = 4;

/// COSE_Key in canonical CBOR, up to x and from there to y: kty EC2, alg ES256,
/// crv P-256 (section 5.8.5, RFC 9053).
const P256_COSE: ([u8; 10], [u8; 3]) =
    ([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20], [0x22, 0x58, 0x20]);
/// The same up to x: kty OKP, alg EdDSA, crv Ed25519.
const ED25519_COSE: [u8; 10] = [0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20];

/// The public key of a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA on P-256 with SHA-256: x and y.
    Es256([u8; 64]),
    /// Ed25519.
    Ed25519([u8; 32]),
}

impl PublicKey {
    /// ES256 in the register of COSE.
    pub const ES256: i64 = -7;
    /// EdDSA there.
    pub const ED25519: i64 = -8;

    /// Reads a SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn of_spki(spki: &[u8]) -> Option<Self> {
        let key = if let Some(point) = spki.strip_prefix(&P256_SPKI) {
            Self::Es256(point.strip_prefix(&[UNCOMPRESSED])?.try_into().ok()?)
        } else {
            Self::Ed25519(spki.strip_prefix(&ED25519_SPKI)?.try_into().ok()?)
        };
        let (algorithm, bytes) = key.parts();
        ParsedPublicKey::new(algorithm, bytes).is_ok().then_some(key)
    }

    /// Its algorithm by the register of COSE.
    #[must_use]
    pub const fn algorithm(&self) -> i64 {
        match self {
            Self::Es256(_) => Self::ES256,
            Self::Ed25519(_) => Self::ED25519,
        }
    }

    /// The key as an authenticator writes it (section 6.5.1).
    pub(super) fn to_cose(&self) -> Vec<u8> {
        match self {
            Self::Es256(point) => {
                let (before, between) = P256_COSE;
                let (x, y) = point.split_at(32);
                [before.as_slice(), x, &between, y].concat()
            }
            Self::Ed25519(key) => [ED25519_COSE.as_slice(), key].concat(),
        }
    }

    /// Whether this key has signed `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let (algorithm, bytes) = self.parts();
        UnparsedPublicKey::new(algorithm, bytes).verify(message, signature).is_ok()
    }

    fn parts(&self) -> (&'static dyn VerificationAlgorithm, Vec<u8>) {
        match self {
            Self::Es256(point) => {
                (&ECDSA_P256_SHA256_ASN1, [[UNCOMPRESSED].as_slice(), point].concat())
            }
            Self::Ed25519(key) => (&ED25519, key.to_vec()),
        }
    }
}

/// A passkey: one key on one device, or in one vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    id: Vec<u8>,
    key: PublicKey,
}

impl Credential {
    pub(super) fn new(id: &[u8], key: PublicKey) -> Option<Self> {
        (1..=MAX_ID).contains(&id.len()).then(|| Self { id: id.to_vec(), key })
    }

    /// What the device knows it by.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// What its answers are checked with.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The credential as it is sealed for the database.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, key): (u8, &[u8]) = match &self.key {
            PublicKey::Es256(point) => (1, point),
            PublicKey::Ed25519(key) => (2, key),
        };
        [[VERSION, kind].as_slice(), key, &self.id].concat()
    }

    /// Reads what `to_bytes` wrote.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (key, id) = match bytes {
            [VERSION, 1, rest @ ..] => {
                let (point, id) = rest.split_first_chunk()?;
                (PublicKey::Es256(*point), id)
            }
            [VERSION, 2, rest @ ..] => {
                let (key, id) = rest.split_first_chunk()?;
                (PublicKey::Ed25519(*key), id)
            }
            _ => return None,
        };
        Self::new(id, key)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        encoding::{AsDer as _, PublicKeyX509Der},
        rand::SystemRandom,
        signature::{
            ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
            Ed25519KeyPair, KeyPair as _,
        },
    };

    use super::*;

    fn spki_of(key: &EcdsaKeyPair) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    #[test]
    fn a_key_is_read_from_what_the_library_writes_and_verifies() {
        let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let key = PublicKey::of_spki(&spki_of(&es256)).unwrap();
        let signature = es256.sign(&SystemRandom::new(), b"message").unwrap();
        assert!(key.verifies(b"message", signature.as_ref()));
        assert!(!key.verifies(b"another", signature.as_ref()));
        assert_eq!(key.algorithm(), -7);

        let eddsa = Ed25519KeyPair::generate().unwrap();
        let spki: PublicKeyX509Der<'_> = eddsa.public_key().as_der().unwrap();
        let other = PublicKey::of_spki(spki.as_ref()).unwrap();
        assert!(other.verifies(b"message", eddsa.sign(b"message").as_ref()));
        assert!(!other.verifies(b"message", signature.as_ref()));
        assert_eq!(other.algorithm(), -8);

        for key in [key, other] {
            for id in [&[7_u8; 1][..], &[7; MAX_ID]] {
                let credential = Credential::new(id, key.clone()).unwrap();
                assert_eq!(Credential::read(&credential.to_bytes()), Some(credential));
            }
            assert_eq!(Credential::new(&[], key.clone()), None);
            assert_eq!(Credential::new(&[7; MAX_ID + 1], key), None);
        }
    }

    #[test]
    fn no_other_key_is_read() {
        let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let good = spki_of(&es256);
        assert!(PublicKey::of_spki(&good).is_some());
        let mut off_the_curve = good.clone();
        off_the_curve[90] ^= 1;
        let mut compressed = good.clone();
        compressed[26] = 2;
        let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
        for bad in [
            Vec::new(),
            off_the_curve,
            compressed,
            good[..90].to_vec(),
            [good.as_slice(), &[0]].concat(),
            [ED25519_SPKI.as_slice(), &[9; 31]].concat(),
            [ED25519_SPKI.as_slice(), &[9; 33]].concat(),
            spki_of(&p384),
            good[26..].to_vec(),
        ] {
            assert_eq!(PublicKey::of_spki(&bad), None, "{bad:02x?}");
        }
        for bad in [&[][..], &[1], &[2, 1], &[1, 3], &[1, 1, 0], &[1, 2, 0]] {
            assert_eq!(Credential::read(bad), None);
        }
    }

    /// WebAuthn Level 3, section 6.5.1.1.
    #[test]
    fn a_key_is_written_as_authenticators_write_it() {
        let x = [0x65; 32];
        let y = [0x1e; 32];
        let point: [u8; 64] = [x, y].concat().try_into().unwrap();
        let cose = PublicKey::Es256(point).to_cose();
        assert_eq!(cose.len(), 77);
        assert_eq!(&cose[..10], b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20");
        assert_eq!(
            (&cose[10..42], &cose[42..45], &cose[45..]),
            (&x[..], &b"\"\x58\x20"[..], &y[..])
        );
        let cose = PublicKey::Ed25519(x).to_cose();
        assert_eq!(cose, [b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20".as_slice(), &x].concat());
    }
}
