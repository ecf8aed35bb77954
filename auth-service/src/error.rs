//! What can go wrong in this service, and what its clients are told.

use std::time::Duration;

use shared::error::{Failure, Reason};

use crate::token::ADMIN;

/// The error domain of this service.
pub const DOMAIN: &str = "duet.auth";

/// What is said of the token of a mail that is good no more.
pub const MAIL_TOKEN_INVALID: &str = "This link is good no more. Please ask for a new mail.";

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The e-mail has an account.
    #[error("the e-mail has an account")]
    EmailTaken,
    /// E-mail and password do not belong together.
    #[error("e-mail and password do not belong together")]
    WrongCredentials,
    /// Too many passwords were wrong; the next is let through after this time.
    #[error("too many sign-ins failed")]
    Throttled(Duration),
    /// Asked for too often; it may be asked for again after this time.
    #[error("this was asked for too often")]
    RateLimited(Duration),
    /// The caller's session is over.
    #[error("the caller's session is over")]
    SessionOver,
    /// No such session.
    #[error("no such session")]
    SessionNotFound,
    /// The call carries no refresh token.
    #[error("there is no refresh token")]
    RefreshTokenMissing,
    /// The refresh token is none of ours, or its session is over.
    #[error("the refresh token is not good")]
    RefreshTokenInvalid,
    /// The refresh token was used before.
    #[error("the refresh token was used before")]
    RefreshTokenReused,
    /// No such signing key.
    #[error("no such signing key")]
    SigningKeyNotFound,
    /// No such service account.
    #[error("no such service account")]
    ServiceAccountNotFound,
    /// What the token that is to be exchanged lives with is gone.
    #[error("the subject's session or account is over")]
    SubjectOver,
    /// What the token of the one who exchanges lives with is gone.
    #[error("the actor's account is over")]
    ActorOver,
    /// The sign-in that a code belongs to is over.
    #[error("the sign-in is over")]
    ChallengeInvalid,
    /// Not the code of a second factor, or used before.
    #[error("the code is wrong")]
    CodeInvalid,
    /// There is a second factor, and no code of one.
    #[error("a code is needed")]
    CodeMissing,
    /// Too many wrong codes; none is looked at for so long.
    #[error("too many wrong codes")]
    CodesThrottled(Duration),
    /// Not the answer of a passkey that was asked for, or used before.
    #[error("the passkey's answer is wrong")]
    AssertionInvalid,
    /// A passkey was added by this enrolment before.
    #[error("the enrolment of a passkey was used before")]
    PasskeyUsed,
    /// No passkey can belong to this service.
    #[error("there are no passkeys here")]
    PasskeysUnavailable,
    /// No such second factor.
    #[error("no such second factor")]
    FactorNotFound,
    /// There is no second factor.
    #[error("there is no second factor")]
    FactorMissing,
    /// There are as many second factors as there may be.
    #[error("too many second factors")]
    FactorQuota,
    /// Recovery codes cannot be removed alone.
    #[error("recovery codes cannot be removed alone")]
    FactorBound,
    /// The token of a mail is unknown, used or too old.
    #[error("the token of a mail is not good")]
    MailTokenInvalid,
    /// It was asked for a moment ago.
    #[error("it was asked for a moment ago")]
    TooSoon {
        /// When to ask again.
        retry_after: Duration,
    },
    /// Not the address of the account.
    #[error("not the address of the account")]
    EmailMismatch,
    /// No such deletion.
    #[error("no such deletion")]
    ReceiptNotFound,
    /// The account was closed by an operator.
    #[error("the account is suspended")]
    UserSuspended,
    /// No such user.
    #[error("no such user")]
    UserNotFound,
    /// The caller is no operator, or not any more.
    #[error("the caller is no operator")]
    NotOperator,
    /// What the caller's token lives with is gone.
    #[error("the caller's service account is gone")]
    CallerOver,
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// The database said something that cannot be.
    #[error("the database gave {0}")]
    Impossible(String),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().and_then(|error| error.code()).as_deref() {
            // Raised by data.acting_in.
            Some("DU001") => Self::SessionOver,
            // By data.not_suspended.
            Some("DU002") => Self::UserSuspended,
            // Both by data.operating.
            Some("DU003") => Self::NotOperator,
            Some("DU004") => Self::CallerOver,
            _ => Self::Database(error),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::EmailTaken => {
                Self::new(Reason::EmailAlreadyRegistered, "Email already registered")
            }
            Error::WrongCredentials => Self::new(Reason::InvalidCredentials, "Invalid credentials"),
            Error::Throttled(wait) => Self::new(
                Reason::SignInThrottled,
                "Too many passwords were wrong. Please try again in a while.",
            )
            .retry_after(wait),
            Error::RateLimited(wait) => Self::new(
                Reason::RateLimited,
                "This was asked for too often. Please try again in a while.",
            )
            .retry_after(wait),
            Error::SessionOver => {
                Self::new(Reason::SessionRevoked, "Session expired. Please sign in again.")
            }
            Error::SessionNotFound => {
                Self::new(Reason::SessionNotFound, "There is no such session.")
            }
            Error::RefreshTokenMissing => {
                Self::new(Reason::RefreshTokenMissing, "Please sign in first.")
            }
            Error::RefreshTokenInvalid => {
                Self::new(Reason::RefreshTokenInvalid, "Session expired. Please sign in again.")
            }
            Error::RefreshTokenReused => Self::new(
                Reason::RefreshTokenReused,
                "This session was ended for your safety. Please sign in again.",
            ),
            Error::SigningKeyNotFound => {
                Self::new(Reason::SigningKeyNotFound, "There is no such signing key.")
            }
            Error::ServiceAccountNotFound => {
                Self::new(Reason::ServiceAccountNotFound, "There is no such service account.")
            }
            Error::SubjectOver => {
                Self::new(Reason::SessionRevoked, "The session of this token was ended.")
                    .metadata("field", "subject_token")
            }
            Error::ActorOver => Self::new(Reason::TokenInvalid, "This token is not good.")
                .metadata("field", "actor_token"),
            Error::ChallengeInvalid => Self::new(
                Reason::ChallengeInvalid,
                "This sign-in took too long or is over. Please sign in again.",
            ),
            Error::CodeInvalid => {
                Self::new(Reason::CodeInvalid, "This is not the code. Please try the next one.")
            }
            Error::AssertionInvalid => {
                Self::new(Reason::CodeInvalid, "This passkey was not accepted. Please try again.")
            }
            Error::PasskeyUsed => Self::field(
                Reason::FieldInvalid,
                "credential",
                "It was added before. Please begin again for another one.",
            ),
            Error::PasskeysUnavailable => {
                Self::new(Reason::PasskeysUnavailable, "This service offers no passkeys.")
            }
            Error::CodeMissing => Self::field(
                Reason::FieldInvalid,
                "totp_code",
                "A code of your second factor is needed.",
            ),
            Error::CodesThrottled(wait) => Self::new(
                Reason::SignInThrottled,
                "Too many wrong codes. Please wait, or use a recovery code.",
            )
            .retry_after(wait),
            Error::FactorNotFound => {
                Self::new(Reason::FactorNotFound, "There is no such second factor.")
            }
            Error::FactorMissing => {
                Self::new(Reason::FactorMissing, "Please add a second factor first.")
            }
            Error::FactorQuota => Self::new(
                Reason::FactorQuota,
                "You have as many second factors as possible. Please remove one first.",
            ),
            Error::FactorBound => Self::field(
                Reason::FieldInvalid,
                "name",
                "Recovery codes go with the last other factor, and not alone.",
            ),
            Error::MailTokenInvalid => {
                Self::field(Reason::MailTokenInvalid, "token", MAIL_TOKEN_INVALID)
            }
            Error::TooSoon { retry_after } => Self::new(
                Reason::RateLimited,
                "A mail was sent a moment ago. Please wait a minute before the next one.",
            )
            .retry_after(retry_after),
            Error::EmailMismatch => Self::field(
                Reason::FieldInvalid,
                "email",
                "This is not the address of your account.",
            ),
            Error::ReceiptNotFound => {
                Self::new(Reason::ReceiptNotFound, "There is no such deletion.")
            }
            Error::UserSuspended => {
                Self::new(Reason::UserSuspended, "This account was closed by its operator.")
            }
            Error::UserNotFound => Self::new(Reason::UserNotFound, "There is no such user."),
            Error::NotOperator => Self::new(Reason::ScopeMissing, "Only an operator may do that.")
                .metadata("scope", ADMIN),
            Error::CallerOver => Self::new(Reason::TokenInvalid, "Please sign in again."),
            Error::Database(error) => Self::from(error),
            Error::Impossible(what) => Self::internal(what),
        }
    }
}
