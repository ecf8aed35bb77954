//! What goes out comes in again as it was, as far as the format can say it.

use proto::task::v1::TransferFormat::{Csv, Icalendar, Json};

use super::{export, import, places};
use crate::app::TestApp;

/// Everything that our own format can say, in its canonical form.
const EVERYTHING: &str = r#"{"format":"duet-tasks","version":1,
"lists":[
{"id":1,"title":"Work"},
{"id":2,"title":"Work","archived":true},
{"id":3,"title":"Empty, \"and\" quoted"}
],
"tasks":[
{"id":1,"parent":3,"title":"Before its parent","status":"open","create_time":"2024-05-01T10:00:00.123456Z"},
{"id":2,"title":"Everything","notes":" one\r\n\ttwo\n=three","status":"open","due":{"date":"2026-03-29","time":"02:30","zone":"Europe/Paris"},"priority":"high","labels":["a;b","c\\","d,e"],"recurrence":{"rrule":"FREQ=WEEKLY;COUNT=9;BYDAY=MO,TH","anchor":"completion","start":"2026-03-02","number":3,"series":1},"create_time":"2024-05-01T10:00:00Z"},
{"id":3,"title":"=SUM(A1)","status":"done","complete_time":"2024-06-01T00:00:00Z","due":{"date":"2026-03-26"},"recurrence":{"rrule":"FREQ=WEEKLY;COUNT=9;BYDAY=MO,TH","anchor":"completion","start":"2026-03-02","number":2,"series":1},"create_time":"2024-05-01T10:00:00Z"},
{"id":4,"list":1,"title":"𝄞 é","status":"cancelled","complete_time":"2024-06-01T00:00:00.500Z","priority":"low","create_time":"2024-05-01T10:00:00Z"},
{"id":5,"list":1,"title":"Floating","status":"open","due":{"date":"0001-01-01","time":"00:00"},"priority":"medium","create_time":"1969-12-31T23:59:59Z"},
{"id":6,"list":2,"title":"In an archived list","status":"open","due":{"date":"9999-12-31","time":"23:59","zone":"UTC"},"recurrence":{"rrule":"FREQ=DAILY","anchor":"due","start":"2026-03-02","number":1,"series":2},"create_time":"2024-05-01T10:00:00Z"}
]}
"#;

/// What all formats can say: no list that is empty, archived or called like
/// another, no fractions of seconds, no series, line ends of one kind.
const COMMON: &str = r#"{"format":"duet-tasks","version":1,
"lists":[
{"id":1,"title":"Work"},
{"id":2,"title":"=Home"}
],
"tasks":[
{"id":1,"parent":3,"title":"Before its parent","status":"open","create_time":"2024-05-01T10:00:00Z"},
{"id":2,"parent":3,"title":"-1; 'quoted' \"and\", so on","notes":" one\n\n\ttwo\n=three\\n","status":"open","due":{"date":"2026-03-29","time":"02:30","zone":"Europe/Paris"},"priority":"high","labels":["@a","a;b","c\\","d,e","é"],"recurrence":{"rrule":"FREQ=WEEKLY;COUNT=9;BYDAY=MO,TH","anchor":"completion","start":"2026-03-02","number":3,"series":1},"create_time":"2024-05-01T10:00:00Z"},
{"id":3,"title":"'=SUM(A1)","notes":"'","status":"done","complete_time":"2024-06-01T00:00:00Z","due":{"date":"2026-03-26"},"create_time":"2024-05-01T10:00:00Z"},
{"id":4,"list":1,"title":"𝄞 𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞","status":"cancelled","complete_time":"2024-06-01T00:00:00Z","priority":"low","create_time":"2024-05-01T10:00:00Z"},
{"id":5,"parent":4,"list":1,"title":"Floating","status":"open","due":{"date":"0001-01-01","time":"00:00"},"priority":"medium","create_time":"1969-12-31T23:59:59Z"},
{"id":6,"list":2,"title":"UTC","status":"open","due":{"date":"9998-12-31","time":"23:59","zone":"UTC"},"recurrence":{"rrule":"FREQ=DAILY","anchor":"due","start":"9998-12-31","number":1,"series":2},"create_time":"2024-05-01T10:00:00Z"}
]}
"#;

#[tokio::test]
async fn what_json_takes_out_another_account_takes_in_byte_for_byte() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user(), app.user());
    let answer = import(&app, &ada, Json, EVERYTHING).await;
    assert_eq!((answer.tasks, answer.lists, places(&answer)), (6, 3, vec![]));
    let file = export(&app, &ada, Json).await;
    assert_eq!(file, EVERYTHING);
    let answer = import(&app, &eve, Json, file.as_str()).await;
    assert_eq!(places(&answer), []);
    assert_eq!(export(&app, &eve, Json).await, file);
}

#[tokio::test]
async fn icalendar_and_csv_bring_back_all_that_they_can_say() {
    for format in [Icalendar, Csv] {
        let app = TestApp::start().await;
        let (ada, eve) = (app.user(), app.user());
        assert_eq!(places(&import(&app, &ada, Json, COMMON).await), []);
        let file = export(&app, &ada, format).await;
        let answer = import(&app, &eve, format, file.as_str()).await;
        assert_eq!((answer.tasks, answer.lists, places(&answer)), (6, 2, vec![]), "{file}");
        assert_eq!(export(&app, &eve, Json).await, COMMON, "{file}");
    }
}

/// An account with nothing in it is a file too, and brings nothing.
#[tokio::test]
async fn an_empty_account_goes_round_as_well() {
    let app = TestApp::start().await;
    for format in [Json, Icalendar, Csv] {
        let (ada, eve) = (app.user(), app.user());
        let file = export(&app, &ada, format).await;
        let answer = import(&app, &eve, format, file.as_str()).await;
        assert_eq!((answer.tasks, answer.lists, places(&answer)), (0, 0, vec![]));
    }
}

/// Importing twice makes everything twice; what came later stands before.
#[tokio::test]
async fn what_is_imported_stands_before_what_is_there() {
    let app = TestApp::start().await;
    let ada = app.user();
    import(&app, &ada, Csv, "title,list\nc,\nd,Old\n").await;
    let answer = import(&app, &ada, Csv, "title,list\na,\nb,\nc,New\n").await;
    assert_eq!((answer.tasks, answer.lists), (3, 1));
    let file = export(&app, &ada, Csv).await;
    let rows = file.lines().skip(1).map(|row| row.split(',').collect::<Vec<_>>());
    let rows: Vec<_> = rows.map(|cells| format!("{}/{}", cells[2], cells[3])).collect();
    assert_eq!(rows, ["/a", "/b", "/c", "New/c", "Old/d"]);
}

/// The occurrences of a series belong together again, and the first one gives
/// the series its id.
#[tokio::test]
async fn the_occurrences_of_a_series_stay_together() {
    let app = TestApp::start().await;
    let ada = app.user();
    let occurrence = |number: i64, series: i64| {
        format!(
            r#"{{"title":"t","due":{{"date":"2026-03-09"}},"recurrence":{{"rrule":"FREQ=DAILY","start":"2026-03-01","number":{number},"series":{series}}}}}"#
        )
    };
    let tasks = [occurrence(2, 7), occurrence(1, 7), occurrence(2, 8), occurrence(3, 8)].join(",");
    let file = format!(r#"{{"format":"duet-tasks","version":1,"tasks":[{tasks}]}}"#);
    assert_eq!(places(&import(&app, &ada, Json, file).await), []);
    let rows: Vec<(String, String)> = super::storing::rows(
        &app,
        "select id::text, series_id::text from data.tasks where user_id = $1 order by rev",
        ada.id,
    )
    .await;
    let [(_, a), (first, b), (_, c), (_, d)] = rows.as_slice() else { panic!("four: {rows:?}") };
    assert_eq!((a, b), (first, first));
    assert_eq!(c, d);
    assert_ne!(a, c);
}

/// RFC 5545: no line is longer than 75 octets, and lines end with CR LF.
#[tokio::test]
async fn icalendar_is_well_formed() {
    let app = TestApp::start().await;
    let ada = app.user();
    import(&app, &ada, Json, COMMON).await;
    let file = export(&app, &ada, Icalendar).await;
    assert!(file.ends_with("END:VCALENDAR\r\n"));
    assert!(!file.replace("\r\n", "").contains(['\r', '\n']));
    assert!(file.split("\r\n").all(|line| line.len() <= 75));
    for line in [
        "DUE;TZID=Europe/Paris:20260329T023000",
        "DUE;VALUE=DATE:20260326",
        "DUE:00010101T000000",
        "DUE:99981231T235900Z",
        "DTSTART;TZID=Europe/Paris:20260302T023000",
        "RRULE:FREQ=WEEKLY;COUNT=9;BYDAY=MO,TH",
        "STATUS:CANCELLED",
        "COMPLETED:20240601T000000Z",
        "PRIORITY:1",
        "CATEGORIES:@a,a\\;b,c\\\\,d\\,e,é",
        "X-DUET-LIST:=Home",
    ] {
        assert!(file.contains(&format!("\r\n{line}\r\n")), "{line}");
    }
}

/// No cell of a CSV file begins like a formula.
#[tokio::test]
async fn no_cell_is_a_formula() {
    let app = TestApp::start().await;
    let ada = app.user();
    let formulas = ["=1+1", "+1", "-1", "@SUM(1)", "'=1"];
    let task = |formula: &str| {
        format!(r#"{{"title":"{formula}","notes":"{formula}","list":1,"labels":["{formula}"]}}"#)
    };
    let tasks = formulas.map(task).join(",");
    let lists = r#"[{"id":1,"title":"=cmd|' /C calc'!A0"}]"#;
    let file =
        format!(r#"{{"format":"duet-tasks","version":1,"lists":{lists},"tasks":[{tasks}]}}"#);
    assert_eq!(places(&import(&app, &ada, Json, file).await), []);
    let file = export(&app, &ada, Csv).await;
    let cells =
        file.split("\r\n").flat_map(|row| row.split(',')).map(|cell| cell.trim_matches('"'));
    for cell in cells {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
    let eve = app.user();
    assert_eq!(places(&import(&app, &eve, Csv, file).await), []);
    assert_eq!(export(&app, &eve, Json).await, export(&app, &ada, Json).await);
}
