//! Tasks put into the tables as they are, past the service: what a test of
//! reading needs, in any state and in any number.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use shared::{rng, testing::TestDatabase};
use sqlx::{ConnectOptions as _, PgConnection, types::Json};
use uuid::Uuid;

/// A row of `data.tasks`.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) title: String,
    pub(crate) notes: String,
    pub(crate) completed_at: Option<DateTime<Utc>>,
    pub(crate) cancelled: bool,
    pub(crate) due_date: Option<NaiveDate>,
    pub(crate) due_minute: Option<i64>,
    pub(crate) list_id: Uuid,
    pub(crate) parent_id: Option<Uuid>,
    pub(crate) priority: i64,
    pub(crate) labels: Vec<String>,
    /// In the manual order of its list: a whole number, and thousandths.
    pub(crate) place: (i64, i64),
    pub(crate) rrule: Option<&'static str>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    pub(crate) deleted_at: Option<DateTime<Utc>>,
    pub(crate) rev: i64,
}

impl Row {
    /// An open task with a title and nothing else, the `rev`th change of its
    /// user, made as many minutes after `noon`.
    pub(crate) fn new(title: &str, rev: i64) -> Self {
        let at = noon() + TimeDelta::minutes(rev);
        Self {
            id: rng::uuid_v7(at),
            title: title.to_owned(),
            notes: String::new(),
            completed_at: None,
            cancelled: false,
            due_date: None,
            due_minute: None,
            list_id: Uuid::nil(),
            parent_id: None,
            priority: 0,
            labels: Vec::new(),
            place: (-rev, 0),
            rrule: None,
            created_at: at,
            updated_at: at,
            deleted_at: None,
            rev,
        }
    }
}

/// When the clock of a test starts.
pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_768_910_400, 0).expect("a time")
}

/// The day on which it does, and so many days after.
pub(crate) fn day(days: i64) -> NaiveDate {
    let today = noon().date_naive();
    match u64::try_from(days) {
        Ok(days) => today + Days::new(days),
        Err(_) => today - Days::new(days.unsigned_abs()),
    }
}

/// Puts rows of a user into the tables.
pub(crate) async fn insert(database: &TestDatabase, user: Uuid, rows: &[Row]) {
    let mut superuser = database.superuser.connect().await.expect("a connection");
    insert_by(&mut superuser, user, rows).await;
}

/// As `insert`, by this superuser.
pub(crate) async fn insert_by(superuser: &mut PgConnection, user: Uuid, rows: &[Row]) {
    let json: Vec<_> = rows.iter().map(|row| json(user, row)).collect();
    sqlx::query(
        "insert into data.tasks (
             user_id, id, title, notes, completed_at, cancelled, due_date, due_minute, list_id,
             parent_id, priority, labels, position, rrule, rrule_after, rrule_start, rrule_number,
             series_id, created_at, updated_at, deleted_at, rev)
         select user_id, id, title, notes, completed_at, cancelled, due_date, due_minute, list_id,
             parent_id, priority, labels, position, rrule, rrule_after, rrule_start, rrule_number,
             series_id, created_at, updated_at, deleted_at, rev
         from jsonb_populate_recordset(null::data.tasks, $1)",
    )
    .bind(Json(json))
    .execute(&mut *superuser)
    .await
    .expect("rows are stored");
    sqlx::query(
        "insert into data.user_state as s (user_id, head_rev)
         select $1, max(rev) from data.tasks where user_id = $1
         on conflict (user_id) do update set head_rev = greatest(s.head_rev, excluded.head_rev)",
    )
    .bind(user)
    .execute(superuser)
    .await
    .expect("their revision is stored");
}

fn json(user: Uuid, row: &Row) -> serde_json::Value {
    let Row {
        id,
        title,
        notes,
        completed_at,
        cancelled,
        due_date,
        due_minute,
        list_id,
        parent_id,
        priority,
        labels,
        place,
        rrule,
        created_at,
        updated_at,
        deleted_at,
        rev,
    } = row;
    serde_json::json!({
        "user_id": user, "id": id, "title": title, "notes": notes, "completed_at": completed_at,
        "cancelled": cancelled, "due_date": due_date, "due_minute": due_minute,
        "list_id": list_id, "parent_id": parent_id, "priority": priority, "labels": labels,
        "position": format!("{}.{:03}", 5_000_000_000_000_000 + place.0, place.1), "rrule": rrule,
        "rrule_after": rrule.map(|_| false), "rrule_start": rrule.and(*due_date),
        "rrule_number": rrule.map(|_| 1), "series_id": rrule.map(|_| id),
        "created_at": created_at, "updated_at": updated_at, "deleted_at": deleted_at, "rev": rev,
    })
}

/// Numbers that look random, the same for the same seed: SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number from 0 to `limit`, which it is not.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let limit = u64::try_from(limit).expect("a small number");
        usize::try_from((mixed ^ (mixed >> 31)) % limit).expect("a small number")
    }

    /// As `below`.
    pub(crate) fn number(&mut self, limit: u32) -> i64 {
        let limit = usize::try_from(limit).expect("a small number");
        i64::try_from(self.below(limit)).expect("a small number")
    }

    /// One of these.
    pub(crate) fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}
