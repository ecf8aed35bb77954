//! What a page costs a user with 100,000 tasks: the same in every order, of all
//! tasks, of those with a status, of a list and of the bin, first or deep down.

use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};

use crate::{
    crowd::{self, INBOX, LIST, OLD_LIST, USER},
    explain::Explained,
};

const BUFFERS: u64 = 60;
/// A page of 50, and one more to know whether there is more.
const ROWS: i64 = 51;

struct Order {
    name: &'static str,
    keys: &'static str,
    /// What those have that are not listed after all others.
    has: &'static str,
}

const ORDERS: [Order; 5] = [
    Order { name: "create_time", keys: "created_at, id", has: "true" },
    Order { name: "update_time", keys: "rev", has: "true" },
    Order {
        name: "due",
        keys: "due_date, coalesce(due_minute, -1), case when due_date is not null then id end",
        has: "due_date is not null",
    },
    Order {
        name: "priority",
        keys: "priority, case when priority > 0 then id end",
        has: "priority > 0",
    },
    Order { name: "position", keys: "list_id, place, position, id", has: "true" },
];

/// Which tasks: as a filter, and as a condition.
struct Filter {
    name: String,
    json: String,
    condition: String,
    in_bin: bool,
}

fn leaf(field: &str, op: &str, value: &str) -> String {
    format!(r#"{{"field": "{field}", "op": "{op}", "value": {value}}}"#)
}

/// Every status in every list and in all of them, and the bin: alone, as the page
/// and `duet bin` ask for it, of a list, and together with all that is not in it.
fn filters() -> Vec<Filter> {
    let statuses = [
        ("all", None, "true"),
        ("OPEN", Some(("=", "OPEN")), "completed_at is null"),
        ("DONE", Some(("=", "DONE")), "completed_at is not null and not cancelled"),
        ("not OPEN", Some(("!=", "OPEN")), "completed_at is not null"),
    ];
    let lists =
        [("", None), ("inbox", Some(INBOX)), ("list", Some(LIST)), ("old list", Some(OLD_LIST))];
    let mut filters = vec![Filter {
        name: "with the bin".to_owned(),
        json: "null".to_owned(),
        condition: "true".to_owned(),
        in_bin: true,
    }];
    for (list, list_id) in lists {
        let of_list = list_id.map(|id| leaf("list", "=", &format!(r#""{id}""#)));
        let in_list = list_id.map_or("true".to_owned(), |id| format!("list_id = '{id}'"));
        let mut add = |name: &str, terms: [Option<String>; 2], condition: &str, in_bin| {
            let terms: Vec<String> = terms.into_iter().flatten().collect();
            let json = match &terms[..] {
                [] => "null".to_owned(),
                [term] => format!("'{term}'"),
                terms => format!(r#"'{{"and": [{}]}}'"#, terms.join(", ")),
            };
            let name = format!("{name} {list}").trim_end().to_owned();
            let condition = format!("{in_list} and {condition}");
            filters.push(Filter { name, json, condition, in_bin });
        };
        for (status, term, condition) in statuses {
            let term = term.map(|(op, status)| leaf("status", op, &format!(r#""{status}""#)));
            let condition = format!("deleted_at is null and {condition}");
            add(status, [term, of_list.clone()], &condition, false);
        }
        let binned = leaf("delete_time", ":*", "null");
        add("the bin", [Some(binned), of_list.clone()], "deleted_at is not null", true);
    }
    filters
}

/// Where a page begins.
struct Start {
    name: &'static str,
    /// The task that it begins after.
    after: String,
    descending: Option<bool>,
    /// How many rows are left, if there are as many.
    left: i64,
}

/// Where pages begin: at the start of the order, in the middle and at the end of
/// those that have its field, in the middle and at the end of the others.
async fn starts(superuser: &mut PgConnection, order: &Order, filter: &Filter) -> Vec<Start> {
    let statement = format!(
        "with ranked as (
             select id, {has} as has, count(*) over () as total, count(*) filter (where {has}) over () as set,
                    row_number() over (order by {has} desc, {keys}, created_at desc, id desc) as n
             from data.tasks
             where user_id = '{USER}' and {condition}
         )
         select r.n, r.set, r.total,
                quote_literal(to_jsonb(t) || case when r.has then '{{}}'::jsonb else '{{\"unset\": true}}' end)
         from ranked r join data.tasks t on t.user_id = '{USER}' and t.id = r.id
         where r.n in (r.set / 2, 21, r.set - 20, (r.set + r.total) / 2, r.total - 60)
         order by r.n",
        has = order.has,
        keys = order.keys,
        condition = filter.condition,
    );
    let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(AssertSqlSafe(statement))
        .fetch_all(superuser)
        .await
        .expect("the rows are there");
    let total = rows.first().map_or(0, |row| row.2);
    let mut starts =
        vec![Start { name: "first", after: "null".to_owned(), descending: None, left: total }];
    for (n, set, total, after) in rows {
        let mut add = |name, descending, left| {
            starts.push(Start { name, after: after.clone(), descending, left });
        };
        if n == set / 2 {
            add("middle", Some(false), total - n);
            add("middle", Some(true), n - 1 + total - set);
        }
        if n == set - 20 {
            add("last", Some(false), total - n);
        }
        if n == 21 && n <= set {
            add("last", Some(true), n - 1 + total - set);
        }
        if n > set {
            let name = if n == total - 60 { "last unset" } else { "unset" };
            add(name, None, total - n);
        }
    }
    starts
}

/// P15: a page of a user with 100,000 tasks reads so many pages of the database,
/// wherever it begins. The table says how many.
#[tokio::test]
async fn a_page_costs_the_same_at_any_depth() {
    let database = crowd::with_tasks().await;
    let mut superuser = database.superuser.connect().await.expect("a connection");
    let mut explained = Explained::open(&database).await;
    let kinds = ["first", "middle", "last", "unset", "last unset"];
    let mut dear = Vec::new();
    eprintln!("{:12} {:22} {}", "order", "tasks", kinds.map(|kind| format!("{kind:>10}")).join(""));
    for order in &ORDERS {
        for filter in filters() {
            let mut most = kinds.map(|_| None);
            for start in starts(&mut superuser, order, &filter).await {
                for descending in [false, true] {
                    if start.descending.is_some_and(|only| only != descending) {
                        continue;
                    }
                    let text = format!(
                        "select id from api.list_tasks('{USER}', {}, '{}', {descending}, {}, {}, {ROWS})
                         where id is not null",
                        filter.json, order.name, filter.in_bin, start.after,
                    );
                    let call = match order.name {
                        // Planned once, when it was made often.
                        "create_time" => explained.settled(&text).await,
                        _ => explained.call(&text).await,
                    };
                    let rows = i64::try_from(call.rows).expect("a page is small");
                    assert_eq!(rows, start.left.min(ROWS), "{text}");
                    let buffers = call.guarded();
                    if buffers >= BUFFERS {
                        dear.push(format!("{buffers} {} {text}", start.name));
                    }
                    for (most, kind) in most.iter_mut().zip(kinds) {
                        if kind == start.name {
                            *most = (*most).max(Some(buffers));
                        }
                    }
                }
            }
            let shown = most.map(|most: Option<u64>| {
                format!("{:>10}", most.map_or_else(String::new, |most| most.to_string()))
            });
            eprintln!("{:12} {:22} {}", order.name, filter.name, shown.join(""));
        }
    }
    assert_eq!(dear, [""; 0], "these read {BUFFERS} pages or more");
}
