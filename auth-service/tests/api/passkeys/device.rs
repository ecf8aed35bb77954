//! A device with passkeys and the browser before it, written from WebAuthn Level 3
//! and not from the service: they know what the page was told. Every part of an
//! answer can be made otherwise before it is sent.

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proto::auth::v1::{
    BeginPasskeyEnrollmentRequest, BeginPasskeyEnrollmentResponse, ConfirmPasskeyEnrollmentRequest,
    ConfirmPasskeyEnrollmentResponse,
};
use serde_json::{Value, json};
use tonic::Status;

use crate::harness::{Person, TestApp};

/// Where the page is, by the host that passkeys belong to.
pub(super) const ORIGIN: &str = "https://duet.test";
pub(super) const HOST: &str = "duet.test";
/// The flag that tells the service.
pub(crate) const PUBLIC_URL: &str = "--public-url=https://duet.test/";

pub(super) const USER_PRESENT: u8 = 1;
pub(super) const USER_VERIFIED: u8 = 1 << 2;
pub(super) const BACKUP_ELIGIBLE: u8 = 1 << 3;
pub(super) const BACKED_UP: u8 = 1 << 4;
pub(super) const HAS_CREDENTIAL: u8 = 1 << 6;
pub(super) const HAS_EXTENSIONS: u8 = 1 << 7;

/// A private key.
pub(crate) enum Key {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A passkey, and the factor that it is.
pub(crate) struct Passkey {
    /// The factor's resource name.
    pub(crate) name: String,
    pub(super) id: Vec<u8>,
    pub(super) key: Key,
    /// The user, as the device was told.
    pub(super) user: Vec<u8>,
    /// What came with it, if it was the first factor.
    pub(super) recovery_codes: Vec<String>,
}

/// What is answered to the wish for a new passkey.
pub(crate) struct Making {
    pub(crate) client: Value,
    pub(super) host: String,
    pub(super) flags: u8,
    /// The id that stands in the authenticator data.
    pub(super) id: Vec<u8>,
    /// The id that the browser tells.
    pub(super) raw_id: Vec<u8>,
    pub(super) spki: Vec<u8>,
    pub(super) algorithm: i64,
    pub(super) cose: Vec<u8>,
    pub(super) extensions: Vec<u8>,
}

/// What is answered to the question who somebody is.
pub(crate) struct Signing<'k> {
    pub(crate) client: Value,
    pub(super) host: String,
    pub(super) flags: u8,
    pub(super) extensions: Vec<u8>,
    pub(super) id: Vec<u8>,
    pub(super) handle: Option<Vec<u8>>,
    pub(super) key: &'k Key,
}

impl Key {
    pub(super) fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub(crate) fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    pub(super) fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Es256(key) => key.public_key().as_der().unwrap(),
            Self::Ed25519(key) => key.public_key().as_der().unwrap(),
        };
        der.as_ref().to_vec()
    }

    pub(super) fn algorithm(&self) -> i64 {
        match self {
            Self::Es256(_) => -7,
            Self::Ed25519(_) => -8,
        }
    }

    /// COSE_Key in CBOR: 1 kty, 3 alg, -1 crv, -2 x, -3 y.
    pub(super) fn cose(&self) -> Vec<u8> {
        let spki = self.spki();
        let of = |parts: &[&[u8]]| parts.concat();
        match self {
            Self::Es256(_) => {
                let (x, y) = spki[27..].split_at(32);
                of(&[b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", x, b"\x22\x58\x20", y])
            }
            Self::Ed25519(_) => of(&[b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20", &spki[12..]]),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }
}

impl Passkey {
    /// Adds one to the account of whoever has this access token.
    pub(super) async fn enrolled(app: &TestApp, token: &str, key: Key) -> Self {
        let begun = begun(app, token).await;
        let made = Making::of(&begun.creation_options, &key);
        let confirmed = confirm(app, token, &begun.name, &made.json()).await.unwrap();
        Self { recovery_codes: confirmed.recovery_codes, ..Self::of(begun, &made, key) }
    }

    /// The one that was made when these options were told.
    pub(crate) fn of(begun: BeginPasskeyEnrollmentResponse, made: &Making, key: Key) -> Self {
        let user = decoded(&options(&begun.creation_options)["user"]["id"]);
        Self { name: begun.name, id: made.id.clone(), key, user, recovery_codes: Vec::new() }
    }

    /// What it answers to these options.
    pub(super) fn answer(&self, asked: &str) -> String {
        self.signing(asked).json()
    }

    /// The same, to be made otherwise.
    pub(crate) fn signing(&self, asked: &str) -> Signing<'_> {
        let asked = options(asked);
        let allowed = asked["allowCredentials"].as_array().unwrap();
        assert!(allowed.iter().any(|one| decoded(&one["id"]) == self.id), "it is not asked");
        Signing {
            client: client("webauthn.get", &asked["challenge"]),
            host: asked["rpId"].as_str().unwrap().to_owned(),
            flags: USER_PRESENT | USER_VERIFIED,
            extensions: Vec::new(),
            id: self.id.clone(),
            handle: Some(self.user.clone()),
            key: &self.key,
        }
    }
}

impl Making {
    /// What a device makes by these options.
    pub(crate) fn of(asked: &str, key: &Key) -> Self {
        let asked = options(asked);
        let id: [u8; 20] = shared::rng::bytes();
        Self {
            client: client("webauthn.create", &asked["challenge"]),
            host: asked["rp"]["id"].as_str().unwrap().to_owned(),
            flags: USER_PRESENT | USER_VERIFIED | HAS_CREDENTIAL,
            id: id.to_vec(),
            raw_id: id.to_vec(),
            spki: key.spki(),
            algorithm: key.algorithm(),
            cose: key.cose(),
            extensions: Vec::new(),
        }
    }

    pub(super) fn authenticator_data(&self) -> Vec<u8> {
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let model = [0; 16];
        let parts: [&[u8]; 5] = [&model, &length, &self.id, &self.cose, &self.extensions];
        [authenticator_data(&self.host, self.flags), parts.concat()].concat()
    }

    pub(super) fn value(&self) -> Value {
        json!({
            "id": encoded(&self.raw_id),
            "rawId": encoded(&self.raw_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(self.client.to_string().as_bytes()),
                "authenticatorData": encoded(&self.authenticator_data()),
                "transports": ["internal", "hybrid"],
                "publicKey": encoded(&self.spki),
                "publicKeyAlgorithm": self.algorithm,
                // Not read: the parts of it stand beside it.
                "attestationObject": encoded(b"\xa0"),
            },
        })
    }

    pub(crate) fn json(&self) -> String {
        self.value().to_string()
    }
}

impl Signing<'_> {
    pub(super) fn value(&self) -> Value {
        let data = [authenticator_data(&self.host, self.flags), self.extensions.clone()].concat();
        let client = self.client.to_string();
        let message = [data.as_slice(), digest(&SHA256, client.as_bytes()).as_ref()].concat();
        json!({
            "id": encoded(&self.id),
            "rawId": encoded(&self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encoded(client.as_bytes()),
                "authenticatorData": encoded(&data),
                "signature": encoded(&self.key.sign(&message)),
                "userHandle": self.handle.as_deref().map(encoded),
            },
        })
    }

    pub(crate) fn json(&self) -> String {
        self.value().to_string()
    }
}

/// Somebody who signed up and has a passkey, and a moment has passed.
pub(super) async fn with_passkey(app: &TestApp, name: &str, key: Key) -> (Person, Passkey) {
    let person = app.signed_up(name).await;
    let passkey = Passkey::enrolled(app, person.token(), key).await;
    app.clock.advance(std::time::Duration::from_secs(90));
    (person, passkey)
}

pub(super) async fn begun(app: &TestApp, token: &str) -> BeginPasskeyEnrollmentResponse {
    begin(app, token).await.unwrap()
}

pub(super) async fn begin(
    app: &TestApp,
    token: &str,
) -> Result<BeginPasskeyEnrollmentResponse, Status> {
    let request = BeginPasskeyEnrollmentRequest::default();
    app.account(token).begin_passkey_enrollment(request).await.map(tonic::Response::into_inner)
}

pub(super) async fn confirm(
    app: &TestApp,
    token: &str,
    name: &str,
    credential: &str,
) -> Result<ConfirmPasskeyEnrollmentResponse, Status> {
    let request = ConfirmPasskeyEnrollmentRequest {
        name: name.to_owned(),
        display_name: " Laptop ".to_owned(),
        credential: credential.to_owned(),
    };
    app.account(token).confirm_passkey_enrollment(request).await.map(tonic::Response::into_inner)
}

pub(super) fn options(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub(super) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decoded(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

/// What a browser collects (section 5.8.1).
fn client(what: &str, challenge: &Value) -> Value {
    json!({ "type": what, "challenge": challenge, "origin": ORIGIN, "crossOrigin": false })
}

/// What a device says of itself (section 6.1), up to what it made.
fn authenticator_data(host: &str, flags: u8) -> Vec<u8> {
    [digest(&SHA256, host.as_bytes()).as_ref(), &[flags], &[0, 0, 0, 9]].concat()
}
