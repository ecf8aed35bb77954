//! Files as other programs write them.

use proto::task::v1::TransferFormat::{Csv, GoogleTasksJson, Icalendar, Json, TodoistCsv};

use super::{export, import, notes, places, tasks};
use crate::app::TestApp;

/// As other programs write it: other zones, alarms, events, folds.
#[tokio::test]
async fn icalendar_of_other_programs() {
    let app = TestApp::start().await;
    let ada = app.user();
    let file = "BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Other//EN\r
BEGIN:VTIMEZONE\r
TZID:Romance Standard Time\r
X-LIC-LOCATION:Europe/Paris\r
BEGIN:STANDARD\r
DTSTART:16011028T030000\r
END:STANDARD\r
END:VTIMEZONE\r
BEGIN:VTODO\r
UID:step\r
SUMMARY:A st\r
 ep\\, folded\r
RELATED-TO;RELTYPE=PARENT:top\r
DUE;TZID=\"Romance Standard Time\":20260309T143000\r
CATEGORIES:home,work\r
CATEGORIES:a\\,b\r
PRIORITY:6\r
STATUS:IN-PROCESS\r
ATTACH:http://example.org/\r
X-OTHER:1\r
BEGIN:VALARM\r
TRIGGER:-PT15M\r
END:VALARM\r
END:VTODO\r
begin:vtodo\r
uid:top\r
summary:Top\r
description:one\\ntwo\r
due;value=date:20260309\r
completed:20250301T080000Z\r
rrule:FREQ=DAILY\r
dtstart;value=date:20260101\r
end:vtodo\r
BEGIN:VTODO\r
UID:zone\r
SUMMARY:Zone\r
DUE;TZID=Mars/Base:20260309T143000\r
this is no line\r
END:VTODO\r
BEGIN:VTODO\r
UID:top\r
RECURRENCE-ID:20260310\r
SUMMARY:Another\r
END:VTODO\r
BEGIN:VTODO\r
UID:registry\r
SUMMARY:Registry\r
DUE;TZID=/example.org/2026/America/New_York:20260309T143000\r
STATUS:CANCELLED\r
COMPLETED:20250301T080000Z\r
RELATED-TO;RELTYPE=SIBLING:top\r
END:VTODO\r
BEGIN:VEVENT\r
SUMMARY:Party\r
END:VEVENT\r
END:VCALENDAR\r
";
    let answer = import(&app, &ada, Icalendar, file).await;
    let expected = [
        (20, "STATUS"),
        (21, "ATTACH"),
        (23, "VALARM"),
        (39, "DUE"),
        (40, ""),
        (42, ""),
        (53, "RELATED-TO"),
        (55, "VEVENT"),
    ];
    assert_eq!(places(&answer), expected, "{:?}", notes(&answer));
    let due = r#""due":{"date":"2026-03-09","#;
    let expected = [
        format!(
            r#""id":1,"parent":2,"title":"A step, folded","status":"open",{due}"time":"14:30","zone":"Europe/Paris"}},"priority":"low","labels":["a,b","home","work"]"#
        ),
        r#""id":2,"title":"Top","notes":"one\ntwo","status":"done","complete_time":"2025-03-01T08:00:00Z","due":{"date":"2026-03-09"},"recurrence":{"rrule":"FREQ=DAILY","anchor":"due","start":"2026-03-09","number":1,"series":1}"#.to_owned(),
        format!(r#""id":3,"title":"Zone","status":"open",{due}"time":"14:30"}}"#),
        format!(
            r#""id":4,"title":"Registry","status":"cancelled","complete_time":"2025-03-01T08:00:00Z",{due}"time":"14:30","zone":"America/New_York"}}"#
        ),
    ];
    assert_eq!(tasks(&app, &ada).await, expected);
}

/// Spreadsheets write a byte order mark, and semicolons where a comma is in
/// numbers.
#[tokio::test]
async fn csv_of_a_spreadsheet() {
    let app = TestApp::start().await;
    let ada = app.user();
    let file =
        "\u{feff}Title;Notes;Labels\r\na;\"one\r\ntwo; \"\"three\"\"\";home\\;work;\r\n;;\r\nb\r\n";
    let answer = import(&app, &ada, Csv, file).await;
    assert_eq!((answer.tasks, places(&answer)), (2, vec![(2, "")]));
    let expected = [
        r#""id":1,"title":"a","notes":"one\r\ntwo; \"three\"","status":"open","labels":["home\\"]"#,
        r#""id":2,"title":"b","status":"open""#,
    ];
    assert_eq!(tasks(&app, &ada).await, expected);
}

#[tokio::test]
async fn todoist() {
    let app = TestApp::start().await;
    let ada = app.user();
    let file = "\u{feff}TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE,DURATION,DURATION_UNIT
meta,view_style=list,,,,,,,,,,
section,Before the trip,,,,,,,,,,
task,Renew the passport @errand @home,Two photos,1,1,Ada (1),Eve (2),2026-09-15T10:00,en,Europe/Paris,90,minute
note,Closed on Fridays,,,,Ada (1),,,,,,
task,Mail bob@example.org @,,4,2,Ada (1),,Sep 20 2026,en,Europe/Paris,,None

task,Water the plants,,2,3,Ada (1),,every other day,en,Mars/Base,,
task,Write it up,,3,1,Ada (1),,2026-10-02 18:30,en,Mars/Base,,
task,Lost,,5,9,,,,,,,
task, @label,,,x,,,,,,,
comment,,,,,,,,,,,
";
    let answer = import(&app, &ada, TodoistCsv, file).await;
    let expected = [
        (3, "TYPE"),
        (4, "RESPONSIBLE"),
        (4, "DURATION"),
        (5, "TYPE"),
        (8, "DATE"),
        (9, "TIMEZONE"),
        (10, "INDENT"),
        (10, "PRIORITY"),
        (11, "INDENT"),
        (11, "CONTENT"),
        (12, "TYPE"),
    ];
    assert_eq!(places(&answer), expected, "{:?}", notes(&answer));
    assert_eq!((answer.tasks, answer.lists), (5, 0));
    let expected = [
        r#""id":1,"title":"Renew the passport","notes":"Two photos","status":"open","due":{"date":"2026-09-15","time":"10:00","zone":"Europe/Paris"},"priority":"high","labels":["errand","home"]"#,
        r#""id":2,"parent":1,"title":"Mail bob@example.org @","status":"open","due":{"date":"2026-09-20"}"#,
        r#""id":3,"parent":2,"title":"Water the plants","status":"open","priority":"medium""#,
        r#""id":4,"title":"Write it up","status":"open","due":{"date":"2026-10-02","time":"18:30"},"priority":"low""#,
        r#""id":5,"parent":4,"title":"Lost","status":"open""#,
    ];
    assert_eq!(tasks(&app, &ada).await, expected);
}

#[tokio::test]
async fn google_tasks() {
    let app = TestApp::start().await;
    let ada = app.user();
    let file = r#"{
  "kind": "tasks#taskLists",
  "items": [{
    "kind": "tasks#tasks", "id": "l1", "title": "My Tasks", "updated": "2024-01-01T00:00:00Z",
    "items": [
      {"id": "b", "title": "Second", "position": "2", "status": "needsAction", "due": "2026-03-09T00:00:00Z"},
      {"id": "a", "title": "First", "position": "1", "notes": "n", "status": "completed",
       "completed": "2024-02-01T10:00:00.000Z", "hidden": true, "created": "2024-01-05T00:00:00Z"},
      {"id": "c", "title": "Step", "parent": "b", "position": "0", "links": [{"type": "email"}]},
      {"id": "d", "title": "Gone", "deleted": true},
      {"id": "e", "title": ""},
      {"id": "f", "title": "Lost", "parent": "zz", "position": "3", "due": "soon", "status": "asleep"}
    ]
  }, {"title": "Empty"}, 7]
}"#;
    let answer = import(&app, &ada, GoogleTasksJson, file).await;
    let expected = [
        (9, "links"),
        (10, "deleted"),
        (11, "title"),
        (12, "status"),
        (12, "due"),
        (12, "parent"),
        (14, ""),
    ];
    assert_eq!(places(&answer), expected, "{:?}", notes(&answer));
    assert_eq!((answer.tasks, answer.lists), (4, 2));
    let expected = [
        r#""id":1,"parent":3,"list":1,"title":"Step","status":"open""#,
        r#""id":2,"list":1,"title":"First","notes":"n","status":"done","complete_time":"2024-02-01T10:00:00Z""#,
        r#""id":3,"list":1,"title":"Second","status":"open","due":{"date":"2026-03-09"}"#,
        r#""id":4,"list":1,"title":"Lost","status":"open""#,
    ];
    assert_eq!(tasks(&app, &ada).await, expected);
    assert!(export(&app, &ada, Json).await.contains("\"create_time\":\"2024-01-05T00:00:00Z\""));
}
