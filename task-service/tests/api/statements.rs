//! What the service's functions do in a large database: no statement in any of
//! them reads a table as a whole, or rows of nobody in particular.

use sqlx::{AssertSqlSafe, ConnectOptions as _};
use uuid::Uuid;

use crate::{
    crowd::{self, INBOX, LIST, OLD_LIST, OTHER, USER},
    explain::Explained,
    rights::CALLABLE,
};

/// What a user's reading calls.
fn reading(task: Uuid) -> Vec<String> {
    vec![
        format!("select from api.get_task('{USER}', '{task}')"),
        format!("select from api.get_usage('{USER}')"),
        format!("select from api.is_erased('{USER}')"),
        format!("select from api.get_list('{USER}', '{LIST}')"),
        format!("select from api.list_lists('{USER}', null, 51)"),
        format!("select from api.list_tasks('{USER}', null, 'create_time', true, false, null, 51)"),
        // Terms by which few are found, and one for which all are read.
        format!(
            r#"select from api.list_tasks('{USER}', '{{"field": "parent_task", "op": "=",
               "value": "{task}"}}', 'create_time', true, true, null, 51)"#
        ),
        format!(
            r#"select from api.list_tasks('{USER}', '{{"and": [
               {{"field": "status", "op": "=", "value": "OPEN"}},
               {{"field": "due", "op": "<=", "value": "2020-01-07"}}]}}',
               'position', false, false, null, 51)"#
        ),
        format!(
            r#"select from api.list_tasks('{USER}', '{{"field": "text", "op": ":",
               "value": "nowhere"}}', 'due', false, false, null, 51)"#
        ),
        format!("select from api.changes('{USER}', 99000, null, 200, null)"),
        format!("select from api.changes('{USER}', 0, 0, 200, null)"),
        format!(
            r#"select from api.changes('{USER}', 0, 0, 200, '{{"field": "status", "op": "=",
               "value": "OPEN"}}')"#
        ),
        format!("select from api.export_tasks('{USER}')"),
        format!("select from api.export_tasks('{OTHER}')"),
    ]
}

/// What a user's changes of single tasks call. What one of them changes is
/// changed back in the same call, since each is made several times.
fn changing([one, two, three]: [Uuid; 3]) -> Vec<String> {
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
    vec![
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
            step("move", &format!(r#", "top": false, "list": "{INBOX}""#)),
        ),
        both(
            step("move", &format!(r#", "top": false, "parent": "{two}""#)),
            step("move", r#", "top": true"#),
        ),
    ]
}

/// What a user's changes of lists and files call. A list that is not empty is
/// deleted by another user, whose tasks are few among all.
fn writing() -> Vec<String> {
    let of = |arguments: &str| format!("('{USER}', now(), gen_random_uuid(), '', {arguments})");
    let other = "00000000-0000-4000-8000-00000000000b";
    let tasks = format!(
        r#"'[{{"n": 1, "id": "' || gen_random_uuid() || '", "title": "T", "notes": "",
             "cancelled": false, "list_id": "{LIST}", "priority": 0, "labels": [],
             "created_at": "2030-01-01T00:00:00Z"}}]'"#
    );
    let lists =
        r#"'[{"n": 1, "id": "' || gen_random_uuid() || '", "title": "L", "archived": false}]'"#;
    let delete = |force: bool| {
        let list = of(&format!("'{OLD_LIST}', null, {force}")).replace(USER, OTHER);
        format!("select from api.delete_list{list}")
    };
    let import = |dry: bool| {
        let files = format!("'{LIST}', ({lists})::jsonb, ({tasks})::jsonb, 1000000, 1000, {dry}");
        format!("select from api.import_tasks{}", of(&files))
    };
    vec![
        format!("select from api.create_list{}", of("gen_random_uuid(), 'L', false, 1000")),
        format!(
            "select from api.update_list{}",
            of(&format!("'{LIST}', null, 'New', false, '{other}', null"))
        ),
        format!(
            "select from api.update_list{}",
            of(&format!("'{LIST}', null, null, null, null, '{other}'"))
        ),
        import(true),
        import(false),
        delete(false),
        delete(true),
    ]
}

/// What looks across users, by design: both walk the counters, which are all that
/// can be seen so, by their key, from one user on or of the users that are given.
/// All that sweep does with tasks, lists and request ids it does as one user after
/// the other, so that is guarded like everything else; only that a walk over
/// everybody has an end cannot be said of it.
fn across_users() -> Vec<String> {
    vec![
        format!("select from api.heads(array['{USER}', '{OTHER}']::uuid[])"),
        "select from api.sweep(now(), null, 500, 2000)".to_owned(),
        "select from api.sweep(now() + interval '31 days', null, 500, 2000)".to_owned(),
        format!("select from api.sweep(now() + interval '31 days', '{USER}', 500, 2000)"),
    ]
}

/// Every function that the service may call.
#[tokio::test]
async fn no_call_reads_a_table_as_a_whole() {
    let database = crowd::with_everything().await;
    let mut superuser = database.superuser.connect().await.expect("a connection");
    let ids: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select id from data.tasks
         where user_id = '{USER}' and state = 0 and parent_id is null and list_id = '{INBOX}'
         order by id limit 3"
    )))
    .fetch_all(&mut superuser)
    .await
    .expect("some are open");
    let ids: [Uuid; 3] = ids.try_into().expect("three of them");
    let changing = changing(ids);
    let mut calls = reading(ids[0]);
    calls.extend(writing().into_iter().chain(across_users()).chain(changing));
    // Last: nothing can be done with the user afterwards.
    calls.push(format!("select from api.erase_user('{USER}', now(), 1000)"));
    for function in CALLABLE {
        let called = calls.iter().any(|call| call.contains(&format!("{function}(")));
        assert!(called, "{function} is guarded");
    }
    for call in calls {
        let mut explained = Explained::open(&database).await;
        let mut most = 0;
        // The first plans are made for this very user, the settled ones for anybody.
        for _ in 0..7 {
            most = explained.call(&call).await.guarded().max(most);
        }
        eprintln!("{most:>8}  {}", call.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}
