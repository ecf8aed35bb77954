//! Passkeys as their owner adds them, and what a proof of who one is will take.
//! No service offers passkeys yet, so that nobody has one.

use proto::auth::v1::{
    BeginPasskeyEnrollmentRequest, BeginPasskeyEnrollmentResponse, BeginReauthenticationRequest,
    BeginReauthenticationResponse, ConfirmPasskeyEnrollmentRequest,
    ConfirmPasskeyEnrollmentResponse,
};
use shared::{
    error::{Failure, Fields, Reason},
    interceptor::Identity,
    name,
};
use tonic::Request;

use super::{Service, step_up::to_kind};
use crate::factors;

impl Service {
    pub(super) async fn do_begin_passkey_enrollment(
        &self,
        request: Request<BeginPasskeyEnrollmentRequest>,
    ) -> Result<BeginPasskeyEnrollmentResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "parent", &request.get_ref().parent, &identity)?;
        fields.all((user,))?;
        self.recent(&identity)?;
        Err(unavailable())
    }

    pub(super) async fn do_confirm_passkey_enrollment(
        &self,
        request: Request<ConfirmPasskeyEnrollmentRequest>,
    ) -> Result<ConfirmPasskeyEnrollmentResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let named =
            name::member(&mut fields, "name", "factors", &request.get_ref().name, &identity)?;
        fields.all((named,))?;
        Err(unavailable())
    }

    pub(super) async fn do_begin_reauthentication(
        &self,
        request: Request<BeginReauthenticationRequest>,
    ) -> Result<BeginReauthenticationResponse, Failure> {
        let identity = Identity::of(&request)?;
        let mut fields = Fields::new();
        let user = name::user(&mut fields, "name", &request.get_ref().name, &identity)?;
        fields.all((user,))?;
        let factors = factors::list(&self.0.database, &self.caller(&identity)?).await?;
        let mut factor_kinds: Vec<i32> =
            factors.iter().map(|factor| to_kind(factor.kind)).collect();
        factor_kinds.sort_unstable();
        factor_kinds.dedup();
        Ok(BeginReauthenticationResponse { factor_kinds, ..Default::default() })
    }
}

fn unavailable() -> Failure {
    Failure::new(Reason::PasskeysUnavailable, "This service offers no passkeys.")
}
