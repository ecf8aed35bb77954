//! Proving who one is beyond the password: the challenge that SignIn answers
//! with and CompleteSignIn ends, Reauthenticate, and the demand for a recent
//! proof by what could cost an account.

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
    factors::{Kind, KnownFactor},
    proof::{self, Code, Proof},
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
        let mut factor_kinds: Vec<i32> =
            factors.iter().map(|factor| to_kind(factor.kind)).collect();
        factor_kinds.sort_unstable();
        factor_kinds.dedup();
        let challenge = Challenge {
            user: session.user,
            id: session.id,
            expires_at: session.now + challenge::LIFETIME,
            in_cookie: transport == Transport::Cookie,
            factors,
        };
        ChallengeMessage {
            token: challenge.seal(&self.0.sealer).expose().to_owned(),
            factor_kinds,
            expire_time: Some(to_timestamp(challenge.expires_at)),
            passkey_options: String::new(),
        }
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
            Some(PasskeyAssertion(_)) => return Err(Error::CodeInvalid.into()),
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

        let proof = Proof::of(&code, challenge.user, &challenge.factors, &self.0.sealer, now);
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
            Some(PasskeyAssertion(_)) => return Err(Error::CodeInvalid.into()),
            None => None,
        };
        let (_, password) = fields.all((named, password))?;

        let caller = self.caller(&identity)?;
        let Parts { database, hasher, throttles, sealer, .. } = &*self.0;
        // What was counted must be checked.
        let seat = hasher.seat()?;
        let (attempt, stored, known) =
            throttle::begin_own_password(database, throttles, sealer, &caller).await?;
        // Without a factor there is nothing that a code could be of.
        let code = code.filter(|_| !known.is_empty());
        if code.is_none() && !known.is_empty() {
            return Err(Error::CodeMissing.into());
        }
        if !hasher.verify_from(seat, &password, Some(stored.clone())).await? {
            throttle::refuse(database, throttles, &attempt, &caller.client, caller.now).await?;
            return Err(Error::WrongCredentials.into());
        }
        let of = |code| Proof::of(code, caller.user, &known, sealer, caller.now);
        let proof = code.as_ref().map(of).unwrap_or_default();
        let caller = caller.after(throttles, &attempt);
        let subject = proof::reauthenticate(database, &caller, &stored, &proof).await?;
        let (access_token, expires) = self.access_token(subject, caller.now)?;
        Ok(ReauthenticateResponse {
            access_token: access_token.expose().to_owned(),
            access_token_expire_time: Some(to_timestamp(expires)),
        })
    }
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
    }
}
