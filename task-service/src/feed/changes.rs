//! What changed since a revision: the one call that SyncTasks and every watcher
//! make, and the call that asks for heads only.

use serde_json::Value;
use shared::database::{Database, Lease, Repeat};
use uuid::Uuid;

use crate::{
    error::Error,
    lists::{self, List},
    row::{row, task_query},
    task::Task,
};

/// A part of a user's changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// The user's last revision.
    pub head: i64,
    /// The highest revision of what was forgotten altogether.
    pub horizon: i64,
    /// With this page everything up to here is told.
    pub reached: i64,
    /// In the order of their revisions.
    pub changes: Vec<C>,
}

/// What became of a task or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The place of the change among all changes of its user.
    pub revision: i64,
    /// What it is now.
    pub resource: Resource,
}

/// A task or a list as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A task that is there.
    Task(Box<Task>),
    /// A list that is there.
    List(List),
    /// A task that is gone, or that the filter does not let through.
    GoneTask(Uuid),
    /// A list that is gone.
    GoneList(Uuid),
}

/// Which changes are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) user: Uuid,
    /// Those after this revision.
    pub(crate) since: i64,
    /// What was gone by then is left out; None for now.
    pub(crate) base: Option<i64>,
    /// At most so many.
    pub(crate) limit: i64,
    /// Lets tasks through; None for all.
    pub(crate) filter: Option<Value>,
}

impl<C> Page<C> {
    /// Whether somebody who knows everything up to `rev`, and began with
    /// nothing at `base`, must begin again: something that must be told as gone
    /// is forgotten, or the database was set back.
    pub(crate) fn expires(&self, rev: i64, base: Option<i64>) -> bool {
        let base = base.unwrap_or(self.head);
        rev.max(base) < self.horizon || rev.max(base) > self.head
    }
}

/// Reads changes.
///
/// # Errors
/// `Database`.
pub(crate) async fn fetch(database: &Database, ask: &Ask) -> Result<Page<Change>, Error> {
    let Ask { user, since, base, limit, ref filter } = *ask;
    let call = |mut connection: Lease| async move {
        task_query!(
            r#"head_rev as "head!", horizon_rev as "horizon!", reached_rev as "reached!",
               rev as change_rev, gone_task, gone_list, (list).id as whole_list,
               (list).title as list_title, (list).archived as list_archived,
               (list).position::text as list_position, (list).created_at as list_created_at,
               (list).updated_at as list_updated_at,"#
            "api.changes($1, $2, $3, $4, $5)",
            user,
            since,
            base,
            limit,
            filter.as_ref(),
        )
        .fetch_all(&mut *connection)
        .await
    };
    let records = database.call(Repeat::Safe, call).await?;
    let last = records.last().ok_or(Error::Impossible("changes without a head"))?;
    let mut page =
        Page { head: last.head, horizon: last.horizon, reached: last.reached, changes: Vec::new() };
    for record in records {
        let Some(revision) = record.change_rev else { continue };
        let list = lists::Columns {
            id: record.whole_list,
            title: record.list_title,
            archived: record.list_archived,
            position: record.list_position,
            created_at: record.list_created_at,
            updated_at: record.list_updated_at,
            revision: Some(revision),
        };
        let resource =
            match (row!(record).task()?, list.list()?, record.gone_task, record.gone_list) {
                (Some(task), None, None, None) => Resource::Task(Box::new(task)),
                (None, Some(list), None, None) => Resource::List(list),
                (None, None, Some(id), None) => Resource::GoneTask(id),
                (None, None, None, Some(id)) => Resource::GoneList(id),
                _ => return Err(Error::Impossible("a change of none or of several")),
            };
        page.changes.push(Change { revision, resource });
    }
    Ok(page)
}

/// The heads of those of these users who have any.
///
/// # Errors
/// `Database`.
pub(crate) async fn heads(database: &Database, users: &[Uuid]) -> Result<Vec<(Uuid, i64)>, Error> {
    let call = |mut connection: Lease| async move {
        sqlx::query!(r#"select user_id as "user!", head_rev as "head!" from api.heads($1)"#, users,)
            .fetch_all(&mut *connection)
            .await
    };
    let records = database.call(Repeat::Safe, call).await?;
    Ok(records.into_iter().map(|record| (record.user, record.head)).collect())
}
