//! Errors as a client sees them (AIP-193): a canonical code, exactly one
//! `ErrorInfo` with a reason and a domain, one friendly sentence, and what the
//! reason calls for besides. Every error of both services is made here.
//!
//! Invariant: the cause of an INTERNAL error is logged, never sent.

use std::{borrow::Cow, collections::HashMap, fmt, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::call;

macro_rules! reasons {
    ($($name:ident $text:literal $code:ident,)*) => {
        /// Why a call failed. The text of each is in the proto enum
        /// `ErrorReason` of the packages that send it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the reasons are explained in error_reason.proto")]
        pub enum Reason { $($name,)* }

        impl Reason {
            /// Every reason there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The reason as it is sent.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The canonical code that goes with it.
            #[must_use]
            pub const fn code(self) -> Code {
                match self { $(Self::$name => Code::$code,)* }
            }
        }
    };
}

reasons! {
    FieldInvalid "FIELD_INVALID" InvalidArgument,
    PasswordCompromised "PASSWORD_COMPROMISED" InvalidArgument,
    MaskInvalid "MASK_INVALID" InvalidArgument,
    FilterInvalid "FILTER_INVALID" InvalidArgument,
    OrderByInvalid "ORDER_BY_INVALID" InvalidArgument,
    PageTokenInvalid "PAGE_TOKEN_INVALID" InvalidArgument,
    SyncTokenInvalid "SYNC_TOKEN_INVALID" InvalidArgument,
    BatchTooLarge "BATCH_TOO_LARGE" InvalidArgument,
    RruleInvalid "RRULE_INVALID" InvalidArgument,
    MailTokenInvalid "MAIL_TOKEN_INVALID" InvalidArgument,
    InvalidCredentials "INVALID_CREDENTIALS" Unauthenticated,
    TokenMissing "TOKEN_MISSING" Unauthenticated,
    TokenExpired "TOKEN_EXPIRED" Unauthenticated,
    TokenInvalid "TOKEN_INVALID" Unauthenticated,
    SessionRevoked "SESSION_REVOKED" Unauthenticated,
    RefreshTokenMissing "REFRESH_TOKEN_MISSING" Unauthenticated,
    RefreshTokenInvalid "REFRESH_TOKEN_INVALID" Unauthenticated,
    RefreshTokenReused "REFRESH_TOKEN_REUSED" Unauthenticated,
    ChallengeInvalid "CHALLENGE_INVALID" Unauthenticated,
    CodeInvalid "CODE_INVALID" Unauthenticated,
    NotYours "NOT_YOURS" PermissionDenied,
    ScopeMissing "SCOPE_MISSING" PermissionDenied,
    OriginRejected "ORIGIN_REJECTED" PermissionDenied,
    UserSuspended "USER_SUSPENDED" PermissionDenied,
    TaskNotFound "TASK_NOT_FOUND" NotFound,
    ListNotFound "LIST_NOT_FOUND" NotFound,
    SessionNotFound "SESSION_NOT_FOUND" NotFound,
    FactorNotFound "FACTOR_NOT_FOUND" NotFound,
    UserNotFound "USER_NOT_FOUND" NotFound,
    ServiceAccountNotFound "SERVICE_ACCOUNT_NOT_FOUND" NotFound,
    SigningKeyNotFound "SIGNING_KEY_NOT_FOUND" NotFound,
    ReceiptNotFound "RECEIPT_NOT_FOUND" NotFound,
    EmailAlreadyRegistered "EMAIL_ALREADY_REGISTERED" AlreadyExists,
    TaskIdTaken "TASK_ID_TAKEN" AlreadyExists,
    ListIdTaken "LIST_ID_TAKEN" AlreadyExists,
    TaskNotDeleted "TASK_NOT_DELETED" AlreadyExists,
    EtagMismatch "ETAG_MISMATCH" Aborted,
    RequestIdReused "REQUEST_ID_REUSED" FailedPrecondition,
    OpenSubtasks "OPEN_SUBTASKS" FailedPrecondition,
    ParentCycle "PARENT_CYCLE" FailedPrecondition,
    ListNotEmpty "LIST_NOT_EMPTY" FailedPrecondition,
    EmailNotVerified "EMAIL_NOT_VERIFIED" FailedPrecondition,
    ReauthenticationRequired "REAUTHENTICATION_REQUIRED" FailedPrecondition,
    FactorMissing "FACTOR_MISSING" FailedPrecondition,
    PasskeysUnavailable "PASSKEYS_UNAVAILABLE" FailedPrecondition,
    SyncTokenExpired "SYNC_TOKEN_EXPIRED" OutOfRange,
    TaskQuota "TASK_QUOTA" ResourceExhausted,
    ListQuota "LIST_QUOTA" ResourceExhausted,
    WatchLimit "WATCH_LIMIT" ResourceExhausted,
    SignInThrottled "SIGN_IN_THROTTLED" ResourceExhausted,
    RateLimited "RATE_LIMITED" ResourceExhausted,
    FactorQuota "FACTOR_QUOTA" ResourceExhausted,
    HashCapacity "HASH_CAPACITY" ResourceExhausted,
    MessageTooLarge "MESSAGE_TOO_LARGE" ResourceExhausted,
    Overloaded "OVERLOADED" ResourceExhausted,
    DatabaseUnavailable "DATABASE_UNAVAILABLE" Unavailable,
    TrustStale "TRUST_STALE" Unavailable,
    ServerDraining "SERVER_DRAINING" Unavailable,
    DeadlineExceeded "DEADLINE_EXCEEDED" DeadlineExceeded,
    Internal "INTERNAL" Internal,
    MethodUnknown "METHOD_UNKNOWN" Unimplemented,
}

/// The name of a code as the gRPC specification spells it.
#[must_use]
pub const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The error domain of a gRPC service or of a path that names one:
/// `task.v1.TaskService` and `/task.v1.TaskService/GetTask` → `duet.task`.
#[must_use]
pub fn domain(service: &str) -> &'static str {
    let service = service.strip_prefix('/').unwrap_or(service);
    match service.split('.').next() {
        Some("auth") => "duet.auth",
        Some("task") => "duet.task",
        _ => "duet",
    }
}

/// A call that failed, before it is put into the words of the wire.
#[derive(Clone, Debug)]
pub struct Failure {
    reason: Reason,
    message: Cow<'static, str>,
    violations: Vec<(String, String)>,
    metadata: HashMap<String, String>,
    retry_after: Option<Duration>,
}

impl Failure {
    /// A failure with one friendly sentence that a page may show.
    pub fn new(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            message: message.into(),
            violations: Vec::new(),
            metadata: HashMap::new(),
            retry_after: None,
        }
    }

    /// INVALID_ARGUMENT for one field.
    pub fn field(reason: Reason, field: &str, description: impl Into<String>) -> Self {
        let description = description.into();
        let mut failure = Self::new(reason, description.clone());
        failure.violations.push((field.to_owned(), description));
        failure
    }

    /// INTERNAL. Logs `cause`, under the id that the client gets to see.
    pub fn internal(cause: impl fmt::Display) -> Self {
        let request_id = call::current().map(|call| call.id.to_string()).unwrap_or_default();
        tracing::error!(request.id = request_id, error = %cause, "A call failed by our own fault.");
        Self::new(Reason::Internal, "Something went wrong on our side. Please try again later.")
    }

    /// Adds a fact for programs to `ErrorInfo.metadata`.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// The reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The failure as it is sent, under the error domain of the service.
    #[must_use]
    pub fn into_status(self, domain: &'static str) -> Status {
        let Self { reason, message, violations, metadata, retry_after } = self;
        let mut details = ErrorDetails::with_error_info(reason.as_str(), domain, metadata);
        for (field, description) in violations {
            details.add_bad_request_violation(field, description);
        }
        if let Some(delay) = retry_after {
            details.set_retry_info(Some(delay));
        }
        if reason == Reason::Internal
            && let Some(call) = call::current()
        {
            details.set_request_info(call.id.as_str(), "");
        }
        Status::with_error_details(reason.code(), message, details)
    }
}

/// Reads the fields of one request and collects what is wrong with them, so
/// that a client learns of everything at once.
#[derive(Debug, Default)]
pub struct Fields {
    violations: Vec<(String, String)>,
    reason: Option<Reason>,
    within: String,
}

impl Fields {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From here on fields are parts of this one, which ends with a dot.
    pub fn enter(&mut self, within: impl Into<String>) {
        self.within = within.into();
    }

    /// Whether nothing was wrong with any field until now.
    #[must_use]
    pub fn are_good(&self) -> bool {
        self.violations.is_empty()
    }

    /// Keeps a value, or notes what is wrong with the field. `field` is the
    /// path in the request, as `task.title`.
    pub fn read<T>(&mut self, field: &str, value: Result<T, impl Into<String>>) -> Option<T> {
        self.read_as(Reason::FieldInvalid, field, value)
    }

    /// As `read`, with a reason of its own. The first reason noted is the one
    /// that is sent.
    pub fn read_as<T>(
        &mut self,
        reason: Reason,
        field: &str,
        value: Result<T, impl Into<String>>,
    ) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(description) => {
                let field = format!("{}{field}", self.within);
                self.violations.push((field, description.into()));
                self.reason.get_or_insert(reason);
                None
            }
        }
    }

    /// Notes that something is wrong with a field.
    pub fn refuse(&mut self, field: &str, description: impl Into<String>) {
        self.read::<()>(field, Err(description));
    }

    /// The values that were read, if nothing was wrong with any field.
    ///
    /// # Errors
    /// INVALID_ARGUMENT with every violation that was noted.
    pub fn all<V: Values>(self, values: V) -> Result<V::Read, Failure> {
        let Self { violations, reason, within: _ } = self;
        match (values.read(), violations.first()) {
            (Some(read), None) => Ok(read),
            (_, first) => {
                let message = match (first, violations.len()) {
                    (Some((_, description)), 1) => Cow::Owned(description.clone()),
                    _ => Cow::Borrowed("Some fields need another look."),
                };
                let mut failure = Failure::new(reason.unwrap_or(Reason::FieldInvalid), message);
                failure.violations = violations;
                Err(failure)
            }
        }
    }
}

/// Values out of `Fields::read`, one or several.
pub trait Values {
    /// The values without their `Option`.
    type Read;
    /// All of them, or none if one is missing.
    fn read(self) -> Option<Self::Read>;
}

impl Values for () {
    type Read = ();
    fn read(self) -> Option<()> {
        Some(())
    }
}

macro_rules! values {
    ($($name:ident)+) => {
        impl<$($name),+> Values for ($(Option<$name>,)+) {
            type Read = ($($name,)+);
            #[expect(non_snake_case, reason = "a value is called like its type")]
            fn read(self) -> Option<Self::Read> {
                let ($($name,)+) = self;
                Some(($($name?,)+))
            }
        }
    };
}
values!(A);
values!(A B);
values!(A B C);
values!(A B C D);
values!(A B C D E);
values!(A B C D E F);
values!(A B C D E F G);
values!(A B C D E F G H);
values!(A B C D E F G H I);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_violations_are_told_at_once() {
        let mut fields = Fields::new();
        let good = fields.read("a", Ok::<_, String>(1));
        let bad = fields.read::<u8>("b", Err("Too long."));
        fields.refuse("c", "Unknown.");
        let status = fields.all((good, bad)).unwrap_err().into_status("duet.task");
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let named: Vec<_> =
            details.bad_request().unwrap().field_violations.iter().map(|v| &v.field).collect();
        assert_eq!(named, ["b", "c"]);
        assert_eq!(details.error_info().unwrap().reason, "FIELD_INVALID");
        assert_eq!(details.error_info().unwrap().domain, "duet.task");
    }

    #[test]
    fn the_reasons_are_those_of_the_contract() {
        use proto::{auth, task};
        let ours: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        let mut sent = Vec::new();
        for n in 1.. {
            let auth = auth::v1::ErrorReason::try_from(n).map(|r| r.as_str_name());
            let task = task::v1::ErrorReason::try_from(n).map(|r| r.as_str_name());
            if auth.is_err() && task.is_err() {
                break;
            }
            sent.extend(auth.into_iter().chain(task).map(|name| {
                name.strip_prefix("ERROR_REASON_").expect("enum values carry the enum's name")
            }));
        }
        assert!(sent.iter().all(|reason| ours.contains(reason)), "{sent:?}");
        assert!(ours.iter().all(|reason| sent.contains(reason)), "{ours:?}");
    }

    #[test]
    fn a_domain_follows_from_the_service() {
        assert_eq!(domain("task.v1.TaskService"), "duet.task");
        assert_eq!(domain("/auth.v1.AuthService/SignIn"), "duet.auth");
        assert_eq!(domain("notes.v1.NotesService"), "duet");
    }
}
