//! What operators do with accounts: list, suspend, reinstate, import.
//!
//! Invariant: that the caller still is an operator is made sure of by the same
//! statement that does the work.

pub mod first;
pub mod lockout;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use shared::{
    database::{Database, Repeat},
    interceptor::Identity,
};
use uuid::Uuid;

use crate::{
    accounts::User,
    client::Client,
    email::{DisplayName, Email},
    error::Error,
};

/// The most accounts that are imported at once.
pub const MAX_IMPORTED: usize = 500;

/// An operator who calls: a user, or a service with an account that may.
#[derive(Clone, Debug)]
pub struct Operator {
    /// What calls.
    pub client: Client,
    /// The user's id, if it is one.
    pub user: Option<Uuid>,
    /// The present time.
    pub now: DateTime<Utc>,
}

/// An account as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub user: User,
    /// When it was suspended, if it is.
    pub suspended_at: Option<DateTime<Utc>>,
    /// Whether it has a second factor.
    pub has_second_factor: bool,
}

/// Where in the list of accounts a page begins: after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When that account was made.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub user: Uuid,
}

/// An account of another system.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The id that it gets.
    pub user: Uuid,
    /// The address.
    pub email: Email,
    /// Whether the other system had verified it.
    pub email_verified: bool,
    /// What the user wants to be called.
    pub display_name: DisplayName,
    /// The hash, as `hashing::imported` takes it.
    pub hash: String,
}

struct Row {
    user_id: Uuid,
    email: String,
    email_verified: bool,
    display_name: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    suspended_at: Option<DateTime<Utc>>,
    has_second_factor: bool,
    is_admin: bool,
}

impl Operator {
    /// The operator who has this token.
    #[must_use]
    pub fn of(identity: &Identity, now: DateTime<Utc>) -> Self {
        let (user, session) = identity.session().unzip();
        let accounts: Vec<Uuid> = identity.service_accounts().collect();
        let operator = json!({
            "user": user,
            "session": session,
            "service": identity.service(),
            "accounts": accounts,
            "issued_at": DateTime::from_timestamp(identity.issued_at(), 0),
        });
        Self { client: Client::current().operating(operator), user, now }
    }
}

impl Cursor {
    const BYTES: usize = 24;

    /// The cursor of the page after the one that ends with `account`.
    #[must_use]
    pub const fn after(account: &Account) -> Self {
        Self { created_at: account.user.created_at, user: account.user.id }
    }

    /// The cursor as bytes.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        let time = self.created_at.timestamp_micros().to_be_bytes();
        [time.as_slice(), self.user.as_bytes()].concat()
    }

    /// Reads the cursor from bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; Self::BYTES] = bytes.try_into().ok()?;
        let (time, user) = bytes.split_first_chunk()?;
        let created_at = DateTime::from_timestamp_micros(i64::from_be_bytes(*time))?;
        Some(Self { created_at, user: Uuid::from_slice(user).ok()? })
    }
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        let Row {
            user_id,
            email,
            email_verified,
            display_name,
            created_at,
            updated_at,
            suspended_at,
            has_second_factor,
            is_admin,
        } = row;
        let user = User {
            id: user_id,
            email,
            email_verified,
            display_name,
            created_at,
            updated_at,
            is_admin,
        };
        Self { user, suspended_at, has_second_factor }
    }
}

/// The accounts, newest first, at most `limit`, from `after` on; or the one with
/// this e-mail.
///
/// # Errors
/// Those of `data.operating`: `SessionOver`, `NotOperator`, `CallerOver`.
pub async fn list(
    database: &Database,
    operator: &Operator,
    email: Option<&Email>,
    after: Option<Cursor>,
    limit: u16,
) -> Result<Vec<Account>, Error> {
    let Operator { client, now, .. } = operator;
    let client = &client.json();
    let canonical = &email.map(Email::canonical);
    let (before, before_user) = after.map(|cursor| (cursor.created_at, cursor.user)).unzip();
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Row,
            r#"select user_id as "user_id!", email as "email!",
                email_verified as "email_verified!", display_name as "display_name!",
                created_at as "created_at!", updated_at as "updated_at!", suspended_at,
                has_second_factor as "has_second_factor!", is_admin as "is_admin!"
            from api.list_users($1, $2, $3, $4, $5, $6)"#,
            client,
            canonical.as_deref(),
            before,
            before_user,
            i64::from(limit),
            now
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(rows.await?.into_iter().map(Account::from).collect())
}

/// Closes an account, ends its sessions, and has its tokens refused.
///
/// # Errors
/// `UserNotFound`, and those of `data.operating`.
pub async fn suspend(
    database: &Database,
    operator: &Operator,
    user: Uuid,
    reason: &str,
) -> Result<Account, Error> {
    let Operator { client, now, .. } = operator;
    let client = &client.json();
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Row,
            r#"select user_id as "user_id!", email as "email!",
                email_verified as "email_verified!", display_name as "display_name!",
                created_at as "created_at!", updated_at as "updated_at!", suspended_at,
                has_second_factor as "has_second_factor!", is_admin as "is_admin!"
            from api.suspend_user($1, $2, $3, $4)"#,
            user,
            reason,
            client,
            now
        )
        .fetch_optional(&mut *connection)
        .await
    });
    row.await?.map(Account::from).ok_or(Error::UserNotFound)
}

/// Opens an account again.
///
/// # Errors
/// `UserNotFound`, and those of `data.operating`.
pub async fn reinstate(
    database: &Database,
    operator: &Operator,
    user: Uuid,
) -> Result<Account, Error> {
    let Operator { client, now, .. } = operator;
    let client = &client.json();
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Row,
            r#"select user_id as "user_id!", email as "email!",
                email_verified as "email_verified!", display_name as "display_name!",
                created_at as "created_at!", updated_at as "updated_at!", suspended_at,
                has_second_factor as "has_second_factor!", is_admin as "is_admin!"
            from api.reinstate_user($1, $2, $3)"#,
            user,
            client,
            now
        )
        .fetch_optional(&mut *connection)
        .await
    });
    row.await?.map(Account::from).ok_or(Error::UserNotFound)
}

/// Makes accounts, and tells the ids of those whose e-mail was not taken.
///
/// # Errors
/// Those of `data.operating`.
pub async fn import(
    database: &Database,
    operator: &Operator,
    users: &[Imported],
) -> Result<Vec<Uuid>, Error> {
    #[derive(Serialize)]
    struct Shape<'u> {
        user: Uuid,
        email: &'u str,
        email_canonical: String,
        email_verified: bool,
        display_name: &'u str,
        hash: &'u str,
    }
    let Operator { client, now, .. } = operator;
    let client = &client.json();
    let shape = |imported: &Imported| {
        json!(Shape {
            user: imported.user,
            email: imported.email.as_str(),
            email_canonical: imported.email.canonical(),
            email_verified: imported.email_verified,
            display_name: imported.display_name.as_str(),
            hash: &imported.hash,
        })
    };
    let users = &serde_json::Value::Array(users.iter().map(shape).collect());
    let made = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select user_id as "user_id!" from api.import_users($1, $2, $3)"#,
            users,
            client,
            now
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(made.await?)
}
