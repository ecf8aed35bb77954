//! Files that cannot be read: refused with the line that shows it, whatever is
//! in them.

use chrono::{DateTime, Utc};
use proto::task::v1::TransferFormat::{self, Csv, GoogleTasksJson, Icalendar, Json, TodoistCsv};
use shared::clock::Clock as _;
use shared::testing::ManualClock;
use task_service::{
    Quotas,
    transfer::{self, Fault, Format},
};
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{importing, try_import};
use crate::app::{TestApp, refused};

const FORMATS: [TransferFormat; 5] = [Json, Icalendar, Csv, TodoistCsv, GoogleTasksJson];

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_with_the_line() {
    let app = TestApp::start().await;
    let ada = app.user();
    let newer = "{\"format\":\"duet-tasks\",\"version\":2}";
    for (format, data, says) in [
        (Json, &b""[..], "Line 1: The file ends too early."),
        (Json, b"title\n", "Line 1: The file is not JSON."),
        (Json, b"{}", "Line 1: The file is JSON, but"),
        (Json, b"[1,\n2]", "Line 1: The file is JSON, but"),
        (Json, newer.as_bytes(), "Line 1: Version 2 of the format is not known."),
        (Json, b"{\"format\":\"x\",\"version\":1}", "Line 1: The file does not say"),
        (Json, b"{\"format\":\"duet-tasks\",\n\"version\":1,", "Line 2: The file ends too early."),
        (Json, b"{\"format\":\"duet-tasks\",\"version\":1,\n\n\"tasks\":7}", "Line 3: `tasks`"),
        (Json, b"{\"format\":\"duet-tasks\",\"version\":1}\n}", "Line 2: The file is not JSON."),
        (Json, b"\n\n\xff", "Line 3: The file is not in UTF-8."),
        (Icalendar, b"", "Line 1: The file is not iCalendar"),
        (Icalendar, b"\nhello\n", "Line 2: The file is not iCalendar"),
        (Icalendar, b"BEGIN:VTODO\n", "Line 1: The file is not iCalendar"),
        (Icalendar, b"VERSION:2.0\n", "Line 1: The file is not iCalendar"),
        (Icalendar, b"BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VCALENDAR", "Line 3: A component ends"),
        (Icalendar, b"END:VCALENDAR", "Line 1: A component ends"),
        (Icalendar, b"BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:a", "Line 3: The file ends too early."),
        (Csv, b"", "Line 1: The table has no column `title`."),
        (Csv, b"name\na\n", "Line 1: The table has no column `title`."),
        (Csv, b"title\na\n\xc3", "Line 3: The file is not in UTF-8."),
        (TodoistCsv, b"TYPE\ntask\n", "Line 1: The table has no column `content`."),
        (TodoistCsv, b"CONTENT\na\n", "Line 1: The table has no column `type`."),
        (GoogleTasksJson, b"{\n", "Line 2: The file ends too early."),
        (GoogleTasksJson, b"{\"kind\":\"tasks#tasks\"}", "Line 1: The file does not say"),
        (GoogleTasksJson, b"{\"kind\":\"tasks#taskLists\",\"items\":{}}", "Line 1: `items`"),
    ] {
        let status = try_import(&app, &ada, importing(format, data)).await;
        let status = refused(status, Code::InvalidArgument, "FIELD_INVALID");
        let details = status.get_error_details();
        let violation = &details.bad_request().unwrap().field_violations[0];
        assert_eq!(violation.field, "data");
        assert!(violation.description.starts_with(says), "{violation:?}, not {says}");
    }
    assert_eq!(app.stored(ada.id).await, "");
}

#[tokio::test]
async fn a_file_has_at_most_4_mib() {
    let app = TestApp::start().await;
    let ada = app.user();
    let mut file = b"title\na\n".to_vec();
    file.resize(4 * 1024 * 1024, b'\n');
    try_import(&app, &ada, importing(Csv, file.clone())).await.unwrap();
    file.push(b'\n');
    let status = try_import(&app, &ada, importing(Csv, file.clone())).await;
    let status = refused(status, Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(status.message(), "A file has at most 4 MiB.");
    file.resize(5 * 1024 * 1024, b'\n');
    let status = try_import(&app, &ada, importing(Csv, file)).await;
    refused(status, Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
}

/// A sample of each format, to be damaged.
const SAMPLES: [&str; 5] = [
    r#"{"format":"duet-tasks","version":1,"lists":[{"id":1,"title":"é"}],"tasks":[
{"id":1,"list":1,"title":"a\n","notes":"b","status":"done","complete_time":"2024-06-01T00:00:00Z","due":{"date":"2026-03-26","time":"10:00","zone":"UTC"},"labels":["x"],"recurrence":{"rrule":"FREQ=DAILY","number":1,"series":1}},
{"id":2,"parent":1,"title":"𝄞"}]}"#,
    "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:1\r\nSUMMARY:é\\, 𝄞\r\n  folded\r\nDUE;TZID=\"Europe/Paris\":20260309T100000\r\nRRULE:FREQ=DAILY\r\nDTSTART:20260309T100000\r\nX-DUET-NUMBER:1\r\nX-DUET-LIST:é\r\nCATEGORIES:a\\,b,c\r\nRELATED-TO:1\r\nSTATUS:COMPLETED\r\nCOMPLETED:20260309T100000Z\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
    "id,parent,list,title,notes,status,due_date,due_time,due_zone,labels,rrule,rrule_number\r\n1,2,é,'=a,\"b\r\nc\",done,2026-03-09,10:00,UTC,a\\;b;c,FREQ=DAILY,1\r\n2,1,,𝄞\r\n",
    "TYPE,CONTENT,PRIORITY,INDENT,DATE,TIMEZONE\ntask,é @a 𝄞,1,1,2026-03-09 10:00,UTC\ntask,b,2,2,,\nsection,c,,,,\n",
    r#"{"kind":"tasks#taskLists","items":[{"title":"é","items":[
{"id":"1","title":"a","due":"2026-03-09T00:00:00Z","status":"completed"},{"id":"2","parent":"1","title":"𝄞"}]}]}"#,
];

/// Seeded, so that a failure can be repeated.
struct Chance(u64);

impl Chance {
    /// A number below `end`, by xorshift.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("less than `end`")
    }
}

fn read(format: TransferFormat, data: &[u8], now: DateTime<Utc>) -> Result<(usize, usize), Fault> {
    let quotas = Quotas { tasks: 100, lists: 10 };
    let format = Format::parse(format.into()).expect("a format");
    let (bundle, report) = transfer::read(format, data, now, quotas)?;
    Ok((bundle.tasks(), report.notes().len()))
}

/// Cut anywhere, a file is read or refused; it never breaks anything.
#[test]
fn a_truncated_file_is_read_or_refused() {
    let now = ManualClock::new().now();
    for (format, sample) in FORMATS.into_iter().zip(SAMPLES) {
        assert!(read(format, sample.as_bytes(), now).unwrap().0 > 0, "{format:?}");
        for end in 0..sample.len() {
            // Tables cannot tell; in the others something is always missing.
            let cut = read(format, &sample.as_bytes()[..end], now);
            if matches!(format, Json | GoogleTasksJson) {
                assert!(cut.is_err(), "{format:?} {end}");
            }
        }
    }
}

/// So does a file with anything in it.
#[test]
fn a_damaged_file_is_read_or_refused() {
    let now = ManualClock::new().now();
    let mut good = 0;
    for seed in 1..=400_u64 {
        let mut chance = Chance(seed);
        for (format, sample) in FORMATS.into_iter().zip(SAMPLES) {
            let mut data = sample.as_bytes().to_vec();
            for _ in 0..=chance.below(8) {
                let (at, from) = (chance.below(data.len()), chance.below(data.len()));
                match chance.below(4) {
                    0 => data[at] = u8::try_from(chance.below(256)).unwrap(),
                    1 => data.insert(at, b"\"\\,;:\r\n {}[]'=@0\t"[chance.below(17)]),
                    2 => drop(data.drain(at.min(from)..at.max(from).min(at.min(from) + 20))),
                    _ => data = [&data[..at], &data[from..]].concat(),
                }
                if data.is_empty() {
                    break;
                }
            }
            good += usize::from(read(format, &data, now).is_ok());
        }
        let noise: Vec<u8> = (0..200).map(|_| u8::try_from(chance.below(256)).unwrap()).collect();
        assert!(FORMATS.into_iter().all(|format| read(format, &noise, now).is_err()), "{seed}");
    }
    // Damage that leaves everything refused would try little.
    assert!(good > 100, "{good}");
}

/// Small files that are much work, if they are read without care.
#[test]
fn no_file_takes_long() {
    let now = ManualClock::new().now();
    let many = |text: &str| text.repeat(transfer::MOST_BYTES / 4 / text.len());
    let todo = |lines: &str| {
        format!("BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:a\n{lines}END:VTODO\nEND:VCALENDAR\n")
    };
    for (format, file) in [
        (Icalendar, todo(&many("CATEGORIES:a\n"))),
        (Icalendar, todo(&many("DUE:a\n"))),
        (Icalendar, todo(&many("CATEGORIES:a\n b\n"))),
        (Icalendar, todo(&format!("DUE;TZID={}:20260309T143000\n", many("/")))),
        (Icalendar, todo(&format!("CATEGORIES:{}\n", many("a,")))),
        (Icalendar, format!("BEGIN:VCALENDAR\n{}", many("BEGIN:X\n"))),
        (Icalendar, format!("BEGIN:VCALENDAR\n{}", many("A\n"))),
        (Json, many("[")),
        (Json, format!(r#"{{"format":"duet-tasks","version":1,"tasks":[{}1]}}"#, many("1,"))),
        (Json, format!(r#"{{"format":"duet-tasks","version":1,"tasks":{}}}"#, many("["))),
        (Json, format!(r#"{{"format":"duet-tasks","version":1,"tasks":[{}"#, many("\n"))),
        (Csv, many("\"")),
        (Csv, many("title,")),
        (Csv, format!("title,labels\na,{}\n", many("a;"))),
        (TodoistCsv, format!("type,content\ntask,{}\n", many("@a "))),
        (TodoistCsv, format!("type,content,indent\n{}", many("task,,2\n"))),
    ] {
        let began = std::time::Instant::now();
        let _ = read(format, file.as_bytes(), now);
        // A tenth of that if all goes well, minutes if it does not.
        assert!(began.elapsed().as_secs() < 20, "{format:?}");
    }
}
