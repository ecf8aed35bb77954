//! `auth.v1.AdminService`: what operators do.

use proto::auth::v1::{
    CreateServiceAccountRequest, CreateServiceAccountResponse, DeleteServiceAccountRequest,
    DeleteServiceAccountResponse, ImportUsersRequest, ImportUsersResponse, ListAuditEventsRequest,
    ListAuditEventsResponse, ListServiceAccountsRequest, ListServiceAccountsResponse,
    ListUsersRequest, ListUsersResponse, ReinstateUserRequest, ReinstateUserResponse,
    RevokeSigningKeyRequest, RevokeSigningKeyResponse, RotateSigningKeyRequest,
    RotateSigningKeyResponse, SuspendUserRequest, SuspendUserResponse,
    admin_service_server::AdminService,
};
use shared::error::Failure;
use tonic::{Request, Response, Status};

use super::{Service, answer, not_built};

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
    async fn do_list_users(
        &self,
        _: Request<ListUsersRequest>,
    ) -> Result<ListUsersResponse, Failure> {
        not_built()
    }

    async fn do_suspend_user(
        &self,
        _: Request<SuspendUserRequest>,
    ) -> Result<SuspendUserResponse, Failure> {
        not_built()
    }

    async fn do_reinstate_user(
        &self,
        _: Request<ReinstateUserRequest>,
    ) -> Result<ReinstateUserResponse, Failure> {
        not_built()
    }

    async fn do_import_users(
        &self,
        _: Request<ImportUsersRequest>,
    ) -> Result<ImportUsersResponse, Failure> {
        not_built()
    }

    async fn do_create_service_account(
        &self,
        _: Request<CreateServiceAccountRequest>,
    ) -> Result<CreateServiceAccountResponse, Failure> {
        not_built()
    }

    async fn do_list_service_accounts(
        &self,
        _: Request<ListServiceAccountsRequest>,
    ) -> Result<ListServiceAccountsResponse, Failure> {
        not_built()
    }

    async fn do_delete_service_account(
        &self,
        _: Request<DeleteServiceAccountRequest>,
    ) -> Result<DeleteServiceAccountResponse, Failure> {
        not_built()
    }

    async fn do_rotate_signing_key(
        &self,
        _: Request<RotateSigningKeyRequest>,
    ) -> Result<RotateSigningKeyResponse, Failure> {
        not_built()
    }

    async fn do_revoke_signing_key(
        &self,
        _: Request<RevokeSigningKeyRequest>,
    ) -> Result<RevokeSigningKeyResponse, Failure> {
        not_built()
    }

    async fn do_list_audit_events(
        &self,
        _: Request<ListAuditEventsRequest>,
    ) -> Result<ListAuditEventsResponse, Failure> {
        not_built()
    }
}
