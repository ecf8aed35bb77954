//! The outbox in the database, as the sender sees it: mails that are leased,
//! sent, tried again, or given up.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use shared::database::{Database, Repeat};
use uuid::Uuid;

use super::Mail;
use crate::error::Error;

/// How long a mail with which nothing is to be done any more is kept, from when
/// it was put in: longer than it is tried, for whoever asks what became of it.
const KEPT_WHEN_DONE: TimeDelta = TimeDelta::days(2);
/// How long one is kept that nobody even tried to send.
const KEPT_WHEN_LEFT: TimeDelta = TimeDelta::days(7);
/// How many rows one statement looks at.
const SWEPT_AT_ONCE: i64 = 1000;

/// A mail that this sender is to send.
#[derive(Debug)]
pub(super) struct Leased {
    /// Whom it is about.
    pub(super) user: Uuid,
    /// Its id, and what its Message-ID is made of.
    pub(super) id: Uuid,
    /// Where it goes.
    pub(super) recipient: String,
    /// What its reader is called; may be empty.
    pub(super) display_name: String,
    /// What it says.
    pub(super) mail: Mail,
    /// How often it was tried, this time included.
    pub(super) attempts: i64,
    /// When it was put into the outbox.
    pub(super) created_at: DateTime<Utc>,
    /// When it is not worth sending any more.
    pub(super) give_up_at: DateTime<Utc>,
}

/// A mail of a kind that this version does not know.
#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) user: Uuid,
    pub(super) id: Uuid,
    pub(super) kind: String,
    pub(super) attempts: i64,
}

struct Row {
    user_id: Uuid,
    id: Uuid,
    kind: String,
    recipient: String,
    display_name: String,
    parameters: serde_json::Value,
    attempts: i64,
    created_at: DateTime<Utc>,
    give_up_at: DateTime<Utc>,
}

impl TryFrom<Row> for Leased {
    type Error = Unknown;

    fn try_from(row: Row) -> Result<Self, Unknown> {
        let Row {
            user_id: user,
            id,
            kind,
            recipient,
            display_name,
            parameters,
            attempts,
            created_at,
            give_up_at,
        } = row;
        match serde_json::from_value(json!({ "kind": kind, "parameters": parameters })) {
            Ok(mail) => Ok(Self {
                user,
                id,
                recipient,
                display_name,
                mail,
                attempts,
                created_at,
                give_up_at,
            }),
            Err(_) => Err(Unknown { user, id, kind, attempts }),
        }
    }
}

/// Leases up to `limit` mails that are due, until `until`.
pub(super) async fn lease(
    database: &Database,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Result<Leased, Unknown>>, Error> {
    let rows = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_as!(
            Row,
            r#"select user_id as "user_id!", id as "id!", kind as "kind!",
                recipient as "recipient!", display_name as "display_name!",
                parameters as "parameters!", attempts as "attempts!",
                created_at as "created_at!", give_up_at as "give_up_at!"
            from api.lease_mail($1, $2, $3)"#,
            now,
            until,
            limit
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(rows.await?.into_iter().map(Leased::try_from).collect())
}

/// Notes that a mail was sent.
pub(super) async fn sent(
    database: &Database,
    user: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let noted = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!("select api.mail_sent($1, $2, $3)", user, id, now)
            .fetch_one(&mut *connection)
            .await
    });
    noted.await?;
    Ok(())
}

/// Notes that an attempt was in vain; without `retry_at` it was the last.
pub(super) async fn failed(
    database: &Database,
    user: Uuid,
    id: Uuid,
    attempts: i64,
    retry_at: Option<DateTime<Utc>>,
) -> Result<(), Error> {
    let noted = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!("select api.mail_failed($1, $2, $3, $4)", user, id, attempts, retry_at)
            .fetch_one(&mut *connection)
            .await
    });
    noted.await?;
    Ok(())
}

/// Removes mails with which nothing is to be done any more, and tokens that
/// have expired.
///
/// # Errors
/// Those of the database.
pub async fn sweep(database: &Database, now: DateTime<Utc>) -> Result<(), Error> {
    sweep_mails(database, now).await?;
    sweep_tokens(database, now).await
}

async fn sweep_mails(database: &Database, now: DateTime<Utc>) -> Result<(), Error> {
    let (done, left) = (now - KEPT_WHEN_DONE, now - KEPT_WHEN_LEFT);
    let (mut user, mut id): (Option<Uuid>, Option<Uuid>) = (None, None);
    loop {
        let swept = database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query!(
                "select last_user, last_id from api.sweep_mail($1, $2, $3, $4, $5)",
                done,
                left,
                user,
                id,
                SWEPT_AT_ONCE
            )
            .fetch_one(&mut *connection)
            .await
        });
        let swept = swept.await?;
        if swept.last_user.is_none() {
            return Ok(());
        }
        (user, id) = (swept.last_user, swept.last_id);
    }
}

async fn sweep_tokens(database: &Database, now: DateTime<Utc>) -> Result<(), Error> {
    let (mut user, mut kind, mut hash) = (None::<Uuid>, None::<String>, None::<Vec<u8>>);
    loop {
        let (kind_before, hash_before) = (kind.as_deref(), hash.as_deref());
        let swept = database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query!(
                "select last_user, last_kind, last_hash
                from api.sweep_mail_tokens($1, $2, $3, $4, $5)",
                now,
                user,
                kind_before,
                hash_before,
                SWEPT_AT_ONCE
            )
            .fetch_one(&mut *connection)
            .await
        });
        let swept = swept.await?;
        if swept.last_user.is_none() {
            return Ok(());
        }
        (user, kind, hash) = (swept.last_user, swept.last_kind, swept.last_hash);
    }
}
