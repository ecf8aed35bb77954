//! Accounts: their types, their rules, and their calls to the database.

use chrono::{DateTime, Utc};
use shared::database::{Database, Repeat};
use uuid::Uuid;

use crate::{
    email::{DisplayName, Email},
    error::Error,
    factors::{KnownFactor, KnownRows},
    hashing::StoredPassword,
    mail::Draft,
    sessions::{Caller, NewSession},
};

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: Uuid,
    /// The e-mail address as it was given.
    pub email: String,
    /// Whether the address is known to be the user's.
    pub email_verified: bool,
    /// What the user wants to be called.
    pub display_name: String,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Whether the user is an operator of this service.
    pub is_admin: bool,
}

/// How a sign-in goes on once the password was right.
#[derive(Clone, Debug)]
pub enum Opening {
    /// The session is open.
    Opened(User),
    /// One of these factors is asked for.
    Challenged(Vec<KnownFactor>),
}

pub(crate) struct UserRow {
    pub(crate) email: String,
    pub(crate) email_verified: bool,
    pub(crate) display_name: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) is_admin: bool,
}

impl UserRow {
    pub(crate) fn of(self, id: Uuid) -> User {
        let Self { email, email_verified, display_name, created_at, updated_at, is_admin } = self;
        User { id, email, email_verified, display_name, created_at, updated_at, is_admin }
    }
}

/// Makes an account with its first session, and has its address verified.
///
/// # Errors
/// `EmailTaken`.
pub async fn sign_up(
    database: &Database,
    email: &Email,
    display_name: &DisplayName,
    password: &StoredPassword,
    session: &NewSession,
    verification: &Draft,
) -> Result<User, Error> {
    let NewSession { user, id, client, device: _, now, expires_at, ends_at } = session;
    let (user_agent, client) = (&client.user_agent, &client.json());
    let mail = &verification.json();
    let canonical = &email.canonical();
    let made = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.sign_up($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) as "made!""#,
            user,
            email.as_str(),
            canonical,
            display_name.as_str(),
            password.phc,
            password.pepper_id,
            id,
            user_agent,
            client,
            mail,
            now,
            expires_at,
            ends_at
        )
        .fetch_one(&mut *connection)
        .await
    });
    if !made.await? {
        return Err(Error::EmailTaken);
    }
    Ok(User {
        id: *user,
        email: email.as_str().to_owned(),
        email_verified: false,
        display_name: display_name.as_str().to_owned(),
        created_at: *now,
        updated_at: *now,
        is_admin: false,
    })
}

/// Opens a session for a user whose password was found to be `seen`, or asks for
/// a second factor until `challenge_until`, under the id of the session. Stores
/// the password hashed anew if `rehashed` is given.
///
/// # Errors
/// `WrongCredentials`, if the password was changed in between; `UserSuspended`.
pub async fn open_session(
    database: &Database,
    seen: &StoredPassword,
    rehashed: Option<&StoredPassword>,
    session: &NewSession,
    challenge_until: DateTime<Utc>,
) -> Result<Opening, Error> {
    let NewSession { user, id, client, device: _, now, expires_at, ends_at } = session;
    let (user_agent, client) = (&client.user_agent, &client.json());
    let new_hash = rehashed.map(|password| password.phc.as_str());
    let new_pepper = rehashed.map(|password| password.pepper_id.as_str());
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            r#"select outcome as "outcome!", email as "email!",
                email_verified as "email_verified!", display_name as "display_name!",
                created_at as "created_at!", updated_at as "updated_at!", is_admin as "is_admin!",
                factor_ids as "ids!", factor_kinds as "kinds!", factor_secrets as "secrets!"
            from api.open_session($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"#,
            user,
            seen.phc,
            new_hash,
            new_pepper,
            id,
            user_agent,
            client,
            now,
            expires_at,
            ends_at,
            challenge_until
        )
        .fetch_optional(&mut *connection)
        .await
    });
    let row = row.await?.ok_or(Error::WrongCredentials)?;
    match row.outcome.as_str() {
        "opened" => {
            let opened = UserRow {
                email: row.email,
                email_verified: row.email_verified,
                display_name: row.display_name,
                created_at: row.created_at,
                updated_at: row.updated_at,
                is_admin: row.is_admin,
            };
            Ok(Opening::Opened(opened.of(*user)))
        }
        "challenged" => {
            let known = KnownRows { ids: row.ids, kinds: row.kinds, secrets: row.secrets };
            Ok(Opening::Challenged(known.read()?))
        }
        other => Err(Error::Impossible(format!("a sign-in with the outcome {other}"))),
    }
}

/// The caller's account.
///
/// # Errors
/// `SessionOver`.
pub async fn get(database: &Database, caller: &Caller) -> Result<User, Error> {
    let &Caller { user, session, now, .. } = caller;
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            UserRow,
            r#"select email as "email!", email_verified as "email_verified!",
                display_name as "display_name!", created_at as "created_at!",
                updated_at as "updated_at!", is_admin as "is_admin!"
            from api.get_user($1, $2, $3)"#,
            user,
            session,
            now
        )
        .fetch_optional(&mut *connection)
        .await
    });
    row.await?.map(|row| row.of(user)).ok_or(Error::SessionOver)
}

/// Changes what is given of the caller's account.
///
/// # Errors
/// `SessionOver`.
pub async fn update(
    database: &Database,
    caller: &Caller,
    display_name: Option<&DisplayName>,
) -> Result<User, Error> {
    let &Caller { user, session, ref client, now } = caller;
    let (display_name, client) = (display_name.map(DisplayName::as_str), &client.json());
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            UserRow,
            r#"select email as "email!", email_verified as "email_verified!",
                display_name as "display_name!", created_at as "created_at!",
                updated_at as "updated_at!", is_admin as "is_admin!"
            from api.update_user($1, $2, $3, $4, $5)"#,
            user,
            session,
            display_name,
            client,
            now
        )
        .fetch_optional(&mut *connection)
        .await
    });
    row.await?.map(|row| row.of(user)).ok_or(Error::SessionOver)
}

/// Replaces the password that was found to be `seen`, ends every other session,
/// and tells the owner.
///
/// # Errors
/// `SessionOver`; `WrongCredentials`, if it was changed in between.
pub async fn change_password(
    database: &Database,
    caller: &Caller,
    seen: &StoredPassword,
    new: &StoredPassword,
    notice: &Draft,
) -> Result<(), Error> {
    let &Caller { user, session, ref client, now } = caller;
    let (client, notice) = (&client.json(), &notice.json());
    let changed = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.change_password($1, $2, $3, $4, $5, $6, $7, $8) as "changed!""#,
            user,
            session,
            seen.phc,
            new.phc,
            new.pepper_id,
            client,
            notice,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    if changed.await? { Ok(()) } else { Err(Error::WrongCredentials) }
}
