//! What browsers answer: RegistrationResponseJSON and AuthenticationResponseJSON
//! (WebAuthn Level 3, section 5.1), and within them the client data (5.8.1) and the
//! authenticator data (6.1).
//!
//! Invariant: this only reads. What it reads is whatever somebody sent.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// The flags of authenticator data.
const USER_PRESENT: u8 = 1;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const HAS_CREDENTIAL: u8 = 1 << 6;
const HAS_EXTENSIONS: u8 = 1 << 7;

/// AAGUID: which model of an authenticator it says it is.
const MODEL_BYTES: usize = 16;
/// How often it signed. What is synchronized does not count.
const COUNTER_BYTES: usize = 4;

/// Bytes in base64url.
pub(super) struct Bytes(pub(super) Vec<u8>);

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        URL_SAFE_NO_PAD.decode(text).map(Self).map_err(D::Error::custom)
    }
}

/// An answer of a passkey.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer<R> {
    id: String,
    pub(super) raw_id: Bytes,
    #[serde(rename = "type")]
    kind: String,
    pub(super) response: R,
}

/// What one that was made answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Made {
    #[serde(rename = "clientDataJSON")]
    pub(super) client_data: Bytes,
    pub(super) authenticator_data: Bytes,
    /// SubjectPublicKeyInfo; browsers leave it out for keys that they do not know.
    pub(super) public_key: Bytes,
    pub(super) public_key_algorithm: i64,
}

/// What one that was asked who it is answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Signed {
    #[serde(rename = "clientDataJSON")]
    pub(super) client_data: Bytes,
    pub(super) authenticator_data: Bytes,
    pub(super) signature: Bytes,
    #[serde(default)]
    pub(super) user_handle: Option<Bytes>,
}

impl<'t, R: Deserialize<'t>> Answer<R> {
    pub(super) fn read(text: &'t str) -> Option<Self> {
        let answer: Self = serde_json::from_str(text).ok()?;
        let is_named = URL_SAFE_NO_PAD.encode(&answer.raw_id.0) == answer.id;
        (answer.kind == "public-key" && is_named).then_some(answer)
    }
}

/// What the browser signs to have been told, and by whom.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientData {
    #[serde(rename = "type")]
    pub(super) what: String,
    pub(super) challenge: Bytes,
    pub(super) origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<Value>,
}

impl ClientData {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether the page stood in a frame of another one.
    pub(super) fn is_framed(&self) -> bool {
        self.cross_origin || self.top_origin.is_some()
    }
}

/// What the authenticator signs.
pub(super) struct AuthenticatorData<'a> {
    pub(super) rp_id_hash: &'a [u8; 32],
    flags: u8,
    rest: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (rp_id_hash, rest) = bytes.split_first_chunk()?;
        let (&flags, rest) = rest.split_first()?;
        let (_, rest) = rest.split_at_checked(COUNTER_BYTES)?;
        let has_more = flags & (HAS_CREDENTIAL | HAS_EXTENSIONS) != 0;
        (has_more != rest.is_empty()).then_some(Self { rp_id_hash, flags, rest })
    }

    /// Whether somebody touched it.
    pub(super) const fn is_user_present(&self) -> bool {
        self.flags & USER_PRESENT != 0
    }

    /// Whether nothing is backed up that cannot be (section 6.1.3).
    pub(super) const fn is_backup_sound(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0 || self.flags & BACKED_UP == 0
    }

    /// The id of the credential that was made, if this is its key as COSE.
    pub(super) fn made(&self, cose: &[u8]) -> Option<&'a [u8]> {
        if self.flags & HAS_CREDENTIAL == 0 {
            return None;
        }
        let (_, rest) = self.rest.split_at_checked(MODEL_BYTES)?;
        let (length, rest) = rest.split_first_chunk()?;
        let (id, key) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let extensions = key.strip_prefix(cose)?;
        let has_extensions = self.flags & HAS_EXTENSIONS != 0;
        (has_extensions != extensions.is_empty()).then_some(id)
    }
}
