//! The client's lists, labels, filters and moves against the real pair: what it
//! writes as text is what the service reads.

use serde_json::Value;

use crate::{
    client::{Person, tasks, titles},
    harness::{Up, folder},
};

/// The end of an id, as people name it.
fn short(task: &Value) -> String {
    let name = task["name"].as_str().unwrap();
    name[name.len() - 8..].to_owned()
}

#[tokio::test]
async fn a_person_keeps_lists() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let lists = async || {
        let lists = ada.gets(&["lists"]).await;
        let lists = lists["lists"].as_array().unwrap().clone();
        lists.iter().map(|list| list["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    ada.gets(&["lists", "add", "Home"]).await;
    ada.gets(&["lists", "add", "Garden"]).await;
    assert_eq!(lists().await[1..], ["Garden", "Home"]);
    ada.gets(&["lists", "move", "home", "--first"]).await;
    ada.gets(&["lists", "rename", "Garden", "Our", "garden"]).await;
    assert_eq!(lists().await[1..], ["Home", "Our garden"]);
    ada.gets(&["lists", "move", "Home", "--after", "our garden"]).await;
    ada.gets(&["lists", "archive", "our garden"]).await;
    assert_eq!(lists().await[1..], ["Home"]);
    ada.gets(&["lists", "unarchive", "our garden"]).await;

    ada.gets(&["add", "Dust", "--list", "Home"]).await;
    let (code, _, complaint) = ada.types(&["lists", "rm", "Home"], "").await;
    assert_eq!(code, 9, "{complaint}");
    assert!(complaint.contains("--force"), "{complaint}");
    ada.gets(&["lists", "rm", "Home", "--force"]).await;
    assert_eq!(titles(&ada.gets(&["bin"]).await), ["Dust"]);
    assert_eq!(ada.gets(&["usage"]).await["lists"], "1");
    let (code, _, complaint) = ada.types(&["add", "x", "--list", "Home"], "").await;
    assert_eq!(code, 5, "{complaint}");
    up.stop().await;
}

#[tokio::test]
async fn tasks_are_found_by_what_they_have() {
    const NASTY: &str = r#"a "b" \ (c) OR d"#;
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    ada.gets(&["lists", "add", "Home"]).await;
    ada.gets(&["add", "Old", "--due", "2020-02-29", "--priority", "high"]).await;
    ada.gets(&["add", "Plain", "--notes", "Nothing to see"]).await;
    let line = ["add", "Nasty", "--label", NASTY, "--label", "b", "--list", "home"];
    ada.gets(&line).await;
    ada.gets(&["add", "Gone"]).await;
    let gone = short(&tasks(&ada.gets(&["ls", "--limit", "1"]).await)[0]);
    ada.gets(&["done", &gone, "--cancel"]).await;
    for (words, expected) in [
        (&[][..], &["Nasty", "Plain", "Old"][..]),
        (&["--all", "--reverse"], &["Old", "Plain", "Nasty", "Gone"]),
        (&["--cancelled"], &["Gone"]),
        (&["--label", NASTY], &["Nasty"]),
        (&["--label", NASTY, "--label", "b"], &["Nasty"]),
        (&["--label", "a"], &[]),
        (&["--list", "Home"], &["Nasty"]),
        (&["--list", "inbox"], &["Plain", "Old"]),
        (&["--priority", "high"], &["Old"]),
        (&["--due", "overdue"], &["Old"]),
        (&["--due", "2020-02-29"], &["Old"]),
        (&["--due", "today"], &[]),
        (&["--due", "week"], &[]),
        (&["--due", "none"], &["Nasty", "Plain"]),
        (&["--due", "any"], &["Old"]),
        (&["--search", "to SEE"], &["Plain"]),
        (&["--search", NASTY], &[]),
        (&["--sort", "due"], &["Old", "Nasty", "Plain"]),
        (&["--sort", "priority"], &["Old", "Nasty", "Plain"]),
        (&["--filter", "title:old OR title:gone"], &["Gone", "Old"]),
        (&["--filter", "title:old OR title:gone", "--open"], &["Old"]),
    ] {
        let list = ada.gets(&[&["ls"], words].concat()).await;
        assert_eq!(titles(&list), expected, "{words:?}");
    }
    let (code, _, complaint) = ada.types(&["ls", "--filter", "due > hello", "--open"], "").await;
    assert_eq!(code, 3, "{complaint}");
    assert!(complaint.contains("filter") && complaint.contains('7'), "{complaint}");
    up.stop().await;
}

#[tokio::test]
async fn tasks_have_steps_an_order_and_come_back() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let cake = short(&ada.gets(&["add", "Cake"]).await);
    let eggs = short(&ada.gets(&["add", "Eggs", "--parent", &cake]).await);
    let milk = short(&ada.gets(&["add", "Milk", "--parent", &cake]).await);
    let manual = ["ls", "--sort", "manual", "--all"];
    let under = async |parent: &str| {
        let list = ada.gets(&manual).await;
        let steps = tasks(&list).into_iter();
        let steps = steps.filter(|task| task["parentTask"].as_str().unwrap().ends_with(parent));
        titles(&serde_json::json!({ "tasks": steps.collect::<Vec<_>>() }))
    };
    assert_eq!(under(&cake).await, ["Milk", "Eggs"]);
    ada.gets(&["mv", &milk, "--after", &eggs]).await;
    assert_eq!(under(&cake).await, ["Eggs", "Milk"]);
    ada.gets(&["mv", &milk, "--before", &eggs]).await;
    assert_eq!(under(&cake).await, ["Milk", "Eggs"]);
    ada.gets(&["edit", &milk, "--top", "--title", "Oat milk", "--label", "shop"]).await;
    assert_eq!(under(&cake).await, ["Eggs"]);

    let (code, _, complaint) = ada.types(&["done", &cake], "").await;
    assert_eq!(code, 9, "{complaint}");
    assert!(complaint.contains("--force"), "{complaint}");
    ada.gets(&["done", &cake, "--force", "--at", "2026-01-31 18:00"]).await;
    let done = ada.gets(&["show", &cake]).await;
    assert_eq!(done["completeTime"], "2026-01-31T17:00:00Z");

    let line = ["add", "Water", "--due", "2026-01-31", "--repeat", "monthly"];
    let water = ada.gets(&line).await;
    let line = ["done", &short(&water), "--at", "2026-01-31"];
    let next = ada.gets(&line).await["next"][0].clone();
    assert_eq!(next["due"]["date"]["month"], 2);
    assert_eq!(next["due"]["date"]["day"], 28);
    ada.gets(&["edit", &short(&next), "--no-repeat", "--no-due"]).await;
    let (code, _, complaint) = ada.types(&["edit", &short(&next), "--repeat", "daily"], "").await;
    assert_eq!(code, 3, "{complaint}");
    assert!(complaint.contains("due"), "{complaint}");
    up.stop().await;
}
