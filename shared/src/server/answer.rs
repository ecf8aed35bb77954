//! The answer to a call on its way out: its record ends with it, errors that
//! the library below made itself get the form of all others, and a stream
//! ends in good order when its time is up, when the server drains, or when it
//! panics.
//!
//! Invariant: an answer never breaks off without a status.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Response};
use http_body::{Body as _, Frame};
use tonic::{Code, Status, body::Body};

use super::{message_limit::undecodable, record::Record};
use crate::{
    call,
    error::{Failure, Reason},
    telemetry,
};

/// What ends a stream from outside.
pub(super) type Interruption = Pin<Box<dyn Future<Output = Failure> + Send>>;

/// How the texts begin that tonic, its codec and its grpc-web layer give to a
/// request that cannot be read.
const UNREADABLE: [&str; 6] = [
    "failed to decode Protobuf message",
    "Missing request message",
    "Unexpected EOF decoding stream",
    "protocol error: received message",
    "Error decompressing",
    "tonic-web: ",
];

/// Sends off what a handler answered. `interruption` is for streams.
pub(super) fn send(
    response: Response<Body>,
    record: Record,
    interruption: Option<Interruption>,
) -> Response<Body> {
    let (mut head, inner) = response.into_parts();
    if head.headers.contains_key(Status::GRPC_STATUS) {
        let code = settle(&mut head.headers, &record);
        record.end(code);
        return Response::from_parts(head, Body::empty());
    }
    let answer = Answer { inner, record: Some(record), interruption, last: None };
    Response::from_parts(head, Body::new(answer))
}

/// The body of an answer.
struct Answer {
    inner: Body,
    /// None once it has ended.
    record: Option<Record>,
    interruption: Option<Interruption>,
    /// Why it ends after the message that was ready when it was interrupted.
    last: Option<Failure>,
}

impl Answer {
    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Self { inner, record: Some(record), .. } = self else { return Poll::Ready(None) };
        if !record.method.streams {
            return Pin::new(inner).poll_frame(cx);
        }
        // A stream is made while it is sent, so what makes it is part of the call.
        within(&record.call, || Pin::new(inner).poll_frame(cx)).unwrap_or(Poll::Pending)
    }

    fn end(&mut self, failure: impl FnOnce() -> Failure) -> Option<Result<Frame<Bytes>, Status>> {
        let record = self.record.take()?;
        let status = within(&record.call, || failure().into_status(record.method.domain))?;
        self.inner = Body::empty();
        record.end(status.code());
        let mut trailers = HeaderMap::new();
        Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers)))
    }

    fn pass(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_trailers() {
            Ok(mut trailers) => {
                if let Some(record) = self.record.take() {
                    let code = settle(&mut trailers, &record);
                    record.end(code);
                }
                Frame::trailers(trailers)
            }
            Err(frame) => frame,
        }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Some(failure) = this.last.take() {
            return Poll::Ready(this.end(|| failure));
        }
        if let Some(interruption) = &mut this.interruption
            && let Poll::Ready(failure) = interruption.as_mut().poll(cx)
        {
            this.interruption = None;
            this.last = Some(failure);
        }
        match catch_unwind(AssertUnwindSafe(|| this.poll_inner(cx))) {
            Ok(Poll::Pending) => match this.last.take() {
                Some(failure) => Poll::Ready(this.end(|| failure)),
                None => Poll::Pending,
            },
            Ok(Poll::Ready(Some(Ok(frame)))) => Poll::Ready(Some(Ok(this.pass(frame)))),
            Ok(Poll::Ready(Some(Err(error)))) => Poll::Ready(this.end(|| Failure::internal(error))),
            Ok(Poll::Ready(None)) => {
                Poll::Ready(this.end(|| Failure::internal("an answer without a status")))
            }
            Err(panic) => {
                Poll::Ready(this.end(|| Failure::internal(telemetry::panic_text(&*panic))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.record.is_none()
    }
}

/// The code that these headers or trailers carry, after giving an error that
/// has no details the form of all others.
fn settle(headers: &mut HeaderMap, record: &Record) -> Code {
    let Some(code) = headers.get(Status::GRPC_STATUS) else { return Code::Unknown };
    let code = Code::from_bytes(code.as_bytes());
    if code == Code::Ok || headers.contains_key(Status::GRPC_STATUS_DETAILS) {
        return code;
    }
    within(&record.call, || reword(headers, record)).flatten().unwrap_or(code)
}

fn reword(headers: &mut HeaderMap, record: &Record) -> Option<Code> {
    let status = Status::from_header_map(headers)?;
    let message = status.message();
    let failure = match status.code() {
        Code::Internal if UNREADABLE.iter().any(|start| message.starts_with(start)) => {
            undecodable()
        }
        Code::Internal | Code::Unknown => Failure::internal(message),
        Code::Unimplemented if message.starts_with("Content is compressed") => {
            Failure::new(Reason::MethodUnknown, "Compressed messages are not taken here.")
        }
        Code::Unimplemented if !record.method.known => unknown_method(),
        Code::OutOfRange if message.starts_with("Error, decoded message length") => {
            Failure::new(Reason::MessageTooLarge, "The message is too large.")
        }
        _ => return None,
    };
    let status = failure.into_status(record.method.domain);
    status.add_header(headers).ok()?;
    Some(status.code())
}

/// A method that nobody answers.
pub(super) fn unknown_method() -> Failure {
    Failure::new(Reason::MethodUnknown, "There is no such method here.")
}

/// Runs `part` as part of `call`.
fn within<T>(call: &call::Call, part: impl FnOnce() -> T) -> Option<T> {
    call::scope(call.clone(), async { part() }).now_or_never()
}
