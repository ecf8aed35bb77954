//! The audit log: what operators read of it, and whether its chains hold. There is
//! no key in the hashes: whoever may write to the tables can write a chain anew, or
//! take one away. That shows to whoever has kept a last hash elsewhere.
//!
//! Invariant: nothing here writes. Entries are added by the functions that do
//! what the entries are about, in the same transaction.

use std::fmt;

use chrono::{DateTime, Utc};
use shared::{
    database::{Database, Repeat},
    name,
};
use uuid::Uuid;

use crate::{admin::Operator, error::Error};

/// How many entries one statement checks.
const CHECKED_AT_ONCE: i64 = 2000;

/// An entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its position in its chain, from 1 on.
    pub sequence: i64,
    /// What happened.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// From which network.
    pub address_prefix: String,
    /// By what.
    pub device_label: String,
    /// What else there is to say.
    pub details: serde_json::Value,
    /// When.
    pub created_at: DateTime<Utc>,
    /// SHA-256 over the entry before and this one.
    pub hash: Vec<u8>,
}

/// What was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Chains that end with the entry that their heads say.
    pub chains: i64,
    /// Entries that follow from themselves and the one before.
    pub entries: i64,
    /// Chains that went with their accounts, as the service's own chain says; each
    /// entry has the last hash of such a chain.
    pub deleted: i64,
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Whose chain; nil is the service's own.
    pub user: Uuid,
    /// The entry.
    pub sequence: i64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What can be wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It, or the hash of the one before, is not what it was.
    Changed,
    /// The entry before it is not there.
    Missing,
    /// It is not counted in the head of its chain.
    Surplus,
    /// The chain should end with it, and it is not there.
    Ended,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, sequence, fault } = self;
        let whose = if user.is_nil() { "the service".to_owned() } else { name::of_user(*user) };
        let what = match fault {
            Fault::Changed => "is not what it was when it was written",
            Fault::Missing => "does not follow the entry before it, which is missing",
            Fault::Surplus => "is not counted in its chain",
            Fault::Ended => "is the last one of its chain, and is not there as it was",
        };
        write!(f, "entry {sequence} of {whose} {what}")
    }
}

/// The audit log of a user, or with nil that of the service itself, newest first,
/// at most `limit` entries, from the one before `before` on.
///
/// # Errors
/// Those of `data.operating`: `SessionOver`, `NotOperator`, `CallerOver`.
pub async fn list(
    database: &Database,
    operator: &Operator,
    user: Uuid,
    before: Option<i64>,
    limit: u16,
) -> Result<Vec<Event>, Error> {
    let Operator { client, now, .. } = operator;
    let client = &client.json();
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Event,
            r#"select sequence as "sequence!", kind as "kind!", actor as "actor!",
                address_prefix as "address_prefix!", device_label as "device_label!",
                details as "details!", created_at as "created_at!", hash as "hash!"
            from api.list_audit_events($1, $2, $3, $4, $5)"#,
            user,
            before,
            i64::from(limit),
            client,
            now
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(rows.await?)
}

/// Checks every entry of every chain, some at a time, and then that each chain
/// ends where it should. What is written meanwhile does no harm, and a chain that
/// is being removed with its account is left out.
///
/// # Errors
/// Those of the database.
pub async fn verify(database: &Database) -> Result<Result<Verified, Broken>, Error> {
    let mut verified = Verified::default();
    let mut at = Some((Uuid::nil(), 0, Vec::new()));
    while let Some((user, sequence, hash)) = at {
        let page = events_after(database, user, sequence, &hash).await?;
        verified.entries += page.good;
        verified.deleted += page.deleted;
        if let (Some(fault), Some(user), Some(sequence)) =
            (page.fault, page.fault_user, page.fault_sequence)
        {
            let fault = match fault.as_str() {
                "changed" => Fault::Changed,
                "missing" => Fault::Missing,
                "surplus" => Fault::Surplus,
                other => return Err(Error::Impossible(format!("an entry that is {other}"))),
            };
            return Ok(Err(Broken { user, sequence, fault }));
        }
        at = match (page.last_user, page.last_sequence, page.last_hash) {
            (Some(user), Some(sequence), Some(hash)) => Some((user, sequence, hash)),
            _ => None,
        };
    }
    let mut before = None;
    loop {
        let page = heads_before(database, before).await?;
        verified.chains += page.good;
        if let (Some(user), Some(sequence)) = (page.fault_user, page.fault_sequence) {
            return Ok(Err(Broken { user, sequence, fault: Fault::Ended }));
        }
        if page.last_user.is_none() {
            return Ok(Ok(verified));
        }
        before = page.last_user;
    }
}

struct Events {
    good: i64,
    deleted: i64,
    last_user: Option<Uuid>,
    last_sequence: Option<i64>,
    last_hash: Option<Vec<u8>>,
    fault: Option<String>,
    fault_user: Option<Uuid>,
    fault_sequence: Option<i64>,
}

async fn events_after(
    database: &Database,
    user: Uuid,
    sequence: i64,
    hash: &[u8],
) -> Result<Events, Error> {
    let page = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Events,
            r#"select good as "good!", deleted as "deleted!", last_user, last_sequence,
                last_hash, fault, fault_user, fault_sequence
            from api.verify_audit_events($1, $2, $3, $4)"#,
            user,
            sequence,
            hash,
            CHECKED_AT_ONCE
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(page.await?)
}

struct Heads {
    good: i64,
    last_user: Option<Uuid>,
    fault_user: Option<Uuid>,
    fault_sequence: Option<i64>,
}

async fn heads_before(database: &Database, before: Option<Uuid>) -> Result<Heads, Error> {
    let page = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Heads,
            r#"select good as "good!", last_user, fault_user, fault_sequence
            from api.verify_audit_heads($1, $2)"#,
            before,
            CHECKED_AT_ONCE
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(page.await?)
}
