//! Lists: what one is, and the calls that make, read and change them. One call
//! is one statement; the statements themselves stand in `functions/`. The inbox
//! is no row: it is known here by its id and shown by `wire`.
//!
//! Invariant: a call names the user whose lists it is about, and reaches no
//! other's.

use chrono::{DateTime, Utc};
use shared::database::{Database, Lease, Repeat};
use uuid::Uuid;

use crate::{
    error::Error,
    request::RequestId,
    tasks::{Write, refused, repeat},
    text,
};

const TITLE_CHARACTERS: usize = 200;

/// A list as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its id among all lists.
    pub id: Uuid,
    /// One line.
    pub title: String,
    /// Whether it is put aside.
    pub archived: bool,
    /// Its place among the user's lists, which sort by the bytes of this.
    pub position: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// The place of its last change among all changes of its user.
    pub revision: i64,
}

/// A list's title: one line of 1 to 200 characters without surrounding blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTitle(String);

impl ListTitle {
    /// Reads a title; blanks around it are dropped.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains(text::breaks_lines) {
            return Err("A title is one line without control characters.");
        }
        match text.trim() {
            "" => Err("A list needs a title."),
            title if title.chars().count() > TITLE_CHARACTERS => {
                Err("The title of a list has at most 200 characters.")
            }
            title => Ok(Self(title.to_owned())),
        }
    }

    /// The title itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What to write; None to leave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The title.
    pub title: Option<ListTitle>,
    /// Whether it is put aside.
    pub archived: Option<bool>,
    /// Where it moves to.
    pub place: Option<Place>,
}

/// A place among the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Right after this list; after the inbox is first.
    After(Uuid),
    /// Right before this list.
    Before(Uuid),
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<T> {
    /// What it left.
    pub left: T,
    /// The revision of the user's last change; None if an earlier write with
    /// the same request id did the work.
    pub head: Option<i64>,
}

/// Which page of lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The place of the last list of the page before; None for the first page.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// A query for what a function returns: `list`, of the type of the table of
/// lists, and more columns before it.
macro_rules! list_query {
    ($more:literal $function:literal $(, $argument:expr)* $(,)?) => {
        sqlx::query!(
            "select " + $more + r#"
                    (list).id, (list).title, (list).archived, (list).position::text as position,
                    (list).created_at, (list).updated_at, (list).rev
               from "# + $function
            $(, $argument)*
        )
    };
}

/// The columns of the list out of a record of `list_query!`.
macro_rules! columns {
    ($record:expr) => {
        Columns {
            id: $record.id,
            title: $record.title,
            archived: $record.archived,
            position: $record.position,
            created_at: $record.created_at,
            updated_at: $record.updated_at,
            revision: $record.rev,
        }
    };
}

/// Makes a list, the first after the inbox.
///
/// # Errors
/// `RequestIdReused`, `ListNotFound` for one that is gone since an earlier write
/// made it, `ListIdTaken`, `ListQuota`, `Database`.
pub async fn create(
    database: &Database,
    write: Write,
    id: Uuid,
    title: &ListTitle,
    archived: bool,
) -> Result<Written<List>, Error> {
    let Write { user, now, request, quota } = write;
    let call = |mut connection: Lease| async move {
        list_query!(
            "outcome as \"outcome!\", note, head,"
            "api.create_list($1, $2, $3, $4, $5, $6, $7, $8)",
            user,
            now,
            request.map(|request| request.id),
            request.as_ref().map(|request| request.payload.as_slice()),
            id,
            title.as_str(),
            archived,
            i64::from(quota),
        )
        .fetch_one(&mut *connection)
        .await
    };
    let record = database.call(repeat(request), call).await?;
    let head = head(&record.outcome, record.head, record.note.as_deref())?;
    Ok(Written { left: columns!(record).list()?.ok_or(Error::ListNotFound)?, head })
}

/// Reads a list, if there is one.
///
/// # Errors
/// `Database`.
pub async fn get(database: &Database, user: Uuid, id: Uuid) -> Result<Option<List>, Error> {
    let call = |mut connection: Lease| async move {
        list_query!("" "api.get_list($1, $2) as list", user, id).fetch_one(&mut *connection).await
    };
    let record = database.call(Repeat::Safe, call).await?;
    columns!(record).list()
}

/// Reads lists in their order, the inbox left out.
///
/// # Errors
/// `Database`.
pub async fn list(database: &Database, user: Uuid, page: &Page) -> Result<Vec<List>, Error> {
    let Page { after, limit } = page;
    let call = |mut connection: Lease| async move {
        list_query!("" "api.list_lists($1, $2, $3) as list", user, after.as_deref(), limit)
            .fetch_all(&mut *connection)
            .await
    };
    let records = database.call(Repeat::Safe, call).await?;
    records
        .into_iter()
        .map(|record| {
            columns!(record).list()?.ok_or(Error::Impossible("a page with no list in it"))
        })
        .collect()
}

/// Changes a list.
///
/// # Errors
/// `RequestIdReused`, `ListNotFound`, `EtagMismatch`, `PlaceNotFound`,
/// `Database`.
pub async fn update(
    database: &Database,
    write: Write,
    id: Uuid,
    etag: Option<i64>,
    changes: &Changes,
) -> Result<Written<List>, Error> {
    let Write { user, now, request, quota: _ } = write;
    let Changes { title, archived, place } = changes;
    let (after, before) = match *place {
        None => (None, None),
        Some(Place::After(other)) => (Some(other), None),
        Some(Place::Before(other)) => (None, Some(other)),
    };
    let call = |mut connection: Lease| async move {
        list_query!(
            "outcome as \"outcome!\", note, head,"
            "api.update_list($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            user,
            now,
            request.map(|request| request.id),
            request.as_ref().map(|request| request.payload.as_slice()),
            id,
            etag,
            title.as_ref().map(ListTitle::as_str),
            *archived,
            after,
            before,
        )
        .fetch_one(&mut *connection)
        .await
    };
    let record = database.call(repeat(request), call).await?;
    let head = head(&record.outcome, record.head, record.note.as_deref())?;
    Ok(Written { left: columns!(record).list()?.ok_or(Error::ListNotFound)?, head })
}

/// Deletes a list; `force` puts its tasks into the bin.
///
/// # Errors
/// `RequestIdReused`, `ListNotFound`, `EtagMismatch`, `ListNotEmpty`,
/// `Database`.
pub async fn delete(
    database: &Database,
    write: Write,
    id: Uuid,
    etag: Option<i64>,
    force: bool,
) -> Result<Written<()>, Error> {
    let Write { user, now, request, quota: _ } = write;
    let call = |mut connection: Lease| async move {
        sqlx::query!(
            r#"select outcome as "outcome!", note, head
               from api.delete_list($1, $2, $3, $4, $5, $6, $7)"#,
            user,
            now,
            request.map(|request: RequestId| request.id),
            request.as_ref().map(|request| request.payload.as_slice()),
            id,
            etag,
            force,
        )
        .fetch_one(&mut *connection)
        .await
    };
    let record = database.call(repeat(request), call).await?;
    Ok(Written { left: (), head: head(&record.outcome, record.head, record.note.as_deref())? })
}

/// The head that a write left, or why it was refused.
fn head(outcome: &str, head: Option<i64>, note: Option<&str>) -> Result<Option<i64>, Error> {
    match outcome {
        "ok" => head.map(Some).ok_or(Error::Impossible("a write without a head")),
        "replayed" => Ok(None),
        outcome => Err(refused(outcome, note.unwrap_or_default())),
    }
}

/// The columns of a list; all of them are null where there is none.
pub(crate) struct Columns {
    pub(crate) id: Option<Uuid>,
    pub(crate) title: Option<String>,
    pub(crate) archived: Option<bool>,
    pub(crate) position: Option<String>,
    pub(crate) created_at: Option<DateTime<Utc>>,
    pub(crate) updated_at: Option<DateTime<Utc>>,
    pub(crate) revision: Option<i64>,
}

impl Columns {
    /// The list in the columns, if there is one.
    pub(crate) fn list(self) -> Result<Option<List>, Error> {
        let Self { id, title, archived, position, created_at, updated_at, revision } = self;
        let Some(id) = id else { return Ok(None) };
        let whole = || {
            Some(List {
                id,
                title: title?,
                archived: archived?,
                position: position?,
                created_at: created_at?,
                updated_at: updated_at?,
                revision: revision?,
            })
        };
        whole().map(Some).ok_or(Error::Impossible("a list with some of its columns missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        assert_eq!(ListTitle::parse("  Groceries \u{a0}").unwrap().as_str(), "Groceries");
        assert!(ListTitle::parse(&format!(" {} ", "é".repeat(200))).is_ok());
        assert!(ListTitle::parse(&"é".repeat(201)).is_err());
        for bad in ["", "   ", "\u{3000}", "a\0b", "a\rb", "a\n", "a\tb", "a\u{7f}", "a\u{2028}b"] {
            assert!(ListTitle::parse(bad).is_err(), "{bad:?}");
        }
    }
}
