//! What is known about the call being served: its id and its deadline. The
//! server sets it around every handler; errors, logs and outgoing calls read
//! it. It holds nothing that decides who the caller is.

use std::{
    fmt,
    future::Future,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderValue};
use tonic::{Request, Status, metadata::MetadataValue, service::Interceptor};
use uuid::Uuid;

tokio::task_local! {
    static CALL: Call;
}

/// The header that carries a request id, in and out.
pub const REQUEST_ID: &str = "x-request-id";

/// A call being served.
#[derive(Clone, Debug)]
pub struct Call {
    /// The id under which everything about the call is logged.
    pub id: RequestId,
    /// When its answer is of no use any more.
    pub deadline: Instant,
    /// Where it comes from, whatever proxies it passed; see `Limits::trusted_proxies`.
    pub client: IpAddr,
    /// What the caller calls itself, if it does.
    pub user_agent: Option<HeaderValue>,
}

/// 1 to 64 of the characters `A–Z a–z 0–9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl Call {
    /// What the caller calls itself; some pages can only set the second header.
    #[must_use]
    pub fn user_agent(headers: &HeaderMap) -> Option<HeaderValue> {
        headers.get("user-agent").or_else(|| headers.get("x-user-agent")).cloned()
    }
}

impl RequestId {
    /// Takes a caller's id if it is harmless to log and to send back.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let harmless = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        ((1..=64).contains(&value.len()) && value.bytes().all(harmless)).then(|| Self(value.into()))
    }

    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        let mut text = Uuid::encode_buffer();
        let id = crate::rng::public_uuid_v4();
        Self(Arc::from(&*id.as_hyphenated().encode_lower(&mut text)))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs `future` as part of `call`.
pub async fn scope<F: Future>(call: Call, future: F) -> F::Output {
    CALL.scope(call, future).await
}

/// The call being served, if this is part of one.
#[must_use]
pub fn current() -> Option<Call> {
    CALL.try_with(Clone::clone).ok()
}

/// How long the answer is still of use; at most `most`.
#[must_use]
pub fn time_left(most: Duration) -> Duration {
    CALL.try_with(|call| call.deadline.saturating_duration_since(Instant::now()))
        .map_or(most, |left| left.min(most))
}

/// Interceptor for outgoing calls: hands on the request id and the time that
/// is left of the call being served, at most `most`.
#[derive(Clone, Copy, Debug)]
pub struct Propagate {
    /// The longest an outgoing call may take.
    pub most: Duration,
}

impl Interceptor for Propagate {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.set_timeout(time_left(self.most));
        if let Some(call) = current()
            && let Ok(id) = MetadataValue::try_from(call.id.as_str())
        {
            request.metadata_mut().insert(REQUEST_ID, id);
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_outgoing_call_has_the_time_that_is_left_and_the_same_id() {
        let call = Call {
            id: RequestId::parse("abc.1").unwrap(),
            deadline: Instant::now() + Duration::from_millis(700),
            client: IpAddr::from([127, 0, 0, 1]),
            user_agent: None,
        };
        let most = Duration::from_secs(5);
        let sent = scope(call, async { Propagate { most }.call(Request::new(())).unwrap() }).await;
        assert_eq!(sent.metadata().get(REQUEST_ID).unwrap(), "abc.1");
        let timeout = sent.metadata().get("grpc-timeout").unwrap().to_str().unwrap();
        let nanos: u64 = timeout.trim_end_matches(|c: char| c.is_alphabetic()).parse().unwrap();
        assert!(timeout.ends_with('u') || timeout.ends_with('n'), "{timeout}");
        assert!(nanos > 0 && time_left(most) == most);
    }

    #[test]
    fn only_harmless_ids_are_taken_over() {
        for bad in ["", "a b", "a\nb", "é", &"x".repeat(65)] {
            assert_eq!(RequestId::parse(bad), None);
        }
        assert!(RequestId::parse(RequestId::random().as_str()).is_some());
    }
}
