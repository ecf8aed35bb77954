//! Filters: which tasks they find, and what is said of those that cannot be
//! read.

use std::time::Duration;

use chrono::{TimeDelta, TimeZone as _};
use proto::task::v1::ListTasksRequest;
use shared::{name, rng};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use crate::{
    app::{TestApp, User, refused},
    rows::{Row, day, insert, noon},
};

/// The titles of what a filter finds, sorted, the bin included.
pub(crate) async fn found(user: &User, filter: &str) -> Result<Vec<String>, Status> {
    let filter = filter.to_owned();
    let request =
        ListTasksRequest { filter, page_size: 500, show_deleted: true, ..Default::default() };
    let page = user.list(request).await?;
    let mut titles: Vec<String> = page.tasks.into_iter().map(|task| task.title).collect();
    titles.sort();
    Ok(titles)
}

/// Six tasks, called A to F: one with nothing set, and others with everything.
fn some(list: Uuid) -> Vec<Row> {
    let bare = Row::new("A", 1);
    let urgent = Row {
        notes: "Two LITRES of Milk".to_owned(),
        due_date: Some(day(0)),
        due_minute: Some(600),
        priority: 3,
        labels: vec!["home".to_owned(), "it's \"odd\" \\ ünï".to_owned()],
        ..Row::new("B buy milk", 2)
    };
    let step = Row {
        list_id: list,
        parent_id: Some(urgent.id),
        due_date: Some(day(-3)),
        priority: 1,
        labels: vec!["home work".to_owned()],
        ..Row::new("C 100% 'quoted' _x_", 3)
    };
    let done = Row {
        completed_at: Some(noon() + TimeDelta::days(2)),
        due_date: Some(day(7)),
        rrule: Some("FREQ=DAILY"),
        priority: 2,
        ..Row::new("D Ärger", 4)
    };
    let cancelled = Row {
        completed_at: Some(noon() - TimeDelta::days(400)),
        cancelled: true,
        list_id: list,
        ..Row::new("E", 5)
    };
    let binned =
        Row { deleted_at: Some(noon()), labels: vec!["HOME".to_owned()], ..Row::new("F", 6) };
    vec![bare, urgent, step, done, cancelled, binned]
}

/// AIP-160, as docs/filter.md tells it. A field that is not set never matches,
/// turned round or not.
#[tokio::test]
async fn a_filter_finds_what_it_says() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let list = rng::uuid_v4();
    let rows = some(list);
    insert(&app.database, ada.id, &rows).await;
    insert(&app.database, ben.id, &some(list)).await;
    let parent = rows[1].id;
    let parent_name = name::of_member(ada.id, "tasks", parent);
    for (filter, expected) in [
        ("", "ABCDEF"),
        (" \t", "ABCDEF"),
        ("status = OPEN", "ABCF"),
        ("status != OPEN", "DE"),
        ("status = DONE", "D"),
        ("status != DONE", "ABCEF"),
        ("status:CANCELLED", "E"),
        ("NOT status = CANCELLED", "ABCDF"),
        ("status:*", "ABCDEF"),
        // Priorities are ordered; none is no priority.
        ("priority = HIGH", "B"),
        ("priority != HIGH", "CD"),
        ("-priority = HIGH", "CD"),
        ("priority >= MEDIUM", "BD"),
        ("priority < MEDIUM", "C"),
        ("NOT priority < MEDIUM", "BD"),
        ("priority:*", "BCD"),
        ("-priority:*", "AEF"),
        ("priority = LOW OR -priority:*", "ACEF"),
        // Days.
        ("due = today()", "B"),
        ("due != today()", "CD"),
        ("NOT due = today()", "CD"),
        ("due <= today()", "BC"),
        ("NOT due <= today()", "D"),
        ("due > days(-4) AND due < days(1)", "BC"),
        ("due = days(7)", "D"),
        ("due:2026-01-20", "B"),
        ("due >= \"2026-01-27\"", "D"),
        ("due:*", "BCD"),
        ("NOT due:*", "AEF"),
        ("-(due < today() OR due > today())", "B"),
        ("-(due < today() AND status = OPEN)", "BDE"),
        ("due < 0001-01-01 OR due > 9999-12-31", ""),
        // Labels are whole, and a set is never missing.
        ("labels:home", "B"),
        ("-labels:home", "ACDEF"),
        ("labels:HOME", "F"),
        ("labels:\"home work\"", "C"),
        (r#"labels:"it's \"odd\" \\ ünï""#, "B"),
        ("labels:*", "BCF"),
        ("-labels:*", "ADE"),
        ("labels:home labels:work", ""),
        // Lists and parents.
        ("list = inbox", "ABDF"),
        ("list != inbox", "CE"),
        ("list:users/me/lists/inbox", "ABDF"),
        (&format!("list = {list}"), "CE"),
        (&format!("list = users/me/lists/{list}"), "CE"),
        (&format!("list = {}", rng::uuid_v4()), ""),
        ("list:*", "ABCDEF"),
        (&format!("parent_task = {parent}"), "C"),
        (&format!("parent_task = '{parent_name}'"), "C"),
        (&format!("parent_task != {parent}"), ""),
        (&format!("NOT parent_task = {parent}"), ""),
        (&format!("parent_task != {}", rng::uuid_v4()), "C"),
        ("parent_task:*", "C"),
        ("-parent_task:*", "ABDEF"),
        // Times.
        ("create_time > 2026-01-20T12:03:00Z", "DEF"),
        ("create_time = 2026-01-20T13:03:00+01:00", "C"),
        ("create_time != 2026-01-20T12:03:00Z", "ABDEF"),
        ("update_time <= 2026-01-20T12:02:00.000000Z", "AB"),
        ("create_time > today()", "ABCDEF"),
        ("create_time >= days(1)", ""),
        ("complete_time > today()", "D"),
        ("NOT complete_time > today()", "E"),
        ("complete_time < days(-365)", "E"),
        ("complete_time:*", "DE"),
        ("delete_time:*", "F"),
        ("-delete_time:*", "ABCDE"),
        ("delete_time = 2026-01-20T12:00:00Z", "F"),
        ("delete_time < 2026-01-20", ""),
        // Texts.
        ("title:MILK", "B"),
        ("-title:milk", "ACDEF"),
        ("title = E", "E"),
        ("title = e", ""),
        ("title != E", "ABCDF"),
        ("title:ärger", "D"),
        ("notes:milk", "B"),
        ("-notes:milk", "ACDEF"),
        ("notes = ''", "ACDEF"),
        ("notes:*", "B"),
        ("milk", "B"),
        ("litres", "B"),
        ("\"litres of\"", "B"),
        ("litres milk", "B"),
        ("milk OR quoted", "BC"),
        ("-milk", "ACDEF"),
        ("100%", "C"),
        ("_x_", "C"),
        ("__x", ""),
        ("%", "C"),
        ("\"'quoted'\"", "C"),
        ("recurrence:*", "D"),
        ("-recurrence:*", "ABCEF"),
        // OR binds tighter than AND, written or not.
        ("status = OPEN AND priority = HIGH OR priority = LOW", "BC"),
        ("status = DONE OR status = OPEN AND priority = MEDIUM", "D"),
        ("status = DONE OR (status = OPEN AND priority = LOW)", "CD"),
        ("-status = OPEN OR title = A", "ADE"),
    ] {
        let titles =
            found(&ada, filter).await.unwrap_or_else(|status| panic!("{filter}: {status:?}"));
        let letters: String = titles.iter().map(|title| &title[..1]).collect();
        assert_eq!(letters, expected, "{filter}");
    }
}

/// What is sent as a filter stays a text to look for: nothing of it is read as
/// SQL, and nothing is broken by it.
#[tokio::test]
async fn nothing_in_a_filter_is_read_as_sql() {
    let app = TestApp::start().await;
    let ada = app.user();
    let texts = [
        "'; drop table data.tasks; --",
        "') or true --",
        "' or ''='",
        "\\'; select 1; --",
        "\\\\' or true --",
        "$1 $$ $q$",
        "%_\\%",
        "/* */ --",
        "E'\\x41'",
        "line\nbreak",
        "\u{202e}\u{feff}𝒳",
        "\u{1}\u{7f}",
        "\"and\": [",
    ];
    let rows: Vec<Row> = (1..)
        .zip(texts)
        .map(|(rev, text)| Row { notes: text.to_owned(), ..Row::new(text, rev) })
        .collect();
    insert(&app.database, ada.id, &rows).await;
    for text in texts {
        let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        for filter in [
            quoted.clone(),
            format!("title:{quoted}"),
            format!("title = {quoted}"),
            format!("notes = {quoted} -labels:{quoted}"),
        ] {
            assert_eq!(found(&ada, &filter).await.unwrap(), [text], "{filter}");
        }
        assert_eq!(found(&ada, &format!("labels:{quoted}")).await.unwrap(), [""; 0], "{text}");
    }
    for bad in [
        "status = \"OPEN' or true --\"",
        "due > \"2026-01-01'::date or true\"",
        "list = \"' or true\"",
    ] {
        refused(found(&ada, bad).await, Code::InvalidArgument, "FILTER_INVALID");
    }
}

/// A filter that cannot be read is refused with the place of the fault, and
/// together with whatever else is wrong.
#[tokio::test]
async fn a_filter_that_cannot_be_read_is_refused_with_its_place() {
    let app = TestApp::start().await;
    let ada = app.user();
    let terms = |count: usize| vec!["due:*"; count].join(" ");
    let deep = |depth: usize| format!("{}due:*{}", "(".repeat(depth), ")".repeat(depth));
    let long = |bytes: usize| format!("\"{}\"", "é".repeat((bytes - 2) / 2));
    for good in [terms(32), deep(8), long(1024)] {
        assert_eq!(found(&ada, &good).await.unwrap(), [""; 0]);
    }
    for (bad, place, expected) in [
        ("due>hello", 5, "expected a date"),
        ("colour = red", 1, "there is no field `colour`"),
        ("due < yesterday()", 7, "the functions are today() and days(n)"),
        ("status = 1", 10, "expected OPEN, DONE or CANCELLED"),
        ("title:\"é\" due = \"\0\"", 18, "no text has a NUL"),
        (&terms(33), 193, "a filter has at most 32 terms"),
        (&deep(9), 9, "parentheses stand at most 8 deep"),
        (&format!(" {}", long(1024)), 514, "a filter has at most 1024 bytes"),
        (&"(".repeat(1024), 9, "parentheses stand at most 8 deep"),
    ] {
        let status = refused(found(&ada, bad).await, Code::InvalidArgument, "FILTER_INVALID");
        let text = format!("The filter cannot be read at character {place}: {expected}");
        assert!(status.message().starts_with(&text), "{bad}: {status:?}");
        let details = status.get_error_details();
        let violations = &details.bad_request().unwrap().field_violations;
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].field, "filter");
    }

    let request = ListTasksRequest {
        page_size: -1,
        filter: "due>hello".to_owned(),
        order_by: "colour".to_owned(),
        time_zone: "Mars/Base".to_owned(),
        ..Default::default()
    };
    let status = refused(ada.list(request).await, Code::InvalidArgument, "FIELD_INVALID");
    let details = status.get_error_details();
    let violations = &details.bad_request().unwrap().field_violations;
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["page_size", "filter", "order_by", "time_zone"]);
}

/// A list or a task of somebody else is not named in a filter either.
#[tokio::test]
async fn a_name_under_another_user_in_a_filter_is_refused() {
    let app = TestApp::start().await;
    let (ada, ben) = (app.user(), app.user());
    let bens = ben.create("Ben's").await;
    for filter in [
        format!("list = {}/lists/inbox", ben.name()),
        format!("due:* OR -(title:x list:'{}/lists/{}')", ben.name(), rng::uuid_v4()),
        format!("parent_task != {}", bens.name),
    ] {
        refused(found(&ada, &filter).await, Code::PermissionDenied, "NOT_YOURS");
        found(&ben, &filter).await.unwrap();
    }
}

/// `today()` is the day of the caller's zone, and a date in it begins at its
/// midnight.
#[tokio::test]
async fn days_are_those_of_the_callers_zone() {
    let app = TestApp::start().await;
    let ada = app.user();
    let rows = [-1, 0, 1].map(|days| Row {
        due_date: Some(day(days)),
        created_at: chrono::Utc.from_utc_datetime(&day(days).and_hms_opt(3, 0, 0).unwrap()),
        ..Row::new(&days.to_string(), days + 2)
    });
    insert(&app.database, ada.id, &rows).await;
    let titles = async |zone: &str, filter: &str| {
        let ada = app.with_token(ada.id, &app.token(ada.id));
        let (filter, time_zone) = (filter.to_owned(), zone.to_owned());
        let order_by = "due".to_owned();
        let request = ListTasksRequest { filter, time_zone, order_by, ..Default::default() };
        let tasks = ada.list(request).await.unwrap().tasks;
        tasks.into_iter().map(|task| task.title).collect::<Vec<_>>().join(" ")
    };
    for (zone, today, since) in [
        ("", "0", "0 1"),
        ("UTC", "0", "0 1"),
        ("Pacific/Kiritimati", "1", "1"),
        ("America/New_York", "0", "1"),
        ("Pacific/Pago_Pago", "0", "1"),
    ] {
        assert_eq!(titles(zone, "due = today()").await, today, "{zone}");
        let midnight = if zone == "Pacific/Kiritimati" { "2026-01-21" } else { "2026-01-20" };
        assert_eq!(titles(zone, &format!("create_time >= {midnight}")).await, since, "{zone}");
        assert_eq!(titles(zone, "create_time >= today()").await, since, "{zone}");
    }
    app.clock.advance(Duration::from_secs(12 * 60 * 60));
    assert_eq!(titles("", "due = today()").await, "1");
    assert_eq!(titles("America/New_York", "due = today()").await, "0");
}
