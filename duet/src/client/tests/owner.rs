//! An account that is held in memory: a password, authenticators whose codes are
//! written down, and a proof that may be too old.

use futures_util::stream;
use proto::auth::v1::{
    self as auth, Factor, FactorKind, account_service_server::AccountService,
    complete_sign_in_request, reauthenticate_request,
};
use shared::error::{Failure, Reason};
use tonic::{Request, Response, Status};

use super::fake::{Answer, Messages, Services, not_asked, status, unasked};

pub(super) const PASSWORD: &str = "walnut-Trombone-91";

/// How passes of devices begin here; each ends with its number.
pub(super) const PASS: &str = "dp1.fake-";

/// What the authenticator that is being added shows.
pub(super) const FIRST_CODE: &str = "135790";

/// What auth-service holds of the user.
pub(super) struct Account {
    pub(super) password: String,
    pub(super) factors: Vec<Factor>,
    /// The codes that are good, each once.
    pub(super) codes: Vec<String>,
    /// Whether the user proved long ago who they are.
    pub(super) is_stale: bool,
    /// Whether the account is no more.
    pub(super) is_gone: bool,
    /// Whether the next first code of an authenticator finds nobody.
    pub(super) loses_first_code: bool,
    /// How many passes were given.
    pub(super) passes: u32,
    /// Who is asked for a code.
    challenged: String,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            password: PASSWORD.to_owned(),
            factors: Vec::new(),
            codes: Vec::new(),
            is_stale: false,
            is_gone: false,
            loses_first_code: false,
            passes: 0,
            challenged: String::new(),
        }
    }
}

/// The user with this e-mail address.
pub(super) fn user(email: &str) -> auth::User {
    let email = email.to_lowercase();
    auth::User { name: format!("users/{email}"), email, ..auth::User::default() }
}

/// A factor with the id that ends with this number.
pub(super) fn factor(number: u32, kind: FactorKind, display_name: &str) -> Factor {
    Factor {
        name: format!("users/u/factors/0197a2b4-0000-7000-8000-{number:012}"),
        kind: kind.into(),
        display_name: display_name.to_owned(),
        ..Factor::default()
    }
}

impl Account {
    /// Gives it an authenticator with these codes.
    pub(super) fn protect(&mut self, codes: &[&str]) {
        self.factors = vec![factor(1, FactorKind::Totp, "Phone")];
        self.codes = codes.iter().map(|code| (*code).to_owned()).collect();
    }

    fn check(&self, password: &str) -> Result<(), Reason> {
        if password == self.password { Ok(()) } else { Err(Reason::InvalidCredentials) }
    }

    pub(super) fn recent(&self) -> Result<(), Reason> {
        if self.is_stale { Err(Reason::ReauthenticationRequired) } else { Ok(()) }
    }

    fn take(&mut self, code: &str) -> Result<(), Reason> {
        let place = self.codes.iter().position(|good| good == code).ok_or(Reason::CodeInvalid)?;
        self.codes.remove(place);
        Ok(())
    }

    pub(super) fn sign_in(
        &mut self,
        request: &auth::SignInRequest,
    ) -> Result<auth::SignInResponse, Reason> {
        self.check(&request.password)?;
        let mut answer = auth::SignInResponse::default();
        if self.factors.is_empty() {
            (answer.user, answer.credentials) = self.opened(&request.email);
        } else {
            self.challenged.clone_from(&request.email);
            let token = "challenge".to_owned();
            let factor_kinds = self.factors.iter().map(|factor| factor.kind).collect();
            answer.challenge =
                Some(auth::Challenge { token, factor_kinds, ..auth::Challenge::default() });
        }
        Ok(answer)
    }

    pub(super) fn complete_sign_in(
        &mut self,
        request: auth::CompleteSignInRequest,
    ) -> Result<auth::CompleteSignInResponse, Reason> {
        use complete_sign_in_request::Code::{PasskeyAssertion, RecoveryCode, TotpCode};
        assert_eq!(request.challenge_token, "challenge");
        match request.code.unwrap() {
            TotpCode(code) | RecoveryCode(code) => self.take(&code)?,
            PasskeyAssertion(_) => panic!("a terminal has no passkeys"),
        }
        let (user, credentials) = self.opened(&self.challenged.clone());
        Ok(auth::CompleteSignInResponse { user, credentials })
    }

    fn opened(&mut self, email: &str) -> (Option<auth::User>, Option<auth::Credentials>) {
        let credentials = auth::Credentials {
            access_token: "access-new".to_owned(),
            refresh_token: "refresh-0".to_owned(),
            session: "users/u/sessions/s".to_owned(),
            device_token: self.pass(),
            ..auth::Credentials::default()
        };
        (Some(user(email)), Some(credentials))
    }

    fn pass(&mut self) -> String {
        self.passes += 1;
        format!("{PASS}{}", self.passes)
    }
}

impl Services {
    /// Has the account answer a call with a good token.
    pub(super) fn account<Q: Clone + Send + 'static, A>(
        &self,
        request: Request<Q>,
        answer: impl FnOnce(&mut Account, Q) -> Result<A, Reason>,
    ) -> Result<Response<A>, Status> {
        self.check(&request)?;
        let account = &mut self.0.lock().unwrap().account;
        answer(account, request.into_inner()).map(Response::new).map_err(status)
    }
}

#[tonic::async_trait]
impl AccountService for Services {
    async fn reauthenticate(
        &self,
        request: Request<auth::ReauthenticateRequest>,
    ) -> Result<Response<auth::ReauthenticateResponse>, Status> {
        use reauthenticate_request::Code::{RecoveryCode, TotpCode};
        self.account(request, |account, request| {
            account.check(&request.password)?;
            if let Some(TotpCode(code) | RecoveryCode(code)) = request.code {
                account.take(&code)?;
            } else {
                assert!(account.factors.is_empty(), "a code is needed");
            }
            account.is_stale = false;
            Ok(())
        })?;
        let access_token = "access-proven".to_owned();
        self.0.lock().unwrap().good = access_token.clone();
        let seconds = shared::clock::Clock::now(&shared::clock::SystemClock).timestamp() + 300;
        let ends = Some(prost_types::Timestamp { seconds, nanos: 0 });
        let answer = auth::ReauthenticateResponse { access_token, access_token_expire_time: ends };
        Ok(Response::new(answer))
    }

    async fn begin_reauthentication(
        &self,
        _: Request<auth::BeginReauthenticationRequest>,
    ) -> Result<Response<auth::BeginReauthenticationResponse>, Status> {
        Err(Status::unimplemented("a terminal has no passkeys"))
    }

    async fn begin_passkey_enrollment(
        &self,
        _: Request<auth::BeginPasskeyEnrollmentRequest>,
    ) -> Result<Response<auth::BeginPasskeyEnrollmentResponse>, Status> {
        Err(Status::unimplemented("a terminal has no passkeys"))
    }

    async fn confirm_passkey_enrollment(
        &self,
        _: Request<auth::ConfirmPasskeyEnrollmentRequest>,
    ) -> Result<Response<auth::ConfirmPasskeyEnrollmentResponse>, Status> {
        Err(Status::unimplemented("a terminal has no passkeys"))
    }

    async fn change_password(
        &self,
        request: Request<auth::ChangePasswordRequest>,
    ) -> Result<Response<auth::ChangePasswordResponse>, Status> {
        self.account(request, |account, request| {
            account.recent()?;
            account.check(&request.current_password)?;
            account.password = request.new_password;
            Ok(auth::ChangePasswordResponse { device_token: account.pass() })
        })
    }

    async fn list_factors(
        &self,
        request: Request<auth::ListFactorsRequest>,
    ) -> Result<Response<auth::ListFactorsResponse>, Status> {
        self.account(request, |account, _| {
            Ok(auth::ListFactorsResponse { factors: account.factors.clone() })
        })
    }

    async fn begin_totp_enrollment(
        &self,
        request: Request<auth::BeginTotpEnrollmentRequest>,
    ) -> Result<Response<auth::BeginTotpEnrollmentResponse>, Status> {
        self.account(request, |account, _| {
            account.recent()?;
            Ok(auth::BeginTotpEnrollmentResponse {
                name: factor(2, FactorKind::Totp, "").name,
                secret: "JBSWY3DPEHPK3PXP".to_owned(),
                uri: "otpauth://totp/Duet:ada?secret=JBSWY3DPEHPK3PXP".to_owned(),
                ..auth::BeginTotpEnrollmentResponse::default()
            })
        })
    }

    async fn confirm_totp_enrollment(
        &self,
        request: Request<auth::ConfirmTotpEnrollmentRequest>,
    ) -> Result<Response<auth::ConfirmTotpEnrollmentResponse>, Status> {
        self.check(&request)?;
        if std::mem::take(&mut self.0.lock().unwrap().account.loses_first_code) {
            return Err(status(Reason::DatabaseUnavailable));
        }
        let auth::ConfirmTotpEnrollmentRequest { name, totp_code } = request.into_inner();
        if totp_code != FIRST_CODE {
            let refusal = Failure::field(Reason::FieldInvalid, "totp_code", "Not this one.");
            return Err(refusal.into_status("duet.auth"));
        }
        let account = &mut self.0.lock().unwrap().account;
        let is_first = account.factors.is_empty();
        let added = Factor { name, ..factor(2, FactorKind::Totp, "Tablet") };
        account.factors.push(added.clone());
        Ok(Response::new(auth::ConfirmTotpEnrollmentResponse {
            factor: Some(added),
            recovery_codes: if is_first { recovery_codes() } else { Vec::new() },
        }))
    }

    async fn regenerate_recovery_codes(
        &self,
        request: Request<auth::RegenerateRecoveryCodesRequest>,
    ) -> Result<Response<auth::RegenerateRecoveryCodesResponse>, Status> {
        self.account(request, |account, _| {
            account.recent()?;
            Ok(auth::RegenerateRecoveryCodesResponse { recovery_codes: recovery_codes() })
        })
    }

    async fn delete_factor(
        &self,
        request: Request<auth::DeleteFactorRequest>,
    ) -> Result<Response<auth::DeleteFactorResponse>, Status> {
        self.account(request, |account, request| {
            account.recent()?;
            account.factors.retain(|factor| factor.name != request.name);
            Ok(auth::DeleteFactorResponse {})
        })
    }

    async fn delete_user(
        &self,
        request: Request<auth::DeleteUserRequest>,
    ) -> Result<Response<auth::DeleteUserResponse>, Status> {
        self.account(request, |account, _| {
            if account.is_gone {
                return Err(Reason::SessionRevoked);
            }
            account.recent()?;
            Ok(auth::DeleteUserResponse { receipt_token: "dr_AAAA".to_owned() })
        })
    }

    type ExportUserStream = Messages<auth::ExportUserResponse>;

    async fn export_user(
        &self,
        request: Request<auth::ExportUserRequest>,
    ) -> Result<Response<Self::ExportUserStream>, Status> {
        self.account(request, |account, _| account.recent())?;
        let data = b"{}\n".to_vec();
        Ok(Response::new(Box::pin(stream::iter([Ok(auth::ExportUserResponse { data })]))))
    }

    unasked! {
        get_user GetUserRequest GetUserResponse
        update_user UpdateUserRequest UpdateUserResponse
        list_sessions ListSessionsRequest ListSessionsResponse
        revoke_session RevokeSessionRequest RevokeSessionResponse
        revoke_other_sessions RevokeOtherSessionsRequest RevokeOtherSessionsResponse
        request_email_verification RequestEmailVerificationRequest RequestEmailVerificationResponse
        request_email_change RequestEmailChangeRequest RequestEmailChangeResponse
        list_activity ListActivityRequest ListActivityResponse
    }
}

/// The codes that come with the first authenticator.
pub(super) fn recovery_codes() -> Vec<String> {
    (0..10).map(|n| format!("{n}000-1111-2222-3333")).collect()
}
