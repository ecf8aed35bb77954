//! Who the user is, proven beyond a session: the code at sign-in, a changed
//! password, and the proof that commands bring when the service asks for one.

use proto::auth::v1::{
    ChangePasswordRequest, CompleteSignInRequest, DeleteFactorRequest, DeleteUserRequest,
    FactorKind, ReauthenticateRequest,
    complete_sign_in_request::Code::{RecoveryCode, TotpCode},
    reauthenticate_request,
};

use super::{
    Echo, House,
    owner::{PASSWORD, factor},
};

const RECOVERY_CODE: &str = "0123-4567-89ab-cdef";
const CODE_QUESTION: &str = "Code of your authenticator, or a recovery code: ";
const NEW: &str = "trombone-Walnut-19";

/// Somebody who is signed in, has an authenticator, and proved long ago who they
/// are.
async fn stale() -> House {
    let house = House::signed_in().await;
    house.asked(|script| {
        script.account.protect(&["123456", RECOVERY_CODE]);
        script.account.is_stale = true;
    });
    house
}

fn password_question() -> (String, Echo) {
    ("Password of ada@example.com: ".to_owned(), Echo::Hidden)
}

fn code_question() -> (String, Echo) {
    (CODE_QUESTION.to_owned(), Echo::Shown)
}

#[tokio::test]
async fn a_sign_in_asks_for_a_code_until_one_is_good() {
    let house = House::new().await;
    house.asked(|script| script.account.protect(&["123456", RECOVERY_CODE]));
    let line = format!("sign-in ada@example.com --auth-url {}", house.url);
    let (ran, asked) = house.asks(&line, &[PASSWORD, "000 000", RECOVERY_CODE]).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
    assert_eq!(ran.output, "You are signed in as ada@example.com.\n");
    let again = (format!("Not now.\n{CODE_QUESTION}"), Echo::Shown);
    assert_eq!(asked, [password_question(), code_question(), again]);
    let tried = house.asked(|script| script.all::<CompleteSignInRequest>());
    let tried: Vec<_> = tried.into_iter().map(|request| request.code.unwrap()).collect();
    let (first, second) = ("000 000".to_owned(), RECOVERY_CODE.to_owned());
    assert_eq!(tried, [TotpCode(first), RecoveryCode(second)]);
    assert!(std::fs::read_to_string(house.file()).unwrap().contains("refresh-0"));

    // Nobody types for ever: the service has ended the sign-in by then.
    let wrong = [PASSWORD, "1", "2", "3", "4", "5", "6"];
    let (ran, asked) = house.asks(&line, &wrong).await;
    assert_eq!((ran.exit, asked.len()), (16, 6), "{ran:?}");
}

#[tokio::test]
async fn a_script_gives_the_code_with_the_password() {
    let house = House::new().await;
    house.asked(|script| script.account.protect(&["123456", "234567"]));
    let line = format!("sign-in ada@example.com --password-stdin --auth-url {}", house.url);
    let ran = house.reads(&line, PASSWORD).await;
    let told = "There is no terminal to ask for the code; use --code.\n";
    assert_eq!((ran.exit, ran.errors.as_str()), (64, told));
    assert!(!house.file().exists());
    let ran = house.reads(&format!("{line} --code 000000"), PASSWORD).await;
    assert_eq!(ran.exit, 16, "{ran:?}");
    assert_eq!(house.asked(|script| script.all::<CompleteSignInRequest>()).len(), 1);
    let ran = house.reads(&format!("{line} --code -"), PASSWORD).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (64, "There is no code on standard input.\n"));

    let lines = format!("{PASSWORD}\n234567\n");
    assert_eq!(house.reads(&format!("{line} --code -"), &lines).await.exit, 0);
    assert_eq!(house.reads(&format!("{line} --code 123456"), PASSWORD).await.exit, 0);
}

#[tokio::test]
async fn a_sign_up_that_is_ended_by_mail_signs_nobody_in() {
    let house = House::new().await;
    let line = format!("sign-up ada@example.com --password-stdin --auth-url {}", house.url);
    let ran = house.told(&line, true, PASSWORD, &mut super::Person::default()).await;
    let told = "A mail to ada@example.com says how to go on.\n";
    assert_eq!((ran.exit, ran.output.as_str()), (0, told));
    assert!(!house.file().exists());
}

#[tokio::test]
async fn whoever_proved_long_ago_is_asked_and_the_command_goes_on() {
    for line in [
        "export --account",
        "delete-account --email ada@example.com",
        "factors remove 0001",
        "factors recovery-codes",
    ] {
        let house = stale().await;
        let ran = house.duet(line, true).await;
        let told = "There is no terminal to ask for the password; use --password-stdin.\n";
        assert_eq!((ran.exit, ran.errors.as_str()), (64, told), "{line}");
        let ran = house.reads(&format!("{line} --password-stdin"), PASSWORD).await;
        let told = "There is no terminal to ask for the code; use --code.\n";
        assert_eq!((ran.exit, ran.errors.as_str()), (64, told), "{line}");
        let ran = house.reads(&format!("{line} --password-stdin --code 1"), PASSWORD).await;
        assert_eq!(ran.exit, 16, "{line}: {ran:?}");

        let (ran, asked) = house.asks(line, &[PASSWORD, "123456"]).await;
        assert_eq!((ran.exit, ran.errors.as_str()), (0, ""), "{line}");
        assert_eq!(asked, [password_question(), code_question()]);
        let house = stale().await;
        let input = format!("{PASSWORD}\n{RECOVERY_CODE}\n");
        let ran = house.reads(&format!("{line} --password-stdin --code -"), &input).await;
        assert_eq!((ran.exit, ran.errors.as_str()), (0, ""), "{line}");
        let code = house.last::<ReauthenticateRequest>().code.unwrap();
        let wanted = reauthenticate_request::Code::RecoveryCode(RECOVERY_CODE.to_owned());
        assert_eq!(code, wanted);
    }
}

#[tokio::test]
async fn a_recovery_code_does_not_stand_on_a_command_line() {
    let house = stale().await;
    for line in [
        "factors remove 0001 --password-stdin".to_owned(),
        "passwd --password-stdin".to_owned(),
        format!("sign-in ada@example.com --password-stdin --auth-url {}", house.url),
    ] {
        let input = format!("{PASSWORD}\n{NEW}\n");
        let ran = house.reads(&format!("{line} --code {RECOVERY_CODE}"), &input).await;
        assert_eq!(ran.exit, 64, "{line}: {ran:?}");
        assert!(ran.errors.contains("use `--code -`"), "{line}: {ran:?}");
        assert!(!ran.errors.contains(RECOVERY_CODE), "{line}: {ran:?}");
    }
    let codes = house.asked(|script| script.account.codes.clone());
    assert_eq!(codes, ["123456", RECOVERY_CODE], "it is good as before");
    assert_eq!(house.asked(|script| script.account.password.clone()), PASSWORD);
}

#[tokio::test]
async fn a_deleted_account_is_told_of_where_it_was() {
    let house = House::signed_in().await;
    let shown = house.sees("delete-account --email ada@example.com").await;
    let command = format!("  duet deletion dr_AAAA --auth-url {}\n", house.url);
    assert!(shown.ends_with(&command), "{shown}");
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_may_be_done() {
    const MAY_BE_GONE: &str = "Your account may be deleted already";
    // How many calls find the service unavailable, how many are too late, and the exit.
    for (unavailable, late, exit, is_told) in
        [(0, 0, 16, false), (1, 0, 16, true), (2, 0, 14, true), (0, 1, 4, true), (1, 1, 4, true)]
    {
        let house = House::signed_in().await;
        house.asked(|script| {
            script.unavailable = unavailable;
            script.late = late;
            script.account.is_gone = true;
        });
        let ran = house.duet("delete-account --email ada@example.com", true).await;
        assert_eq!(ran.exit, exit, "{ran:?}");
        assert_eq!(ran.errors.contains(MAY_BE_GONE), is_told, "{ran:?}");
    }
}

#[tokio::test]
async fn a_proof_is_asked_for_once_in_a_while() {
    let house = stale().await;
    let (ran, _) = house.asks("factors recovery-codes", &[PASSWORD, "123456"]).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    let kept = std::fs::read_to_string(house.file()).unwrap();
    assert!(kept.contains("access-proven") && kept.contains("refresh-0"), "{kept}");
    house.sees("factors remove 0001").await;
    assert_eq!(house.asked(|script| script.all::<DeleteFactorRequest>()).len(), 1);

    // Without a factor the password is all that is asked for.
    house.asked(|script| script.account.is_stale = true);
    let line = "delete-account --email ada@example.com";
    let (ran, asked) = house.asks(line, &[PASSWORD]).await;
    assert_eq!((ran.exit, asked), (0, vec![password_question()]), "{ran:?}");
    let asked = house.asked(|script| script.all::<DeleteUserRequest>());
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1], "the same request");
}

/// A service that was given up is not one that has erased everything.
#[tokio::test]
async fn a_receipt_tells_what_was_confirmed_and_what_was_not() {
    let house = House::new().await;
    let line = format!("deletion dr_AAAA --auth-url {}", house.url);
    let ran = house.duet(&line, true).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
    let of = |service: &str| ran.output.lines().find(|line| line.contains(service)).unwrap();
    assert!(of("notes").contains("not confirmed; given up 2027"), "{}", ran.output);
    assert!(of("photos").contains("not yet"), "{}", ran.output);
    assert!(of("task-service").contains("2027"), "{}", ran.output);
    let told: serde_json::Value =
        serde_json::from_str(&house.duet(&line, false).await.output).unwrap();
    assert_eq!(told["erasures"][0]["closeTime"], "2027-01-15T08:03:20Z");
    assert_eq!(told["erasures"][1].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_it() {
    let house = House::signed_in().await;
    let (ran, asked) = house.asks("passwd", &[PASSWORD, NEW, NEW]).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
    assert_eq!(ran.output, "The password is changed, and every other session is ended.\n");
    let questions =
        ["Password of ada@example.com: ", "New password of ada@example.com: ", "The same again: "];
    assert_eq!(asked, questions.map(|question| (question.to_owned(), Echo::Hidden)));
    let request: ChangePasswordRequest = house.last();
    assert_eq!((request.current_password, request.new_password), (PASSWORD.into(), NEW.into()));

    let (ran, _) = house.asks("passwd", &[NEW, PASSWORD, "another"]).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (3, "The two passwords are not the same.\n"));
    let ran = house.reads("passwd --password-stdin", &format!("{PASSWORD}\n{NEW}\n")).await;
    assert_eq!(ran.exit, 16, "the old one is not good any more: {ran:?}");
    let ran = house.reads("passwd --password-stdin", NEW).await;
    assert_eq!(ran.errors, "There is no new password on standard input.\n");
    let ran = house.reads("passwd --password-stdin", &format!("{NEW}\n{PASSWORD}\n")).await;
    assert_eq!((ran.exit, ran.output.as_str()), (0, "{}\n"));
    assert_eq!(house.duet("passwd", true).await.exit, 64);

    // After a lost answer it would find the old password wrong.
    house.asked(|script| script.unavailable = 1);
    let ran = house.reads("passwd --password-stdin", &format!("{PASSWORD}\n{NEW}\n")).await;
    assert_eq!(ran.exit, 14);
}

#[tokio::test]
async fn a_password_with_a_second_factor_needs_a_recent_code() {
    let house = stale().await;
    let (ran, asked) = house.asks("passwd", &[PASSWORD, NEW, NEW, "123456"]).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
    assert_eq!(asked.last(), Some(&code_question()));
    house.asked(|script| script.account.is_stale = true);
    let input = format!("{NEW}\n{PASSWORD}\n{RECOVERY_CODE}\n");
    let ran = house.reads("passwd --password-stdin --code -", &input).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
}

/// Passkeys are for browsers: a terminal says so, and asks for what it can bring.
#[tokio::test]
async fn where_a_passkey_is_asked_for_a_recovery_code_does() {
    let house = House::new().await;
    house.asked(|script| {
        script.account.protect(&[RECOVERY_CODE]);
        let codes = factor(2, FactorKind::RecoveryCodes, "");
        script.account.factors = vec![codes, factor(1, FactorKind::Passkey, "Laptop")];
    });
    let line = format!("sign-in ada@example.com --auth-url {}", house.url);
    let (ran, asked) = house.asks(&line, &[PASSWORD, RECOVERY_CODE]).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
    let question = "Passkeys work in a browser; here it is a recovery code: ".to_owned();
    assert_eq!(asked, [password_question(), (question.clone(), Echo::Shown)]);

    house.asked(|script| {
        script.account.codes = vec![RECOVERY_CODE.to_owned()];
        script.account.is_stale = true;
    });
    let (ran, asked) = house.asks("factors remove 0001", &[PASSWORD, RECOVERY_CODE]).await;
    assert_eq!((ran.exit, ran.errors.as_str()), (0, ""));
    assert_eq!(asked, [password_question(), (question, Echo::Shown)]);

    house.asked(|script| {
        script.account.factors = vec![factor(1, FactorKind::Passkey, "Laptop")];
        script.account.is_stale = true;
    });
    let (ran, asked) = house.asks("factors recovery-codes", &[PASSWORD]).await;
    assert_eq!((ran.exit, asked.len()), (9, 1), "{ran:?}");
    assert!(ran.errors.contains("passkeys work in a browser"), "{ran:?}");
}
