//! What is read of each format, and what the report says of the rest.

use proto::task::v1::TransferFormat::{Csv, GoogleTasksJson, Icalendar, Json, TodoistCsv};

use super::{export, import, notes, places};
use crate::app::TestApp;

/// The lines of the tasks of a JSON file, without ids and times of creation.
async fn tasks(app: &TestApp, user: &crate::app::User) -> Vec<String> {
    let file = export(app, user, Json).await;
    let lines = file.lines().skip_while(|line| *line != "\"tasks\":[").skip(1);
    let lines = lines.take_while(|line| *line != "]}");
    lines
        .map(|line| {
            let end = line.find(",\"create_time\"").expect("every task has one");
            line[1..end].to_owned()
        })
        .collect()
}

/// Parents may come after their steps; links that cannot be are cut.
#[tokio::test]
async fn links_that_cannot_be_are_cut_and_reported() {
    let app = TestApp::start().await;
    let ada = app.user();
    let file = "id,parent,title,list
1,3,child before its parent,
2,nobody,parent is missing,
3,,parent,
4,4,its own parent,
5,6,circle,
6,7,circle,
7,5,circle,
8,,1 deep,
9,8,2 deep,
10,9,3 deep,
11,10,4 deep,
12,11,5 deep,
13,12,6 deep,
14,13,below,
15,8,elsewhere,Work
8,,called like another,
,16,parent has no title,
16,,,
";
    let answer = import(&app, &ada, Csv, file).await;
    assert_eq!((answer.tasks, answer.lists), (17, 1));
    let expected = [
        (3, "parent"),
        (5, "parent"),
        (6, "parent"),
        (14, "parent"),
        (16, "parent"),
        (17, ""),
        (18, "parent"),
        (19, "title"),
    ];
    assert_eq!(places(&answer), expected, "{:?}", notes(&answer));
    let tasks = tasks(&app, &ada).await;
    let parents: Vec<_> = tasks
        .iter()
        .filter_map(|task| {
            let (id, rest) = task.split_once(",\"parent\":")?;
            Some((id.strip_prefix("\"id\":")?, rest.split_once(',')?.0))
        })
        .collect();
    let expected = [
        ("1", "3"),
        ("6", "7"),
        ("7", "5"),
        ("9", "8"),
        ("10", "9"),
        ("11", "10"),
        ("12", "11"),
        ("14", "13"),
    ];
    assert_eq!(parents, expected);
}

/// A field that is not acceptable is left out; a task only without a title.
#[tokio::test]
async fn fields_that_cannot_be_kept_are_reported() {
    let app = TestApp::start().await;
    let ada = app.user();
    let long = "é".repeat(501);
    let (list, label) = ("l".repeat(201), "l".repeat(65));
    let many = (0..33).map(|n| format!("{n:02}")).collect::<Vec<_>>().join(";");
    let file = format!(
        "title,due_date,due_time,due_zone,priority,labels,status,complete_time,rrule,rrule_number,create_time,list,colour
,2026-02-30,,,,,,,,,,,
{long},,,,,,,,,,,,
a,2026-02-30,,,,,,,,,,,
b,2026-03-09,24:00,Europe/Paris,,,,,,,,,
c,2026-03-09,14:30,Mars/Base,,,,,,,,,
d,2026-03-09,,Europe/Paris,,,,,,,,,
e,,14:30,,,,,,,,,,
f,,,,urgent,,,,,,,,
g,,,,,{label},,,,,,,
h,,,,,{many},,,,,,,
i,,,,,,waiting,,,,,,
j,,,,,,open,2020-01-01T00:00:00Z,,,,,
k,,,,,,done,tomorrow,,,,,
l,,,,,,done,9000-01-01T00:00:00Z,,,,,
m,,,,,,,,FREQ=DAILY,,,,
n,2026-03-09,,,,,,,INTERVAL=0;FREQ=SECONDLY,,,,
o,2026-03-09,,,,,,,FREQ=DAILY,0,,,
p,,,,,,,,,,9000-01-01T00:00:00Z,,
q,,,,,,,,,,,{list},
r,10000-01-01,,,,,,,,,,,
s,2026-03-09,14:30:59,,,,,,,,,,
"
    );
    let answer = import(&app, &ada, Csv, file).await;
    let expected = [
        (1, "colour"),
        (2, "title"),
        (3, "title"),
        (4, "due_date"),
        (5, "due_time"),
        (6, "due_zone"),
        (7, "due_zone"),
        (8, "due_time"),
        (9, "priority"),
        (10, "labels"),
        (11, "labels"),
        (12, "status"),
        (13, "complete_time"),
        (14, "complete_time"),
        (15, "complete_time"),
        (16, "rrule"),
        (17, "rrule"),
        (18, "rrule"),
        (19, "create_time"),
        (20, "list"),
        (21, "due_date"),
        (22, "due_time"),
    ];
    assert_eq!(places(&answer), expected, "{:?}", notes(&answer));
    assert_eq!((answer.tasks, answer.lists), (19, 0));
    let tasks = tasks(&app, &ada).await;
    assert_eq!(tasks[1], r#""id":2,"title":"b","status":"open","due":{"date":"2026-03-09"}"#);
    let kept = r#""id":3,"title":"c","status":"open","due":{"date":"2026-03-09","time":"14:30"}"#;
    assert_eq!(tasks[2], kept);
}

#[tokio::test]
async fn json_reports_what_it_does_not_know() {
    let app = TestApp::start().await;
    let ada = app.user();
    let file = r#"{"format":"duet-tasks","version":1,"app":"other","lists":[
{"id":1,"title":"Work","color":"red"},
{"id":1,"title":"Again"},
{"id":2},
"list"
],"tasks":[
{"id":1,"list":1,"title":"a","stars":5},
{"id":"2","list":9,"title":"b","labels":"home"},
{"title":3},
[], null,
{"title":"c","due":"today","recurrence":[],"priority":null,
 "notes":"a\u0000b"}
]}"#;
    let answer = import(&app, &ada, Json, file).await;
    let expected = [
        (2, "color"),
        (4, "title"),
        (5, ""),
        (7, "stars"),
        (8, "labels"),
        (8, "list"),
        (8, "id"),
        (9, "title"),
        (9, "title"),
        (10, ""),
        (10, ""),
        (11, "due"),
        (11, "recurrence"),
        (11, "notes"),
    ];
    assert_eq!(places(&answer), expected, "{:?}", notes(&answer));
    assert_eq!((answer.tasks, answer.lists), (3, 2));
}

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
