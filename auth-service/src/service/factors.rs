//! Second factors, and proving again who one is.

use proto::auth::v1::{
    BeginTotpEnrollmentRequest, BeginTotpEnrollmentResponse, CompleteSignInRequest,
    CompleteSignInResponse, ConfirmTotpEnrollmentRequest, ConfirmTotpEnrollmentResponse,
    DeleteFactorRequest, DeleteFactorResponse, ListFactorsRequest, ListFactorsResponse,
    ReauthenticateRequest, ReauthenticateResponse, RegenerateRecoveryCodesRequest,
    RegenerateRecoveryCodesResponse,
};
use shared::error::Failure;
use tonic::Request;
use tonic::metadata::MetadataMap;

use super::auth::Carried;
use super::{Service, not_built};

impl Service {
    pub(super) async fn do_reauthenticate(
        &self,
        _: Request<ReauthenticateRequest>,
    ) -> Result<ReauthenticateResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_list_factors(
        &self,
        _: Request<ListFactorsRequest>,
    ) -> Result<ListFactorsResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_begin_totp_enrollment(
        &self,
        _: Request<BeginTotpEnrollmentRequest>,
    ) -> Result<BeginTotpEnrollmentResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_confirm_totp_enrollment(
        &self,
        _: Request<ConfirmTotpEnrollmentRequest>,
    ) -> Result<ConfirmTotpEnrollmentResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_regenerate_recovery_codes(
        &self,
        _: Request<RegenerateRecoveryCodesRequest>,
    ) -> Result<RegenerateRecoveryCodesResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_delete_factor(
        &self,
        _: Request<DeleteFactorRequest>,
    ) -> Result<DeleteFactorResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_complete_sign_in(
        &self,
        _: &MetadataMap,
        _: CompleteSignInRequest,
    ) -> Result<Carried<CompleteSignInResponse>, Failure> {
        not_built()
    }
}
