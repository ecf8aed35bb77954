//! What browsers are asked, as they read it: PublicKeyCredentialCreationOptionsJSON
//! and PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3, sections 5.1.8 and
//! 5.1.9).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Credential, PublicKey, RelyingParty, question};

/// Whom a passkey is made for, as its device will list it.
pub struct Account<'a> {
    /// The user.
    pub user: Uuid,
    /// The user's address.
    pub email: &'a str,
    /// What this service is called.
    pub service: &'a str,
}

impl RelyingParty {
    /// What a passkey is made by that is none of `known`.
    #[must_use]
    pub fn creation_options(
        &self,
        challenge: &[u8],
        account: &Account<'_>,
        known: &[(Uuid, Credential)],
    ) -> String {
        let Account { user, email, service } = account;
        let algorithm = |number| json!({ "type": "public-key", "alg": number });
        json!({
            "rp": { "id": self.id, "name": service },
            "user": { "id": base64url(user.as_bytes()), "name": email, "displayName": email },
            "challenge": base64url(challenge),
            "pubKeyCredParams": [algorithm(PublicKey::ES256), algorithm(PublicKey::ED25519)],
            "timeout": question::ENROLMENT.num_milliseconds(),
            "excludeCredentials": descriptors(known),
            "authenticatorSelection": {
                "residentKey": "discouraged",
                "requireResidentKey": false,
                "userVerification": "preferred",
            },
            "attestation": "none",
        })
        .to_string()
    }

    /// What one of `known` is asked by.
    #[must_use]
    pub fn request_options(&self, challenge: &[u8], known: &[(Uuid, Credential)]) -> String {
        json!({
            "challenge": base64url(challenge),
            "timeout": question::PROOF.num_milliseconds(),
            "rpId": self.id,
            "allowCredentials": descriptors(known),
            "userVerification": "preferred",
        })
        .to_string()
    }
}

fn descriptors(known: &[(Uuid, Credential)]) -> Vec<Value> {
    let id = |credential: &Credential| base64url(credential.id());
    known
        .iter()
        .map(|(_, credential)| json!({ "type": "public-key", "id": id(credential) }))
        .collect()
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
