//! A passkey beside the authenticator: made, shown, and removed again.

use proto::auth::v1::{
    BeginPasskeyEnrollmentRequest, ConfirmPasskeyEnrollmentRequest, complete_sign_in_request::Code,
};
use tonic::Code as Refused;

use super::{
    calls::{account, complete, is, sign_in},
    factor::{Taken, names, remove},
    fleet::{Fleet, unexpected},
    person::Person,
    plan::Way,
};
use crate::{
    harness::Told as _,
    passkeys::device::{Key, Making, Passkey},
};

/// Where the page is, by `MailServer::flags`.
const ORIGIN: &str = "https://page.test";

impl Person {
    /// Adds a passkey, opens a session with it, and removes it.
    pub(super) async fn use_passkey(&mut self, fleet: &Fleet, device: usize, way: Way) {
        let bearer = self.devices[device].credentials.access_token.clone();
        let passkey = enrolled(fleet, way, &bearer).await;
        let answer = sign_in(fleet, way, &self.email, &self.password()).await;
        let answer = answer.unwrap_or_else(|status| unexpected("a sign-in", &status));
        let asked = answer.challenge.as_ref().map(|asked| asked.passkey_options.clone());
        let challenge = self.challenge(answer).expect_err("there is a factor");
        let mut signing = passkey.signing(&asked.expect("a challenge"));
        signing.client["origin"] = ORIGIN.into();
        let shown = Code::PasskeyAssertion(signing.json());
        let taken = Taken::of(complete(fleet, way, &challenge, &shown).await);
        assert!(matches!(taken, Taken::Opened(_)), "a passkey was refused");
        self.took(taken);
        let (over, _) = complete(fleet, way.other(), &challenge, &shown).await;
        over.expect_err("it is over").is(Refused::Unauthenticated, "CHALLENGE_INVALID");
        remove(fleet, way, &bearer, &passkey.name).await;
    }
}

/// A new passkey.
async fn enrolled(fleet: &Fleet, way: Way, bearer: &str) -> Passkey {
    let asked = fleet.ask(way, |channel| {
        let mut account = account(channel, bearer);
        let request = BeginPasskeyEnrollmentRequest::default();
        async move { account.begin_passkey_enrollment(request).await }
    });
    let begun = asked.await.0.unwrap_or_else(|status| unexpected("an enrolment", &status));
    let key = Key::ed25519();
    let mut made = Making::of(&begun.creation_options, &key);
    made.client["origin"] = ORIGIN.into();
    let asked = fleet.ask(way, |channel| {
        let mut account = account(channel, bearer);
        let (name, credential) = (begun.name.clone(), made.json());
        let request = ConfirmPasskeyEnrollmentRequest { name, credential, ..Default::default() };
        async move { account.confirm_passkey_enrollment(request).await }
    });
    match asked.await {
        (Ok(_), _) => {}
        // It was added before, by the call whose answer was lost.
        (Err(status), true) if is(&status, "FIELD_INVALID") => {
            let listed = names(fleet, way, bearer).await;
            assert!(listed.contains(&begun.name), "it is not there: {status:?}");
        }
        (Err(status), _) => unexpected("the end of an enrolment", &status),
    }
    Passkey::of(begun, &made, key)
}
