//! Why a command failed: one friendly sentence, what it calls for besides, and
//! the exit code that follows from it.
//!
//! The codes are listed in `--help`; scripts rely on them.

mod cause;

use std::{error::Error as _, fmt, io, path::Path, time::Duration};

use serde::Serialize;
use shared::{config::EXIT_USAGE, error::code_name};
use tonic::{Code, Status, TimeoutExpired, transport::Uri};
use tonic_types::StatusExt as _;

use self::cause::causes;
pub(super) use self::cause::is_refused;
use super::output;

/// EX_IOERR of sysexits.h: a file or the terminal cannot be read or written.
const EXIT_IO: u8 = 74;

/// Why a command failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: Box<str>,
    reason: Option<Box<str>>,
    fields: Vec<(String, String)>,
    candidates: Vec<(String, String)>,
    retry_after: Option<Duration>,
    request_id: Option<Box<str>>,
    /// The place in a batch of the change that was refused.
    place: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A call failed, or would have.
    Call(Code),
    /// The command line is not acceptable.
    Usage,
    /// A file or the terminal cannot be read or written.
    Io,
    /// Nobody reads our output any more (`duet ls | head`): no failure.
    Unread,
}

impl Failure {
    /// A failure with one friendly sentence.
    pub(crate) fn new(code: Code, message: impl Into<Box<str>>) -> Self {
        Self::of(Kind::Call(code), message)
    }

    /// The command line is not acceptable.
    pub(crate) fn usage(message: impl Into<Box<str>>) -> Self {
        Self::of(Kind::Usage, message)
    }

    /// A file cannot be read or written.
    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self::of(Kind::Io, format!("{} cannot be used: {error}.", path.display()))
    }

    /// What a service answered, or why it did not.
    pub(crate) fn call(status: &Status, uri: &Uri) -> Self {
        if status.source().is_some() {
            return Self::connection(status, uri);
        }
        let details = status.get_error_details();
        let message = match status.message() {
            "" => format!("{uri} answered {}.", code_name(status.code())),
            message => message.to_owned(),
        };
        let info = details.error_info();
        let place = info.and_then(|info| info.metadata.get("op_index")?.parse().ok());
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice());
        Self {
            reason: info.map(|info| info.reason.as_str().into()),
            fields: violations
                .unwrap_or_default()
                .iter()
                .map(|violation| (violation.field.clone(), violation.description.clone()))
                .collect(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
            request_id: details.request_info().map(|info| info.request_id.as_str().into()),
            place,
            ..Self::new(status.code(), message)
        }
    }

    /// The call never got an answer.
    fn connection(status: &Status, uri: &Uri) -> Self {
        if is_refused(status) {
            let message = format!("Nothing listens at {uri}. Start it with `duet up`.");
            return Self::new(Code::Unavailable, message);
        }
        if causes(status).any(|cause| cause.is::<TimeoutExpired>()) {
            let message = format!("{uri} did not answer in time.");
            return Self::new(Code::DeadlineExceeded, message);
        }
        let cause = causes(status).last().unwrap_or(status);
        // tonic calls a broken connection UNKNOWN or CANCELLED; to the user the
        // service is not available.
        let code = match status.code() {
            Code::Unknown | Code::Cancelled => Code::Unavailable,
            code => code,
        };
        Self::new(code, format!("The connection to {uri} failed: {cause}."))
    }

    fn of(kind: Kind, message: impl Into<Box<str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            reason: None,
            fields: Vec::new(),
            candidates: Vec::new(),
            retry_after: None,
            request_id: None,
            place: None,
        }
    }

    /// Names what the user may have meant: identifiers, and what they are.
    #[must_use]
    pub(crate) fn candidates(mut self, candidates: Vec<(String, String)>) -> Self {
        self.candidates = candidates;
        self
    }

    /// Tells of a change in a batch as of one alone: its fields without the way
    /// to them, and of several `names` the one that is at fault.
    #[must_use]
    pub(crate) fn within<N: AsRef<str>>(mut self, names: &[N]) -> Self {
        for (field, _) in &mut self.fields {
            // operations[0].complete.complete_time
            let change = field.strip_prefix("operations[").and_then(|rest| rest.split_once("]."));
            if let Some((_, own)) = change.and_then(|(_, change)| change.split_once('.')) {
                *field = own.to_owned();
            }
        }
        let name = self.place.and_then(|place| names.get(usize::from(place)));
        if let Some(name) = name.filter(|_| names.len() > 1) {
            self.message = format!("{}: {}", name.as_ref(), self.message).into();
        }
        self
    }

    /// Adds what the user can do about it, if the service gave this reason.
    #[must_use]
    pub(crate) fn hint(self, reason: &str, hint: &str) -> Self {
        let gave = self.reason() == Some(reason);
        self.hint_if(gave, hint)
    }

    /// Adds what the user can do about it, if this is so.
    #[must_use]
    pub(crate) fn hint_if(mut self, is_so: bool, hint: &str) -> Self {
        if is_so {
            self.message = format!("{} {hint}", self.message).into();
        }
        self
    }

    /// The gRPC code, if a call failed.
    pub(crate) fn code(&self) -> Option<Code> {
        match self.kind {
            Kind::Call(code) => Some(code),
            Kind::Usage | Kind::Io | Kind::Unread => None,
        }
    }

    /// The reason the service gave (AIP-193).
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Whether another access token may do.
    pub(crate) fn is_token_refused(&self) -> bool {
        self.code() == Some(Code::Unauthenticated)
            && matches!(self.reason(), Some("TOKEN_EXPIRED" | "TOKEN_INVALID"))
    }

    /// Whether a code was not the right one, or none at all: another may do.
    pub(crate) fn is_of_code(&self) -> bool {
        let names_code = |(field, _): &(String, String)| field.ends_with("_code");
        self.reason() == Some("CODE_INVALID") || self.fields.iter().any(names_code)
    }

    /// When the service wants to be asked again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> u8 {
        match self.kind {
            Kind::Call(code) => u8::try_from(i32::from(code)).unwrap_or(EXIT_IO),
            Kind::Usage => EXIT_USAGE,
            Kind::Io => EXIT_IO,
            Kind::Unread => 0,
        }
    }

    /// Tells the user, in text or as JSON.
    pub(crate) fn report(&self, to: &mut dyn io::Write, json: bool) -> io::Result<()> {
        if self.kind == Kind::Unread {
            return Ok(());
        }
        if json {
            return writeln!(to, "{}", output::to_json(&self.json())?);
        }
        writeln!(to, "{}", output::lines(&self.to_string()))
    }

    fn json(&self) -> Json<'_> {
        let Self { kind, message, reason, fields, candidates, retry_after, request_id, place: _ } =
            self;
        Json {
            error: JsonError {
                code: match *kind {
                    Kind::Call(code) => code_name(code),
                    Kind::Usage => "USAGE",
                    Kind::Io | Kind::Unread => "IO",
                },
                message,
                reason: reason.as_deref(),
                fields: fields
                    .iter()
                    .map(|(field, description)| JsonField { field, description })
                    .collect(),
                candidates: candidates
                    .iter()
                    .map(|(name, title)| JsonCandidate { name, title })
                    .collect(),
                retry_after_seconds: retry_after.map(|delay| delay.as_secs_f64()),
                request_id: request_id.as_deref(),
            },
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::BrokenPipe => Kind::Unread,
            _ => Kind::Io,
        };
        Self::of(kind, format!("The answer cannot be written: {error}."))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (field, description) in &self.fields {
            // A single violation is often the message itself.
            if **description == *self.message {
                write!(f, " ({field})")?;
            } else {
                write!(f, "\n  {field}: {description}")?;
            }
        }
        for (name, title) in &self.candidates {
            write!(f, "\n  {name}  {title}")?;
        }
        if let Some(delay) = self.retry_after {
            write!(f, " Try again in {}.", seconds(delay))?;
        }
        match &self.request_id {
            Some(id) => write!(f, " The request was {id}."),
            None => Ok(()),
        }
    }
}

fn seconds(delay: Duration) -> String {
    match delay.as_millis().div_ceil(1000) {
        0 | 1 => "a second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}

#[derive(Serialize)]
struct Json<'a> {
    error: JsonError<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonError<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<JsonField<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<JsonCandidate<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonField<'a> {
    field: &'a str,
    description: &'a str,
}

#[derive(Serialize)]
struct JsonCandidate<'a> {
    name: &'a str,
    title: &'a str,
}

#[cfg(test)]
mod tests {
    use shared::error::{Fields, Reason};

    use super::*;

    fn uri() -> Uri {
        "http://127.0.0.1:1".parse().unwrap()
    }

    #[test]
    fn the_exit_code_follows_the_grpc_code() {
        for code in 1..=16 {
            let status = Status::new(Code::from_i32(code), "No.");
            assert_eq!(i32::from(Failure::call(&status, &uri()).exit()), code);
        }
        assert_eq!(Failure::usage("No.").exit(), 64);
        assert_eq!(Failure::from(io::Error::other("disk")).exit(), 74);
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).exit(), 0);
    }

    #[test]
    fn every_field_is_named_in_text_and_json() {
        let mut fields = Fields::new();
        fields.refuse("task.title", "A title is needed.");
        fields.refuse("task.notes", "Too long\u{1b}[2J.");
        let status = fields.all(()).unwrap_err().into_status("duet.task");
        let failure = Failure::call(&status, &uri());

        let mut text = Vec::new();
        failure.report(&mut text, false).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "Some fields need another look.\n  task.title: A title is needed.\n  \
             task.notes: Too long\u{fffd}[2J.\n"
        );

        let mut json = Vec::new();
        failure.report(&mut json, true).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["error"]["code"], "INVALID_ARGUMENT");
        assert_eq!(json["error"]["reason"], "FIELD_INVALID");
        assert_eq!(json["error"]["fields"][0]["field"], "task.title");
    }

    #[test]
    fn a_single_violation_is_told_once_and_names_its_field() {
        let mut fields = Fields::new();
        fields.refuse("filter", "Character 7: a day is wanted.");
        let status = fields.all(()).unwrap_err().into_status("duet.task");
        let text = Failure::call(&status, &uri()).to_string();
        assert_eq!(text, "Character 7: a day is wanted. (filter)");
    }

    #[test]
    fn a_change_in_a_batch_is_told_of_as_one_alone() {
        let mut fields = Fields::new();
        fields.enter("operations[1].complete.");
        fields.refuse("complete_time", "This is still to come.");
        let failure = fields.all(()).unwrap_err().metadata("op_index", "1");
        let failure = Failure::call(&failure.into_status("duet.task"), &uri());
        let alone = failure.clone().within(&["a"]).to_string();
        assert_eq!(alone, "This is still to come. (complete_time)");
        let text = failure.within(&["a", "b"]).to_string();
        assert!(text.starts_with("b: This is still to come."), "{text}");
    }

    #[test]
    fn when_to_try_again_is_told() {
        let status = shared::error::Failure::new(Reason::Overloaded, "Too many calls.")
            .retry_after(Duration::from_millis(2500))
            .into_status("duet.task");
        let failure = Failure::call(&status, &uri());
        assert_eq!(failure.to_string(), "Too many calls. Try again in 3 seconds.");
        assert_eq!(failure.exit(), 8);
    }
}
