//! `auth.v1.TrustService`: tells verifiers the keys and what was revoked.

use std::pin::Pin;

use futures_util::Stream;
use proto::auth::v1::{WatchTrustRequest, WatchTrustResponse, trust_service_server::TrustService};
use tonic::{Request, Response, Status, Streaming};

use super::{Service, answer, not_built};

#[tonic::async_trait]
impl TrustService for Service {
    type WatchTrustStream = Pin<Box<dyn Stream<Item = Result<WatchTrustResponse, Status>> + Send>>;

    async fn watch_trust(
        &self,
        _: Request<Streaming<WatchTrustRequest>>,
    ) -> Result<Response<Self::WatchTrustStream>, Status> {
        answer(not_built())
    }
}
