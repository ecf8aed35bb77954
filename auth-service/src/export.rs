//! Everything that is known of a user, as one JSON document, written in pieces
//! while it is sent: account, factors, sessions, activity, and the tasks as task-service
//! writes them.
//!
//! Invariant: the closing bracket is written only if everything before it was.
//! No more of the document than a few pieces is ever in memory.

pub mod pieces;
pub mod tasks;
pub mod turns;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use shared::{
    database::{Database, Repeat},
    error::{Failure, Reason},
    name,
    secret::Secret,
};
use uuid::Uuid;

use self::{
    pieces::{Pieces, Unreceived},
    tasks::Tasks,
};
use crate::{
    activity::{self, Activity},
    error::Error,
    factors::{self, Factor, Kind},
    sessions::Caller,
};

const FORMAT: &str = "duet-user";
const VERSION: u8 = 1;
/// Rows that are read at once.
const ROWS: u16 = 200;
/// Why there are no tasks, for whoever looks for them.
const WITHOUT_TASKS: &str = "This service was not told where the tasks are; export them there.";

/// Why a document was not written to its end.
#[derive(Debug)]
pub enum Stopped {
    /// Nobody receives it any more.
    Gone,
    /// Something is wrong, which the receiver is told.
    Failed(Failure),
}

/// The account as it begins to be exported.
#[derive(Serialize)]
pub struct Account {
    name: String,
    email: String,
    email_verified: bool,
    display_name: String,
    create_time: DateTime<Utc>,
    update_time: DateTime<Utc>,
    is_admin: bool,
}

/// A second factor, without what it is checked by.
#[derive(Serialize)]
struct SecondFactor {
    name: String,
    kind: &'static str,
    display_name: String,
    create_time: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_time: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codes_left: Option<i64>,
}

#[derive(Serialize)]
struct Session {
    name: String,
    user_agent: String,
    amr: Vec<String>,
    auth_time: DateTime<Utc>,
    create_time: DateTime<Utc>,
    last_active_time: DateTime<Utc>,
    expire_time: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct Happened {
    kind: String,
    create_time: DateTime<Utc>,
    address_prefix: String,
    device_label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "is_empty")]
    details: Value,
}

struct SessionRow {
    id: Uuid,
    user_agent: String,
    amr: Vec<String>,
    auth_time: DateTime<Utc>,
    created_at: DateTime<Utc>,
    rotated_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

/// Notes that the caller's account is exported, and reads it.
///
/// # Errors
/// `SessionOver`.
pub async fn begin(database: &Database, caller: &Caller) -> Result<Account, Error> {
    let &Caller { user, session, ref client, now } = caller;
    let client = &client.json();
    let row = database.call(Repeat::Unsafe, |mut connection| async move {
        sqlx::query!(
            r#"select email as "email!", email_verified as "email_verified!",
                display_name as "display_name!", created_at as "created_at!",
                updated_at as "updated_at!", is_admin as "is_admin!"
            from api.begin_export($1, $2, $3, $4)"#,
            user,
            session,
            client,
            now
        )
        .fetch_optional(&mut *connection)
        .await
    });
    let row = row.await?.ok_or(Error::SessionOver)?;
    Ok(Account {
        name: name::of_user(user),
        email: row.email,
        email_verified: row.email_verified,
        display_name: row.display_name,
        create_time: row.created_at,
        update_time: row.updated_at,
        is_admin: row.is_admin,
    })
}

/// Writes the document to its end. `tasks` says where the tasks are, and the
/// token to read them with.
///
/// # Errors
/// See `Stopped`.
pub async fn write(
    database: &Database,
    caller: &Caller,
    account: Account,
    tasks: Option<(Tasks, Secret)>,
    file: &mut Pieces,
) -> Result<(), Stopped> {
    let begun = json(&caller.now)?;
    file.push(format!("{{\"format\":\"{FORMAT}\",\"version\":{VERSION},\n\"export_time\":{begun}"))
        .await?;
    file.push(format!(",\n\"account\":{}", json(&account)?)).await?;
    write_factors(database, caller, file).await?;
    write_sessions(database, caller, file).await?;
    write_activity(database, caller, file).await?;
    match tasks {
        Some((tasks, token)) => {
            file.push(",\n\"tasks\":".to_owned()).await?;
            tasks.write(token, file).await?;
        }
        None => {
            let why = json(&WITHOUT_TASKS)?;
            file.push(format!(",\n\"tasks\":null,\n\"tasks_missing\":{why}")).await?;
        }
    }
    file.push("}\n".to_owned()).await?;
    Ok(file.end().await?)
}

async fn write_factors(
    database: &Database,
    caller: &Caller,
    file: &mut Pieces,
) -> Result<(), Stopped> {
    let known = factors::list(database, caller).await?.into_iter();
    let known: Vec<SecondFactor> =
        known.map(|factor| SecondFactor::of(factor, caller.user)).collect();
    Ok(file.push(format!(",\n\"factors\":{}", json(&known)?)).await?)
}

async fn write_sessions(
    database: &Database,
    caller: &Caller,
    file: &mut Pieces,
) -> Result<(), Stopped> {
    file.push(",\n\"sessions\":[".to_owned()).await?;
    let (mut before, mut comma) = (None, "");
    loop {
        let page = sessions(database, caller, before).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        for row in page {
            file.push(format!("{comma}\n{}", json(&row.of(caller.user))?)).await?;
            comma = ",";
        }
    }
    Ok(file.push("]".to_owned()).await?)
}

async fn write_activity(
    database: &Database,
    caller: &Caller,
    file: &mut Pieces,
) -> Result<(), Stopped> {
    file.push(",\n\"activity\":[".to_owned()).await?;
    let (mut before, mut comma) = (None, "");
    loop {
        let page = activity::list(database, caller, before, ROWS).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.sequence);
        for activity in page {
            let line = json(&Happened::of(activity, caller.user))?;
            file.push(format!("{comma}\n{line}")).await?;
            comma = ",";
        }
    }
    Ok(file.push("]".to_owned()).await?)
}

async fn sessions(
    database: &Database,
    caller: &Caller,
    before: Option<Uuid>,
) -> Result<Vec<SessionRow>, Error> {
    let &Caller { user, session, now, .. } = caller;
    let rows = database.call(Repeat::Safe, |mut connection| async move {
        sqlx::query_as!(
            SessionRow,
            r#"select id as "id!", user_agent as "user_agent!", amr as "amr!",
                auth_time as "auth_time!", created_at as "created_at!",
                rotated_at as "rotated_at!", expires_at as "expires_at!", ended_at
            from api.export_sessions($1, $2, $3, $4, $5)"#,
            user,
            session,
            before,
            i64::from(ROWS),
            now
        )
        .fetch_all(&mut *connection)
        .await
    });
    Ok(rows.await?)
}

impl SecondFactor {
    fn of(factor: Factor, user: Uuid) -> Self {
        let Factor { id, kind, display_name, confirmed_at, last_used_at, remaining } = factor;
        let (kind, codes_left) = match kind {
            Kind::Totp => ("totp", None),
            Kind::RecoveryCodes => ("recovery_codes", Some(remaining)),
            Kind::Passkey => ("passkey", None),
        };
        Self {
            name: name::of_member(user, "factors", id),
            kind,
            display_name,
            create_time: confirmed_at,
            last_used_time: last_used_at,
            codes_left,
        }
    }
}

impl SessionRow {
    fn of(self, user: Uuid) -> Session {
        let Self { id, user_agent, amr, auth_time, created_at, rotated_at, expires_at, ended_at } =
            self;
        Session {
            name: name::of_member(user, "sessions", id),
            user_agent,
            amr,
            auth_time,
            create_time: created_at,
            last_active_time: rotated_at,
            expire_time: expires_at,
            end_time: ended_at,
        }
    }
}

impl Happened {
    fn of(activity: Activity, user: Uuid) -> Self {
        let Activity {
            sequence: _,
            kind,
            created_at,
            address_prefix,
            device_label,
            session,
            details,
        } = activity;
        let session = session.map(|id| name::of_member(user, "sessions", id));
        Self { kind, create_time: created_at, address_prefix, device_label, session, details }
    }
}

fn is_empty(details: &Value) -> bool {
    details.as_object().is_some_and(serde_json::Map::is_empty)
}

fn json(value: &impl Serialize) -> Result<String, Stopped> {
    serde_json::to_string(value).map_err(|error| Stopped::Failed(Failure::internal(error)))
}

impl From<Unreceived> for Stopped {
    fn from(why: Unreceived) -> Self {
        match why {
            Unreceived::Gone => Self::Gone,
            Unreceived::Stalled => {
                let late = "Nothing of the export was received for too long.";
                Self::Failed(Failure::new(Reason::DeadlineExceeded, late))
            }
        }
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}
