//! `auth.v1.AdminService`: what operators do. Who is one is said here, what they
//! do in the modules beneath.
//!
//! Invariant: every method begins with `operator`.

mod audit;
mod machines;
mod users;

use proto::auth::v1::{
    CreateServiceAccountRequest, CreateServiceAccountResponse, DeleteServiceAccountRequest,
    DeleteServiceAccountResponse, ImportUsersRequest, ImportUsersResponse, ListAuditEventsRequest,
    ListAuditEventsResponse, ListServiceAccountsRequest, ListServiceAccountsResponse,
    ListUsersRequest, ListUsersResponse, ReinstateUserRequest, ReinstateUserResponse,
    RevokeSigningKeyRequest, RevokeSigningKeyResponse, RotateSigningKeyRequest,
    RotateSigningKeyResponse, SuspendUserRequest, SuspendUserResponse,
    admin_service_server::AdminService,
};
use shared::{
    error::Failure,
    interceptor::Identity,
    name::{self, Who},
};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{Service, answer};
use crate::{admin::Operator, error::Error, token::ADMIN};

#[tonic::async_trait]
impl AdminService for Service {
    async fn list_users(
        &self,
        request: Request<ListUsersRequest>,
    ) -> Result<Response<ListUsersResponse>, Status> {
        answer(self.do_list_users(request).await)
    }

    async fn suspend_user(
        &self,
        request: Request<SuspendUserRequest>,
    ) -> Result<Response<SuspendUserResponse>, Status> {
        answer(self.do_suspend_user(request).await)
    }

    async fn reinstate_user(
        &self,
        request: Request<ReinstateUserRequest>,
    ) -> Result<Response<ReinstateUserResponse>, Status> {
        answer(self.do_reinstate_user(request).await)
    }

    async fn import_users(
        &self,
        request: Request<ImportUsersRequest>,
    ) -> Result<Response<ImportUsersResponse>, Status> {
        answer(self.do_import_users(request).await)
    }

    async fn create_service_account(
        &self,
        request: Request<CreateServiceAccountRequest>,
    ) -> Result<Response<CreateServiceAccountResponse>, Status> {
        answer(self.do_create_service_account(request).await)
    }

    async fn list_service_accounts(
        &self,
        request: Request<ListServiceAccountsRequest>,
    ) -> Result<Response<ListServiceAccountsResponse>, Status> {
        answer(self.do_list_service_accounts(request).await)
    }

    async fn delete_service_account(
        &self,
        request: Request<DeleteServiceAccountRequest>,
    ) -> Result<Response<DeleteServiceAccountResponse>, Status> {
        answer(self.do_delete_service_account(request).await)
    }

    async fn rotate_signing_key(
        &self,
        request: Request<RotateSigningKeyRequest>,
    ) -> Result<Response<RotateSigningKeyResponse>, Status> {
        answer(self.do_rotate_signing_key(request).await)
    }

    async fn revoke_signing_key(
        &self,
        request: Request<RevokeSigningKeyRequest>,
    ) -> Result<Response<RevokeSigningKeyResponse>, Status> {
        answer(self.do_revoke_signing_key(request).await)
    }

    async fn list_audit_events(
        &self,
        request: Request<ListAuditEventsRequest>,
    ) -> Result<Response<ListAuditEventsResponse>, Status> {
        answer(self.do_list_audit_events(request).await)
    }
}

impl Service {
    /// The operator who calls: a user with the scope, who proved lately who they
    /// are, or a service that has it. A service that acts for a user is none,
    /// whatever it may do elsewhere.
    ///
    /// # Errors
    /// PERMISSION_DENIED (SCOPE_MISSING), FAILED_PRECONDITION
    /// (REAUTHENTICATION_REQUIRED).
    fn operator<T>(&self, request: &Request<T>) -> Result<Operator, Failure> {
        let identity = Identity::with_scope(request, ADMIN)?;
        let delegated = identity.service().is_some() && !identity.is_service();
        if delegated || !identity.scopes().any(|scope| scope == ADMIN) {
            return Err(Error::NotOperator.into());
        }
        self.recent(&identity)?;
        Ok(Operator::of(&identity, self.0.clock.now()))
    }
}

/// Reads the name of a user, whom an operator always says.
fn read_user(name: &str) -> Result<Uuid, String> {
    match name::parse_user(name) {
        Ok(Who::User(user)) => Ok(user),
        _ => Err("A user is named `users/{user}`.".to_owned()),
    }
}
