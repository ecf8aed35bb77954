//! The accept loop and the connections it opens: HTTP/1.1 and HTTP/2 on one
//! port, in clear or over TLS, with every guard of the protocol set by hand.
//!
//! Invariant: a connection ends when its server is dropped, at the latest.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, Response};
use hyper::{body::Incoming, rt::Executor, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tonic::body::Body;

use super::{
    Limits,
    caps::{Caps, Slot},
    first_bytes::FirstBytes,
};

/// Streams that were reset and not yet accepted, per connection (CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;

/// The least that hyper takes as buffer for HTTP/1.1 headers.
const MIN_HTTP1_BUFFER: usize = 8 * 1024;

/// The pause after accepting failed, as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Something that answers HTTP requests.
pub(super) trait Answers: Send + Sync + 'static {
    /// Answers one.
    fn answer(
        &self,
        peer: SocketAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// What the connections of a listener are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// Finish what has begun.
    Draining,
}

/// The connections of one listener.
pub(super) struct Connections<A> {
    shared: Arc<Shared<A>>,
    caps: Caps,
    tasks: TaskTracker,
    /// Dropping it ends every connection.
    phase: watch::Sender<Phase>,
}

struct Shared<A> {
    answers: A,
    http: Builder<Spawn>,
    tls: Option<TlsAcceptor>,
    first_bytes: Duration,
}

/// Spawns the streams of HTTP/2 connections where the drain waits for them.
#[derive(Clone)]
struct Spawn(TaskTracker);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Spawn {
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}

impl<A: Answers> Connections<A> {
    pub(super) fn new(answers: A, limits: &Limits, tls: Option<Arc<ServerConfig>>) -> Self {
        let tasks = TaskTracker::new();
        let shared = Shared {
            answers,
            http: protocol(limits, Spawn(tasks.clone())),
            tls: tls.map(TlsAcceptor::from),
            first_bytes: limits.first_bytes,
        };
        Self {
            shared: Arc::new(shared),
            caps: Caps::new(limits),
            tasks,
            phase: watch::Sender::new(Phase::Open),
        }
    }

    /// Accepts connections until it is dropped.
    pub(super) async fn accept(&self, listener: &TcpListener) -> Infallible {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.open(stream, peer),
                // The peer was faster in hanging up than we in picking up.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::warn!(%error, "No connection can be accepted at the moment.");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Lets every connection finish what it has begun; ends when all have.
    pub(super) async fn drain(&self) {
        self.phase.send_replace(Phase::Draining);
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn open(&self, stream: TcpStream, peer: SocketAddr) {
        let slot = match self.caps.admit(peer.ip()) {
            Ok(slot) => slot,
            Err(limit) => {
                metrics::counter!("server_connections_refused_total", "limit" => limit)
                    .increment(1);
                tracing::debug!(peer.address = %peer, limit, "A connection was refused.");
                return;
            }
        };
        // Without it small answers wait for the acknowledgement of the one before.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let connection = self.shared.clone().serve(stream, peer, slot, self.phase.subscribe());
        self.tasks.spawn(connection);
    }
}

impl<A: Answers> Shared<A> {
    async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        slot: Slot,
        mut phase: watch::Receiver<Phase>,
    ) {
        let Some(tls) = &self.tls else { return self.speak(stream, peer, slot, phase).await };
        tokio::select! {
            shaken = tokio::time::timeout(self.first_bytes, tls.accept(stream)) => match shaken {
                Ok(Ok(stream)) => self.clone().speak(stream, peer, slot, phase).await,
                Ok(Err(error)) => {
                    tracing::debug!(peer.address = %peer, %error, "A TLS handshake failed.");
                }
                Err(_) => tracing::debug!(peer.address = %peer, "A TLS handshake took too long."),
            },
            _ = phase.changed() => {}
        }
    }

    async fn speak<S>(
        self: Arc<Self>,
        stream: S,
        peer: SocketAddr,
        _slot: Slot,
        mut phase: watch::Receiver<Phase>,
    ) where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let io = TokioIo::new(FirstBytes::new(stream, self.first_bytes));
        let service = service_fn(|request| {
            let this = self.clone();
            // Boxed, since the libraries above move it around and it is large.
            Box::pin(async move { Ok::<_, Infallible>(this.answers.answer(peer, request).await) })
        });
        let mut connection = std::pin::pin!(self.http.serve_connection(io, service));
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            told = phase.changed() => {
                if told.is_err() {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    biased;
                    ended = connection => ended,
                    _ = phase.changed() => return,
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(peer.address = %peer, error, "A connection broke off.");
        }
    }
}

fn protocol(limits: &Limits, spawn: Spawn) -> Builder<Spawn> {
    let mut http = Builder::new(spawn);
    let http1_buffer = usize::try_from(limits.max_header_bytes).unwrap_or(usize::MAX);
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.first_bytes)
        .max_buf_size(http1_buffer.max(MIN_HTTP1_BUFFER));
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_streams)
        .max_local_error_reset_streams(limits.max_local_resets)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_header_list_size(limits.max_header_bytes)
        .keep_alive_interval(limits.keepalive_interval)
        .keep_alive_timeout(limits.keepalive_timeout);
    http
}
