//! Databases of known sizes, each with a task-service of its own: as many tasks
//! as a small one has, a hundred times as many, and the same without row level
//! security. Their rows are written past the service; what is measured is not.

use std::time::Duration;

use proto::task::v1::{ListTasksRequest, task_service_client::TaskServiceClient};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tonic::transport::Channel;

use crate::{
    callers::{NOTES, PAGE, TITLE, User},
    child::ServerProcess,
    stage::Stage,
    users::TASKS,
};

/// Users of the benchmark that have tasks there; the numbers of callers divide it.
pub(crate) const SETTLERS: usize = 160;
/// The user, by its place among all, who has as many tasks as nobody should.
pub(crate) const COLLECTOR: usize = SETTLERS;
/// Tasks of that user.
const COLLECTION: usize = 50_000;
/// Tasks in the large database.
const LARGE: usize = 1_000_000;
/// The largest page.
const LARGEST_PAGE: usize = 500;

/// What a database is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// 9,600 tasks.
    Small,
    /// A million, 50,000 of them of one user.
    Large,
    /// As small, where writes may be measured.
    Ruled,
    /// The same without row level security.
    Unruled,
}

impl Ground {
    const fn database(self) -> &'static str {
        match self {
            Self::Small => "tasks_small",
            Self::Large => "tasks_large",
            Self::Ruled => "tasks_ruled",
            Self::Unruled => "tasks_unruled",
        }
    }
}

/// A database with its task-service.
pub(crate) struct Grounded {
    pub(crate) ground: Ground,
    pub(crate) server: ServerProcess,
    /// Of the collector's last page, the thousandth; empty elsewhere.
    pub(crate) last_page: String,
}

impl Grounded {
    /// Makes the database and starts its service.
    pub(crate) async fn prepare(stage: &Stage, ground: Ground) -> anyhow::Result<Self> {
        let database = ground.database();
        stage.make_database(database).await?;
        let mut superuser = stage.cluster.superuser_options(database).connect().await?;
        fill(&mut superuser, &stage.users, ground).await?;
        let server = stage.serve_tasks(database).await?;
        if ground == Ground::Unruled {
            // Only now: where a table lacks it a service does not start.
            unrule(&mut superuser).await?;
        }
        superuser.close().await?;
        let last_page = match ground {
            Ground::Large => last_page(&server, &stage.users[COLLECTOR]).await?,
            Ground::Small | Ground::Ruled | Ground::Unruled => String::new(),
        };
        Ok(Self { ground, server, last_page })
    }
}

async fn fill(superuser: &mut PgConnection, users: &[User], ground: Ground) -> anyhow::Result<()> {
    for user in &users[..SETTLERS] {
        let ids = user.tasks.iter().filter_map(|name| name.rsplit('/').next());
        let ids: Vec<String> = ids.map(|id| format!("('{id}'::uuid)")).collect();
        let whose = format!("select '{}'::uuid as user_id", user.id());
        let which = format!("(values {}) as v (id)", ids.join(","));
        rows(superuser, &whose, &which).await?;
    }
    if ground == Ground::Large {
        let id = users[COLLECTOR].id();
        let whose = format!("select '{id}'::uuid as user_id");
        rows(superuser, &whose, &new_ids(COLLECTION)).await?;
        let others = (LARGE - COLLECTION - SETTLERS * TASKS) / TASKS;
        let whose = format!(
            "select lpad(to_hex(u), 32, '0')::uuid as user_id from generate_series(1, {others}) u"
        );
        rows(superuser, &whose, &new_ids(TASKS)).await?;
    }
    let counters = "insert into data.user_state (user_id, head_rev, task_count)
                    select user_id, max(rev), count(*) from data.tasks group by user_id";
    sqlx::raw_sql(counters).execute(&mut *superuser).await?;
    sqlx::raw_sql("vacuum analyze").execute(&mut *superuser).await?;
    Ok(())
}

async fn unrule(superuser: &mut PgConnection) -> anyhow::Result<()> {
    for table in ["tasks", "lists", "requests", "user_state"] {
        let statement = format!("alter table data.{table} disable row level security");
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *superuser).await?;
    }
    Ok(())
}

fn new_ids(count: usize) -> String {
    format!("(select gen_random_uuid() as id from generate_series(1, {count})) v")
}

/// Writes the rows of `which` for each user of `whose`, a second apart.
async fn rows(superuser: &mut PgConnection, whose: &str, which: &str) -> anyhow::Result<()> {
    let statement = format!(
        "insert into data.tasks
             (user_id, id, title, notes, created_at, updated_at, position, rev)
         select user_id, id, '{TITLE}', '{NOTES}', at, at, 5000000000000000 - rev, rev
         from ({whose}) w,
             lateral (select id, row_number() over () as rev from {which}) r,
             lateral (select timestamptz '2026-01-01' + rev * interval '1 second' as at) t"
    );
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(superuser).await?;
    Ok(())
}

/// The token of the last page, from reading all before it.
async fn last_page(server: &ServerProcess, user: &User) -> anyhow::Result<String> {
    let channel = Channel::from_shared(server.url())?.timeout(Duration::from_secs(10));
    let mut client = TaskServiceClient::new(channel.connect().await?);
    let mut page_token = String::new();
    let mut read = 0;
    while read < COLLECTION - PAGE {
        let size = LARGEST_PAGE.min(COLLECTION - PAGE - read);
        let page_size = i32::try_from(size)?;
        let request = ListTasksRequest { page_size, page_token, ..ListTasksRequest::default() };
        let page = client.list_tasks(user.request(request)).await?.into_inner();
        anyhow::ensure!(page.tasks.len() == size, "a page of {} tasks", page.tasks.len());
        page_token = page.next_page_token;
        read += size;
    }
    Ok(page_token)
}
