//! What goes by mail: verifying an address, changing it, and setting a forgotten password.

use proto::auth::v1::{
    RequestEmailChangeRequest, RequestEmailChangeResponse, RequestEmailVerificationRequest,
    RequestEmailVerificationResponse, RequestPasswordResetRequest, RequestPasswordResetResponse,
    ResetPasswordRequest, ResetPasswordResponse, VerifyEmailRequest, VerifyEmailResponse,
};
use shared::error::Failure;
use tonic::Request;

use super::{Service, not_built};

impl Service {
    pub(super) async fn do_request_email_verification(
        &self,
        _: Request<RequestEmailVerificationRequest>,
    ) -> Result<RequestEmailVerificationResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_request_email_change(
        &self,
        _: Request<RequestEmailChangeRequest>,
    ) -> Result<RequestEmailChangeResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_request_password_reset(
        &self,
        _: Request<RequestPasswordResetRequest>,
    ) -> Result<RequestPasswordResetResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_reset_password(
        &self,
        _: Request<ResetPasswordRequest>,
    ) -> Result<ResetPasswordResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_verify_email(
        &self,
        _: Request<VerifyEmailRequest>,
    ) -> Result<VerifyEmailResponse, Failure> {
        not_built()
    }
}
