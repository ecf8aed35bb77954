//! An authenticator app, written from the standards and not from the service:
//! it knows what the service told it, and computes codes by the test's clock.

use aws_lc_rs::hmac;
use proto::auth::v1::{
    BeginTotpEnrollmentRequest, BeginTotpEnrollmentResponse, Challenge, CompleteSignInRequest,
    CompleteSignInResponse, ConfirmTotpEnrollmentRequest, SignInRequest,
    complete_sign_in_request::Code,
};
use shared::clock::Clock as _;
use tonic::Status;

use crate::harness::{PASSWORD, Person, TestApp};

/// An authenticator with one account in it.
pub(crate) struct Authenticator {
    /// The factor's resource name.
    pub(crate) name: String,
    /// The secret as it was told.
    pub(crate) base32: String,
    pub(crate) secret: Vec<u8>,
    /// What came with it, if it was the first.
    pub(crate) recovery_codes: Vec<String>,
}

impl Authenticator {
    /// Adds one to the account of whoever has this access token.
    pub(crate) async fn enrolled(app: &TestApp, token: &str) -> Self {
        let mut begun = Self::begun(app, token).await;
        let request = ConfirmTotpEnrollmentRequest {
            name: begun.name.clone(),
            totp_code: begun.code(app, 0),
        };
        let confirmed = app.account(token).confirm_totp_enrollment(request).await.unwrap();
        begun.recovery_codes = confirmed.into_inner().recovery_codes;
        begun
    }

    /// Adds one, all but for the first code.
    pub(crate) async fn begun(app: &TestApp, token: &str) -> Self {
        let request = BeginTotpEnrollmentRequest::default();
        let begun = app.account(token).begin_totp_enrollment(request).await.unwrap();
        let BeginTotpEnrollmentResponse { name, secret, .. } = begun.into_inner();
        Self { name, secret: from_base32(&secret), base32: secret, recovery_codes: Vec::new() }
    }

    /// The code that it shows, or that it showed or will show so many steps off.
    pub(crate) fn code(&self, app: &TestApp, steps: i64) -> String {
        code_of(&self.secret, app.clock.now().timestamp() / 30 + steps)
    }

    /// A code that it shows at no time near.
    pub(crate) fn wrong_code(&self, app: &TestApp) -> String {
        let near: Vec<String> = (-3..=3).map(|steps| self.code(app, steps)).collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).unwrap()
    }
}

/// Somebody who signed up and has an authenticator, and a moment has passed.
pub(crate) async fn with_authenticator(app: &TestApp, name: &str) -> (Person, Authenticator) {
    let person = app.signed_up(name).await;
    let authenticator = Authenticator::enrolled(app, &person.credentials.access_token).await;
    // The code that confirmed it is used up.
    app.clock.advance(std::time::Duration::from_secs(90));
    (person, authenticator)
}

/// Signs in as far as the password goes.
pub(crate) async fn challenged(app: &TestApp, person: &Person) -> Challenge {
    let request = SignInRequest {
        email: person.email.clone(),
        password: PASSWORD.to_owned(),
        ..SignInRequest::default()
    };
    let answer = app.auth().sign_in(request).await.unwrap().into_inner();
    assert_eq!((answer.user, answer.credentials), (None, None));
    answer.challenge.unwrap()
}

/// Goes on from there.
pub(crate) async fn complete(
    app: &TestApp,
    token: &str,
    code: Code,
) -> Result<CompleteSignInResponse, Status> {
    let request = CompleteSignInRequest {
        challenge_token: token.to_owned(),
        code: Some(code),
        ..CompleteSignInRequest::default()
    };
    app.auth().complete_sign_in(request).await.map(tonic::Response::into_inner)
}

/// Signs in by password and by this code.
pub(crate) async fn signed_in(
    app: &TestApp,
    person: &Person,
    code: Code,
) -> Result<CompleteSignInResponse, Status> {
    let challenge = challenged(app, person).await;
    complete(app, &challenge.token, code).await
}

/// The code of a time step (RFC 4226, section 5.3).
pub(crate) fn code_of(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 0xf);
    let window: [u8; 4] = tag[offset..offset + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(window) & 0x7fff_ffff) % 1_000_000)
}

pub(crate) fn from_base32(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = text.chars().map(|c| format!("{:05b}", alphabet.find(c).unwrap())).collect();
    let bytes = bits.as_bytes().chunks_exact(8);
    bytes.map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap()).collect()
}
