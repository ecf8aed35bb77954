//! Making a key pair.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use jsonwebtoken::Algorithm;
use shared::jwk::Jwk;
use zeroize::Zeroizing;

/// A key that was made and is not stored yet.
pub(super) struct NewKey {
    pub(super) jwk: Jwk,
    pub(super) private: Zeroizing<Vec<u8>>,
}

impl NewKey {
    pub(super) fn generate(algorithm: Algorithm) -> anyhow::Result<Self> {
        let refused = |_| anyhow::anyhow!("the cryptography library cannot make a key");
        Ok(match algorithm {
            Algorithm::ES256 => {
                let pair =
                    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(refused)?;
                let private = Zeroizing::new(pair.to_pkcs8v1().map_err(refused)?.as_ref().to_vec());
                let point = pair.public_key().as_ref();
                let (x, y) = (point[1..33].try_into()?, point[33..65].try_into()?);
                Self { jwk: Jwk::p256(x, y), private }
            }
            _ => {
                let pair = Ed25519KeyPair::generate().map_err(refused)?;
                let private = Zeroizing::new(pair.to_pkcs8v1().map_err(refused)?.as_ref().to_vec());
                Self { jwk: Jwk::ed25519(pair.public_key().as_ref().try_into()?), private }
            }
        })
    }
}
