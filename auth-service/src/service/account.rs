//! `auth.v1.AccountService`: a user's own account.

use proto::auth::v1::{
    BeginPasskeyEnrollmentRequest, BeginPasskeyEnrollmentResponse, BeginReauthenticationRequest,
    BeginReauthenticationResponse, BeginTotpEnrollmentRequest, BeginTotpEnrollmentResponse,
    ChangePasswordRequest, ChangePasswordResponse, ConfirmPasskeyEnrollmentRequest,
    ConfirmPasskeyEnrollmentResponse, ConfirmTotpEnrollmentRequest, ConfirmTotpEnrollmentResponse,
    DeleteFactorRequest, DeleteFactorResponse, DeleteUserRequest, DeleteUserResponse,
    ExportUserRequest, GetUserRequest, GetUserResponse, ListActivityRequest, ListActivityResponse,
    ListFactorsRequest, ListFactorsResponse, ListSessionsRequest, ListSessionsResponse,
    ReauthenticateRequest, ReauthenticateResponse, RegenerateRecoveryCodesRequest,
    RegenerateRecoveryCodesResponse, RequestEmailChangeRequest, RequestEmailChangeResponse,
    RequestEmailVerificationRequest, RequestEmailVerificationResponse, RevokeOtherSessionsRequest,
    RevokeOtherSessionsResponse, RevokeSessionRequest, RevokeSessionResponse, UpdateUserRequest,
    UpdateUserResponse, User, account_service_server::AccountService,
};
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name, page,
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Parts, Service, answer, read_password, to_session};
use crate::{
    accounts,
    email::DisplayName,
    error::Error,
    sessions::{self, Caller},
    throttle,
};

#[tonic::async_trait]
impl AccountService for Service {
    async fn get_user(
        &self,
        request: Request<GetUserRequest>,
    ) -> Result<Response<GetUserResponse>, Status> {
        answer(self.do_get_user(request).await)
    }

    async fn update_user(
        &self,
        request: Request<UpdateUserRequest>,
    ) -> Result<Response<UpdateUserResponse>, Status> {
        answer(self.do_update_user(request).await)
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        let metadata = request.metadata().clone();
        let result = self.do_change_password(request).await;
        self.with_pass(&metadata, result, |changed| &mut changed.device_token)
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        answer(self.do_list_sessions(request).await)
    }

    async fn revoke_session(
        &self,
        request: Request<RevokeSessionRequest>,
    ) -> Result<Response<RevokeSessionResponse>, Status> {
        answer(self.do_revoke_session(request).await)
    }

    async fn revoke_other_sessions(
        &self,
        request: Request<RevokeOtherSessionsRequest>,
    ) -> Result<Response<RevokeOtherSessionsResponse>, Status> {
        answer(self.do_revoke_other_sessions(request).await)
    }

    async fn reauthenticate(
        &self,
        request: Request<ReauthenticateRequest>,
    ) -> Result<Response<ReauthenticateResponse>, Status> {
        answer(self.do_reauthenticate(request).await)
    }

    async fn begin_reauthentication(
        &self,
        request: Request<BeginReauthenticationRequest>,
    ) -> Result<Response<BeginReauthenticationResponse>, Status> {
        answer(self.do_begin_reauthentication(request).await)
    }

    async fn request_email_verification(
        &self,
        request: Request<RequestEmailVerificationRequest>,
    ) -> Result<Response<RequestEmailVerificationResponse>, Status> {
        answer(self.do_request_email_verification(request).await)
    }

    async fn request_email_change(
        &self,
        request: Request<RequestEmailChangeRequest>,
    ) -> Result<Response<RequestEmailChangeResponse>, Status> {
        answer(self.do_request_email_change(request).await)
    }

    async fn list_factors(
        &self,
        request: Request<ListFactorsRequest>,
    ) -> Result<Response<ListFactorsResponse>, Status> {
        answer(self.do_list_factors(request).await)
    }

    async fn begin_totp_enrollment(
        &self,
        request: Request<BeginTotpEnrollmentRequest>,
    ) -> Result<Response<BeginTotpEnrollmentResponse>, Status> {
        answer(self.do_begin_totp_enrollment(request).await)
    }

    async fn confirm_totp_enrollment(
        &self,
        request: Request<ConfirmTotpEnrollmentRequest>,
    ) -> Result<Response<ConfirmTotpEnrollmentResponse>, Status> {
        answer(self.do_confirm_totp_enrollment(request).await)
    }

    async fn begin_passkey_enrollment(
        &self,
        request: Request<BeginPasskeyEnrollmentRequest>,
    ) -> Result<Response<BeginPasskeyEnrollmentResponse>, Status> {
        answer(self.do_begin_passkey_enrollment(request).await)
    }

    async fn confirm_passkey_enrollment(
        &self,
        request: Request<ConfirmPasskeyEnrollmentRequest>,
    ) -> Result<Response<ConfirmPasskeyEnrollmentResponse>, Status> {
        answer(self.do_confirm_passkey_enrollment(request).await)
    }

    async fn regenerate_recovery_codes(
        &self,
        request: Request<RegenerateRecoveryCodesRequest>,
    ) -> Result<Response<RegenerateRecoveryCodesResponse>, Status> {
        answer(self.do_regenerate_recovery_codes(request).await)
    }

    async fn delete_factor(
        &self,
        request: Request<DeleteFactorRequest>,
    ) -> Result<Response<DeleteFactorResponse>, Status> {
        answer(self.do_delete_factor(request).await)
    }

    async fn list_activity(
        &self,
        request: Request<ListActivityRequest>,
    ) -> Result<Response<ListActivityResponse>, Status> {
        answer(self.do_list_activity(request).await)
    }

    async fn delete_user(
        &self,
        request: Request<DeleteUserRequest>,
    ) -> Result<Response<DeleteUserResponse>, Status> {
        answer(self.do_delete_user(request).await)
    }

    type ExportUserStream = super::owner::Export;

    async fn export_user(
        &self,
        request: Request<ExportUserRequest>,
    ) -> Result<Response<Self::ExportUserStream>, Status> {
        answer(self.do_export_user(request).await)
    }
}

impl Service {
    async fn do_get_user(
        &self,
        request: Request<GetUserRequest>,
    ) -> Result<GetUserResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "name", &request.get_ref().name, &identity)?;
        fields.all((user,))?;
        let user = accounts::get(&self.0.database, &self.caller(&identity)?).await?;
        Ok(GetUserResponse { user: Some(user.into()) })
    }

    async fn do_update_user(
        &self,
        request: Request<UpdateUserRequest>,
    ) -> Result<UpdateUserResponse, Failure> {
        let identity = Identity::of(&request)?;
        let UpdateUserRequest { user, update_mask } = request.into_inner();
        let user = user.unwrap_or_default();
        let mut fields = Fields::new();
        let named = name::user(&mut fields, "user.name", &user.name, &identity)?;
        let writes = writes_display_name(&user, update_mask.map(|mask| mask.paths));
        let writes = fields.read_as(Reason::MaskInvalid, "update_mask", writes);
        let display_name = fields.read("user.display_name", DisplayName::parse(&user.display_name));
        let (_, writes, display_name) = fields.all((named, writes, display_name))?;
        let display_name = writes.then_some(&display_name);
        let user =
            accounts::update(&self.0.database, &self.caller(&identity)?, display_name).await?;
        Ok(UpdateUserResponse { user: Some(user.into()) })
    }

    async fn do_change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<ChangePasswordResponse, Failure> {
        let identity = Identity::of(&request)?;
        let ChangePasswordRequest { name, current_password, new_password } = request.into_inner();
        let mut fields = Fields::new();
        let named = name::user(&mut fields, "name", &name, &identity)?;
        let current = read_password(&mut fields, "current_password", current_password);
        let new = self.password_of_length(&mut fields, "new_password", new_password);
        let (_, current, new) = fields.all((named, current, new))?;

        self.recent(&identity)?;
        let caller = self.caller(&identity)?;
        let Parts { database, hasher, throttles, sealer, .. } = &*self.0;
        // What was counted must be checked.
        let seat = hasher.seat()?;
        let (attempt, stored, _) =
            throttle::begin_own_password(database, throttles, sealer, &caller).await?;
        if !hasher.verify_from(seat, &current, Some(stored.clone())).await? {
            throttle::refuse(database, throttles, &attempt, &caller.client, caller.now).await?;
            return Err(Error::WrongCredentials.into());
        }
        // How easy it is to guess is work, too, and only now is it counted.
        let mut fields = Fields::new();
        let known = vec![identity.user()?.email.clone()];
        let new = self.strong_password(&mut fields, "new_password", new, known).await?;
        let (new,) = fields.all((new,))?;
        let hashed = hasher.hash(&new).await?;
        // Whoever signed in while it was hashed did so before.
        let caller = Caller { now: self.0.clock.now(), ..caller };
        let notice = self.password_notice(&caller.client, caller.now);
        let caller = caller.after(throttles, &attempt);
        accounts::change_password(database, &caller, &stored, &hashed, &notice).await?;
        self.0.outbox.filled();
        self.0.trust.changed();
        Ok(ChangePasswordResponse { device_token: self.first_pass(caller.user, caller.now) })
    }

    async fn do_list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<ListSessionsResponse, Failure> {
        let identity = Identity::of(&request)?;
        let ListSessionsRequest { parent, page_size, page_token } = request.into_inner();
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &identity)?;
        let size = fields.read("page_size", page::size(page_size));
        let context = [b"sessions/", identity.subject().as_bytes().as_slice()].concat();
        let before = self.read_cursor(&context, &page_token);
        let before = fields.read_as(Reason::PageTokenInvalid, "page_token", before);
        let (user, size, before) = fields.all((user, size, before))?;

        let caller = self.caller(&identity)?;
        let mut page = sessions::list(&self.0.database, &caller, before, size + 1).await?;
        let more = page.len() > usize::from(size);
        page.truncate(usize::from(size));
        let last = page.last().filter(|_| more).map(|session| session.id);
        Ok(ListSessionsResponse {
            sessions: page
                .into_iter()
                .map(|session| to_session(session, user, caller.session))
                .collect(),
            next_page_token: last
                .map(|id| self.0.pages.seal(&context, id.as_bytes()))
                .unwrap_or_default(),
        })
    }

    async fn do_revoke_session(
        &self,
        request: Request<RevokeSessionRequest>,
    ) -> Result<RevokeSessionResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let named =
            name::member(&mut fields, "name", "sessions", &request.get_ref().name, &identity)?;
        let ((_, session),) = fields.all((named,))?;
        sessions::revoke(&self.0.database, &self.caller(&identity)?, session).await?;
        self.0.trust.changed();
        Ok(RevokeSessionResponse {})
    }

    async fn do_revoke_other_sessions(
        &self,
        request: Request<RevokeOtherSessionsRequest>,
    ) -> Result<RevokeOtherSessionsResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &request.get_ref().parent, &identity)?;
        fields.all((user,))?;
        let revoked_count =
            sessions::revoke_others(&self.0.database, &self.caller(&identity)?).await?;
        self.0.trust.changed();
        Ok(RevokeOtherSessionsResponse { revoked_count })
    }

    pub(super) fn caller(&self, identity: &Identity) -> Result<Caller, Failure> {
        Ok(Caller::of(identity.user()?, self.0.clock.now()))
    }

    fn read_cursor(&self, context: &[u8], token: &str) -> Result<Option<Uuid>, &'static str> {
        if token.is_empty() {
            return Ok(None);
        }
        let cursor = self.0.pages.open(context, token)?;
        Uuid::from_slice(&cursor).map(Some).map_err(|_| "This page token is not one of ours.")
    }
}

/// Whether a mask (AIP-134) has the display name written. Output-only fields
/// are ignored.
fn writes_display_name(user: &User, mask: Option<Vec<String>>) -> Result<bool, String> {
    let Some(paths) = mask.filter(|paths| !paths.is_empty()) else {
        return Ok(!user.display_name.is_empty());
    };
    let mut writes = false;
    for path in paths {
        match path.as_str() {
            "*" | "display_name" => writes = true,
            "name" | "email" | "email_verified" | "create_time" | "update_time" => {}
            unknown => return Err(format!("A user has no field `{unknown}`.")),
        }
    }
    Ok(writes)
}
