//! The trace of one call: one log line and two metrics when it ends, however
//! it ends. No message, header or path of an unknown caller's making gets into
//! a metric.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use metrics::{Counter, Histogram, counter, histogram};
use tokio::time::Instant;
use tonic::Code;

use super::method::Method;
use crate::{call::Call, error::code_name, interceptor::Identity};

/// The longest path of nobody's that is logged, in characters.
const MAX_PATH: usize = 128;

/// Codes are numbered from 0.
const CODES: usize = 17;

/// The metrics of one method.
pub(super) struct Meters {
    service: Arc<str>,
    method: Arc<str>,
    seconds: Histogram,
    calls: [OnceLock<Counter>; CODES],
}

impl Meters {
    pub(super) fn new(service: &str, method: &str) -> Self {
        let (service, method): (Arc<str>, Arc<str>) = (service.into(), method.into());
        let seconds = histogram!(
            "grpc_server_call_seconds",
            "service" => service.clone(), "method" => method.clone()
        );
        Self { service, method, seconds, calls: [const { OnceLock::new() }; CODES] }
    }

    fn count(&self, code: Code, took: Duration) {
        let Some(calls) = self.calls.get(code as usize) else { return };
        calls
            .get_or_init(|| {
                counter!(
                    "grpc_server_calls_total",
                    "service" => self.service.clone(),
                    "method" => self.method.clone(),
                    "code" => code_name(code)
                )
            })
            .increment(1);
        self.seconds.record(took);
    }
}

/// Where the caller of an authenticated method is noted for the log.
#[derive(Clone, Default)]
pub(super) struct Caller(Arc<OnceLock<Identity>>);

impl Caller {
    /// Notes the caller that the interceptor found.
    pub(super) fn note(extensions: &http::Extensions) {
        if let (Some(caller), Some(identity)) =
            (extensions.get::<Self>(), extensions.get::<Identity>())
        {
            let _ = caller.0.set(identity.clone());
        }
    }
}

/// One call, from its arrival to the end of its answer. Dropping it ends it.
pub(super) struct Record {
    pub(super) method: Arc<Method>,
    pub(super) call: Call,
    /// The path, if it is not the method's.
    stray: Option<String>,
    peer: SocketAddr,
    caller: Caller,
    started: Instant,
    code: Option<Code>,
}

impl Record {
    pub(super) fn new(
        method: Arc<Method>,
        call: Call,
        peer: SocketAddr,
        request: &mut http::request::Parts,
    ) -> Self {
        let stray = (!method.known).then(|| request.uri.path().chars().take(MAX_PATH).collect());
        let caller = Caller::default();
        request.extensions.insert(caller.clone());
        Self { method, call, stray, peer, caller, started: Instant::now(), code: None }
    }

    /// Ends the record with the code of the answer. One that is dropped
    /// without has lost its client.
    pub(super) fn end(mut self, code: Code) {
        self.code = Some(code);
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let code = self.code.unwrap_or(Code::Cancelled);
        self.method.meters.count(code, took);
        if !tracing::enabled!(target: "call", tracing::Level::INFO) {
            return;
        }
        let caller = self.caller.0.get();
        let user = caller.and_then(Identity::user_id).map(tracing::field::display);
        // Whoever acts, if several do: the one that called.
        let service = caller.and_then(|caller| caller.service()).map(tracing::field::display);
        // Said only where it is somebody else, behind a proxy.
        let client =
            Some(self.call.client).filter(|client| *client != self.peer.ip().to_canonical());
        let client = client.map(tracing::field::display);
        tracing::info!(
            target: "call",
            {
                rpc.service = &*self.method.meters.service,
                rpc.method = &*self.method.meters.method,
                rpc.path = self.stray,
                rpc.code = code_name(code),
                duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
                request.id = self.call.id.as_str(),
                peer.address = %self.peer,
                client.address = client,
                user.id = user,
                service.id = service,
            },
            "A call has ended."
        );
    }
}
