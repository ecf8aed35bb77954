//! Files that are written and read.

use std::fs;

use proto::task::v1::{
    ExportTasksRequest, ImportNote, ImportTasksRequest, ImportTasksResponse, TransferFormat,
};

use super::{super::Console, House, store::list_name};

async fn house() -> House {
    let house = House::signed_in().await;
    house.asked(|script| {
        script.store.add_list("Home");
        script.store.file = vec![Some("{\"né".as_bytes()[..4].to_vec()), Some(vec![0xa9])];
        script.store.file.push(Some(b"\":\x1b\"x\"}\n".to_vec()));
    });
    house
}

const FILE: &str = "{\"né\":\u{1b}\"x\"}\n";

#[tokio::test]
async fn a_file_is_written_and_never_over_another() {
    let house = house().await;
    let path = house.folder().join("tasks.csv");
    let path = path.to_str().unwrap();
    let json = house.gets(&format!("export -o {path}")).await;
    assert_eq!(json["bytes"], FILE.len().to_string());
    assert_eq!(fs::read_to_string(path).unwrap(), FILE);
    assert_eq!(house.last::<ExportTasksRequest>().format(), TransferFormat::Csv);

    let ran = house.duet(&format!("export --format json -o {path}"), true).await;
    assert_eq!(ran.exit, 64);
    assert!(ran.errors.contains("--force"), "{ran:?}");
    house.asked(|script| script.store.file.truncate(1));
    let shown = house.sees(&format!("export --format json --force -o {path}")).await;
    assert_eq!(shown, format!("Written to {path}.\n"));
    assert_eq!(house.last::<ExportTasksRequest>().format(), TransferFormat::Json);
    assert_eq!(fs::read(path).unwrap(), FILE.as_bytes()[..4]);
}

#[tokio::test]
async fn a_file_that_breaks_off_is_not_written() {
    let house = house().await;
    house.asked(|script| script.store.file.push(None));
    let path = house.folder().join("tasks.ics");
    let ran = house.duet(&format!("export -o {}", path.display()), true).await;
    assert_eq!(ran.exit, 14);
    let left: Vec<_> = fs::read_dir(house.folder()).unwrap().map(|it| it.unwrap()).collect();
    assert!(left.iter().all(|it| it.file_name().to_string_lossy().contains("credentials")));

    let ran = house.duet("export -o /nowhere/tasks.json", true).await;
    assert_eq!(ran.exit, 74);
    assert_eq!(house.duet("export -o tasks", true).await.exit, 64);
}

#[tokio::test]
async fn standard_output_gets_the_bytes_and_a_terminal_what_is_safe() {
    let house = house().await;
    for line in ["export", "export -o -", "export --json"] {
        let ran = house.duet(line, false).await;
        assert_eq!((ran.exit, ran.output.as_str()), (0, FILE));
    }
    assert_eq!(house.sees("export").await, FILE.replace('\u{1b}', "\u{fffd}"));
}

#[tokio::test]
async fn a_file_is_read_and_what_was_left_out_is_told() {
    let house = house().await;
    house.asked(|script| {
        let note = |line, field: &str, reason: &str| ImportNote {
            line,
            field: field.to_owned(),
            reason: reason.to_owned(),
        };
        let notes = vec![note(3, "DUE", "There is no such day\u{1b}."), note(0, "", "Cut off.")];
        script.store.import = ImportTasksResponse { tasks: 1, lists: 2, notes };
    });
    let path = house.folder().join("tasks.txt");
    fs::write(&path, "BEGIN:VCALENDAR\r\n").unwrap();
    let shown = house.sees(&format!("import {} --list home --dry-run", path.display())).await;
    let told = "Read as iCalendar, it would make 1 task and 2 lists. Nothing was made.\n";
    assert!(shown.starts_with(told), "{shown}");
    assert!(shown.contains("3     DUE    There is no such day\u{fffd}."), "{shown}");
    let request: ImportTasksRequest = house.last();
    assert_eq!(request.format(), TransferFormat::Icalendar);
    assert_eq!((request.list, request.dry_run), (list_name(0), true));
    assert!(!request.request_id.is_empty());

    let json = house.gets(&format!("import {} --format todoist", path.display())).await;
    assert_eq!((&json["tasks"], &json["notes"][0]["line"]), (&1.into(), &3.into()));
    let request: ImportTasksRequest = house.last();
    assert_eq!((request.format(), request.dry_run), (TransferFormat::TodoistCsv, false));
}

#[tokio::test]
async fn a_file_may_come_on_standard_input_and_may_not_be_too_large() {
    let house = house().await;
    let import = async |mut data: &[u8]| {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let mut console = Console {
            input: &mut data,
            person: &mut super::Person::default(),
            output: &mut output,
            errors: &mut errors,
            terminal: true,
            is_read: || true,
        };
        let exit = house.run(&["import", "-"], &mut console).await;
        (exit, String::from_utf8(errors).unwrap())
    };
    assert_eq!(import(br#"{"kind":"tasks#taskLists"}"#).await.0, 0);
    let request: ImportTasksRequest = house.last();
    assert_eq!(request.format(), TransferFormat::GoogleTasksJson);
    assert_eq!(import(b"hello").await.0, 64);
    let (exit, complaint) = import(&vec![b'{'; 4 * 1024 * 1024 + 1]).await;
    assert_eq!(exit, 3);
    assert!(complaint.contains("4 MiB"), "{complaint}");
    assert_eq!(house.duet("import /nowhere.json", true).await.exit, 74);
}
