//! A server on a port of its own with a service that does what it is told, and
//! clients that see every header: tonic, plain HTTP, and bare HTTP/2 frames.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use proto::auth::v1::{
    ExchangeTokenRequest, ExchangeTokenResponse, GetJsonWebKeySetRequest, GetJsonWebKeySetResponse,
    IssueServiceTokenRequest, IssueServiceTokenResponse, VerifyTokenRequest, VerifyTokenResponse,
    token_service_client::TokenServiceClient,
    token_service_server::{TokenService, TokenServiceServer},
};
use shared::{
    call,
    server::{Health, Limits, Peer, Server},
    telemetry,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tonic::{Status, transport::Channel};
use tonic_types::{ErrorDetails, StatusExt as _};

/// Longer than anything takes, so that a test that fails also ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The path of the method that does what it is told.
pub(crate) const VERIFY: &str = "/auth.v1.TokenService/VerifyToken";

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) health: Health,
    pub(crate) draining: CancellationToken,
    pub(crate) obedient: Obedient,
    pub(crate) log: telemetry::Captured,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) serving: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    /// Sends the signal to drain.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for the server to have ended well.
    pub(crate) async fn ended(self) {
        in_time(self.serving).await.unwrap().unwrap();
    }

    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Channel::from_shared(format!("http://{}", self.address)).unwrap();
        in_time(endpoint.connect()).await.unwrap()
    }

    pub(crate) async fn client(&self) -> TokenServiceClient<Channel> {
        TokenServiceClient::new(self.channel().await)
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// The line that was logged when the call with this id ended.
    pub(crate) async fn line(&self, id: &str) -> serde_json::Value {
        let wanted = format!(r#""request.id":"{id}""#);
        let found = async {
            loop {
                let text = self.log.text();
                let mut lines = text.lines().filter(|line| line.contains(&wanted));
                if let Some(line) = lines.find(|line| line.contains(r#""target":"call""#)) {
                    return serde_json::from_str(line).unwrap();
                }
                tokio::task::yield_now().await;
            }
        };
        in_time(found).await
    }
}

/// Starts a server with the obedient service, open to anyone.
pub(crate) async fn start(limits: Limits) -> Running {
    start_with(limits, |server, obedient| server.open(TokenServiceServer::new(obedient))).await
}

/// Starts a server that is put together by the test.
pub(crate) async fn start_with(
    limits: Limits,
    with: impl FnOnce(Server, Obedient) -> Server,
) -> Running {
    let log = telemetry::capture();
    let obedient = Obedient::default();
    let server = Server::new(limits).descriptors(proto::DESCRIPTORS);
    let server = with(server, obedient.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (health, draining) = (server.health(), server.draining());
    let (stop, stopped) = oneshot::channel();
    let until = async {
        let _ = stopped.await;
    };
    let serving = tokio::spawn(server.serve(listener, until));
    Running { address, health, draining, obedient, log, stop: Some(stop), serving }
}

/// Waits no longer than patience lasts.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("something that never happens")
}

/// A service that does what the token says: `panic`, `hang`, `wait` for the
/// gate, `blurt` out a cause; anything else is told back.
#[derive(Clone)]
pub(crate) struct Obedient(Arc<State>);

struct State {
    entered: AtomicUsize,
    arrivals: Semaphore,
    gate: Semaphore,
}

impl Default for Obedient {
    fn default() -> Self {
        Self(Arc::new(State {
            entered: AtomicUsize::new(0),
            arrivals: Semaphore::new(0),
            gate: Semaphore::new(0),
        }))
    }
}

impl Obedient {
    /// Waits until one more call has arrived.
    pub(crate) async fn arrived(&self) {
        in_time(self.0.arrivals.acquire()).await.unwrap().forget();
    }

    /// How many calls have been handled or are being.
    pub(crate) fn entered(&self) -> usize {
        self.0.entered.load(Ordering::SeqCst)
    }

    /// Lets one waiting call go on.
    pub(crate) fn release(&self) {
        self.0.gate.add_permits(1);
    }
}

#[tonic::async_trait]
impl TokenService for Obedient {
    async fn get_json_web_key_set(
        &self,
        _: tonic::Request<GetJsonWebKeySetRequest>,
    ) -> Result<tonic::Response<GetJsonWebKeySetResponse>, Status> {
        Ok(tonic::Response::new(GetJsonWebKeySetResponse::default()))
    }

    async fn verify_token(
        &self,
        request: tonic::Request<VerifyTokenRequest>,
    ) -> Result<tonic::Response<VerifyTokenResponse>, Status> {
        self.0.entered.fetch_add(1, Ordering::SeqCst);
        self.0.arrivals.add_permits(1);
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0.to_string());
        let token = request.into_inner().token;
        match token.as_str() {
            "panic" => panic!("as I was told"),
            "hang" => std::future::pending().await,
            "wait" => self.0.gate.acquire().await.unwrap().forget(),
            "blurt" => return Err(Status::internal("the cause is a secret")),
            _ => {}
        }
        Ok(tonic::Response::new(VerifyTokenResponse {
            active: true,
            subject: token,
            issuer: call::current().unwrap().id.to_string(),
            user: peer.unwrap_or_default(),
            ..VerifyTokenResponse::default()
        }))
    }

    async fn issue_service_token(
        &self,
        _: tonic::Request<IssueServiceTokenRequest>,
    ) -> Result<tonic::Response<IssueServiceTokenResponse>, Status> {
        Err(Status::unimplemented("it only verifies"))
    }

    async fn exchange_token(
        &self,
        _: tonic::Request<ExchangeTokenRequest>,
    ) -> Result<tonic::Response<ExchangeTokenResponse>, Status> {
        Err(Status::unimplemented("it only verifies"))
    }
}

/// The request that tells the obedient service what to do.
pub(crate) fn tell(token: &str) -> VerifyTokenRequest {
    VerifyTokenRequest { token: token.to_owned() }
}

/// A message in its frame.
pub(crate) fn framed(message: &impl Message) -> Bytes {
    let body = message.encode_to_vec();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0], &length[..], &body].concat().into()
}

/// The only reason of an error, and the rest of its details.
pub(crate) fn reason(status: &Status) -> (String, ErrorDetails) {
    let details = status.get_error_details();
    (details.error_info().expect("an ErrorInfo").reason.clone(), details)
}

/// What came back over plain HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: http::response::Parts,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The gRPC status, from wherever it stands: headers, trailers, or the
    /// trailer frame of grpc-web.
    pub(crate) fn status(&self) -> Status {
        let in_body = self.web_trailers();
        [&self.head.headers, &self.trailers, &in_body]
            .into_iter()
            .find_map(Status::from_header_map)
            .expect("a gRPC status")
    }

    fn web_trailers(&self) -> HeaderMap {
        let mut body = self.body.clone();
        while body.len() >= 5 {
            let flag = body.get_u8();
            let length = body.get_u32() as usize;
            let frame = body.split_to(length.min(body.len()));
            if flag == 0x80 {
                let text = String::from_utf8(frame.to_vec()).unwrap();
                let lines = text.lines().filter_map(|line| line.split_once(':'));
                return lines
                    .map(|(name, value)| (name.parse().unwrap(), value.trim().parse().unwrap()))
                    .collect::<Vec<(http::HeaderName, http::HeaderValue)>>()
                    .into_iter()
                    .collect();
            }
        }
        HeaderMap::new()
    }
}

/// Sends one request over a connection of its own, HTTP/2 or HTTP/1.1 by the
/// request's version.
pub(crate) async fn ask(address: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    in_time(ask_over(stream, request)).await
}

/// As `ask`, over a stream at hand.
pub(crate) async fn ask_over<S>(stream: S, mut request: Request<Full<Bytes>>) -> Answer
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    use hyper::client::conn::{http1, http2};

    let io = TokioIo::new(stream);
    let response = if request.version() == http::Version::HTTP_2 {
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        let path = request.uri().path().to_owned();
        *request.uri_mut() = format!("http://localhost{path}").parse().unwrap();
        sender.send_request(request).await.unwrap()
    } else {
        let (mut sender, connection) = http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        request.headers_mut().insert("host", "localhost".parse().unwrap());
        sender.send_request(request).await.unwrap()
    };
    collected(response).await
}

async fn collected(response: Response<hyper::body::Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or_default();
    Answer { head, body: collected.to_bytes(), trailers }
}

/// A POST with these headers.
pub(crate) fn post(
    version: http::Version,
    path: &str,
    content_type: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Request<Full<Bytes>> {
    let mut request = Request::post(path).version(version).header("content-type", content_type);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body)).unwrap()
}
