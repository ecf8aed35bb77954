//! Replicas of the service on one database, which share the clock, the issuer
//! and the key of the tokens, and can be drained or killed; and writes to that
//! database which take a revision as the service's own do.

use std::sync::Arc;

use proto::task::v1::{self as pb, task_service_client::TaskServiceClient};
use shared::{
    clock::Clock as _,
    database::Database,
    program, rng,
    secret::Secret,
    server::{Limits, Server},
    testing::{self, ManualClock, StatementCounter, TestDatabase, TestIssuer},
    trust::Trust,
    verify::Claims,
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use task_service::{App, SCHEMA, config::Config, feed::Feed};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{
    Request, Status,
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

use crate::{
    app::config,
    mirror::{Mirror, Stream},
};

/// What replicas have in common.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) clock: ManualClock,
    pub(crate) issuer: TestIssuer,
    key: Option<Secret>,
    rows: PgPool,
}

/// One running service.
pub(crate) struct Replica {
    pub(crate) feed: Feed,
    /// What it lets callers in by.
    pub(crate) trust: Trust,
    channel: Channel,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    keeper: Option<JoinHandle<()>>,
}

/// A write that was committed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) id: Uuid,
    pub(crate) rev: i64,
}

/// What a caller brings along.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) id: Uuid,
    pub(crate) session: Uuid,
    authorization: Arc<str>,
}

impl World {
    pub(crate) async fn new() -> Self {
        program::install_cryptography();
        let database = testing::database(&SCHEMA).await;
        let rows =
            PgPoolOptions::new().max_connections(16).connect_lazy_with(database.superuser.clone());
        for functions in [WRITES, PURGE] {
            sqlx::raw_sql(functions).execute(&rows).await.expect("the writes are made");
        }
        let key = config(&[]).page_token_key;
        Self { database, clock: ManualClock::new(), issuer: TestIssuer::new(), key, rows }
    }

    /// A replica with the usual limits.
    pub(crate) async fn replica(&self) -> Replica {
        self.replica_with(&[], self.database.app.clone()).await
    }

    /// A replica with these flags, which reaches the database by `options`.
    pub(crate) async fn replica_with(&self, flags: &[&str], options: PgConnectOptions) -> Replica {
        let mut replica = self.replica_alone(flags, options, Limits::default()).await;
        let feed = replica.feed.clone();
        replica.keeper = Some(tokio::spawn(async move { feed.keep().await }));
        replica
    }

    /// A replica that is out of touch, and what counts its statements.
    pub(crate) async fn counted(&self) -> (StatementCounter, Replica) {
        let counter = StatementCounter::before(&self.database.app).expect("a counter");
        let through = counter.through(&self.database.app);
        let replica = self.replica_alone(&[], through, Limits::default()).await;
        (counter, replica)
    }

    /// A replica that is out of touch: nothing but what it was asked for makes
    /// it speak to the database.
    pub(crate) async fn replica_alone(
        &self,
        flags: &[&str],
        options: PgConnectOptions,
        limits: Limits,
    ) -> Replica {
        let mut all = vec!["--issuer", self.issuer.name()];
        all.extend(flags);
        let config = Config { page_token_key: self.key.clone(), ..config(&all) };
        let pool = Database::new(options, 8);
        let app = App::open(config, pool, self.clock.shared()).await.expect("it opens");
        app.trust().set(&[self.issuer.jwk().clone()], self.clock.now());
        let server = app.mount(Server::new(limits).descriptors(proto::DESCRIPTORS));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            let until = async { drop(stopped.await) };
            server.serve(listener, until).await.expect("the service serves");
        });
        let (feed, trust) = (app.feed().clone(), app.trust().clone());
        let channel = connect(address).await;
        Replica { feed, trust, channel, stop: Some(stop), server, keeper: None }
    }

    /// A new user.
    pub(crate) fn user(&self) -> Caller {
        self.caller(rng::uuid_v4())
    }

    /// This user, with a token that is good from now on.
    pub(crate) fn caller(&self, id: Uuid) -> Caller {
        let claims = self.issuer.claims(id, "task-service", self.clock.now());
        Caller::new(&claims, &self.issuer.token(&claims))
    }

    /// Writes a task, under this id or a new one.
    pub(crate) async fn stamp(&self, user: Uuid, id: Option<Uuid>, title: &str) -> Stamp {
        self.write("task", user, id, title, false).await
    }

    /// Deletes a task.
    pub(crate) async fn stamp_gone(&self, user: Uuid, id: Uuid) -> Stamp {
        self.write("task", user, Some(id), "", true).await
    }

    /// Writes a list, or deletes it.
    pub(crate) async fn stamp_list(
        &self,
        user: Uuid,
        id: Option<Uuid>,
        title: &str,
        gone: bool,
    ) -> Stamp {
        self.write("list", user, id, title, gone).await
    }

    /// Forgets what was deleted up to now, as the sweep does.
    pub(crate) async fn purge(&self, user: Uuid) {
        self.sql("select public.purge($1)", user).await;
    }

    /// Runs a statement about a user as the superuser.
    pub(crate) async fn sql(&self, statement: &'static str, user: Uuid) {
        sqlx::query(statement).bind(user).execute(&self.rows).await.expect("it runs");
    }

    /// The tasks and lists that a user has: their titles and revisions by id.
    pub(crate) async fn rows(&self, user: Uuid) -> Vec<(Uuid, i64, String)> {
        let rows = sqlx::query_as(ROWS).bind(user).fetch_all(&self.rows).await;
        rows.expect("the rows are read")
    }

    /// Cuts the connections of the service whose last statement begins with
    /// this, and tells how many have ended.
    pub(crate) async fn cut(&self, statement: &str) -> i64 {
        sqlx::query_scalar(
            "select count(*) filter (where pg_terminate_backend(pid, 20000))
             from pg_stat_activity
             where datname = current_database() and usename = 'tasks_app'
             and starts_with(lower(query), $1)",
        )
        .bind(statement)
        .fetch_one(&self.rows)
        .await
        .expect("they are cut")
    }

    /// How many replicas listen for hints.
    pub(crate) async fn listeners(&self) -> i64 {
        sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and starts_with(lower(query), 'listen')",
        )
        .fetch_one(&self.rows)
        .await
        .expect("a count")
    }

    async fn write(
        &self,
        kind: &str,
        user: Uuid,
        id: Option<Uuid>,
        title: &str,
        gone: bool,
    ) -> Stamp {
        let id = id.unwrap_or_else(rng::uuid_v4);
        let rev = sqlx::query_scalar("select public.stamp($1, $2, $3, $4, $5, $6)")
            .bind(kind)
            .bind(user)
            .bind(id)
            .bind(title)
            .bind(gone)
            .bind(self.clock.now())
            .fetch_one(&self.rows)
            .await
            .expect("it is written");
        Stamp { id, rev }
    }
}

impl Replica {
    /// Watches everything of the caller from `token` on.
    pub(crate) async fn watch(&self, caller: &Caller, token: &str) -> Result<Stream, Status> {
        let resume_token = token.to_owned();
        self.watch_as(caller, pb::WatchTasksRequest { resume_token, ..Default::default() }).await
    }

    /// Watches everything of the caller, and has heard of all there is.
    pub(crate) async fn follow(&self, caller: &Caller) -> (Stream, Mirror) {
        let mut mirror = Mirror::default();
        let mut stream = self.watch(caller, "").await.expect("a stream");
        stream.until_current(&mut mirror).await;
        (stream, mirror)
    }

    pub(crate) async fn watch_as(
        &self,
        caller: &Caller,
        request: pb::WatchTasksRequest,
    ) -> Result<Stream, Status> {
        let answer = self.client().watch_tasks(caller.with(request)).await?;
        Ok(Stream::new(answer.into_inner()))
    }

    pub(crate) async fn sync(
        &self,
        caller: &Caller,
        token: &str,
        page_size: i32,
    ) -> Result<pb::SyncTasksResponse, Status> {
        let sync_token = token.to_owned();
        let request = pb::SyncTasksRequest { parent: String::new(), sync_token, page_size };
        Ok(self.client().sync_tasks(caller.with(request)).await?.into_inner())
    }

    pub(crate) fn client(&self) -> TaskServiceClient<Channel> {
        TaskServiceClient::new(self.channel.clone())
    }

    /// Kills the replica: what is open breaks off.
    pub(crate) fn kill(&self) {
        self.server.abort();
        if let Some(keeper) = &self.keeper {
            keeper.abort();
        }
    }

    /// Tells the replica to shut down, and waits until it did.
    pub(crate) async fn drain(mut self) {
        drop(self.stop.take());
        (&mut self.server).await.expect("it ends well");
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Caller {
    /// A user with an access token.
    pub(crate) fn new(claims: &Claims, token: &str) -> Self {
        Self {
            id: claims.sub,
            session: claims.sid,
            authorization: format!("Bearer {token}").into(),
        }
    }

    /// Whoever this token lets in, for this user.
    pub(crate) fn with_token(id: Uuid, token: &str) -> Self {
        Self { id, session: Uuid::nil(), authorization: format!("Bearer {token}").into() }
    }

    /// A request of this caller.
    pub(crate) fn with<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let value = self.authorization.parse().expect("a header value");
        request.metadata_mut().insert("authorization", value);
        request
    }
}

async fn connect(address: std::net::SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a URL");
    endpoint.connect().await.expect("the service listens")
}

/// The tasks and lists that a user has: their ids, revisions and titles.
pub(crate) const ROWS: &str = "
    select id, rev, title::text from data.tasks where user_id = $1 and deleted_at is null
    union all
    select id, rev, title::text from data.lists where user_id = $1 and deleted_at is null
    order by 1";

/// Writes that take the counter first, as those of the service do.
const WRITES: &str = "
    create function public.stamp(
        p_kind text, p_user uuid, p_id uuid, p_title text, p_gone boolean, p_now timestamptz,
        out rev bigint
    ) language plpgsql as $$
    begin
        insert into data.user_state as s (user_id, head_rev) values (p_user, 1)
        on conflict (user_id) do update set head_rev = s.head_rev + 1
        returning s.head_rev into rev;
        if p_kind = 'task' then
            insert into data.tasks (user_id, id, title, notes, position, created_at, updated_at,
                                    deleted_at, rev)
            values (p_user, p_id, p_title, '', 5000000000000000 - rev, p_now, p_now,
                    case when p_gone then p_now end, rev)
            on conflict on constraint tasks_pkey do update
            set title = excluded.title, updated_at = p_now, deleted_at = excluded.deleted_at,
                rev = excluded.rev;
        else
            insert into data.lists (user_id, id, title, archived, position, created_at, updated_at,
                                    deleted_at, rev)
            values (p_user, p_id, p_title, false, 5000000000000000 - rev, p_now, p_now,
                    case when p_gone then p_now end, rev)
            on conflict on constraint lists_pkey do update
            set title = excluded.title, updated_at = p_now, deleted_at = excluded.deleted_at,
                rev = excluded.rev;
        end if;
    end $$";

/// Forgets what a user deleted, as the sweep does.
pub(crate) const PURGE: &str = "
    create function public.purge(p_user uuid) returns void language sql as $$
        select from data.user_state where user_id = p_user for update;
        with tasks as (
            delete from data.tasks where user_id = p_user and deleted_at is not null returning rev
        ), lists as (
            delete from data.lists where user_id = p_user and deleted_at is not null returning rev
        )
        update data.user_state
        set horizon_rev = greatest(horizon_rev, (select max(rev) from tasks),
                                   (select max(rev) from lists))
        where user_id = p_user
    $$";
