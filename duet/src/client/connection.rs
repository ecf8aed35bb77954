//! Calls to one service: address, TLS, deadline, the access token in its
//! header, and one more try where a call may be repeated.

use std::time::Duration;

use shared::secret::Secret;
use tokio::time::timeout;
use tonic::{
    Code, Request, Response, Status, Streaming,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, ClientTlsConfig, Endpoint, Uri},
};

use super::failure::Failure;

/// Every call has to be answered within this time.
const DEADLINE: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("duet/", env!("CARGO_PKG_VERSION"));

/// Bytes of the largest answer that is taken: a page of 500 tasks with notes of
/// 20,000 characters, each of up to 4 bytes.
pub(crate) const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// What a service wishes to wait before it is asked again is granted up to
/// here, so that the command still ends when a person expects it to.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(250);

/// A service at an address. The connection is made with the first call.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    uri: Uri,
    channel: Channel,
}

impl Connection {
    /// The service at an address.
    pub(crate) fn new(uri: Uri) -> Result<Self, Failure> {
        let endpoint = Endpoint::from(uri.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .user_agent(USER_AGENT);
        let endpoint = match uri.scheme_str() {
            Some("https") => {
                endpoint.and_then(|it| it.tls_config(ClientTlsConfig::new().with_native_roots()))
            }
            _ => endpoint,
        };
        let endpoint = endpoint.map_err(|error| {
            Failure::new(Code::Unavailable, format!("{uri} cannot be reached: {error}."))
        })?;
        Ok(Self { channel: endpoint.connect_lazy(), uri })
    }

    /// Makes a call, once.
    pub(crate) async fn call<Q, A>(
        &self,
        request: Q,
        token: Option<&Secret>,
        method: impl AsyncFn(Channel, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Failure> {
        let mut request = Request::new(request);
        request.set_timeout(DEADLINE);
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", bearer(token)?);
        }
        match method(self.channel.clone(), request).await {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(self.failure(&status)),
        }
    }

    /// Opens a stream that lasts as long as it likes; only its beginning has to
    /// come in time.
    pub(crate) async fn open<Q, A>(
        &self,
        request: Q,
        token: &Secret,
        method: &impl AsyncFn(Channel, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Failure> {
        let mut request = Request::new(request);
        request.metadata_mut().insert("authorization", bearer(token)?);
        match timeout(DEADLINE, method(self.channel.clone(), request)).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(self.failure(&status)),
            Err(_) => Err(self.silence()),
        }
    }

    /// The next message of a stream; one that is silent for longer is over.
    pub(crate) async fn next<A>(
        &self,
        stream: &mut Streaming<A>,
        patience: Duration,
    ) -> Result<Option<A>, Failure> {
        match timeout(patience, stream.message()).await {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(status)) => Err(self.failure(&status)),
            Err(_) => Err(self.silence()),
        }
    }

    fn failure(&self, status: &Status) -> Failure {
        Failure::call(status, &self.uri)
    }

    fn silence(&self) -> Failure {
        let message = format!("{} did not answer in time.", self.uri);
        Failure::new(Code::Unavailable, message)
    }

    /// Makes a call that does no harm twice: if the service is not available,
    /// it is asked once more.
    pub(crate) async fn call_again<Q: Clone, A>(
        &self,
        request: &Q,
        token: Option<&Secret>,
        method: &impl AsyncFn(Channel, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Failure> {
        match self.call(request.clone(), token, method).await {
            Err(failure) if failure.code() == Some(Code::Unavailable) => {
                let pause = failure.retry_after().unwrap_or(PAUSE).min(LONGEST_PAUSE);
                tokio::time::sleep(pause).await;
                self.call(request.clone(), token, method).await
            }
            result => result,
        }
    }
}

fn bearer(token: &Secret) -> Result<MetadataValue<Ascii>, Failure> {
    let mut value: MetadataValue<Ascii> =
        format!("Bearer {}", token.expose()).parse().map_err(|_| {
            let message = "The kept access token is damaged. Sign in again with `duet sign-in`.";
            Failure::new(Code::Unauthenticated, message)
        })?;
    value.set_sensitive(true);
    Ok(value)
}
