//! Passkeys (WebAuthn Level 3) as a second factor: whose they are, what browsers
//! are asked, and whether they answered it. No crate does it (decision 0010).
//!
//! Invariant: an answer counts for one question, one page and one key of the user
//! who was asked; nothing in it is believed before all of that is checked.

mod credential;
mod options;
mod question;
mod response;

use aws_lc_rs::digest;
use chrono::{DateTime, Utc};
use http::{Uri, uri::Scheme};
use uuid::Uuid;

use self::response::{Answer, AuthenticatorData, ClientData};
pub use self::{
    credential::{Credential, PublicKey},
    options::Account,
    question::{Asked, ENROLMENT, PROOF, Question},
};
use crate::sealing::Sealer;

/// The longest answer to a question about who somebody is, in bytes.
pub const MAX_ASSERTION: usize = 8 * 1024;
/// The longest answer to the wish for a new passkey, in bytes.
pub const MAX_REGISTRATION: usize = 16 * 1024;

/// What an answer says it is (section 5.8.1).
const CREATE: &str = "webauthn.create";
const GET: &str = "webauthn.get";

const NOT_READABLE: &str = "It must be a RegistrationResponseJSON (WebAuthn Level 3).";
const TOO_LONG: &str = "It has at most 16 KiB.";
const NOT_ASKED: &str = "It belongs to nothing that was begun, or came too late. \
                         Please begin again.";
const FROM_ELSEWHERE: &str = "It was made for another page than the one of this service.";
const UNKNOWN_KEY: &str = "Its key must be of ES256 or Ed25519.";

/// The page that passkeys belong to: who browsers say is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    /// Its host.
    id: String,
    /// Its origin, as browsers write it.
    origin: String,
    id_hash: [u8; 32],
}

impl RelyingParty {
    /// That of the page at `address`. None if browsers let no passkey belong to it:
    /// they want a domain and, but for this machine itself, https.
    #[must_use]
    pub fn at(address: &str) -> Option<Self> {
        let address: Uri = address.parse().ok()?;
        let (scheme, host) = (address.scheme()?, address.host()?.to_ascii_lowercase());
        let (tls, plain) = (*scheme == Scheme::HTTPS, *scheme == Scheme::HTTP);
        let local = host == "localhost" || host.ends_with(".localhost");
        if !is_domain(&host) || !(tls || plain && local) {
            return None;
        }
        let usual = if tls { 443 } else { 80 };
        let origin = match address.port_u16().filter(|port| *port != usual) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Some(Self { id_hash: sha256(host.as_bytes()), id: host, origin })
    }

    /// The passkey that `answer` has made for `question`, and when it was asked, as
    /// section 7.1 has it checked, without attestation.
    ///
    /// # Errors
    /// What is wrong with it, in words for the caller.
    pub fn registered(
        &self,
        answer: &str,
        question: &Question,
        sealer: &Sealer,
        now: DateTime<Utc>,
    ) -> Result<(Credential, Asked), &'static str> {
        if answer.len() > MAX_REGISTRATION {
            return Err(TOO_LONG);
        }
        let answer: Answer<response::Made> = Answer::read(answer).ok_or(NOT_READABLE)?;
        let client = ClientData::read(&answer.response.client_data).ok_or(NOT_READABLE)?;
        let data = AuthenticatorData::read(&answer.response.authenticator_data);
        let data = data.ok_or(NOT_READABLE)?;
        let asked = question.asked_by(&client.challenge, sealer, now).ok_or(NOT_ASKED)?;
        if !self.is_asked_here(&client, CREATE, &data) {
            return Err(FROM_ELSEWHERE);
        }
        let key = PublicKey::of_spki(&answer.response.public_key).ok_or(UNKNOWN_KEY)?;
        if key.algorithm() != answer.response.public_key_algorithm {
            return Err(UNKNOWN_KEY);
        }
        // What the browser tells beside it must be what the device made.
        let made = data.made(&key.to_cose()).filter(|id| *id == answer.raw_id.0.as_slice());
        let made = made.and_then(|id| Credential::new(id, key)).ok_or(NOT_READABLE)?;
        Ok((made, asked))
    }

    /// Which of `known` gave this answer to `question`, and when it was asked, as
    /// section 7.2 has it checked.
    #[must_use]
    pub fn answered(
        &self,
        answer: &str,
        question: &Question,
        known: &[(Uuid, Credential)],
        sealer: &Sealer,
        now: DateTime<Utc>,
    ) -> Option<(Uuid, Asked)> {
        if answer.len() > MAX_ASSERTION {
            return None;
        }
        let answer: Answer<response::Signed> = Answer::read(answer)?;
        let (factor, credential) =
            known.iter().find(|(_, credential)| credential.id() == answer.raw_id.0)?;
        let signed = &answer.response;
        let handle = signed.user_handle.as_ref().map(|handle| handle.0.as_slice());
        if handle.is_some_and(|handle| handle != question.user().as_bytes()) {
            return None;
        }
        let client = ClientData::read(&signed.client_data)?;
        let asked = question.asked_by(&client.challenge, sealer, now)?;
        let data = AuthenticatorData::read(&signed.authenticator_data)?;
        if !self.is_asked_here(&client, GET, &data) {
            return None;
        }
        let message =
            [signed.authenticator_data.0.as_slice(), &sha256(&signed.client_data.0)].concat();
        credential.key().verifies(&message, &signed.signature.0).then_some((*factor, asked))
    }

    /// Whether it was this page that asked, for this, and somebody was there.
    fn is_asked_here(&self, client: &ClientData, what: &str, data: &AuthenticatorData<'_>) -> bool {
        client.what == what
            && client.origin == self.origin
            && !client.is_framed()
            && *data.rp_id_hash == self.id_hash
            && data.is_user_present()
            && data.is_backup_sound()
    }
}

/// Whether a host is a domain name, and not an address as browsers read it: they
/// take whatever ends in a number for one.
fn is_domain(host: &str) -> bool {
    let mut labels = host.split('.');
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let last = host.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x");
    let is_number = last.chars().all(|c| c.is_ascii_digit())
        || hex.is_some_and(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()));
    host.len() <= 253
        && labels.all(|label| (1..=63).contains(&label.len()) && label.chars().all(known))
        && !is_number
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_origin_that_browsers_write() {
        for (address, id, origin) in [
            ("https://Duet.Example.org", "duet.example.org", "https://duet.example.org"),
            ("https://duet.example.org:443/tasks/", "duet.example.org", "https://duet.example.org"),
            ("https://duet.example.org:8443", "duet.example.org", "https://duet.example.org:8443"),
            ("http://localhost:8080/", "localhost", "http://localhost:8080"),
            ("http://localhost:80", "localhost", "http://localhost"),
            ("http://duet.localhost:443", "duet.localhost", "http://duet.localhost:443"),
        ] {
            let RelyingParty { id: of, origin: from, .. } = RelyingParty::at(address).unwrap();
            assert_eq!((of.as_str(), from.as_str()), (id, origin), "{address}");
        }
    }

    #[test]
    fn no_passkey_belongs_to_an_address_or_to_a_page_in_clear() {
        for address in [
            "",
            "duet.example.org",
            "/tasks",
            "https://192.0.2.1",
            "https://192.0.2.1:8443/",
            "https://0x7f000001",
            "https://127.1",
            "https://[2001:db8::1]:443",
            "https://duet.example.org.",
            "https://duet_x.example.org",
            "http://duet.example.org",
            "http://notlocalhost",
            "ftp://duet.example.org",
        ] {
            assert_eq!(RelyingParty::at(address), None, "{address}");
        }
    }
}
