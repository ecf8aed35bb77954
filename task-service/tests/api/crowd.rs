//! A database in which one user has 100,000 tasks and the others have as many
//! between them: what it costs to read and write there is what is measured.

use shared::testing::{self, TestDatabase};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use task_service::SCHEMA;

pub(crate) const USER: &str = "00000000-0000-4000-8000-000000000001";
/// One of the others.
pub(crate) const OTHER: &str = "00000000-0000-4000-9000-000000000001";
pub(crate) const INBOX: &str = "00000000-0000-0000-0000-000000000000";
pub(crate) const LIST: &str = "00000000-0000-4000-8000-00000000000a";
/// It has the oldest thousand of the tasks.
pub(crate) const OLD_LIST: &str = "00000000-0000-4000-8000-00000000000c";

/// One task in fifty is open, one in ten cancelled, one in twenty in the bin;
/// half of them have a due date, three in eight a priority; half are in the
/// inbox. Pairs of tasks lie together, and their neighbours in any order but that
/// of time lie elsewhere.
const TASKS: &str = "
    insert into data.tasks (
        user_id, id, title, notes, completed_at, cancelled, due_date, due_minute, list_id, parent_id,
        priority, labels, position, created_at, updated_at, deleted_at, rev
    )
    select u.user_id, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
           'Task ' || n, repeat('n', (n % 200)::int),
           case when pair % 50 > 0 then now() end, pair % 10 = 1,
           case when mixed % 1009 % 2 = 0 then date '2020-01-01' + (mixed % 2003)::int end,
           case when mixed % 1009 % 4 = 0 then n * 31 % 1440 end,
           case when pair < 500 then '00000000-0000-4000-8000-00000000000c'::uuid
                when mixed % 1019 % 4 = 0 then '00000000-0000-4000-8000-00000000000a'
                when mixed % 1019 % 4 = 1 then '00000000-0000-4000-8000-00000000000b'
                else '00000000-0000-0000-0000-000000000000' end,
           case when n % 7 = 0 then '01900000-0000-7000-8000-000000000001'::uuid end,
           greatest(mixed % 1013 % 8 - 4, 0), array['label ' || n % 5],
           5000000000000000 + mixed % 50021 * 2 + n % 2,
           timestamptz '2020-01-01Z' + n * interval '1 minute', now(),
           case when mixed % 1021 % 20 = 5 then now() end, n
    from (
        select '00000000-0000-4000-8000-000000000001'::uuid, 100000
        union all
        select ('00000000-0000-4000-9000-' || lpad(to_hex(n), 12, '0'))::uuid, 50
        from generate_series(1, 2000) n
    ) u (user_id, tasks),
    generate_series(1, u.tasks) n, lateral (select n / 2 as pair, n / 2 * 7919::bigint as mixed) m;
    insert into data.user_state (user_id, head_rev, task_count, list_count)
    select user_id, max(rev), count(*) filter (where deleted_at is null), 3
    from data.tasks group by user_id;
    vacuum analyze data.tasks; vacuum analyze data.user_state";

/// Lists and request ids for all of these users, and more users without a task,
/// so that no table is so small that reading all of it is best.
const MORE: &str = "
    insert into data.lists (user_id, id, title, archived, position, created_at, updated_at, rev)
    select s.user_id, ('00000000-0000-4000-8000-' || lpad(to_hex(9 + n), 12, '0'))::uuid,
           'List', false, n, now(), now(), 200000 + n
    from data.user_state s, generate_series(1, 3) n;
    insert into data.lists (
        user_id, id, title, archived, position, created_at, updated_at, deleted_at, rev
    )
    select s.user_id, gen_random_uuid(), '', false, 4, now(), now(), now(), 200004
    from data.user_state s;
    insert into data.requests (user_id, id, payload_hash, task_id, created_at)
    select s.user_id, gen_random_uuid(), '', s.user_id, now()
    from data.user_state s, generate_series(1, 3) n;
    update data.user_state set head_rev = 200010;
    insert into data.user_state (user_id, head_rev)
    select gen_random_uuid(), 1 from generate_series(1, 20000);
    vacuum analyze data.lists; vacuum analyze data.requests; vacuum analyze data.user_state";

/// A database with these tasks.
pub(crate) async fn with_tasks() -> TestDatabase {
    let database = testing::database(&SCHEMA).await;
    run(&database, TASKS).await;
    database
}

/// A database with these tasks, and with lists, request ids and other users.
pub(crate) async fn with_everything() -> TestDatabase {
    let database = with_tasks().await;
    run(&database, MORE).await;
    database
}

async fn run(database: &TestDatabase, statements: &'static str) {
    let mut superuser = database.superuser.connect().await.expect("a connection");
    for statement in statements.split(';') {
        superuser.execute(AssertSqlSafe(statement)).await.expect("rows are stored");
    }
}
