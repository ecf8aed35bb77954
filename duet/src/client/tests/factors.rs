//! `duet factors`: what is asked for, what is shown, and where codes go.

use std::{fs, os::unix::fs::PermissionsExt as _};

use proto::auth::v1::{
    BeginTotpEnrollmentRequest, ConfirmTotpEnrollmentRequest, Factor, FactorKind,
    RegenerateRecoveryCodesRequest,
};
use serde_json::{Deserializer, Value};

use super::{
    House,
    owner::{FIRST_CODE, factor, recovery_codes},
};

fn documents(output: &str) -> Vec<Value> {
    Deserializer::from_str(output).into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn factors_are_listed_with_the_codes_that_are_left() {
    let house = House::signed_in().await;
    let shown = house.sees("factors").await;
    assert_eq!(shown, "There is no second factor. Add one with `duet factors add`.\n");
    house.asked(|script| {
        let codes = factor(2, FactorKind::RecoveryCodes, "");
        script.account.factors = vec![
            Factor { remaining_count: 9, ..codes },
            factor(1, FactorKind::Totp, "Phone\u{1b}[2J"),
            factor(3, FactorKind::Passkey, "Laptop\u{1b}[2J"),
            factor(4, FactorKind::Passkey, ""),
        ];
    });
    let shown = house.sees("factors list").await;
    assert!(shown.contains("9 recovery codes are left") && shown.contains("Phone"), "{shown}");
    assert!(shown.contains("00000001") && shown.contains("never"), "{shown}");
    assert!(shown.contains(" (passkey)") && shown.contains(" passkey "), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let json = house.gets("factors").await;
    assert_eq!(json["factors"][0]["kind"], "FACTOR_KIND_RECOVERY_CODES");
    assert_eq!(json["factors"][0]["remainingCount"], 9);
}

#[tokio::test]
async fn an_authenticator_is_added_by_its_first_code() {
    let house = House::signed_in().await;
    let line = "factors add --name Tablet";
    let (ran, asked) = house.asks(line, &["000000", FIRST_CODE]).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
    assert_eq!(house.last::<BeginTotpEnrollmentRequest>().display_name, "Tablet");
    let [first, second] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(first.0, "The code it shows: ");
    assert_eq!(second.0, "Not this one. (totp_code)\nThe code it shows: ");
    let secret = "\n  JBSW Y3DP EHPK 3PXP\n";
    assert!(ran.output.contains(secret) && ran.output.contains("otpauth://totp/Duet:ada?secret="));
    assert!(ran.output.contains('\u{2580}'), "a picture: {}", ran.output);
    for code in recovery_codes() {
        assert_eq!(ran.output.matches(&code).count(), 1, "{}", ran.output);
    }

    // The second one leaves the recovery codes as they are.
    let (ran, _) = house.asks("factors add", &[FIRST_CODE]).await;
    assert!(ran.output.contains("Your recovery codes stay as they are."), "{ran:?}");
    let ran = house.duet("factors add", true).await;
    let told = "There is no terminal to ask for the code; use --first-code-stdin.\n";
    assert_eq!((ran.exit, ran.errors.as_str()), (64, told));
    let (ran, asked) = house.asks("factors add", &["1"; 9]).await;
    assert_eq!((ran.exit, asked.len()), (3, 5), "{ran:?}");
}

#[tokio::test]
async fn a_script_adds_an_authenticator() {
    let house = House::signed_in().await;
    let ran = house.reads("factors add --first-code-stdin", FIRST_CODE).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
    let [begun, added] = &documents(&ran.output)[..] else { panic!("{ran:?}") };
    assert_eq!(begun["secret"], "JBSWY3DPEHPK3PXP");
    assert_eq!(begun["name"], added["factor"]["name"]);
    assert_eq!(added["recoveryCodes"].as_array().unwrap().len(), 10);
    assert!(!ran.output.contains('\u{1b}'), "{ran:?}");
    let ran = house.reads("factors add --first-code-stdin", "000000").await;
    assert_eq!(ran.exit, 3, "{ran:?}");
    let ran = house.reads("factors add --first-code-stdin --password-stdin", FIRST_CODE).await;
    assert_eq!(ran.errors, "There is no first code on standard input.\n");
}

#[tokio::test]
async fn what_brings_codes_once_is_asked_once_and_a_lost_answer_told_of() {
    const WHAT_TO_DO: &str = "make new ones with `duet factors recovery-codes`.";
    let house = House::signed_in().await;
    house.asked(|script| script.account.loses_first_code = true);
    let ran = house.reads("factors add --first-code-stdin", FIRST_CODE).await;
    assert_eq!(ran.exit, 14, "{ran:?}");
    // Those that there are stay good if it is another one.
    let first = format!(
        "If you had no second factor before, nobody has seen the recovery codes then: {WHAT_TO_DO}"
    );
    assert!(ran.errors.contains(&first), "{ran:?}");
    assert_eq!(house.asked(|script| script.all::<ConfirmTotpEnrollmentRequest>()).len(), 1);

    // Others are made, and the old ones void, as often as one asks.
    house.asked(|script| script.unavailable = 2);
    let ran = house.duet("factors recovery-codes", true).await;
    assert_eq!(ran.exit, 14, "{ran:?}");
    assert!(ran.errors.contains(WHAT_TO_DO), "{ran:?}");
    house.asked(|script| script.unavailable = 1);
    house.sees("factors recovery-codes").await;
}

#[tokio::test]
async fn recovery_codes_go_to_a_file_of_ones_own() {
    let house = House::signed_in().await;
    let path = house.folder().join("codes.txt");
    let line = format!("factors recovery-codes --output {}", path.display());
    let shown = house.sees(&line).await;
    let told =
        format!("the old ones are good no more. The recovery codes are in {}.\n", path.display());
    assert!(shown.ends_with(&told), "{shown}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&path).unwrap(), recovery_codes().join("\n") + "\n");

    // Nothing is made that could not be kept.
    let asked = || house.asked(|script| script.all::<RegenerateRecoveryCodesRequest>()).len();
    assert_eq!((house.duet(&line, true).await.exit, asked()), (64, 1));
    let nowhere = format!("factors recovery-codes --output {}/no/codes", house.folder().display());
    assert_eq!((house.duet(&nowhere, true).await.exit, asked()), (74, 1));
    let json = house.gets(&format!("{line} --force")).await;
    assert_eq!((json["file"].as_str(), json.get("recoveryCodes")), (path.to_str(), None));
    let json = house.gets("factors recovery-codes").await;
    assert_eq!(json["recoveryCodes"][9], recovery_codes()[9]);
}

#[tokio::test]
async fn codes_that_no_file_takes_are_shown() {
    let house = House::signed_in().await;
    let path = house.folder().join("folder");
    fs::create_dir(&path).unwrap();
    let line = format!("factors recovery-codes --force --output {}", path.display());
    let ran = house.duet(&line, true).await;
    assert_eq!(ran.exit, 74, "{ran:?}");
    assert!(recovery_codes().iter().all(|code| ran.output.contains(code)), "{ran:?}");
}

#[tokio::test]
async fn an_authenticator_is_removed_by_what_it_is_called() {
    let house = House::signed_in().await;
    house.asked(|script| script.account.protect(&[]));
    assert_eq!(house.duet("factors remove 0002", true).await.exit, 5);
    let shown = house.sees("factors remove 0001").await;
    assert_eq!(shown, "The factor 00000001 is removed.\n");
    assert!(house.asked(|script| script.account.factors.is_empty()));
}
