//! What an owner does with the whole of an account, against the real pair: see
//! what happened, take everything out, delete it, and get the receipt once
//! task-service has erased its part.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use serde_json::Value;

use crate::{
    client::Person,
    harness::{Up, folder},
};

/// The longest that the services may take to tell each other.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_account_is_taken_out_deleted_and_erased_everywhere() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let bob = Person::signed_up(&up, data.path(), "bob").await;
    ada.gets(&["add", "Milk"]).await;
    bob.gets(&["add", "Tea"]).await;

    let file = data.path().join("ada.json");
    ada.gets(&["export", "--account", "-o", file.to_str().unwrap()]).await;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let all: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(all["tasks"]["tasks"][0]["title"], "Milk", "{all}");
    assert_eq!(all["account"]["email"], "ada@example.org");
    assert!(!all.to_string().contains("Tea"));
    let happened = ada.gets(&["activity", "--limit", "2"]).await;
    let kinds = [0, 1].map(|place| happened["activities"][place]["kind"].clone());
    assert_eq!(kinds, ["user.exported", "sign_up"]);

    let (code, _, complaint) = ada.types(&["delete-account"], "bob@example.org\n").await;
    assert_eq!(code, 3, "{complaint}");
    let (code, _, complaint) = ada.types(&["delete-account"], "\n").await;
    assert_eq!(code, 64, "{complaint}");
    let (code, said, complaint) = ada.types(&["delete-account"], "ada@example.org\n").await;
    assert_eq!(code, 0, "{complaint}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let receipt = said["receiptToken"].as_str().unwrap();
    let (code, _, complaint) = ada.types(&["whoami"], "").await;
    assert_eq!(code, 16, "{complaint}");

    // Anybody may ask who has the receipt, signed in or not.
    let asked = async {
        loop {
            let told = ada.gets(&["deletion", receipt]).await;
            if told["receipt"] != "" {
                return told;
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, asked).await.expect("a signed statement");
    assert_eq!(told["erasures"][0]["service"], "task-service");
    assert!(told["erasures"][0]["eraseTime"].is_string(), "{told}");
    assert_eq!(bob.gets(&["ls"]).await["tasks"][0]["title"], "Tea");
    up.stop().await;
}
