//! Service accounts: machines that call, what each may do, and how it can prove
//! which one it is. Their types, their rules, and the calls to the database that
//! make, change and remove them. Who gets a token is for `admission`.

pub mod admission;
pub mod assertion;
pub mod file;
pub mod secret;

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use shared::{
    database::{Database, Repeat},
    jwk::Jwk,
    rng,
    secret::Secret,
};
use uuid::Uuid;

use self::secret::ServiceSecret;
use crate::{admin::Operator, client::Client, error::Error};

/// The collection in resource names.
const COLLECTION: &str = "serviceAccounts/";
/// The longest name, in characters.
const MAX_NAME: usize = 63;

/// Everything that an account may be allowed.
pub const SCOPES: [&str; 5] =
    ["admin", "tasks:read", "tasks:write", "token:exchange", "trust:watch"];

/// What a service account is called: a lower-case letter, then up to 62 of
/// `a–z 0–9 -`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountName(String);

/// What an account may do: each scope once, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

/// A service account, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its id, the `sub` of its tokens.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last got a token.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When each of its secrets was made, oldest first.
    pub secrets_created_at: Vec<DateTime<Utc>>,
}

/// How an account is to prove from now on which one it is, besides what it has.
#[derive(Clone, Debug)]
pub enum NewProof {
    /// By nothing new.
    None,
    /// By a secret.
    Secret(ServiceSecret),
    /// By assertions that this key signed.
    Key(Jwk),
}

impl AccountName {
    /// Reads `serviceAccounts/{account}`.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(name: &str) -> Result<Self, String> {
        let account = name.strip_prefix(COLLECTION);
        account.and_then(|account| account.parse().ok()).ok_or_else(|| {
            "A service account is named `serviceAccounts/{account}`: a lower-case letter, \
             then up to 62 of a–z, 0–9 and -."
                .to_owned()
        })
    }

    /// The account alone, without its collection.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = String;

    fn from_str(account: &str) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let begins = account.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if begins && account.len() <= MAX_NAME && account.bytes().all(plain) {
            Ok(Self(account.to_owned()))
        } else {
            Err("must be a lower-case letter, then up to 62 of a–z, 0–9 and -".to_owned())
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{COLLECTION}{}", self.0)
    }
}

impl Scopes {
    /// Reads scopes, in any order.
    ///
    /// # Errors
    /// In words for the caller, if there is one that does not exist.
    pub fn parse<S: AsRef<str>>(scopes: &[S]) -> Result<Self, String> {
        let unknown = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_ref()));
        if unknown.is_some() {
            return Err(format!("A scope is one of {}.", SCOPES.join(", ")));
        }
        let asked = |scope: &&&str| scopes.iter().any(|asked| asked.as_ref() == **scope);
        Ok(Self(SCOPES.iter().filter(asked).map(|scope| (*scope).to_owned()).collect()))
    }
}

impl ServiceAccount {
    /// `serviceAccounts/{account}`.
    #[must_use]
    pub fn resource_name(&self) -> String {
        format!("{COLLECTION}{}", self.name)
    }
}

/// Makes a service account, or gives the one with this name these scopes and
/// this proof besides; of three secrets or keys the oldest is removed. Tokens
/// that allow more than the account has then are refused.
///
/// # Errors
/// Those of the database.
pub async fn put(
    database: &Database,
    name: &AccountName,
    scopes: &Scopes,
    proof: &NewProof,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<ServiceAccount, Error> {
    let (hash, key) = match proof {
        NewProof::None => (None, None),
        NewProof::Secret(secret) => (Some(secret.hash()), None),
        NewProof::Key(key) => (None, Some(key)),
    };
    let hash = hash.as_ref().map(<[u8; 32]>::as_slice);
    let kid = key.map(|key| key.kid.as_str());
    let public_key = &key.map(serde_json::to_value).transpose().map_err(impossible)?;
    let (id, client) = (rng::uuid_v4(), &client.json());
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            ServiceAccount,
            r#"select account_id as "id!", name as "name!", scopes as "scopes!",
                created_at as "created_at!", last_used_at,
                secrets_created_at as "secrets_created_at!"
            from api.put_service_account($1, $2, $3, $4, $5, $6, $7, $8)"#,
            id,
            name.as_str(),
            &scopes.0,
            hash,
            kid,
            public_key.as_ref(),
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(row.await?)
}

/// Makes a service account or a further secret for one that is there, as `put`,
/// and tells the secret, which is nowhere else.
///
/// # Errors
/// Those of the database.
pub async fn put_with_secret(
    database: &Database,
    name: &AccountName,
    scopes: &Scopes,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<(ServiceAccount, Secret), Error> {
    let secret = ServiceSecret::random(name);
    let proof = NewProof::Secret(secret.clone());
    Ok((put(database, name, scopes, &proof, client, now).await?, secret.into_text()))
}

/// The service accounts, by name.
///
/// # Errors
/// Those of the database.
pub async fn list(database: &Database) -> Result<Vec<ServiceAccount>, Error> {
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            ServiceAccount,
            r#"select account_id as "id!", name as "name!", scopes as "scopes!",
                created_at as "created_at!", last_used_at,
                secrets_created_at as "secrets_created_at!"
            from api.list_service_accounts(null)"#
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(rows.await?)
}

/// The service accounts, by name, for an operator.
///
/// # Errors
/// Those of `data.operating`: `SessionOver`, `NotOperator`, `CallerOver`.
pub async fn list_for(
    database: &Database,
    operator: &Operator,
) -> Result<Vec<ServiceAccount>, Error> {
    let Operator { client, now, .. } = operator;
    let client = &client.json();
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            ServiceAccount,
            r#"select account_id as "id!", name as "name!", scopes as "scopes!",
                created_at as "created_at!", last_used_at,
                secrets_created_at as "secrets_created_at!"
            from api.operators_service_accounts($1, $2)"#,
            client,
            now
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(rows.await?)
}

/// Removes a service account. Its tokens are refused from then on.
///
/// # Errors
/// `ServiceAccountNotFound`.
pub async fn delete(
    database: &Database,
    name: &AccountName,
    client: &Client,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let client = &client.json();
    let deleted = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.delete_service_account($1, $2, $3) as "deleted!""#,
            name.as_str(),
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    if deleted.await? { Ok(()) } else { Err(Error::ServiceAccountNotFound) }
}

/// Whether this is a secret of its account.
///
/// # Errors
/// Those of the database.
pub async fn secret_lives(database: &Database, secret: &ServiceSecret) -> Result<bool, Error> {
    let (name, hash) = (secret.account().as_str(), secret.hash());
    let hash = hash.as_slice();
    let lives = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(r#"select api.service_secret_lives($1, $2) as "lives!""#, name, hash)
            .fetch_one(&mut *connection)
            .await
    });
    Ok(lives.await?)
}

fn impossible(error: serde_json::Error) -> Error {
    Error::Impossible(format!("a public key that is none: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_one_name() {
        for good in ["a", "task-service", "a0-", &"a".repeat(63)] {
            let name = AccountName::parse(&format!("serviceAccounts/{good}")).unwrap();
            assert_eq!(name.as_str(), good);
        }
        for bad in ["", "A", "0a", "-a", "a_b", "a/b", "a b", "é", &"a".repeat(64)] {
            assert!(AccountName::parse(&format!("serviceAccounts/{bad}")).is_err(), "{bad}");
        }
        assert!(AccountName::parse("task-service").is_err());
    }

    #[test]
    fn scopes_are_known_and_have_one_order() {
        let read = Scopes::parse(&["tasks:write", "admin", "tasks:write"]).unwrap();
        assert_eq!(read.0, ["admin", "tasks:write"]);
        assert!(Scopes::parse(&["tasks:write", "tasks:*"]).is_err());
        assert!(SCOPES.is_sorted());
    }
}
