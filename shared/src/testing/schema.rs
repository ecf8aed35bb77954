//! What must hold of every database of the pair, read from its catalogue: the
//! isolation of its tables, and that it could be sharded by user.

use sqlx::{ConnectOptions as _, PgConnection};

use super::TestDatabase;

/// Everything that is wrong with the isolation of a database, a line each.
///
/// # Panics
/// If the database cannot be asked.
#[expect(clippy::expect_used, reason = "this is how a test fails")]
pub async fn isolation_faults(database: &TestDatabase) -> Vec<String> {
    let mut faults = Vec::new();
    let mut app = database.app.connect().await.expect("the service may connect");
    let mut owner = database.owner.connect().await.expect("the owner may connect");
    for table in texts(&mut owner, TABLES).await {
        let select = || sqlx::AssertSqlSafe(format!("select from {table}"));
        match sqlx::query(select()).execute(&mut app).await {
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42501") => {}
            other => faults.push(format!("{table} as the service: {other:?}")),
        }
        let rows = sqlx::query(select()).fetch_all(&mut owner).await.expect("the owner may read");
        let of_a_user = texts(&mut owner, USER_TABLES).await.contains(&table);
        if of_a_user && !rows.is_empty() {
            faults.push(format!("{table} shows rows to the owner without a user"));
        }
    }
    faults.extend(texts(&mut app, EXECUTABLE_ELSEWHERE).await);
    faults
}

/// Everything that would keep a database from being sharded by user, a line
/// each. `exempt` are tables that are kept whole on one node.
///
/// # Panics
/// If the database cannot be asked.
#[expect(clippy::expect_used, reason = "this is how a test fails")]
pub async fn shard_faults(database: &TestDatabase, exempt: &[&str]) -> Vec<String> {
    let mut owner = database.owner.connect().await.expect("the owner may connect");
    let mut faults = texts(&mut owner, NOT_SHARDABLE).await;
    faults.retain(|fault| !exempt.iter().any(|table| fault.starts_with(table)));
    faults
}

async fn texts(connection: &mut PgConnection, query: &'static str) -> Vec<String> {
    let texts = sqlx::query_scalar(query).fetch_all(connection).await;
    texts.unwrap_or_else(|error| vec![format!("the catalogue cannot be asked: {error}")])
}

const TABLES: &str = "select format('%I.%I', n.nspname, c.relname) from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname in ('data', 'public')";

const USER_TABLES: &str = "select format('%I.%I', n.nspname, c.relname) from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'
    where c.relkind in ('r', 'p')";

/// Functions of ours that the asking role may call and that are not in `api`.
const EXECUTABLE_ELSEWHERE: &str = "select p.oid::regprocedure::text || ' may be called'
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname not in ('api', 'pg_catalog', 'information_schema')
    and has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')";

const NOT_SHARDABLE: &str = "
    with tables as (
        select c.oid, c.oid::regclass::text as name, c.relrowsecurity, c.relforcerowsecurity,
            (select a.attnum from pg_attribute a
             where a.attrelid = c.oid and a.attname = 'user_id') as user_column
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'data' and c.relkind in ('r', 'p')
    )
    select name || ' has no user_id' from tables where user_column is null
    union all
    select name || ' does not force row level security' from tables
        where not (relrowsecurity and relforcerowsecurity)
    union all
    select t.name || ' has the key ' || k.conname || ' that does not begin with user_id'
        from tables t join pg_constraint k on k.conrelid = t.oid
        where k.contype in ('p', 'u', 'f') and k.conkey[1] is distinct from t.user_column
    union all
    select t.name || ' has the unique index ' || i.indexrelid::regclass
            || ' that does not begin with user_id'
        from tables t join pg_index i on i.indrelid = t.oid
        where i.indisunique and i.indkey[0] is distinct from t.user_column
    union all
    select t.name || ' has the index ' || i.indexrelid::regclass || ' of the kind ' || m.amname
        from tables t join pg_index i on i.indrelid = t.oid
        join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
        where m.amname <> 'btree'
    union all
    select t.name || '.' || a.attname || ' is of the type ' || format_type(a.atttypid, null)
        from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0
        join pg_type y on y.oid = a.atttypid
        where y.typname in ('int2', 'int4', 'citext') or y.typtype = 'e'
    union all
    select t.name || '.' || a.attname || ' numbers its rows by itself'
        from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0
        where a.attidentity <> '' or pg_get_serial_sequence(t.name, a.attname) is not null
    union all
    select t.name || ' has the trigger ' || g.tgname
        from tables t join pg_trigger g on g.tgrelid = t.oid where not g.tgisinternal
    union all
    select c.oid::regclass || ' is a sequence' from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'S' and n.nspname in ('data', 'api', 'public')
    union all
    select p.oid::regprocedure || ' does not pin its search path' from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('data', 'api')
        and not coalesce(p.proconfig @> array['search_path=pg_catalog, pg_temp'], false)
    union all
    select p.oid::regprocedure || ' does not run with the rights of the owner' from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'api' and not p.prosecdef";
