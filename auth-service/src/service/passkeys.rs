//! Passkeys as their owner adds them, and what is asked of one by whoever has to
//! prove again who they are.

use proto::auth::v1::{
    BeginPasskeyEnrollmentRequest, BeginPasskeyEnrollmentResponse, BeginReauthenticationRequest,
    BeginReauthenticationResponse, ConfirmPasskeyEnrollmentRequest,
    ConfirmPasskeyEnrollmentResponse,
};
use shared::{
    error::{Failure, Fields},
    interceptor::Identity,
    name, rng,
};
use tonic::Request;

use super::{
    Parts, Service,
    factors::{shown, to_factor},
    step_up::Ways,
    to_timestamp,
};
use crate::{
    email::DisplayName,
    error::Error,
    factors::{self, passkeys},
    mail::Mail,
    passkey::{Account, ENROLMENT, PROOF, Question, RelyingParty},
};

impl Service {
    pub(super) async fn do_begin_passkey_enrollment(
        &self,
        request: Request<BeginPasskeyEnrollmentRequest>,
    ) -> Result<BeginPasskeyEnrollmentResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &request.get_ref().parent, &identity)?;
        let (user,) = fields.all((user,))?;
        self.recent(&identity)?;
        let relying_party = self.relying_party()?;

        let caller = self.caller(&identity)?;
        let Parts { database, sealer, second_factors, .. } = &*self.0;
        let known = factors::known(database, &caller).await?;
        passkeys::check_room(&known)?;
        let factor = rng::uuid_v7(caller.now);
        let question = Question::Enrolment { user, session: caller.session, factor };
        let email = &identity.user()?.email;
        let account = Account { user, email, service: &second_factors.totp_issuer };
        let challenge = question.challenge(sealer, caller.now);
        let known = passkeys::among(&known, user, sealer);
        Ok(BeginPasskeyEnrollmentResponse {
            name: name::of_member(user, "factors", factor),
            creation_options: relying_party.creation_options(&challenge, &account, &known),
            expire_time: Some(to_timestamp(caller.now + ENROLMENT)),
        })
    }

    pub(super) async fn do_confirm_passkey_enrollment(
        &self,
        request: Request<ConfirmPasskeyEnrollmentRequest>,
    ) -> Result<ConfirmPasskeyEnrollmentResponse, Failure> {
        let identity = Identity::of(&request)?;
        let ConfirmPasskeyEnrollmentRequest { name, display_name, credential } =
            request.into_inner();
        let mut fields = Fields::new();
        let named = name::member(&mut fields, "name", "factors", &name, &identity)?;
        let display_name = fields.read("display_name", DisplayName::parse(&display_name));
        let relying_party = self.relying_party()?;
        let caller = self.told(&identity, |device| Mail::FactorAdded { device })?;
        let Parts { database, sealer, .. } = &*self.0;
        let made = named.and_then(|(user, factor)| {
            let question = Question::Enrolment { user, session: caller.session, factor };
            let made = relying_party.registered(&credential, &question, sealer, caller.now);
            fields.read("credential", made)
        });
        // Without a name there is no saying what it should be the answer to.
        let ((user, factor), display_name, made) = fields.all((named, display_name, made))?;

        let (credential, asked) = made;
        let made = passkeys::Enrolled { factor, display_name, credential, asked };
        let confirmed = passkeys::confirm(database, &caller, &made, sealer).await?;
        let (factor, codes) = confirmed;
        self.0.outbox.filled();
        // The first factor ends every other session.
        self.0.trust.changed();
        Ok(ConfirmPasskeyEnrollmentResponse {
            factor: Some(to_factor(factor, user)),
            recovery_codes: codes.map(|codes| shown(&codes)).unwrap_or_default(),
        })
    }

    pub(super) async fn do_begin_reauthentication(
        &self,
        request: Request<BeginReauthenticationRequest>,
    ) -> Result<BeginReauthenticationResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "name", &request.get_ref().name, &identity)?;
        let (user,) = fields.all((user,))?;
        let caller = self.caller(&identity)?;
        let known = factors::known(&self.0.database, &caller).await?;
        let question = Question::Proof { user, session: caller.session };
        let Ways { kinds, passkey_options } = self.ways(&question, &known, caller.now);
        let expires = (!passkey_options.is_empty()).then(|| to_timestamp(caller.now + PROOF));
        Ok(BeginReauthenticationResponse {
            factor_kinds: kinds,
            passkey_options,
            expire_time: expires,
        })
    }

    fn relying_party(&self) -> Result<&RelyingParty, Failure> {
        self.0.relying_party.as_ref().ok_or_else(|| Error::PasskeysUnavailable.into())
    }
}
