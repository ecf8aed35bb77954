//! Links and fields that cannot be kept, and what the report says of them.

use proto::task::v1::TransferFormat::{Csv, Json};

use super::{import, notes, places, tasks};
use crate::app::TestApp;

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
20,12,6 deep,
13,20,7 deep,
14,13,below,
15,8,elsewhere,Work
8,,called like another,
,16,parent has no title,
16,,,
";
    let answer = import(&app, &ada, Csv, file).await;
    assert_eq!((answer.tasks, answer.lists), (18, 1));
    let expected = [
        (3, "parent"),
        (5, "parent"),
        (6, "parent"),
        (15, "parent"),
        (17, "parent"),
        (18, ""),
        (19, "parent"),
        (20, "title"),
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
        ("13", "12"),
        ("15", "14"),
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
n,2026-03-09,,,,,,,FREQ=SECONDLY;INTERVAL=0,,,,
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
