//! Where tokens are shown to a running service: a unary method, a stream, and
//! the same method as browsers call it; and what is to come of it there.
//!
//! Invariant: an answer is compared as it is on the wire, all of its headers,
//! trailers and bytes, but for what names the call.

use std::{fmt::Write as _, net::SocketAddr};

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use prost::Message;
use tonic::{Code, Status, body::Body, transport::Channel};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use super::{Row, Verdict, Whose};

/// Headers that are another's for every call.
const OF_THE_CALL: [&str; 2] = ["date", "x-request-id"];

/// A method, and a request that a good token is let in with.
#[derive(Clone, Debug)]
pub struct Call {
    /// As `/task.v1.TaskService/ListTasks`.
    pub path: String,
    /// The request in its frame.
    pub body: Bytes,
}

/// The service that tokens are shown to.
pub struct Door {
    channel: Channel,
    browser: reqwest::Client,
    url: String,
    unary: Call,
    stream: Call,
    believed: fn(Whose) -> Code,
}

/// What came back for one row over one way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    http: u16,
    headers: Vec<(String, Vec<u8>)>,
    trailers: Vec<(String, Vec<u8>)>,
    body: Bytes,
    code: Code,
    reason: String,
}

impl Call {
    /// A call of the method at `path` with this request.
    #[must_use]
    pub fn new(path: &str, request: &impl Message) -> Self {
        let message = request.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
        Self { path: path.to_owned(), body: [&[0], &length[..], &message].concat().into() }
    }
}

impl Door {
    /// The service at `address`, which `channel` is connected to; a unary method
    /// and one whose answer is a stream; and what becomes there of those who are
    /// believed.
    ///
    /// # Panics
    /// If HTTP cannot be spoken.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test may fail like this")]
    pub fn new(
        address: SocketAddr,
        channel: Channel,
        [unary, stream]: [Call; 2],
        believed: fn(Whose) -> Code,
    ) -> Self {
        let browser = reqwest::Client::builder().no_proxy().http1_only().build();
        let browser = browser.expect("a client");
        Self { channel, browser, url: format!("http://{address}"), unary, stream, believed }
    }

    /// Shows every row over every way, and tells all that is not as it has to be:
    /// who is let in and who is not, and that those who are refused for the same
    /// are answered in the same way to the last byte.
    ///
    /// # Panics
    /// If the service cannot be reached.
    pub async fn faults(&self, rows: &[Row]) -> String {
        let mut faults = String::new();
        let mut first: Vec<(&str, Verdict, Answer)> = Vec::new();
        for row in rows {
            for (way, answer) in self.answers(row).await {
                let Answer { code, reason, .. } = &answer;
                if !self.is_right(row.verdict, *code, reason) {
                    let _ = writeln!(faults, "{way}, {}: {code:?} {reason}", row.name);
                } else if !matches!(row.verdict, Verdict::Believed(_)) {
                    let same = |(of, verdict, _): &&(&str, Verdict, Answer)| {
                        (*of, *verdict) == (way, row.verdict)
                    };
                    match first.iter().find(same) {
                        Some((.., other)) if *other != answer => {
                            let _ = writeln!(faults, "{way}, {}: {answer:?}", row.name);
                        }
                        Some(_) => {}
                        None => first.push((way, row.verdict, answer)),
                    }
                }
            }
        }
        faults
    }

    fn is_right(&self, verdict: Verdict, code: Code, reason: &str) -> bool {
        match verdict {
            Verdict::Believed(whose) => code == (self.believed)(whose),
            Verdict::Refused => (code, reason) == (Code::Unauthenticated, "TOKEN_INVALID"),
            Verdict::Expired => (code, reason) == (Code::Unauthenticated, "TOKEN_EXPIRED"),
            Verdict::Missing => (code, reason) == (Code::Unauthenticated, "TOKEN_MISSING"),
            Verdict::Revoked => (code, reason) == (Code::Unauthenticated, "SESSION_REVOKED"),
        }
    }

    async fn answers(&self, row: &Row) -> [(&'static str, Answer); 3] {
        [
            ("unary", self.grpc(&self.unary, row, false).await),
            ("stream", self.grpc(&self.stream, row, true).await),
            ("grpc-web", self.web(&self.unary, row).await),
        ]
    }

    #[expect(clippy::expect_used, reason = "a test may fail like this")]
    async fn grpc(&self, call: &Call, row: &Row, is_stream: bool) -> Answer {
        let mut request = Request::post(&call.path)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Body::new(Full::new(call.body.clone())))
            .expect("a request");
        request.headers_mut().extend(authorization(row));
        let answer = self.channel.clone().oneshot(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        if is_stream && !head.headers.contains_key("grpc-status") {
            // It is open, and may stay so for ever.
            let code = if head.status.is_success() { Code::Ok } else { Code::Unknown };
            let (headers, trailers) = (listed(&head.headers), Vec::new());
            let (http, body, reason) = (head.status.as_u16(), Bytes::new(), String::new());
            return Answer { http, headers, trailers, body, code, reason };
        }
        let collected = body.collect().await.expect("a whole answer");
        let trailers = collected.trailers().cloned().unwrap_or_default();
        Answer::new(head.status, &head.headers, &trailers, collected.to_bytes())
    }

    /// As a browser does: HTTP/1.1, and the trailers in the body.
    #[expect(clippy::expect_used, reason = "a test may fail like this")]
    async fn web(&self, call: &Call, row: &Row) -> Answer {
        let request = self
            .browser
            .post(format!("{}{}", self.url, call.path))
            .header("content-type", "application/grpc-web+proto")
            .headers(authorization(row))
            .body(call.body.clone());
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.expect("a whole answer");
        let trailers = trailers_within(body.clone());
        Answer::new(status, &headers, &trailers, body)
    }
}

impl Answer {
    fn new(status: StatusCode, headers: &HeaderMap, trailers: &HeaderMap, body: Bytes) -> Self {
        let said = [headers, trailers].into_iter().find_map(Status::from_header_map);
        let said = said.unwrap_or_else(|| Status::unknown("there is no status"));
        let reason = said.get_details_error_info().map(|info| info.reason).unwrap_or_default();
        let (headers, trailers) = (listed(headers), listed(trailers));
        Self { http: status.as_u16(), headers, trailers, body, code: said.code(), reason }
    }
}

fn listed(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let headers = headers.iter().filter(|(name, _)| !OF_THE_CALL.contains(&name.as_str()));
    let mut listed: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    listed.sort_unstable();
    listed
}

#[expect(clippy::expect_used, reason = "a test may fail like this")]
fn authorization(row: &Row) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for bytes in &row.authorization {
        let value = HeaderValue::from_bytes(bytes).expect("a header value");
        headers.append(http::header::AUTHORIZATION, value);
    }
    headers
}

/// The trailers that grpc-web puts at the end of a body.
fn trailers_within(mut body: Bytes) -> HeaderMap {
    while body.len() >= 5 {
        let flag = body.get_u8();
        let length = usize::try_from(body.get_u32()).unwrap_or(usize::MAX);
        let frame = body.split_to(length.min(body.len()));
        if flag == 0x80 {
            let text = String::from_utf8_lossy(&frame).into_owned();
            let lines = text.lines().filter_map(|line| line.split_once(':'));
            let pair = |(name, value): (&str, &str)| {
                Some((name.parse::<HeaderName>().ok()?, value.trim().parse::<HeaderValue>().ok()?))
            };
            return lines.filter_map(pair).collect();
        }
    }
    HeaderMap::new()
}
