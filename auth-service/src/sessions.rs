//! Sessions: their types, their rules, and their calls to the database.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shared::{
    database::{Database, Repeat},
    rng,
    verify::Claims,
};
use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use crate::{
    client::Client,
    error::Error,
    mail::Draft,
    refresh_token::RefreshToken,
    throttle::{Attempt, Settlement, Throttles},
    token::Subject,
};

/// How long a session that is over is kept, for whoever looks into an incident.
const KEPT_AFTER_END: TimeDelta = TimeDelta::days(30);
/// How many sessions one statement removes.
const SWEPT_AT_ONCE: i64 = 1000;

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// Without a refresh.
    pub idle: Duration,
    /// In all.
    pub most: Duration,
    /// For how long the refresh token before the current one gets the same
    /// successor again.
    pub grace: Duration,
}

/// A signed-in device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: Uuid,
    /// What the client called itself at sign-in.
    pub user_agent: String,
    /// When the user signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed.
    pub active_at: DateTime<Utc>,
    /// When it ends without another refresh.
    pub expires_at: DateTime<Utc>,
}

/// A session about to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Whose it is.
    pub user: Uuid,
    /// Its id.
    pub id: Uuid,
    /// What opens it.
    pub client: Client,
    /// The id by which the device is known from now on.
    pub device: Uuid,
    /// The present time.
    pub now: DateTime<Utc>,
    /// When it ends without a refresh.
    pub expires_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub ends_at: DateTime<Utc>,
}

/// Who calls, from which session, by what, and when.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user's id.
    pub user: Uuid,
    /// The session's id.
    pub session: Uuid,
    /// What calls.
    pub client: Client,
    /// The present time.
    pub now: DateTime<Utc>,
}

/// A session that was refreshed.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// The token that is good from now on.
    pub token: RefreshToken,
    /// When it ends without a refresh.
    pub expires_at: DateTime<Utc>,
    /// Whom its access tokens are about.
    pub subject: Subject,
}

impl NewSession {
    /// A session for `user` from `now` on.
    #[must_use]
    pub fn of(user: Uuid, client: Client, lifetimes: &Lifetimes, now: DateTime<Utc>) -> Self {
        let ends_at = later(now, lifetimes.most);
        let expires_at = later(now, lifetimes.idle).min(ends_at);
        Self {
            user,
            id: rng::uuid_v7(now),
            client: client.acting_as(user),
            device: rng::uuid_v4(),
            now,
            expires_at,
            ends_at,
        }
    }

    /// The same session, as what this attempt to sign in succeeds with.
    #[must_use]
    pub fn after(self, throttles: &Throttles, attempt: &Attempt) -> Self {
        Self {
            client: self.client.settling(Settlement::of(throttles, attempt)),
            device: attempt.device.unwrap_or(self.device),
            ..self
        }
    }
}

impl Caller {
    /// The caller whose token says this.
    #[must_use]
    pub fn of(claims: &Claims, now: DateTime<Utc>) -> Self {
        let client = Client::current().acting_as(claims.sub);
        Self { user: claims.sub, session: claims.sid, client, now }
    }

    /// The same caller, whose password was right in this attempt.
    #[must_use]
    pub fn after(self, throttles: &Throttles, attempt: &Attempt) -> Self {
        Self { client: self.client.settling(Settlement::of(throttles, attempt)), ..self }
    }

    /// The same caller, with what the owner is told of what it does.
    #[must_use]
    pub fn telling(self, notice: &Draft) -> Self {
        Self { client: self.client.telling(notice), ..self }
    }
}

/// Exchanges a refresh token for its successor.
///
/// # Errors
/// `RefreshTokenInvalid`; `RefreshTokenReused`, and the session is ended.
pub async fn refresh(
    database: &Database,
    token: &RefreshToken,
    lifetimes: &Lifetimes,
    now: DateTime<Utc>,
) -> Result<Refreshed, Error> {
    let &RefreshToken { user, session, generation } = token;
    let expires_at = later(now, lifetimes.idle);
    let client = &Client::current().json();
    let grace = i64::try_from(lifetimes.grace.as_micros()).unwrap_or(i64::MAX);
    let grace = &PgInterval { months: 0, days: 0, microseconds: grace };
    let row = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!(
            r#"select outcome as "outcome!", generation, expires_at, email, email_verified,
                is_admin, amr, auth_time
            from api.refresh_session($1, $2, $3, $4, $5, $6, $7)"#,
            user,
            session,
            generation,
            now,
            expires_at,
            grace,
            client
        )
        .fetch_one(&mut *connection)
        .await
    });
    let row = row.await?;
    match row.outcome.as_str() {
        "rotated" | "repeated" => {}
        "over" => return Err(Error::RefreshTokenInvalid),
        "reused" => {
            tracing::warn!(user.id = %user, session.id = %session,
                "An old refresh token was used; the session was ended.");
            return Err(Error::RefreshTokenReused);
        }
        other => return Err(Error::Impossible(format!("a refresh with the outcome {other}"))),
    }
    let refreshed = || {
        Some(Refreshed {
            token: RefreshToken { user, session, generation: row.generation? },
            expires_at: row.expires_at?,
            subject: Subject {
                user,
                session,
                email: row.email?,
                email_verified: row.email_verified?,
                is_admin: row.is_admin?,
                auth_time: row.auth_time?,
                amr: row.amr?,
                session_ends_at: row.expires_at?,
            },
        })
    };
    refreshed().ok_or_else(|| Error::Impossible("a refreshed session without its user".to_owned()))
}

/// Ends a session, if it lives.
///
/// # Errors
/// Those of the database.
pub async fn end(
    database: &Database,
    user: Uuid,
    session: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let client = &Client::current().acting_as(user).json();
    let ended = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query!("select api.end_session($1, $2, $3, $4)", user, session, client, now)
            .fetch_one(&mut *connection)
            .await
    });
    ended.await?;
    Ok(())
}

/// Whether a session lives.
///
/// # Errors
/// Those of the database.
pub async fn lives(
    database: &Database,
    user: Uuid,
    session: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let lives = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.session_lives($1, $2, $3) as "lives!""#,
            user,
            session,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(lives.await?)
}

/// The caller's sessions that live, newest first, at most `limit`, from the one
/// after `before` on.
///
/// # Errors
/// `SessionOver`.
pub async fn list(
    database: &Database,
    caller: &Caller,
    before: Option<Uuid>,
    limit: u16,
) -> Result<Vec<Session>, Error> {
    let &Caller { user, session, now, .. } = caller;
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            Session,
            r#"select id as "id!", user_agent as "user_agent!", created_at as "created_at!",
                rotated_at as "active_at!", expires_at as "expires_at!"
            from api.list_sessions($1, $2, $3, $4, $5)"#,
            user,
            session,
            before,
            i64::from(limit),
            now
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(rows.await?)
}

/// Ends one of the caller's sessions.
///
/// # Errors
/// `SessionOver`, `SessionNotFound`.
pub async fn revoke(database: &Database, caller: &Caller, target: Uuid) -> Result<(), Error> {
    let &Caller { user, session, ref client, now } = caller;
    let client = &client.json();
    let found = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.revoke_session($1, $2, $3, $4, $5) as "found!""#,
            user,
            session,
            target,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    if found.await? { Ok(()) } else { Err(Error::SessionNotFound) }
}

/// Ends all of the caller's sessions but this one; tells how many.
///
/// # Errors
/// `SessionOver`.
pub async fn revoke_others(database: &Database, caller: &Caller) -> Result<i64, Error> {
    let &Caller { user, session, ref client, now } = caller;
    let client = &client.json();
    let count = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query_scalar!(
            r#"select api.revoke_other_sessions($1, $2, $3, $4) as "count!""#,
            user,
            session,
            client,
            now
        )
        .fetch_one(&mut *connection)
        .await
    });
    Ok(count.await?)
}

/// Removes sessions that were over long ago.
///
/// # Errors
/// Those of the database.
pub async fn sweep(database: &Database, now: DateTime<Utc>) -> Result<(), Error> {
    let before = now - KEPT_AFTER_END;
    loop {
        let removed = database.call(Repeat::Safe, |mut connection| async move {
            sqlx::query_scalar!(
                r#"select api.sweep_sessions($1, $2) as "removed!""#,
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

fn later(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by)
        .ok()
        .and_then(|by| now.checked_add_signed(by))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
