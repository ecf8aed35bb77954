//! Pages of a list of tasks: what a page token holds, and the call that reads a
//! page.
//!
//! Invariant: a token is good for the list it was issued for and for no other:
//! whose it is, its filter, its order, whether it shows the bin, the time zone.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::{
    database::{Database, Lease, Repeat},
    page::PageTokens,
};
use uuid::Uuid;

use crate::{error::Error, filter::Filter, order::Order, row::row, task::Task};

/// Says which kind of token this is: a sync token is not accepted as one.
const KIND: &[u8] = b"page";
/// A page ends when the texts of its tasks have so many bytes, as the database
/// has it too: clients take 4 MiB at once unless told otherwise.
const BYTES: usize = 1 << 20;
const UNREADABLE: &str = "This page token cannot be read; start again without one.";

/// A list of tasks: everything that decides what it holds and how.
#[derive(Clone, Debug)]
pub struct List {
    /// Whose tasks.
    pub user: Uuid,
    /// Which of them.
    pub filter: Filter,
    /// The filter as it was written.
    pub filter_text: String,
    /// How they are ordered.
    pub order: Order,
    /// Whether those in the bin are among them.
    pub show_deleted: bool,
    /// Where the days of the filter are days.
    pub zone: Tz,
}

/// Where a page begins. All pages of a walk are of the day of the first one, and
/// a client that has walked goes on from the moment of the first one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Start {
    /// What the first page gave to go on from.
    pub sync_token: String,
    /// The day it was then, where the list's days are days.
    pub today: NaiveDate,
    /// The place of the last task of the page before.
    pub after: Value,
}

/// A page of tasks.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its tasks.
    pub tasks: Vec<Task>,
    /// The revision of the user's last change when it was read.
    pub head: i64,
    /// The place of its last task, unless it is the last page.
    pub last: Option<Value>,
}

impl List {
    /// The token of the page that begins there.
    #[must_use]
    pub fn token(&self, tokens: &PageTokens, start: &Start) -> String {
        let cursor = serde_json::json!(start).to_string();
        tokens.seal(&self.context(), cursor.as_bytes())
    }

    /// Where the page with this token begins; None if it is empty.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn start(&self, tokens: &PageTokens, token: &str) -> Result<Option<Start>, &'static str> {
        if token.is_empty() {
            return Ok(None);
        }
        let cursor = tokens.open(&self.context(), token)?;
        serde_json::from_slice(&cursor).map(Some).map_err(|_| UNREADABLE)
    }

    fn context(&self) -> Vec<u8> {
        let Self { user, filter: _, filter_text, order, show_deleted, zone } = self;
        let flags = [u8::from(*show_deleted), u8::from(order.is_descending())];
        // No name has a NUL in it, and the filter is last.
        let texts = [order.name(), "\0", zone.name(), "\0", filter_text].concat();
        [KIND, user.as_bytes(), &flags, texts.as_bytes()].concat()
    }
}

/// Reads a page of at most `size` tasks of the day `today`: the first one, or
/// that which begins after the place `after`. A page of long texts has fewer
/// tasks, and at least one.
///
/// # Errors
/// `Database`.
pub async fn read(
    database: &Database,
    list: &List,
    today: NaiveDate,
    after: Option<&Value>,
    size: u16,
) -> Result<Page, Error> {
    let filter = list.filter.json(today, list.zone);
    let filter = (!list.filter.is_empty()).then_some(&filter);
    // One more, to know whether there is more.
    let limit = i64::from(size) + 1;
    let call = |mut connection: Lease| async move {
        sqlx::query!(
            r#"select head_rev as "head_rev!", id, title, notes, completed_at, cancelled,
                      due_date, due_minute, due_zone, list_id, parent_id, priority, labels,
                      position::text as position, rrule, rrule_after, rrule_start, rrule_number,
                      series_id, created_at, updated_at, deleted_at, rev
                 from api.list_tasks($1, $2, $3, $4, $5, $6, $7)"#,
            list.user,
            filter,
            list.order.name(),
            list.order.is_descending(),
            list.show_deleted,
            after,
            limit,
        )
        .fetch_all(&mut *connection)
        .await
    };
    let records = database.call(Repeat::Safe, call).await?;

    let head = records.first().map(|record| record.head_rev);
    let head = head.ok_or(Error::Impossible("a page without its revision"))?;
    let rows = records.into_iter().map(|record| row!(record).task());
    let mut tasks: Vec<Task> = rows.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    let fit = fit(&tasks, size);
    let is_last = tasks.len() == fit;
    tasks.truncate(fit);
    let last = tasks.last().filter(|_| !is_last).map(|last| list.order.place(last));
    Ok(Page { tasks, head, last })
}

/// How many of the tasks are on a page: those before which it is not full.
fn fit(tasks: &[Task], size: u16) -> usize {
    let mut bytes = 0;
    let before = tasks.iter().map(|task| {
        let labels = task.labels.iter().map(String::len).sum::<usize>();
        let before = bytes;
        bytes += task.title.len() + task.notes.len() + labels;
        before
    });
    before.take(usize::from(size)).take_while(|&before| before < BYTES).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::{rng, secret::Key};

    use super::*;

    #[test]
    fn a_token_belongs_to_one_list() {
        let tokens = PageTokens::new(&Key::random());
        let list = List {
            user: rng::uuid_v4(),
            filter: Filter::default(),
            filter_text: "due <= today()".to_owned(),
            order: Order::default(),
            show_deleted: false,
            zone: Tz::Europe__Paris,
        };
        let today = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        let start = Start { sync_token: "s".to_owned(), today, after: json!({ "rev": 7 }) };
        let token = list.token(&tokens, &start);
        assert_eq!(list.start(&tokens, &token), Ok(Some(start)));
        assert_eq!(list.start(&tokens, ""), Ok(None));
        for other in [
            List { user: rng::uuid_v4(), ..list.clone() },
            List { filter_text: String::new(), ..list.clone() },
            List { filter_text: "due <= today() ".to_owned(), ..list.clone() },
            List { order: Order::parse("create_time").unwrap(), ..list.clone() },
            List { order: Order::parse("due desc").unwrap(), ..list.clone() },
            List { show_deleted: true, ..list.clone() },
            List { zone: Tz::UTC, ..list.clone() },
        ] {
            assert!(other.start(&tokens, &token).is_err(), "{other:?}");
        }
        let strange = tokens.seal(&list.context(), b"{}");
        assert!(list.start(&tokens, &strange).is_err());
    }
}
