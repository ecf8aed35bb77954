//! Service accounts and signing keys in the hands of operators.

use proto::auth::v1::{
    self as v1, CreateServiceAccountRequest, CreateServiceAccountResponse,
    DeleteServiceAccountRequest, DeleteServiceAccountResponse, ListServiceAccountsRequest,
    ListServiceAccountsResponse, RevokeSigningKeyRequest, RevokeSigningKeyResponse,
    RotateSigningKeyRequest, RotateSigningKeyResponse,
};
use shared::error::{Failure, Fields};
use tonic::Request;

use crate::{
    error::Error,
    service::{Service, to_timestamp},
    service_accounts::{self, AccountName, NewProof, Scopes, ServiceAccount, assertion::parse_key},
};

impl Service {
    pub(super) async fn do_create_service_account(
        &self,
        request: Request<CreateServiceAccountRequest>,
    ) -> Result<CreateServiceAccountResponse, Failure> {
        let operator = self.operator(&request)?;
        let CreateServiceAccountRequest { name, scopes, public_key } = request.into_inner();
        let mut fields = Fields::new();
        let name = fields.read("name", AccountName::parse(&name));
        let scopes = fields.read("scopes", Scopes::parse(&scopes));
        let key = (!public_key.is_empty()).then(|| parse_key(&public_key)).transpose();
        let key = fields.read("public_key", key);
        let (name, scopes, key) = fields.all((name, scopes, key))?;

        let (database, client, now) = (&self.0.database, &operator.client, operator.now);
        let (account, secret) = if let Some(key) = key {
            let proof = NewProof::Key(key);
            let put = service_accounts::put(database, &name, &scopes, &proof, client, now);
            (put.await?, String::new())
        } else {
            let put = service_accounts::put_with_secret(database, &name, &scopes, client, now);
            let (account, secret) = put.await?;
            (account, secret.expose().to_owned())
        };
        // It may have lost a scope.
        self.0.trust.changed();
        Ok(CreateServiceAccountResponse { service_account: Some(account.into()), secret })
    }

    pub(super) async fn do_list_service_accounts(
        &self,
        request: Request<ListServiceAccountsRequest>,
    ) -> Result<ListServiceAccountsResponse, Failure> {
        let operator = self.operator(&request)?;
        let accounts = service_accounts::list_for(&self.0.database, &operator).await?;
        let service_accounts = accounts.into_iter().map(v1::ServiceAccount::from).collect();
        Ok(ListServiceAccountsResponse { service_accounts })
    }

    pub(super) async fn do_delete_service_account(
        &self,
        request: Request<DeleteServiceAccountRequest>,
    ) -> Result<DeleteServiceAccountResponse, Failure> {
        let operator = self.operator(&request)?;
        let mut fields = Fields::new();
        let name = fields.read("name", AccountName::parse(&request.get_ref().name));
        let (name,) = fields.all((name,))?;
        let (client, now) = (&operator.client, operator.now);
        service_accounts::delete(&self.0.database, &name, client, now).await?;
        self.0.trust.changed();
        Ok(DeleteServiceAccountResponse {})
    }

    pub(super) async fn do_rotate_signing_key(
        &self,
        request: Request<RotateSigningKeyRequest>,
    ) -> Result<RotateSigningKeyResponse, Failure> {
        let operator = self.operator(&request)?;
        let rotated = self.0.keys.rotate(&operator.client.json()).await?;
        let activate_time = Some(to_timestamp(rotated.activates_at));
        Ok(RotateSigningKeyResponse { kid: rotated.kid, activate_time })
    }

    pub(super) async fn do_revoke_signing_key(
        &self,
        request: Request<RevokeSigningKeyRequest>,
    ) -> Result<RevokeSigningKeyResponse, Failure> {
        let operator = self.operator(&request)?;
        let kid = &request.get_ref().kid;
        let mut fields = Fields::new();
        let named = fields.read("kid", read_kid(kid));
        fields.all((named,))?;
        if !self.0.keys.revoke(kid, &operator.client.json()).await? {
            return Err(Error::SigningKeyNotFound.into());
        }
        Ok(RevokeSigningKeyResponse {})
    }
}

/// A key's id, a thumbprint (RFC 7638) in base64url.
fn read_kid(kid: &str) -> Result<(), &'static str> {
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let good = (1..=128).contains(&kid.len()) && kid.bytes().all(is_id);
    if good { Ok(()) } else { Err("The id of a key has 1 to 128 characters of base64url.") }
}

impl From<ServiceAccount> for v1::ServiceAccount {
    fn from(account: ServiceAccount) -> Self {
        let name = account.resource_name();
        let ServiceAccount { id: _, name: _, scopes, created_at, last_used_at, secrets_created_at } =
            account;
        Self {
            name,
            scopes,
            create_time: Some(to_timestamp(created_at)),
            last_use_time: last_used_at.map(to_timestamp),
            secret_create_times: secrets_created_at.into_iter().map(to_timestamp).collect(),
        }
    }
}
