//! Second factors as their owner manages them: listed, added, removed. What is
//! changed here needs a recent proof of who the caller is.

use proto::auth::v1::{
    BeginTotpEnrollmentRequest, BeginTotpEnrollmentResponse, ConfirmTotpEnrollmentRequest,
    ConfirmTotpEnrollmentResponse, DeleteFactorRequest, DeleteFactorResponse, Factor as Message,
    ListFactorsRequest, ListFactorsResponse, RegenerateRecoveryCodesRequest,
    RegenerateRecoveryCodesResponse,
};
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name,
};
use tonic::Request;
use uuid::Uuid;

use super::{
    Service,
    step_up::{read_totp, to_kind},
    to_timestamp,
};
use crate::{
    email::DisplayName,
    error::Error,
    factors::{self, Factor},
    mail::Mail,
    recovery_code::RecoveryCodes,
    sessions::Caller,
    totp,
};

impl Service {
    pub(super) async fn do_list_factors(
        &self,
        request: Request<ListFactorsRequest>,
    ) -> Result<ListFactorsResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &request.get_ref().parent, &identity)?;
        let (user,) = fields.all((user,))?;
        let factors = factors::list(&self.0.database, &self.caller(&identity)?).await?;
        let factors = factors.into_iter().map(|factor| to_factor(factor, user)).collect();
        Ok(ListFactorsResponse { factors })
    }

    pub(super) async fn do_begin_totp_enrollment(
        &self,
        request: Request<BeginTotpEnrollmentRequest>,
    ) -> Result<BeginTotpEnrollmentResponse, Failure> {
        let identity = Identity::of(&request)?;
        let BeginTotpEnrollmentRequest { parent, display_name } = request.into_inner();
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &parent, &identity)?;
        let display_name = fields.read("display_name", DisplayName::parse(&display_name));
        let (user, display_name) = fields.all((user, display_name))?;
        self.recent(&identity)?;

        let caller = self.caller(&identity)?;
        let begun =
            factors::begin(&self.0.database, &caller, &display_name, &self.0.sealer).await?;
        let uri = begun.secret.uri(&self.0.second_factors.totp_issuer, &identity.user()?.email);
        let qr = totp::qr_svg(uri.expose())
            .ok_or_else(|| Failure::internal("an otpauth URI that no QR code holds"))?;
        Ok(BeginTotpEnrollmentResponse {
            name: name::of_member(user, "factors", begun.id),
            secret: begun.secret.base32().expose().to_owned(),
            uri: uri.expose().to_owned(),
            qr_svg: qr.expose().to_owned(),
            expire_time: Some(to_timestamp(begun.expires_at)),
        })
    }

    pub(super) async fn do_confirm_totp_enrollment(
        &self,
        request: Request<ConfirmTotpEnrollmentRequest>,
    ) -> Result<ConfirmTotpEnrollmentResponse, Failure> {
        let identity = Identity::of(&request)?;
        let ConfirmTotpEnrollmentRequest { name, totp_code } = request.into_inner();
        let mut fields = Fields::new();
        let named = name::member(&mut fields, "name", "factors", &name, &identity)?;
        let code = read_totp(&mut fields, &totp_code);
        let ((user, id), code) = fields.all((named, code))?;

        let caller = self.told(&identity, |device| Mail::FactorAdded { device })?;
        let confirmed =
            factors::confirm(&self.0.database, &caller, id, &code, &self.0.sealer).await;
        let (factor, codes) = confirmed.map_err(|error| match error {
            // Nobody is signing in: it is a field that is wrong.
            Error::CodeInvalid => Failure::field(
                Reason::FieldInvalid,
                "totp_code",
                "This is not the code. Please try the next one.",
            ),
            other => other.into(),
        })?;
        self.0.outbox.filled();
        // The first one ends every other session.
        self.0.trust.changed();
        Ok(ConfirmTotpEnrollmentResponse {
            factor: Some(to_factor(factor, user)),
            recovery_codes: codes.map(|codes| shown(&codes)).unwrap_or_default(),
        })
    }

    pub(super) async fn do_regenerate_recovery_codes(
        &self,
        request: Request<RegenerateRecoveryCodesRequest>,
    ) -> Result<RegenerateRecoveryCodesResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &request.get_ref().parent, &identity)?;
        fields.all((user,))?;
        self.recent(&identity)?;
        let caller = self.told(&identity, |device| Mail::RecoveryCodesMade { device })?;
        let codes = factors::make_recovery_codes(&self.0.database, &caller, &self.0.sealer).await?;
        self.0.outbox.filled();
        Ok(RegenerateRecoveryCodesResponse { recovery_codes: shown(&codes) })
    }

    pub(super) async fn do_delete_factor(
        &self,
        request: Request<DeleteFactorRequest>,
    ) -> Result<DeleteFactorResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let named =
            name::member(&mut fields, "name", "factors", &request.get_ref().name, &identity)?;
        let ((_, id),) = fields.all((named,))?;
        self.recent(&identity)?;
        let caller = self.told(&identity, |device| Mail::FactorRemoved { device })?;
        factors::delete(&self.0.database, &caller, id).await?;
        self.0.outbox.filled();
        Ok(DeleteFactorResponse {})
    }

    /// The caller, with the mail that tells the owner what was done.
    pub(super) fn told(
        &self,
        identity: &Identity,
        mail: impl FnOnce(String) -> Mail,
    ) -> Result<Caller, Failure> {
        let caller = self.caller(identity)?;
        let notice = self.0.outbox.notice(caller.now, mail(caller.client.device_in_mail()));
        Ok(caller.telling(&notice))
    }
}

pub(super) fn shown(codes: &RecoveryCodes) -> Vec<String> {
    codes.shown().map(|code| code.expose().to_owned()).collect()
}

pub(super) fn to_factor(factor: Factor, user: Uuid) -> Message {
    let Factor { id, kind, display_name, confirmed_at, last_used_at, remaining } = factor;
    Message {
        name: name::of_member(user, "factors", id),
        kind: to_kind(kind),
        display_name,
        create_time: Some(to_timestamp(confirmed_at)),
        last_use_time: last_used_at.map(to_timestamp),
        remaining_count: i32::try_from(remaining).unwrap_or(i32::MAX),
    }
}
