//! Tokens of services: issued to service accounts, and exchanged.

use proto::auth::v1::{
    ExchangeTokenRequest, ExchangeTokenResponse, IssueServiceTokenRequest,
    IssueServiceTokenResponse,
};
use shared::error::Failure;
use tonic::Request;

use super::{Service, not_built};

impl Service {
    pub(super) async fn do_issue_service_token(
        &self,
        _: Request<IssueServiceTokenRequest>,
    ) -> Result<IssueServiceTokenResponse, Failure> {
        not_built()
    }

    pub(super) async fn do_exchange_token(
        &self,
        _: Request<ExchangeTokenRequest>,
    ) -> Result<ExchangeTokenResponse, Failure> {
        not_built()
    }
}
