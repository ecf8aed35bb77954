//! What reading costs a user with 100,000 tasks: the same on every page, and no
//! statement reads the table, or rows of nobody in particular.

use shared::testing::{self, TestDatabase};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use task_service::SCHEMA;

use crate::explain::{Explained, guarded};

const USER: &str = "00000000-0000-4000-8000-000000000001";
const LIST: &str = "00000000-0000-4000-8000-00000000000a";
const BUFFERS: u64 = 60;

/// One task in fifty is open, one in twenty in the bin, one in sixteen has a due
/// date. Pairs of tasks lie together, and their neighbours in any order but that
/// of time lie elsewhere. Other users have as much between them.
const TASKS: &str = "
    insert into data.tasks (
        user_id, id, title, notes, completed_at, cancelled, due_date, due_minute, list_id, parent_id,
        priority, labels, position, created_at, updated_at, deleted_at, rev
    )
    select u.user_id, ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
           'Task ' || n, repeat('n', (n % 200)::int),
           case when pair % 50 > 0 then now() end, pair % 100 = 1,
           case when mixed % 1009 % 16 = 0 then date '2020-01-01' + (mixed % 2003)::int end,
           case when mixed % 1009 % 32 = 0 then n * 31 % 1440 end,
           case when mixed % 1019 % 10 = 0 then '00000000-0000-4000-8000-00000000000a'::uuid
                else '00000000-0000-0000-0000-000000000000' end,
           case when n % 7 = 0 then '01900000-0000-7000-8000-000000000001'::uuid end,
           greatest(mixed % 1013 % 48 - 44, 0), array['label ' || n % 5],
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
    insert into data.user_state (user_id, head_rev)
    select user_id, max(rev) from data.tasks group by user_id;
    vacuum analyze data.tasks; vacuum analyze data.user_state";

async fn filled() -> TestDatabase {
    let database = testing::database(&SCHEMA).await;
    let mut superuser = database.superuser.connect().await.expect("a connection");
    for statement in TASKS.split(';') {
        superuser.execute(AssertSqlSafe(statement)).await.expect("rows are stored");
    }
    database
}

/// Where pages begin in an order: at its start, in the middle of it, and behind
/// those that have its field.
async fn starts(database: &TestDatabase, order: &Order, condition: &str) -> Vec<String> {
    let mut superuser = database.superuser.connect().await.expect("a connection");
    let mut starts = vec!["null".to_owned()];
    for (unset, keys, has) in [
        (false, order.keys, order.has.to_owned()),
        (true, "created_at desc, id", format!("not ({})", order.has)),
    ] {
        let statement = format!(
            "with those as (
                 select t, row_number() over (order by {keys}) as n, count(*) over () as total
                 from data.tasks t
                 where user_id = '{USER}' and deleted_at is null and {condition} and {has}
             )
             select quote_literal(to_jsonb(t) || '{{\"unset\": {unset}}}') from those
             where n = total / 2 and total > 102"
        );
        starts.extend(
            sqlx::query_scalar::<_, String>(AssertSqlSafe(statement))
                .fetch_all(&mut superuser)
                .await
                .expect("the rows are there"),
        );
    }
    starts
}

struct Order {
    name: &'static str,
    keys: &'static str,
    has: &'static str,
    /// Which of the filters it has an index for.
    filters: &'static [usize],
}

/// P15: a page of a user with 100,000 tasks reads so many pages of the database
/// in every order, of all tasks, of those with a status and of a list, first or
/// deep down.
#[tokio::test]
async fn a_page_costs_the_same_at_any_depth() {
    let database = filled().await;
    let mut explained = Explained::open(&database).await;
    let leaf = |field: &str, value: &str| {
        format!("'{{\"field\": \"{field}\", \"op\": \"=\", \"value\": \"{value}\"}}'")
    };
    let filters = [
        ("null".to_owned(), "true".to_owned()),
        (leaf("status", "OPEN"), "completed_at is null".to_owned()),
        (leaf("status", "DONE"), "completed_at is not null and not cancelled".to_owned()),
        (leaf("list", LIST), format!("list_id = '{LIST}'")),
    ];
    let by_due = "due_date, coalesce(due_minute, -1), id";
    for order in [
        Order { name: "create_time", keys: "created_at, id", has: "true", filters: &[0, 1, 2, 3] },
        Order { name: "update_time", keys: "rev", has: "true", filters: &[0, 2, 3] },
        Order { name: "due", keys: by_due, has: "due_date is not null", filters: &[0, 1, 2] },
        Order { name: "priority", keys: "priority, id", has: "priority > 0", filters: &[0, 1, 2] },
        Order {
            name: "position",
            keys: "list_id, place, position, id",
            has: "true",
            filters: &[0, 1, 2, 3],
        },
    ] {
        for (filter, condition) in order.filters.iter().map(|&filter| &filters[filter]) {
            let starts = starts(&database, &order, condition).await;
            assert!(starts.len() >= 2, "there is a middle");
            for (descending, after) in
                starts.iter().flat_map(|after| [(false, after), (true, after)])
            {
                let call = format!(
                    "select id from api.list_tasks('{USER}', {filter}, '{}', {descending}, false,
                                                   {after}, 51)",
                    order.name,
                );
                let buffers = guarded(&call, &explained.plans(&call).await);
                assert!(buffers < BUFFERS, "{call} reads {buffers} pages");
            }
        }
    }
}

/// Lists and request ids for all of these users, so that no table is so small
/// that reading all of it is best.
const MORE: &str = "
    insert into data.lists (user_id, id, title, archived, position, created_at, updated_at, rev)
    select s.user_id, ('00000000-0000-4000-8000-' || lpad(to_hex(9 + n), 12, '0'))::uuid,
           'List', false, n, now(), now(), 200000 + n
    from data.user_state s, generate_series(1, 3) n;
    insert into data.requests (user_id, id, payload_hash, task_id, created_at)
    select s.user_id, gen_random_uuid(), '', s.user_id, now()
    from data.user_state s, generate_series(1, 3) n;
    update data.user_state set head_rev = 200010;
    vacuum analyze data.lists; vacuum analyze data.requests; vacuum analyze data.user_state";

/// Every function that the service calls for a user: no statement in it reads a
/// table as a whole, or rows of nobody in particular. Changes are undone in the
/// same call, since each is made several times.
#[tokio::test]
async fn no_call_reads_a_table_as_a_whole() {
    let database = filled().await;
    let mut superuser = database.superuser.connect().await.expect("a connection");
    for statement in MORE.split(';') {
        superuser.execute(AssertSqlSafe(statement)).await.expect("rows are stored");
    }
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select id from data.tasks
         where user_id = '{USER}' and deleted_at is null and completed_at is null
           and parent_id is null and id <> '01900000-0000-7000-8000-000000000001'
           and list_id = '00000000-0000-0000-0000-000000000000'
         order by id limit 3"
    )))
    .fetch_all(&mut superuser)
    .await
    .expect("some are open");
    let [one, two, three] = ids.try_into().expect("three of them");
    let mutate = |steps: &str| {
        format!(
            "select from api.mutate_tasks('{USER}', now(), gen_random_uuid(), '', array['{one}'::uuid],
             '[{steps}]', 1000000)"
        )
    };
    let step = |kind: &str, rest: &str| {
        format!(r#"{{"kind": "{kind}", "ops": [{{"op": 0, "id": "{one}" {rest}}}]}}"#)
    };
    let both = |first: String, second: String| mutate(&format!("{first}, {second}"));
    let recurs = r#", "set_due": true, "due_date": "2030-01-01", "set_rrule": true,
                     "rrule": "FREQ=DAILY", "rrule_after": false"#;
    let next = format!(
        r#", "force": true, "cancel": false, "next_date": "2030-01-02",
           "next_start": "2030-01-01", "next_number": 2, "known": {{"rule": "FREQ=DAILY",
           "after_completion": false, "start": "2030-01-01", "number": 1, "series": "{one}",
           "due": "2030-01-01", "zone": null}}"#
    );
    let calls = [
        format!("select from api.get_task('{USER}', '{one}')"),
        format!("select from api.get_usage('{USER}')"),
        format!("select from api.get_list('{USER}', '{LIST}')"),
        format!("select from api.list_lists('{USER}', null, 51)"),
        format!("select from api.changes('{USER}', 99000, null, 200, null)"),
        format!("select from api.changes('{USER}', 0, 0, 200, '{{}}')").replace("'{}'", "null"),
        format!(
            "select from api.create_task('{USER}', now(), gen_random_uuid(), '', gen_random_uuid(),
             'T', '', null, null, null, 0, '{{}}', 1000000)"
        ),
        mutate(&step("create", r#", "title": "T", "notes": "", "priority": 0, "labels": []"#))
            .replace(&format!(r#""id": "{one}""#), r#""id": "' || gen_random_uuid() || '""#)
            .replace("'[", "('[")
            .replace("]',", "]')::jsonb,"),
        mutate(&step("update", recurs)),
        both(step("complete", &next), step("reopen", "")),
        both(step("delete", ""), step("undelete", "")),
        both(
            step("move", &format!(r#", "top": false, "after": "{two}""#)),
            step("move", &format!(r#", "top": false, "before": "{three}""#)),
        ),
        both(
            step("move", &format!(r#", "top": false, "list": "{LIST}""#)),
            step("move", r#", "top": false, "list": "00000000-0000-0000-0000-000000000000""#),
        ),
        both(
            step("move", &format!(r#", "top": false, "parent": "{two}""#)),
            step("move", r#", "top": true"#),
        ),
    ];
    for call in calls {
        let mut explained = Explained::open(&database).await;
        guarded(&call, &explained.plans(&call).await);
    }
}
