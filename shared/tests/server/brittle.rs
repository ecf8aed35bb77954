//! A service whose answer breaks while it is being sent.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use futures_util::{StreamExt as _, stream};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tonic::{Status, body::Body, codegen::Service, server::NamedService};

use crate::harness::{framed, tell};

/// A service whose answer is a body that panics after one message.
#[derive(Clone)]
pub(crate) struct Brittle;

impl NamedService for Brittle {
    const NAME: &'static str = "test.v1.Brittle";
}

impl Service<Request<Body>> for Brittle {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let messages = stream::iter(0..2).map(|n| {
            assert_eq!(n, 0, "the second message");
            Ok::<_, Status>(Frame::data(framed(&tell("first"))))
        });
        let body = Body::new(StreamBody::new(messages).boxed_unsync());
        let response = Response::builder().header("content-type", "application/grpc").body(body);
        ready(Ok(response.unwrap()))
    }
}
