//! What goes by mail: proving an address, changing it, setting a forgotten
//! password, and signing up where nobody is told who has an account. Types,
//! rules and calls to the database.
//!
//! Invariant: what is asked for by e-mail writes the same rows for an address
//! that has an account and for one that has none.

use chrono::{DateTime, Utc};
use shared::database::{Database, Repeat};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    client::Client,
    email::{DisplayName, Email},
    error::Error,
    hashing::StoredPassword,
    mail::{Draft, token::MailToken},
    sessions::Caller,
    throttle::{Bucket, Rule, milliseconds},
};

/// What a token proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proved {
    /// The address of the account is its owner's.
    Verified,
    /// One of two addresses has agreed to the change.
    Agreed,
    /// Both have: the account has the new one.
    Changed,
}

/// Whose password a token may set.
#[derive(Clone, Debug)]
pub struct ResetSubject {
    /// The address of the account.
    pub email: String,
    /// What the owner wants to be called.
    pub display_name: String,
}

/// An account that is made once its address is verified.
#[derive(Clone)]
pub struct NewAccount<'a> {
    /// The user's id.
    pub user: Uuid,
    /// The address.
    pub email: &'a Email,
    /// What the user wants to be called.
    pub display_name: &'a DisplayName,
    /// The password.
    pub password: &'a StoredPassword,
}

/// Has the address of a new account verified by `mail`; whoever has the address
/// already gets `notice` instead. Which of both is not told.
///
/// # Errors
/// Those of the database.
pub async fn request_sign_up(
    database: &Database,
    account: &NewAccount<'_>,
    mail: &Draft,
    notice: &Draft,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let NewAccount { user, email, display_name, password } = account;
    let (canonical, mail, notice) = (&email.canonical(), &mail.json(), &notice.json());
    let asked = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            "select api.request_sign_up($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            user,
            email.as_str(),
            canonical,
            display_name.as_str(),
            password.phc,
            password.pepper_id,
            mail,
            notice,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    asked.await?;
    Ok(())
}

/// Has a mail sent with which the password can be set anew, if the e-mail has an
/// account, no mail is due to wait and the `address` has not asked for more than
/// `rule` lets it, with what else was asked for there. None of it is told.
///
/// # Errors
/// Only those of the database.
pub async fn request_reset(
    database: &Database,
    email: &Email,
    (address, rule): (&Bucket, Rule),
    mail: &Draft,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (canonical, mail, rule) = (&email.canonical(), &mail.json(), &Json(rule));
    // Repeated after a lost answer it counts twice, which is to the safe side.
    let wait = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.request_password_reset($1, $2, $3, $4, $5) as "wait""#,
            canonical,
            address.as_slice(),
            rule as _,
            mail,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    if let Some(milliseconds) = wait.await? {
        tracing::info!(milliseconds, "A client address that asks for many mails has to wait.");
    }
    Ok(())
}

/// Whose password a token may set, if it is good. It stays good, and what is done
/// with it is counted by `rule`.
///
/// # Errors
/// `RateLimited`, and it was not counted.
pub async fn begin_reset(
    database: &Database,
    token: &MailToken,
    (bucket, rule): (&Bucket, Rule),
    now: DateTime<Utc>,
) -> Result<Option<ResetSubject>, Error> {
    let (user, hash, rule) = (token.user, token.hash(), &Json(rule));
    let hash = hash.as_slice();
    // Repeated after a lost answer it counts twice, which is to the safe side.
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            "select retry_after_ms, email, display_name from api.begin_reset($1, $2, $3, $4, $5)",
            user,
            hash,
            bucket.as_slice(),
            rule as _,
            now
        )
        .fetch_optional(&mut *connection)
        .await
    });
    let Some(row) = row.await? else {
        return Ok(None);
    };
    match (row.retry_after_ms, row.email, row.display_name) {
        (Some(wait), ..) => Err(Error::RateLimited(milliseconds(wait))),
        (None, Some(email), Some(display_name)) => Ok(Some(ResetSubject { email, display_name })),
        _ => Err(Error::Impossible("a reset of an account without a name".to_owned())),
    }
}

/// Sets a password by a token, which is used up by it; ends every session, and
/// tells the owner.
///
/// # Errors
/// `MailTokenInvalid`.
pub async fn reset_password(
    database: &Database,
    token: &MailToken,
    new: &StoredPassword,
    client: &Client,
    notice: &Draft,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (user, hash) = (token.user, token.hash());
    let hash = hash.as_slice();
    let (client, notice) = (&client.json(), &notice.json());
    let done = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.reset_password($1, $2, $3, $4, $5, $6, $7) as "done!""#,
            user,
            hash,
            new.phc,
            new.pepper_id,
            client,
            notice,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    if done.await? { Ok(()) } else { Err(Error::MailTokenInvalid) }
}

/// Has a mail sent that verifies the caller's address, unless it is verified.
///
/// # Errors
/// `SessionOver`, `TooSoon`.
pub async fn request_verification(
    database: &Database,
    caller: &Caller,
    mail: &Draft,
) -> Result<(), Error> {
    let &Caller { user, session, now, .. } = caller;
    let mail = &mail.json();
    let retry_at = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.request_email_verification($1, $2, $3, $4) as "retry_at""#,
            user,
            session,
            mail,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    retry_at.await?.map_or(Ok(()), |retry_at| Err(too_soon(retry_at, now)))
}

/// Asks the address that the caller's account has and the one that it shall
/// have; whether that one is free is judged when both have agreed. False if it
/// is the address of the account.
///
/// # Errors
/// `SessionOver`, `TooSoon`.
pub async fn request_change(
    database: &Database,
    caller: &Caller,
    new: &Email,
    mail_to_old: &Draft,
    mail_to_new: &Draft,
) -> Result<bool, Error> {
    let &Caller { user, session, ref client, now } = caller;
    let (canonical, client) = (&new.canonical(), &client.json());
    let (mail_to_old, mail_to_new) = (&mail_to_old.json(), &mail_to_new.json());
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            r#"select outcome as "outcome!", retry_at
            from api.request_email_change($1, $2, $3, $4, $5, $6, $7, $8)"#,
            user,
            session,
            new.as_str(),
            canonical,
            mail_to_old,
            mail_to_new,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    let row = row.await?;
    match (row.outcome.as_str(), row.retry_at) {
        ("asked", _) => Ok(true),
        ("same", _) => Ok(false),
        ("too_soon", Some(retry_at)) => Err(too_soon(retry_at, now)),
        (other, _) => Err(Error::Impossible(format!("a change of address with {other}"))),
    }
}

/// Takes a token as the proof that an address is its reader's, and does what
/// waited for it; `notice` goes to an address that an account does not have any
/// more.
///
/// # Errors
/// `MailTokenInvalid`; `EmailTaken`, if another account has the address by now.
pub async fn verify(
    database: &Database,
    token: &MailToken,
    client: &Client,
    notice: &Draft,
    now: DateTime<Utc>,
) -> Result<Proved, Error> {
    let (user, purpose, hash) = (token.user, token.purpose.as_str(), token.hash());
    let hash = hash.as_slice();
    let (client, notice) = (&client.json(), &notice.json());
    let outcome = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.verify_email($1, $2, $3, $4, $5, $6) as "outcome!""#,
            user,
            purpose,
            hash,
            client,
            notice,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    match outcome.await?.as_str() {
        "verified" => Ok(Proved::Verified),
        "agreed" => Ok(Proved::Agreed),
        "changed" => Ok(Proved::Changed),
        "taken" => Err(Error::EmailTaken),
        "invalid" => Err(Error::MailTokenInvalid),
        other => Err(Error::Impossible(format!("a verification with the outcome {other}"))),
    }
}

fn too_soon(retry_at: DateTime<Utc>, now: DateTime<Utc>) -> Error {
    Error::TooSoon { retry_after: (retry_at - now).to_std().unwrap_or_default() }
}
