//! What verifiers are told, as it is stored: events in the order of commits,
//! numbered without gaps, kept for as long as the tokens live that they are
//! about.

use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    database::{Database, Repeat},
    trust::{Revocation, Subject},
};
use uuid::Uuid;

use crate::error::Error;

/// Events that are fetched at once.
pub(crate) const LIMIT: usize = 500;
/// Events that one statement removes.
const SWEPT_AT_ONCE: i64 = 1000;

/// Something that verifiers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its place in the order of commits.
    pub(crate) rev: i64,
    /// What happened.
    pub(crate) what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Tokens are good no more.
    Revoked(Revocation),
    /// The signing keys are others.
    Keys,
    /// A user is to be erased.
    Erase(Uuid),
}

/// Events after another, and how far there are any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// In the order of their numbers.
    pub(crate) events: Vec<Event>,
    /// Every event up to here is among them or before them.
    pub(crate) reached: i64,
    /// The last event there is.
    pub(crate) head: i64,
    /// Events up to here were swept.
    pub(crate) horizon: i64,
}

struct Row {
    head_rev: i64,
    horizon_rev: i64,
    rev: Option<i64>,
    kind: Option<String>,
    subject_id: Option<Uuid>,
    session_id: Option<Uuid>,
    not_before: Option<DateTime<Utc>>,
    created_at: Option<DateTime<Utc>>,
}

/// The events after `since`; `outlived` is how long a token may live after it
/// was revoked.
///
/// # Errors
/// `Database`, `Impossible`.
pub(crate) async fn fetch(
    database: &Database,
    since: i64,
    outlived: TimeDelta,
) -> Result<Page, Error> {
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Row,
            r#"select head_rev as "head_rev!", horizon_rev as "horizon_rev!", rev, kind,
                subject_id, session_id, not_before, created_at
            from api.trust_events($1, $2)"#,
            since,
            i64::try_from(LIMIT).unwrap_or(i64::MAX)
        )
        .fetch_all(&mut *connection)
        .await
    });
    let rows = rows.await?;
    let first = rows.first().ok_or_else(|| Error::Impossible("no head of trust".to_owned()))?;
    let (head, horizon) = (first.head_rev, first.horizon_rev);
    let last = rows.last().and_then(|row| row.rev).filter(|_| rows.len() >= LIMIT);
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        events.extend(row.read(outlived)?);
    }
    Ok(Page { events, reached: last.unwrap_or(head), head, horizon })
}

impl Row {
    /// The event, unless there is none or it is of a kind that a newer version
    /// has brought.
    fn read(self, outlived: TimeDelta) -> Result<Option<Event>, Error> {
        let Self { rev, kind, subject_id, session_id, not_before, created_at, .. } = self;
        let (Some(rev), Some(kind), Some(subject), Some(not_before), Some(created_at)) =
            (rev, kind, subject_id, not_before, created_at)
        else {
            return Ok(None);
        };
        let revoked = |subject| {
            let expires_at = created_at + outlived;
            What::Revoked(Revocation { subject, not_before, expires_at })
        };
        let what = match (kind.as_str(), session_id) {
            ("session", Some(session)) => revoked(Subject::Session { user: subject, session }),
            ("session", None) => {
                return Err(Error::Impossible(format!("event {rev} of no session")));
            }
            ("user", _) => revoked(Subject::User(subject)),
            ("service", _) => revoked(Subject::Service(subject)),
            ("keys", _) => What::Keys,
            ("erase", _) => What::Erase(subject),
            (kind, _) => {
                tracing::warn!(kind, "Verifiers are not told what this version does not know.");
                return Ok(None);
            }
        };
        Ok(Some(Event { rev, what }))
    }
}

/// Removes events from before `before`.
///
/// # Errors
/// `Database`.
pub(crate) async fn sweep(database: &Database, before: DateTime<Utc>) -> Result<(), Error> {
    loop {
        let removed = database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query_scalar!(
                r#"select api.sweep_trust_events($1, $2) as "removed!""#,
                before,
                SWEPT_AT_ONCE
            )
            .fetch_one(&mut *connection)
            .await
        });
        if removed.await? < SWEPT_AT_ONCE {
            return Ok(());
        }
    }
}

/// What a replica's watchers have taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// The replica.
    pub(crate) replica: Uuid,
    /// How many watch there.
    pub(crate) watchers: i64,
    /// Each of them has taken in every event up to here.
    pub(crate) acknowledged: i64,
}

/// Notes what the watchers of a replica have taken in, for all replicas. True if
/// a key begins to sign by that. Replicas not seen since `gone` are forgotten.
///
/// # Errors
/// `Database`.
pub(crate) async fn note(
    database: &Database,
    note: Note,
    gone: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let Note { replica, watchers, acknowledged } = note;
    let activated = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.note_trust_replica($1, $2, $3, $4, $5) as "activated!""#,
            replica,
            watchers,
            acknowledged,
            gone,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(activated.await?)
}
