//! What must hold of every database of the pair: what its roles can reach, and
//! that it could be spread over many servers by user. Read from the catalogue,
//! so that a new table is tested by being there.

use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};

use super::TestDatabase;

/// Everything that is wrong with the isolation of a database, a line each.
/// `callable` are the functions that the service may call, sorted.
///
/// # Panics
/// If the database cannot be asked.
#[expect(clippy::expect_used, reason = "this is how a test fails")]
pub async fn isolation_faults(database: &TestDatabase, callable: &[&str]) -> Vec<String> {
    let mut app = database.app.connect().await.expect("the service may connect");
    let mut owner = database.owner.connect().await.expect("the owner may connect");
    let mut faults = Vec::new();
    for table in texts(&mut app, TABLES).await {
        for statement in [format!("select from {table}"), format!("delete from {table}")] {
            if !is_denied(&mut app, statement).await {
                faults.push(format!("{table} is open to the service"));
            }
        }
    }
    for statement in ESCAPES {
        if !is_denied(&mut app, statement.to_owned()).await {
            faults.push(format!("the service may {statement}"));
        }
    }
    let found = texts(&mut app, CALLABLE).await;
    if found != callable {
        faults.push(format!("the service may call {found:?}"));
    }
    for table in texts(&mut owner, USER_TABLES).await {
        let count = AssertSqlSafe(format!("select count(*) from {table}"));
        let rows: i64 = sqlx::query_scalar(count).fetch_one(&mut owner).await.expect("a count");
        if rows > 0 {
            faults.push(format!("{table} shows rows to the owner without a user"));
        }
    }
    faults
}

/// Everything that would keep a database from being sharded by user, a line
/// each, but for lines that begin with one of `exempt`.
///
/// # Panics
/// If the database cannot be asked.
#[expect(clippy::expect_used, reason = "this is how a test fails")]
pub async fn shard_faults(database: &TestDatabase, exempt: &[&str]) -> Vec<String> {
    let mut owner = database.owner.connect().await.expect("the owner may connect");
    let mut faults = texts(&mut owner, NOT_SHARDABLE).await;
    faults.retain(|fault| !exempt.iter().any(|known| fault.starts_with(known)));
    faults
}

/// Whether a statement fails for want of a right.
async fn is_denied(connection: &mut PgConnection, statement: String) -> bool {
    let result = sqlx::query(AssertSqlSafe(statement)).execute(connection).await;
    let code = |error: &sqlx::Error| error.as_database_error()?.code().map(|code| code == "42501");
    result.err().as_ref().and_then(code) == Some(true)
}

#[expect(clippy::expect_used, reason = "this is how a test fails")]
async fn texts(connection: &mut PgConnection, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(connection).await.expect("the catalogue answers")
}

const TABLES: &str = "select format('%I.%I', n.nspname, c.relname) from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'S')
    and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'";

const USER_TABLES: &str = "select format('%I.%I', n.nspname, c.relname) from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'
    where c.relkind in ('r', 'p')";

/// Functions that are not Postgres's own, as the asking role may call them.
const CALLABLE: &str = "select format('%I.%I', n.nspname, p.proname) from pg_proc p
    join pg_namespace n on n.oid = p.pronamespace
    where n.nspname not in ('pg_catalog', 'information_schema')
    and has_function_privilege(p.oid, 'execute')
    order by 1";

/// Ways to get more rights or a place of one's own.
const ESCAPES: [&str; 5] = [
    "create table public.t (a bigint)",
    "create table api.t (a bigint)",
    "create function api.f() returns bigint language sql as 'select 1'",
    "create temporary table t (a bigint)",
    "create schema s",
];

const NOT_SHARDABLE: &str = "
    with tables as (
        select c.oid, c.oid::regclass::text as name, c.relrowsecurity, c.relforcerowsecurity,
            (select a.attnum from pg_attribute a where a.attrelid = c.oid
             and a.attname = 'user_id' and a.atttypid = 'uuid'::regtype and a.attnotnull) as owned
        from pg_class c
        where c.relnamespace = 'data'::regnamespace and c.relkind in ('r', 'p')
    ), columns as (
        select t.name || '.' || a.attname as name, a.attidentity, a.atttypid, y.typname, y.typtype,
            pg_get_serial_sequence(t.name, a.attname) is not null as numbered
        from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0
        join pg_type y on y.oid = a.atttypid
    ), functions as (
        select p.oid::regprocedure::text as name, p.* from pg_proc p
        where p.pronamespace in ('api'::regnamespace, 'data'::regnamespace)
    )
    select name || ' has no user_id' from tables where owned is null
    union all
    select name || ' does not force row level security' from tables
        where not (relrowsecurity and relforcerowsecurity)
    union all
    select name || ' has no primary key' from tables t
        where not exists (select from pg_index i where i.indrelid = t.oid and i.indisprimary)
    union all
    select t.name || ' has the index ' || i.indexrelid::regclass || ' that does not begin with user_id'
        from tables t join pg_index i on i.indrelid = t.oid
        where i.indkey[0] is distinct from t.owned
    union all
    select t.name || ' has the foreign key ' || k.conname || ' that does not begin with user_id'
        from tables t join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
        where k.conkey[1] is distinct from t.owned
    union all
    select t.name || ' has the index ' || i.indexrelid::regclass || ' of the kind ' || m.amname
        from tables t join pg_index i on i.indrelid = t.oid
        join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
        where m.amname <> 'btree'
    union all
    select t.name || ' has the trigger ' || g.tgname
        from tables t join pg_trigger g on g.tgrelid = t.oid where not g.tgisinternal
    union all
    select name || ' is of the type ' || typname from columns
        where typname in ('int2', 'int4', 'citext') or typtype = 'e'
    union all
    select name || ' numbers its rows by itself' from columns
        where attidentity <> '' or numbered
    union all
    select c.oid::regclass || ' is a sequence' from pg_class c
        where c.relkind = 'S' and c.relnamespace in
            ('data'::regnamespace, 'api'::regnamespace, 'public'::regnamespace)
    union all
    select extname || ' is an extension' from pg_extension where extname <> 'plpgsql'
    union all
    select name || ' does not pin its search path' from functions
        where (proconfig @> array['search_path=pg_catalog, pg_temp']) is not true
    union all
    select name || ' does not run with the rights of the owner' from functions
        where pronamespace = 'api'::regnamespace
        and not (prosecdef and pg_get_userbyid(proowner) like '%\\_owner')
    union all
    select name || ' does not take the user first' from functions
        where pronamespace = 'api'::regnamespace
        and (proargnames[1] is distinct from 'p_user' or proargtypes[0] <> 'uuid'::regtype)";
