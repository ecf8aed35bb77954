//! Every limit of a listener, with the value that holds if nobody says
//! otherwise. The defaults of the libraries below are unsafe: two of them
//! switch guards off.
//!
//! Nothing is read from the environment here; a service maps its own
//! configuration onto this struct.

use std::time::Duration;

use super::Network;

/// The limits of one listener.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections in total. One more is closed at once.
    pub max_connections: usize,
    /// Open connections from one address, an IPv6 /64 counting as one. Behind a
    /// proxy every connection has the proxy's address.
    pub max_connections_per_address: usize,
    /// Networks of proxies whose `X-Forwarded-For` says where a call comes from.
    pub trusted_proxies: Vec<Network>,
    /// Calls at once on one HTTP/2 connection.
    pub max_streams: u32,
    /// Streams of a connection that may be reset because of the peer's errors
    /// before the connection is ended.
    pub max_local_resets: usize,
    /// Header bytes of a request, path and names included; at least 8 KiB over
    /// HTTP/1.1.
    pub max_header_bytes: u32,
    /// Within this time a connection has finished its TLS handshake, has sent
    /// its first 24 bytes after it, and over HTTP/1.1 the headers of a request.
    pub first_bytes: Duration,
    /// How long an HTTP/2 connection may be silent before it is asked whether
    /// it is still there.
    pub keepalive_interval: Duration,
    /// How long it may take to answer that.
    pub keepalive_timeout: Duration,
    /// Calls being handled at once, over all connections; one more is refused
    /// with OVERLOADED. An open stream counts until its handler has returned.
    pub in_flight: usize,
    /// Bytes of one request message, unless `Server::message_limit` says more.
    pub max_message_bytes: usize,
    /// How long a handler may take, if its client does not allow less.
    pub unary_deadline: Duration,
    /// The same for `slow_methods`.
    pub slow_deadline: Duration,
    /// Full paths of methods that hash a password, as `/auth.v1.AuthService/SignIn`,
    /// or that read everything.
    pub slow_methods: &'static [&'static str],
    /// How long calls are still accepted after health says NOT_SERVING, so that
    /// balancers can turn away first.
    pub drain_delay: Duration,
    /// When the process stops waiting for calls in flight, counted from the
    /// signal, `drain_delay` included.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            max_connections_per_address: 256,
            trusted_proxies: Vec::new(),
            max_streams: 100,
            max_local_resets: 256,
            max_header_bytes: 16 * 1024,
            first_bytes: Duration::from_secs(10),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            in_flight: 1024,
            max_message_bytes: 64 * 1024,
            unary_deadline: Duration::from_secs(5),
            slow_deadline: Duration::from_secs(10),
            slow_methods: &[],
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(10),
        }
    }
}
