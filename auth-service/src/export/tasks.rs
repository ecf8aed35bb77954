//! The tasks of a user, fetched from task-service while they are written: this
//! service asks as itself, for the user, and for nothing but to read.

use std::time::Duration;

use proto::task::v1::{
    ExportTasksRequest, TransferFormat, transfer_service_client::TransferServiceClient,
};
use shared::{
    call::Propagate,
    error::{Failure, Reason},
    secret::Secret,
};
use tonic::{
    Request, Status,
    metadata::MetadataValue,
    service::Interceptor as _,
    transport::{Channel, ClientTlsConfig, Endpoint},
};

use super::{Stopped, pieces::Pieces};

/// The longest that task-service may take to begin, and between two pieces.
const PATIENCE: Duration = Duration::from_secs(10);
/// When to try again.
const RETRY: Duration = Duration::from_secs(5);

/// What the token must allow.
pub const SCOPE: &str = "tasks:read";

/// Where the tasks are. Cheap to clone; clones share the connection.
#[derive(Clone, Debug)]
pub struct Tasks {
    channel: Channel,
    audience: String,
}

impl Tasks {
    /// The tasks at this address, of the service that tokens call `audience`.
    /// The connection is made with the first call; needs a runtime.
    ///
    /// # Errors
    /// In words for the operator.
    pub fn at(url: &str, audience: String) -> anyhow::Result<Self> {
        let endpoint = Endpoint::from_shared(url.to_owned())?.connect_timeout(PATIENCE);
        let endpoint = match endpoint.uri().scheme_str() {
            Some("https") => endpoint.tls_config(ClientTlsConfig::new().with_enabled_roots())?,
            _ => endpoint,
        };
        Ok(Self { channel: endpoint.connect_lazy(), audience })
    }

    /// What tokens call the service.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Writes the tasks of the user whom the token is about. The document of
    /// task-service is a value of ours; it is whole if its stream ends well.
    ///
    /// # Errors
    /// See `Stopped`; UNAVAILABLE whatever went wrong there.
    pub(super) async fn write(&self, token: Secret, file: &mut Pieces) -> Result<(), Stopped> {
        let mut request = Request::new(());
        let mut bearer: MetadataValue<_> = format!("Bearer {}", token.expose())
            .parse()
            .map_err(|_| Stopped::Failed(Failure::internal("a token that is no header")))?;
        bearer.set_sensitive(true);
        request.metadata_mut().insert("authorization", bearer);
        let request = Propagate { most: PATIENCE }.call(request).map_err(unavailable)?;
        let format = TransferFormat::Json.into();
        let request = request.map(|()| ExportTasksRequest { parent: String::new(), format });

        let mut client = TransferServiceClient::new(self.channel.clone());
        let opened = tokio::time::timeout(PATIENCE, client.export_tasks(request)).await;
        let mut stream = opened.map_err(|_| silent())?.map_err(unavailable)?.into_inner();
        let mut any = false;
        loop {
            let next = tokio::time::timeout(PATIENCE, stream.message()).await;
            match next.map_err(|_| silent())?.map_err(unavailable)? {
                Some(piece) => file.push(piece.data).await?,
                None if any => return Ok(()),
                None => return Err(unavailable(Status::unavailable("an empty document"))),
            }
            any = true;
        }
    }
}

fn silent() -> Stopped {
    unavailable(Status::deadline_exceeded("it is silent"))
}

fn unavailable(status: Status) -> Stopped {
    let (code, said) = (status.code(), status.message());
    tracing::warn!(?code, said, "The tasks of an export could not be fetched.");
    let why = "Your tasks cannot be read at the moment. Please try again shortly.";
    Stopped::Failed(Failure::new(Reason::DatabaseUnavailable, why).retry_after(RETRY))
}
