//! Proving who one is beyond the password: the challenge that SignIn answers
//! with and CompleteSignIn ends, Reauthenticate, and the demand for a recent
//! proof by what could cost an account.

use chrono::{DateTime, Utc};
use proto::auth::v1::{
    Challenge as ChallengeMessage, CompleteSignInRequest, CompleteSignInResponse, FactorKind,
    ReauthenticateRequest, ReauthenticateResponse, complete_sign_in_request,
    reauthenticate_request,
};
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name,
};
use tonic::{Request, metadata::MetadataMap};

use super::{
    Parts, Service,
    auth::{Carried, Transport},
    read_password, to_timestamp,
};
use crate::{
    challenge::{self, Challenge},
    error::Error,
    factors::{self, Kind, KnownFactor, passkeys},
    passkey::{Question, RelyingParty},
    proof::{self, Check, Code},
    recovery_code::RecoveryCode,
    sessions::NewSession,
    throttle,
    totp::TotpCode,
};

impl Service {
    /// Makes sure that the caller proved lately who they are. A service proves it
    /// with each token, and has no password to be asked for.
    ///
    /// # Errors
    /// FAILED_PRECONDITION (REAUTHENTICATION_REQUIRED).
    pub(super) fn recent(&self, identity: &Identity) -> Result<(), Failure> {
        let longest = self.0.second_factors.max_auth_age.as_secs();
        let Ok(user) = identity.user() else { return Ok(()) };
        let age = self.0.clock.now().timestamp() - user.auth_time;
        if age <= i64::try_from(longest).unwrap_or(i64::MAX) {
            return Ok(());
        }
        let failure =
            Failure::new(Reason::ReauthenticationRequired, "Please confirm your password first.");
        Err(failure.metadata("max_auth_age", longest.to_string()))
    }

    /// What SignIn answers with instead of the credentials of `session`.
    pub(super) fn challenge(
        &self,
        session: &NewSession,
        transport: Transport,
        factors: Vec<KnownFactor>,
    ) -> ChallengeMessage {
        let question = Question::SignIn { user: session.user, challenge: session.id };
        let ways = self.ways(&question, &factors, session.now);
        let challenge = Challenge {
            user: session.user,
            id: session.id,
            expires_at: session.now + challenge::LIFETIME,
            in_cookie: transport == Transport::Cookie,
            factors,
        };
        ChallengeMessage {
            token: challenge.seal(&self.0.sealer).expose().to_owned(),
            factor_kinds: ways.kinds,
            expire_time: Some(to_timestamp(challenge.expires_at)),
            passkey_options: ways.passkey_options,
        }
    }

    /// What `question` can be answered with of these factors. A passkey is no way
    /// where the page is unknown that it belongs to.
    pub(super) fn ways(
        &self,
        question: &Question,
        known: &[KnownFactor],
        now: DateTime<Utc>,
    ) -> Ways {
        let Parts { relying_party, sealer, .. } = &*self.0;
        let passkeys = passkeys::among(known, question.user(), sealer);
        let asking = relying_party.as_ref().filter(|_| !passkeys.is_empty());
        let ask =
            |page: &RelyingParty| page.request_options(&question.challenge(sealer, now), &passkeys);
        let offered =
            known.iter().filter(|factor| asking.is_some() || factor.kind != Kind::Passkey);
        let mut kinds: Vec<i32> = offered.map(|factor| to_kind(factor.kind)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        Ways { kinds, passkey_options: asking.map(ask).unwrap_or_default() }
    }

    fn check<'a>(
        &'a self,
        question: Question,
        known: &'a [KnownFactor],
        now: DateTime<Utc>,
    ) -> Check<'a> {
        let Parts { relying_party, sealer, .. } = &*self.0;
        Check { question, known, sealer, relying_party: relying_party.as_ref(), now }
    }

    pub(super) async fn do_complete_sign_in(
        &self,
        metadata: &MetadataMap,
        request: CompleteSignInRequest,
    ) -> Result<Carried<CompleteSignInResponse>, Failure> {
        use complete_sign_in_request::Code::{PasskeyAssertion, RecoveryCode, TotpCode};
        let CompleteSignInRequest { challenge_token, code, refresh_token_transport } = request;
        let mut fields = Fields::new();
        let code = match code {
            Some(TotpCode(text)) => read_totp(&mut fields, &text).map(Code::Totp),
            Some(RecoveryCode(text)) => read_recovery(&mut fields, &text),
            Some(PasskeyAssertion(answer)) => Some(Code::Passkey(answer)),
            None => fields.read("totp_code", Err("A code is needed.")),
        };
        let transport = self.read_transport(&mut fields, metadata, refresh_token_transport)?;
        let challenge = Challenge::open(&challenge_token, &self.0.sealer);
        if let (Some(challenge), Some(transport)) = (&challenge, transport)
            && challenge.in_cookie != (transport == Transport::Cookie)
        {
            fields.refuse("refresh_token_transport", "It must be the one of the sign-in.");
        }
        let (code, transport) = fields.all((code, transport))?;
        let now = self.0.clock.now();
        let challenge = challenge.filter(|challenge| now < challenge.expires_at);
        let challenge = challenge.ok_or(Error::ChallengeInvalid)?;

        let question = Question::SignIn { user: challenge.user, challenge: challenge.id };
        let proof = self.check(question, &challenge.factors, now).proof(&code);
        let session = self.new_session(challenge.user);
        let completed = proof::complete_sign_in(&self.0.database, &challenge, &proof, &session);
        let (user, methods) = completed.await?;
        let credentials = self.first_credentials(&session, &user, methods)?;
        let answer =
            CompleteSignInResponse { user: Some(user.into()), credentials: Some(credentials) };
        Ok((answer, transport))
    }

    pub(super) async fn do_reauthenticate(
        &self,
        request: Request<ReauthenticateRequest>,
    ) -> Result<ReauthenticateResponse, Failure> {
        use reauthenticate_request::Code::{PasskeyAssertion, RecoveryCode, TotpCode};
        let identity = Identity::of(&request)?;
        let ReauthenticateRequest { name, password, code } = request.into_inner();
        let mut fields = Fields::new();
        let named = name::user(&mut fields, "name", &name, &identity)?;
        let password = read_password(&mut fields, "password", password);
        let code = match code {
            Some(TotpCode(text)) => read_totp(&mut fields, &text).map(Code::Totp),
            Some(RecoveryCode(text)) => read_recovery(&mut fields, &text),
            Some(PasskeyAssertion(answer)) => Some(Code::Passkey(answer)),
            None => None,
        };
        let (_, password) = fields.all((named, password))?;

        let caller = self.caller(&identity)?;
        let Parts { database, hasher, throttles, sealer, .. } = &*self.0;
        // What is not looked at is not counted.
        if code.is_none() && !factors::known(database, &caller).await?.is_empty() {
            return Err(Error::CodeMissing.into());
        }
        // What was counted must be checked.
        let seat = hasher.seat()?;
        let (attempt, stored, known) =
            throttle::begin_own_password(database, throttles, sealer, &caller).await?;
        // Without a factor there is nothing that a code could be of; one may be new.
        let code = code.filter(|_| !known.is_empty());
        if code.is_none() && !known.is_empty() {
            return Err(Error::CodeMissing.into());
        }
        if !hasher.verify_from(seat, &password, Some(stored.clone())).await? {
            throttle::refuse(database, throttles, &attempt, &caller.client, caller.now).await?;
            return Err(Error::WrongCredentials.into());
        }
        let question = Question::Proof { user: caller.user, session: caller.session };
        let check = self.check(question, &known, caller.now);
        let proof = code.map(|code| check.proof(&code)).unwrap_or_default();
        let caller = caller.after(throttles, &attempt);
        let subject = proof::reauthenticate(database, &caller, &stored, &proof).await?;
        let (access_token, expires) = self.access_token(subject, caller.now)?;
        Ok(ReauthenticateResponse {
            access_token: access_token.expose().to_owned(),
            access_token_expire_time: Some(to_timestamp(expires)),
        })
    }
}

/// What a proof of who somebody is will take.
#[derive(Debug, Default)]
pub(super) struct Ways {
    /// One of these kinds, in the words of the wire.
    pub(super) kinds: Vec<i32>,
    /// What a passkey is asked; empty if none is.
    pub(super) passkey_options: String,
}

/// Reads the code of an authenticator.
pub(super) fn read_totp(fields: &mut Fields, text: &str) -> Option<TotpCode> {
    fields.read("totp_code", TotpCode::parse(text))
}

fn read_recovery(fields: &mut Fields, text: &str) -> Option<Code> {
    fields.read("recovery_code", RecoveryCode::parse(text)).map(Code::Recovery)
}

/// A kind in the words of the wire.
pub(super) fn to_kind(kind: Kind) -> i32 {
    match kind {
        Kind::Totp => FactorKind::Totp.into(),
        Kind::RecoveryCodes => FactorKind::RecoveryCodes.into(),
        Kind::Passkey => FactorKind::Passkey.into(),
    }
}
