//! `duet export` and `duet import` against the real pair.

use std::{fs, path::Path};

use crate::{
    client::{Person, tasks, titles},
    harness::{Up, folder},
};

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

#[tokio::test]
async fn tasks_move_to_another_account_without_a_loss() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let bob = Person::signed_up(&up, data.path(), "bob").await;
    ada.gets(&["lists", "add", "Home"]).await;
    let line = ["add", "Cake", "--list", "Home", "--label", "food", "--priority", "high"];
    let cake = ada.gets(&line).await;
    ada.gets(&["add", "Eggs", "--parent", cake["name"].as_str().unwrap()]).await;
    let line = ["add", "=Water", "--due", "2026-12-24", "--at", "9:00", "--zone", "Europe/Paris"];
    ada.gets(&[&line[..], &["--repeat", "weekly", "--after-completion"]].concat()).await;

    let [first, second] = ["ada.json", "bob.json"].map(|name| path(data.path(), name));
    ada.gets(&["export", "-o", &first]).await;
    let would = bob.gets(&["import", &first, "--dry-run"]).await;
    assert_eq!((&would["tasks"], &would["lists"]), (&3.into(), &1.into()), "{would}");
    assert!(tasks(&bob.gets(&["ls", "--all"]).await).is_empty());
    let made = bob.gets(&["import", &first]).await;
    assert_eq!(made, would);
    bob.gets(&["export", "-o", &second]).await;
    assert_eq!(fs::read_to_string(&first).unwrap(), fs::read_to_string(&second).unwrap());

    let (code, _, complaint) = ada.types(&["export", "-o", &first], "").await;
    assert_eq!(code, 64, "{complaint}");
    let (code, calendar, _) = ada.types(&["export", "--format", "ics"], "").await;
    assert!(code == 0 && calendar.starts_with("BEGIN:VCALENDAR\r\n"), "{calendar}");
    let (code, table, _) = ada.types(&["export", "--format", "csv", "-o", "-"], "").await;
    assert!(code == 0 && table.contains("'=Water"), "{table}");
    for (file, text) in [("calendar.ics", calendar), ("table.csv", table)] {
        let file = path(data.path(), file);
        fs::write(&file, text).unwrap();
        let read = bob.gets(&["import", &file, "--dry-run"]).await;
        assert_eq!(read["tasks"], 3, "{file}: {read}");
    }
    up.stop().await;
}

#[tokio::test]
async fn files_of_others_are_read_and_what_is_left_out_is_told() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    ada.gets(&["lists", "add", "From", "Todoist"]).await;
    let todoist = "TYPE,CONTENT,DESCRIPTION,PRIORITY,INDENT,AUTHOR,RESPONSIBLE,DATE,DATE_LANG,TIMEZONE\n\
                   task,Milk @shop,,1,1,,,every other full moon,en,\n";
    let file = path(data.path(), "Home.csv");
    fs::write(&file, todoist).unwrap();
    let report = ada.gets(&["import", &file, "--list", "From Todoist"]).await;
    assert_eq!((&report["tasks"], &report["notes"][0]["line"]), (&1.into(), &2.into()));
    assert_eq!(titles(&ada.gets(&["ls", "--list", "From Todoist"]).await), ["Milk"]);

    let google = r#"{"kind":"tasks#taskLists","items":[{"kind":"tasks#tasks","title":"Mine",
        "items":[{"kind":"tasks#task","id":"1","title":"Tea","status":"needsAction"}]}]}"#;
    let (code, report, complaint) = ada.types(&["import", "-"], google).await;
    assert_eq!((code, complaint.as_str()), (0, ""));
    assert!(report.contains("\"tasks\": 1"), "{report}");

    let (code, _, complaint) = ada.types(&["import", "-", "--format", "json"], "{").await;
    assert_eq!(code, 3, "{complaint}");
    assert!(complaint.contains("data"), "{complaint}");
    up.stop().await;
}
