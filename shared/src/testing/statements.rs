//! A proxy in front of Postgres that counts what a service sends: statements
//! executed, and round trips, whatever they are for.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    task::AbortHandle,
};

/// The proxy. It ends when it is dropped.
pub struct StatementCounter {
    folder: tempfile::TempDir,
    port: u16,
    sent: Arc<Sent>,
    task: AbortHandle,
}

#[derive(Default)]
struct Sent {
    statements: AtomicUsize,
    round_trips: AtomicUsize,
}

impl StatementCounter {
    /// A proxy in front of the server that `options` lead to by a Unix socket.
    ///
    /// # Errors
    /// If there is no room for the proxy's own socket.
    pub fn before(options: &PgConnectOptions) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = options.get_port();
        let socket = format!(".s.PGSQL.{port}");
        let server = options.get_socket().cloned().unwrap_or_default().join(&socket);
        let listener = UnixListener::bind(folder.path().join(socket))?;
        let sent = Arc::<Sent>::default();
        let task = tokio::spawn(accept(listener, server, sent.clone())).abort_handle();
        Ok(Self { folder, port, sent, task })
    }

    /// The same database, through the proxy.
    #[must_use]
    pub fn through(&self, options: &PgConnectOptions) -> PgConnectOptions {
        options.clone().socket(self.folder.path()).port(self.port)
    }

    /// Statements executed since the last time.
    pub fn take(&self) -> usize {
        self.sent.statements.swap(0, Ordering::SeqCst)
    }

    /// Round trips since the last time.
    pub fn take_round_trips(&self) -> usize {
        self.sent.round_trips.swap(0, Ordering::SeqCst)
    }
}

impl Drop for StatementCounter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: UnixListener, server: PathBuf, sent: Arc<Sent>) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, sent) = (server.clone(), sent.clone());
        tokio::spawn(async move {
            let server = UnixStream::connect(server).await?;
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::select! {
                ended = forward(&mut from_client, &mut to_server, &sent) => ended,
                ended = tokio::io::copy(&mut from_server, &mut to_client) => ended.map(|_| ()),
            }
        });
    }
}

/// Hands on what a client says, message by message (PostgreSQL's manual,
/// "Message Formats"): the first has no type, all others have one byte of it.
async fn forward(
    client: &mut (impl tokio::io::AsyncRead + Unpin),
    server: &mut (impl tokio::io::AsyncWrite + Unpin),
    sent: &Sent,
) -> io::Result<()> {
    let mut first = true;
    loop {
        let mut kind = [0; 1];
        if !first {
            client.read_exact(&mut kind).await?;
            // Execute, and a simple query.
            if matches!(kind[0], b'E' | b'Q') {
                sent.statements.fetch_add(1, Ordering::SeqCst);
            }
            // Sync, and a simple query: each is answered with ReadyForQuery.
            if matches!(kind[0], b'S' | b'Q') {
                sent.round_trips.fetch_add(1, Ordering::SeqCst);
            }
            server.write_all(&kind).await?;
        }
        first = false;
        let length = client.read_u32().await?;
        server.write_u32(length).await?;
        let mut rest = client.take(u64::from(length.saturating_sub(4)));
        tokio::io::copy(&mut rest, server).await?;
    }
}
