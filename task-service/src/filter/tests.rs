//! What filters can be written, and where the fault is in those that cannot.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::Filter;

const ID: &str = "0190c7e2-5b1a-7c3e-8a55-0d8c6f3f2a11";
const INBOX: &str = "00000000-0000-0000-0000-000000000000";

fn tree(filter: &str) -> Value {
    tree_in(filter, Tz::UTC)
}

fn tree_in(filter: &str, zone: Tz) -> Value {
    let today = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
    Filter::parse(filter).unwrap_or_else(|fault| panic!("{filter}: {fault}")).json(today, zone)
}

fn leaf(field: &str, op: &str, value: impl Into<Value>) -> Value {
    json!({ "field": field, "op": op, "value": value.into() })
}

fn text(text: &str) -> Value {
    leaf("text", ":", text)
}

#[test]
fn comparisons() {
    let nothing = || Value::Null;
    for (filter, expected) in [
        ("status = OPEN", leaf("status", "=", "OPEN")),
        ("status!=DONE", leaf("status", "!=", "DONE")),
        ("status:'CANCELLED'", leaf("status", "=", "CANCELLED")),
        ("priority>=MEDIUM", leaf("priority", ">=", 2)),
        ("due <= 2026-11-30", leaf("due", "<=", "2026-11-30")),
        ("due = \"2026-11-30\"", leaf("due", "=", "2026-11-30")),
        ("due<today()", leaf("due", "<", "2026-11-21")),
        ("due:today( )", leaf("due", "=", "2026-11-21")),
        ("due > days(-21)", leaf("due", ">", "2026-10-31")),
        ("due<=days( 36525 )", leaf("due", "<=", "2126-11-22")),
        ("due = 0001-01-01", leaf("due", "=", "0001-01-01")),
        ("due:*", leaf("due", ":*", nothing())),
        ("recurrence : *", leaf("recurrence", ":*", nothing())),
        ("labels:home", leaf("labels", ":", "home")),
        ("labels:\"*\"", leaf("labels", ":", "*")),
        (r#"labels:"say \"hi\" \\ don\'t""#, leaf("labels", ":", r#"say "hi" \ don't"#)),
        ("labels:don't", leaf("labels", ":", "don't")),
        ("labels:-x", leaf("labels", ":", "-x")),
        ("list = inbox", leaf("list", "=", INBOX)),
        ("list != users/me/lists/inbox", leaf("list", "!=", INBOX)),
        (&format!("list:{ID}"), leaf("list", "=", ID)),
        (&format!("list = users/{ID}/lists/{ID}"), leaf("list", "=", ID)),
        (&format!("parent_task = 'users/me/tasks/{ID}'"), leaf("parent_task", "=", ID)),
        ("parent_task:*", leaf("parent_task", ":*", nothing())),
        ("title:milk", leaf("title", ":", "milk")),
        ("title = ''", leaf("title", "=", "")),
        ("notes != \"a b\"", leaf("notes", "!=", "a b")),
        ("milk", text("milk")),
        ("\"'; drop table data.tasks; --\"", text("'; drop table data.tasks; --")),
        ("10:30", text("10:30")),
        ("buy!", text("buy!")),
        ("due", text("due")),
    ] {
        assert_eq!(tree(filter), expected, "{filter}");
    }
}

#[test]
fn moments() {
    for (filter, zone, expected) in [
        ("2026-11-21T09:00:00Z", Tz::UTC, "2026-11-21T09:00:00.000000Z"),
        ("\"2026-11-21T09:00:00.5+05:30\"", Tz::UTC, "2026-11-21T03:30:00.500000Z"),
        ("2026-11-21", Tz::UTC, "2026-11-21T00:00:00.000000Z"),
        ("2026-11-21", Tz::Asia__Tokyo, "2026-11-20T15:00:00.000000Z"),
        ("days(1)", Tz::America__New_York, "2026-11-22T05:00:00.000000Z"),
        // Midnight is skipped, the day is skipped, midnight comes twice.
        ("2026-04-24", Tz::Africa__Cairo, "2026-04-23T22:00:00.000000Z"),
        ("2011-12-30", Tz::Pacific__Apia, "2011-12-30T10:00:00.000000Z"),
        ("2026-11-01", Tz::America__Havana, "2026-11-01T04:00:00.000000Z"),
        // Years that Postgres would not read.
        ("0001-01-01T00:00:00+01:00", Tz::UTC, "0001-01-01T00:00:00.000000Z"),
        ("0001-01-01", Tz::Asia__Tokyo, "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59-01:00", Tz::UTC, "9999-12-31T23:59:59.999999Z"),
    ] {
        for field in ["create_time", "update_time", "complete_time", "delete_time"] {
            let filter = format!("{field} >= {filter}");
            assert_eq!(tree_in(&filter, zone), leaf(field, ">=", expected), "{filter} {zone}");
        }
    }
}

/// AIP-160: OR binds tighter than AND, written or not.
#[test]
fn what_belongs_together() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(text);
    for (filter, expected) in [
        ("a AND b OR c AND d", json!({ "and": [a, { "or": [b, c] }, d] })),
        ("a b OR c d", json!({ "and": [a, { "or": [b, c] }, d] })),
        ("(a AND b) OR (c d)", json!({ "or": [{ "and": [a, b] }, { "and": [c, d] }] })),
        ("NOT a OR -b", json!({ "or": [{ "not": a }, { "not": b }] })),
        ("-(a b)", json!({ "not": { "and": [a, b] } })),
        ("NOT(a)", json!({ "not": a })),
        ("-\"a\" AND(b)", json!({ "and": [{ "not": a }, b] })),
        ("\t((a))\n", a.clone()),
        ("\"AND\" a", json!({ "and": [text("AND"), a] })),
    ] {
        assert_eq!(tree(filter), expected, "{filter}");
    }
    for nothing in ["", "  \t\n"] {
        assert_eq!(tree(nothing), Value::Null);
        assert!(Filter::parse(nothing).unwrap().is_empty());
    }
}

#[test]
fn a_fault_says_where_and_what_is_expected() {
    for (filter, position, expected) in [
        ("due>hello", 5, "a date"),
        ("due > 2026-02-30", 7, "a date"),
        ("due > 2026-2-3", 7, "a date"),
        ("due > 0000-01-01", 7, "a date"),
        ("due > +2026-01-1", 7, "a date"),
        ("due > 2026-11-21T00:00:00Z", 7, "a date"),
        ("due > -3", 7, "a date"),
        ("due = *", 5, "star"),
        ("créé due>x", 10, "a date"),
        ("due > tomorrow()", 7, "today() and days(n)"),
        ("due > days()", 12, "a number of days"),
        ("due > days(1.5)", 12, "a number of days"),
        ("due > days(\"1\")", 12, "a number of days"),
        ("due > days(36526)", 12, "a number of days"),
        ("due > days(99999999999999999999)", 12, "a number of days"),
        ("due > days(today())", 12, "a number of days"),
        ("due > today(1)", 13, "closing parenthesis"),
        ("due > days(1, 2)", 13, "closing parenthesis"),
        ("today() < due", 1, "after a field"),
        ("a(b)", 1, "after a field"),
        ("due >", 6, "a value"),
        ("due > (a OR b)", 7, "a value"),
        ("due > - 3", 7, "a value"),
        ("due == today()", 6, "a value"),
        ("status = open", 10, "OPEN, DONE or CANCELLED"),
        ("status > OPEN", 8, "=, !="),
        ("status = today()", 10, "OPEN"),
        ("priority = NONE", 12, "LOW, MEDIUM or HIGH"),
        ("priority = 3", 12, "LOW, MEDIUM or HIGH"),
        ("labels = home", 8, "colon"),
        ("labels:''", 8, "something"),
        ("labels:today()", 8, "a label"),
        ("list = home", 8, "a list"),
        ("list = /lists/inbox", 8, "a list"),
        ("list = users/you/lists/inbox", 8, "a list"),
        ("list > inbox", 6, "=, !="),
        ("parent_task = inbox", 15, "a task"),
        ("parent_task = users/me/lists/inbox", 15, "a task"),
        ("create_time > now", 15, "a time"),
        ("create_time > 2026-11-21T25:00:00Z", 15, "a time"),
        ("create_time > 2026-11-21T09:00:00", 15, "a time"),
        ("create_time > 2026-11-21T09:00:00.1234567Z", 15, "six digits"),
        ("title > a", 7, "=, !="),
        ("title:''", 7, "something"),
        ("title = today()", 9, "a text"),
        ("recurrence = x", 14, "recurrence:*"),
        ("colour = red", 1, "no field `colour`"),
        ("Status = OPEN", 1, "no field `Status`"),
        ("task.title = x", 1, "no field `task.title`"),
        ("\"title\" = x", 1, "without quotes"),
        ("\"\"", 1, "something"),
        ("a \"b", 3, "never closed"),
        ("a \"b\\n\"", 6, "backslash"),
        ("\"\\", 3, "backslash"),
        ("a\"b\"", 2, "a blank"),
        ("\"a\"b", 4, "a blank"),
        ("(a)(b)", 4, "a blank"),
        ("a,b", 2, "a blank"),
        ("a=b=c", 1, "no field"),
        ("title=b=c", 8, "a blank"),
        ("(a", 3, "character 1 is never closed"),
        ("a)", 2, "no parenthesis"),
        ("()", 2, "a comparison"),
        ("AND a", 1, "a comparison"),
        ("a AND", 6, "a comparison"),
        ("a OR", 5, "a comparison"),
        ("a AND OR b", 7, "a comparison"),
        ("NOT", 4, "a comparison"),
        ("NOT NOT a", 5, "a comparison"),
        ("--a", 2, "a comparison"),
        ("- a", 3, "right before"),
        ("= OPEN", 1, "a comparison"),
        ("a , b", 3, "a comparison"),
        ("a and b", 3, "AND in capitals"),
        ("not a", 1, "NOT in capitals"),
        ("a\0b", 2, "NUL"),
        ("title:\"\0\"", 8, "NUL"),
    ] {
        let fault = Filter::parse(filter).expect_err(filter);
        assert_eq!(fault.position, position, "{filter}: {fault}");
        assert!(fault.message.contains(expected), "{filter}: {fault}");
        assert!(fault.to_string().contains(&format!("character {position}: ")), "{fault}");
    }
}

#[test]
fn limits() {
    let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    Filter::parse(&long(1024)).unwrap();
    assert_eq!(Filter::parse(&long(1025)).unwrap_err().position, 1025);
    assert_eq!(Filter::parse(&"é".repeat(513)).unwrap_err().position, 513);

    let terms = |count: usize| vec!["x:y"; count].join(" ").replace('x', "title");
    Filter::parse(&terms(32)).unwrap();
    assert_eq!(Filter::parse(&terms(33)).unwrap_err().position, 1 + 32 * "title:y ".len());

    let deep = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    Filter::parse(&deep(8)).unwrap();
    assert_eq!(Filter::parse(&deep(9)).unwrap_err().position, 9);
    assert!(Filter::parse(&"(".repeat(1024)).is_err());
    assert!(Filter::parse(&format!("due>{}", "days(".repeat(204))).is_err());
    Filter::parse(&vec![deep(8); 32].join(" ")).unwrap();
}
