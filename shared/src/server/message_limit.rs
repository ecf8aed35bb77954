//! The request body of a call, cut off where a message declares more bytes
//! than its method takes: the length stands in front of each message, so
//! nothing of a message that is too large is kept.
//!
//! Whatever else goes wrong while a body is read becomes the same error as a
//! message that cannot be decoded.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::{Code, Status, codegen::StdError};

use crate::error::{Failure, Reason};

/// Bytes in front of each message: a flag and the length.
const PREFIX: usize = 5;

/// How much of a body that was refused is still read over HTTP/1.1. A client
/// that is cut off while it writes would never read the answer.
const LINGER: usize = 8 * 1024 * 1024;

/// A request body whose messages have at most so many bytes.
pub(super) struct MessageLimit<B> {
    inner: B,
    limit: usize,
    domain: &'static str,
    lingers: bool,
    state: State,
}

enum State {
    /// So many bytes of a prefix were read.
    Prefix([u8; PREFIX], usize),
    /// So many bytes of a message are to come.
    Message(usize),
    /// Refused; so many bytes may still be thrown away.
    Refused(usize),
    Ended,
}

impl<B> MessageLimit<B> {
    /// `lingers` for HTTP/1.1, see `LINGER`.
    pub(super) fn new(inner: B, limit: usize, domain: &'static str, lingers: bool) -> Self {
        Self { inner, limit, domain, lingers, state: State::Prefix([0; PREFIX], 0) }
    }

    fn read(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() {
            match &mut self.state {
                State::Prefix(prefix, filled) => {
                    let n = chunk.len().min(PREFIX - *filled);
                    prefix[*filled..*filled + n].copy_from_slice(&chunk[..n]);
                    *filled += n;
                    chunk = &chunk[n..];
                    if *filled == PREFIX {
                        let [_, a, b, c, d] = *prefix;
                        let length = u32::from_be_bytes([a, b, c, d]) as usize;
                        self.state = match length {
                            0 => State::Prefix([0; PREFIX], 0),
                            length if length > self.limit => State::Refused(LINGER),
                            length => State::Message(length),
                        };
                    }
                }
                State::Message(left) => {
                    let n = chunk.len().min(*left);
                    *left -= n;
                    chunk = &chunk[n..];
                    if *left == 0 {
                        self.state = State::Prefix([0; PREFIX], 0);
                    }
                }
                State::Refused(left) => {
                    *left = left.saturating_sub(chunk.len());
                    return;
                }
                State::Ended => return,
            }
        }
    }

    fn too_large(&self) -> Status {
        let message = format!("A message may have at most {} bytes here.", self.limit);
        Failure::new(Reason::MessageTooLarge, message)
            .metadata("max_bytes", self.limit.to_string())
            .into_status(self.domain)
    }
}

impl<B> http_body::Body for MessageLimit<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<StdError>> + Unpin,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        loop {
            if matches!(this.state, State::Ended) {
                return Poll::Ready(None);
            }
            let frame = ready!(Pin::new(&mut this.inner).poll_frame(cx));
            if let Some(Ok(frame)) = &frame
                && let Some(data) = frame.data_ref()
            {
                this.read(data);
            }
            if let State::Refused(left) = this.state {
                if this.lingers && left > 0 && matches!(frame, Some(Ok(_))) {
                    continue;
                }
                this.state = State::Ended;
                return Poll::Ready(Some(Err(this.too_large())));
            }
            return Poll::Ready(frame.map(|frame| {
                frame.map_err(|error| {
                    this.state = State::Ended;
                    broken(Status::from_error(error.into()), this.domain)
                })
            }));
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Prefix(_, 0) | State::Ended) && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A body that broke off. A client that cancels is not an error of the request.
fn broken(status: Status, domain: &'static str) -> Status {
    match status.code() {
        Code::Cancelled => status,
        _ => undecodable().into_status(domain),
    }
}

/// A request that is not what its method takes.
pub(super) fn undecodable() -> Failure {
    Failure::new(Reason::FieldInvalid, "The request message could not be decoded.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(chunks: &[&[u8]]) -> bool {
        let mut body = MessageLimit::new((), 3, "duet", false);
        chunks.iter().for_each(|chunk| body.read(chunk));
        matches!(body.state, State::Refused(_))
    }

    #[test]
    fn a_length_is_found_wherever_the_frames_are_cut() {
        assert!(!refused(&[&[0, 0, 0, 0, 3, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 7]]));
        assert!(refused(&[&[0, 0, 0, 0, 4]]));
        assert!(refused(&[&[0, 0], &[0, 0, 3, 1], &[2, 3, 1, 0, 0], &[1], &[0, 5]]));
        assert!(!refused(&[&[0, 0], &[0, 0, 3, 1], &[2, 3, 1, 0, 0], &[0], &[3, 5]]));
        assert!(refused(&[&[1, 255, 255, 255, 255]]));
    }
}
