//! What happens to one call between grpc-web and its interceptor: it is
//! counted, limited, given a deadline, and kept from taking others down with
//! it. Over every transport the outcome is a gRPC answer.

use std::{panic::AssertUnwindSafe, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Request, Response, Version};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, codegen::StdError};

use super::{
    answer::{self, Interruption, unknown_method},
    message_limit::MessageLimit,
    method::{Method, Methods},
    record::Record,
    stack::Source,
};
use crate::{
    call::{self, Call, RequestId},
    error::{Failure, Reason},
    telemetry,
};

/// When to come back after a refusal for load.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// What `Call::deadline` says where nobody set one.
const NO_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// The calls of a server.
pub(super) struct Dispatch {
    pub(super) methods: Methods,
    pub(super) in_flight: Semaphore,
    pub(super) draining: CancellationToken,
}

impl Dispatch {
    /// Answers one call.
    pub(super) async fn call<B>(
        &self,
        id: RequestId,
        source: Source,
        request: Request<B>,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Send + Unpin + 'static,
    {
        let (mut head, body) = request.into_parts();
        let method = self.methods.find(head.uri.path()).clone();
        let asked = grpc_timeout(&head.headers);
        let now = Instant::now();
        let most = match (asked, method.deadline) {
            (Some(asked), Some(ours)) => Some(asked.min(ours)),
            (asked, ours) => asked.or(ours),
        };
        let deadline = now + most.unwrap_or(NO_DEADLINE).min(NO_DEADLINE);
        let call = Call {
            id,
            deadline: deadline.into_std(),
            client: source.client,
            user_agent: Call::user_agent(&head.headers),
        };
        let record = Record::new(method.clone(), call.clone(), source.peer, &mut head);

        let lingers = head.version < Version::HTTP_2;
        let limit = MessageLimit::new(body, method.max_message_bytes, method.domain, lingers);
        let request = Request::from_parts(head, Body::new(limit));
        let response = call::scope(call, async {
            match self.handle(&method, deadline, request).await {
                Ok(response) => response,
                Err(failure) => failure.into_status(method.domain).into_http(),
            }
        });
        let response = response.await;
        let interruption =
            if method.streams { self.interruption(&method, now, asked) } else { None };
        answer::send(response, record, interruption)
    }

    async fn handle(
        &self,
        method: &Method,
        deadline: Instant,
        request: Request<Body>,
    ) -> Result<Response<Body>, Failure> {
        let handler = method.handler.as_ref().ok_or_else(unknown_method)?;
        let _in_flight = match self.in_flight.try_acquire() {
            Err(_) if !method.built_in => {
                return Err(Failure::new(
                    Reason::Overloaded,
                    "Too much is going on at the moment. Please try again shortly.",
                )
                .retry_after(RETRY_AFTER));
            }
            permit => permit,
        };
        // The interceptor runs when the handler is called, so calling it is guarded as well.
        let guarded = AssertUnwindSafe(async { handler(request).await }).catch_unwind();
        match tokio::time::timeout_at(deadline, guarded).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(panic)) => Err(Failure::internal(telemetry::panic_text(&*panic))),
            Err(_) => Err(too_late()),
        }
    }

    /// What ends the stream of a method from outside, if anything does.
    fn interruption(
        &self,
        method: &Method,
        now: Instant,
        asked: Option<Duration>,
    ) -> Option<Interruption> {
        let drained = method.built_in.then(|| self.draining.clone().cancelled_owned());
        let late = asked.map(|asked| tokio::time::sleep_until(now + asked.min(NO_DEADLINE)));
        if drained.is_none() && late.is_none() {
            return None;
        }
        Some(Box::pin(async move {
            tokio::select! {
                Some(()) = optional(drained) => draining(),
                Some(()) = optional(late) => too_late(),
                else => std::future::pending().await,
            }
        }))
    }
}

async fn optional<F: Future>(future: Option<F>) -> Option<F::Output> {
    match future {
        Some(future) => Some(future.await),
        None => None,
    }
}

fn too_late() -> Failure {
    Failure::new(Reason::DeadlineExceeded, "This took too long. Please try again.")
}

fn draining() -> Failure {
    Failure::new(Reason::ServerDraining, "The server is restarting. Please try again shortly.")
        .retry_after(RETRY_AFTER)
}

/// The time that a client allows, from `grpc-timeout`: at most eight digits and
/// a unit. What cannot be read is no timeout.
fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_digits_and_a_unit() {
        let read = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", http::HeaderValue::from_static(text));
            grpc_timeout(&headers)
        };
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("99999999H"), Some(Duration::from_secs(99_999_999 * 3600)));
        assert_eq!(read("0n"), Some(Duration::ZERO));
        for bad in ["", "m", "123456789m", "-1m", "+1m", "1", "1x", "1.5S"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
