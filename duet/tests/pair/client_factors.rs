//! Second factors and passwords in the terminal, against the real pair: by
//! scripts, and by a person at a terminal who is asked.

use std::{process::Stdio, time::Duration};

use aws_lc_rs::hmac;
use duet::client::Echo;
use rustix::{
    fs::{self, Mode, OFlags},
    termios::{LocalModes, tcgetattr},
};
use serde_json::Value;
use shared::{
    clock::{Clock as _, SystemClock},
    testing::eventually,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::Command,
    time::timeout,
};

use crate::{
    client::Person,
    harness::{PASSWORD, Up, descendants, folder},
};

const NEW_PASSWORD: &str = "trombone-Walnut-19";

/// The longest that a question may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an authenticator shows so many steps from now (RFC 6238).
fn code(secret: &str, steps: i64) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String =
        secret.chars().map(|c| format!("{:05b}", alphabet.find(c).unwrap())).collect();
    let bytes: Vec<u8> = (bits.as_bytes().chunks_exact(8))
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect();
    let counter = SystemClock.now().timestamp() / 30 + steps;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let offset = usize::from(tag.as_ref()[19] & 0xf);
    let window: [u8; 4] = tag.as_ref()[offset..offset + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(window) & 0x7fff_ffff) % 1_000_000)
}

/// Adds an authenticator as a script does: its secret, and the recovery codes.
async fn add_authenticator(person: &Person) -> (String, Vec<String>) {
    let mut command = person.command(&["factors", "add", "--name", "Phone", "--first-code-stdin"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap());
    let mut begun = String::new();
    while !begun.ends_with("}\n") {
        let line = timeout(PATIENCE, printed.read_line(&mut begun)).await.expect("a secret");
        assert!(line.unwrap() > 0, "{begun}");
    }
    let begun: Value = serde_json::from_str(&begun).unwrap();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    assert!(begun["uri"].as_str().unwrap().contains(&secret), "{begun}");
    let mut input = child.stdin.take().unwrap();
    input.write_all(code(&secret, 0).as_bytes()).await.unwrap();
    drop(input);
    let mut added = String::new();
    timeout(PATIENCE, printed.read_to_string(&mut added)).await.expect("an end").unwrap();
    assert!(child.wait().await.unwrap().success());
    let added: Value = serde_json::from_str(&added).unwrap();
    assert_eq!(added["factor"]["displayName"], "Phone");
    let codes = added["recoveryCodes"].as_array().unwrap().iter();
    (secret, codes.map(|code| code.as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn a_script_signs_in_by_codes_and_manages_them() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let (secret, codes) = add_authenticator(&ada).await;
    assert_eq!(codes.len(), 10);

    let line = ["sign-in", "ada@example.org", "--password-stdin", "--code"];
    let sign_in = async |code: &str, input: &str| {
        let (exit, _, complaint) = ada.types(&[&line[..], &[code]].concat(), input).await;
        assert!(code == "-" || !complaint.contains(code), "{complaint}");
        assert!(!complaint.contains(PASSWORD), "{complaint}");
        (exit, complaint)
    };
    // The step of the first code is used up.
    let (exit, complaint) = sign_in(&code(&secret, 1), PASSWORD).await;
    assert_eq!(exit, 0, "{complaint}");
    let (exit, complaint) = sign_in("-", &format!("{PASSWORD}\n{}\n", codes[0])).await;
    assert_eq!(exit, 0, "{complaint}");
    let (exit, complaint) = sign_in(&codes[1], PASSWORD).await;
    assert_eq!(exit, 64, "a recovery code is no argument: {complaint}");
    for (code, next) in [("-", codes[0].as_str()), ("000", "")] {
        let (exit, complaint) = sign_in(code, &format!("{PASSWORD}\n{next}\n")).await;
        assert!(!complaint.contains(&codes[0]), "{complaint}");
        assert!([3, 16].contains(&exit), "{complaint}");
        assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
    }

    let listed = ada.gets(&["factors"]).await;
    let [one, two] = [0, 1].map(|place| &listed["factors"][place]);
    let (phone, paper) = if one["displayName"] == "Phone" { (one, two) } else { (two, one) };
    assert_eq!(paper["remainingCount"], 9);
    let file = data.path().join("codes");
    ada.gets(&["factors", "recovery-codes", "-o", file.to_str().unwrap()]).await;
    let made = std::fs::read_to_string(&file).unwrap();
    assert!(made.lines().count() == 10 && !made.contains(&codes[1]));
    ada.gets(&["factors", "remove", phone["name"].as_str().unwrap()]).await;
    assert_eq!(ada.gets(&["factors"]).await["factors"], serde_json::json!([]));
    up.stop().await;
}

/// A question, whether its answer is seen, and the answer.
type Asked<'a> = (&'a str, Echo, &'a str);

/// A terminal with a person at it, who answers each question once it is asked:
/// the exit code, and what was seen there.
async fn at_a_terminal(command: &Command, answers: &[Asked<'_>]) -> (i32, String) {
    let std = command.as_std();
    let words: Vec<_> = std::iter::once(std.get_program())
        .chain(std.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]);
    for (name, value) in std.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = terminal.spawn().unwrap();
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut seen = Vec::new();
    for (question, echo, answer) in answers {
        let asked = async {
            while !String::from_utf8_lossy(&seen).ends_with(question) {
                assert!(screen.read_buf(&mut seen).await.unwrap() > 0, "no {question}");
            }
        };
        timeout(PATIENCE, asked).await.expect("a question");
        // What is typed sooner is seen: the question comes first.
        eventually("the terminal is ready", async || echo_of(pid) == Some(*echo)).await;
        keys.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
    }
    timeout(PATIENCE, screen.read_to_end(&mut seen)).await.expect("an end").unwrap();
    let exit = timeout(PATIENCE, child.wait()).await.expect("an end").unwrap();
    (exit.code().unwrap(), String::from_utf8(seen).unwrap())
}

/// How the terminal is set that this process made.
fn echo_of(pid: i32) -> Option<Echo> {
    let path = format!("/proc/{}/fd/0", descendants(pid).first()?);
    let terminal = fs::open(path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).ok()?;
    let modes = tcgetattr(terminal).ok()?.local_modes;
    Some(if modes.contains(LocalModes::ECHO) { Echo::Shown } else { Echo::Hidden })
}

#[tokio::test]
async fn a_person_is_asked_at_the_terminal() {
    let data = folder();
    let up = Up::start(data.path()).await;
    let ada = Person::signed_up(&up, data.path(), "ada").await;
    let password = |typed| ("Password of ada@example.org: ", Echo::Hidden, typed);
    let new = |question| (question, Echo::Hidden, NEW_PASSWORD);
    let answers = [password(PASSWORD), new("New password of ada@example.org: "), new("again: ")];
    let (exit, seen) = at_a_terminal(&ada.command(&["passwd"]), &answers).await;
    assert_eq!(exit, 0, "{seen}");
    assert!(seen.contains("The password is changed, and every other session is ended."), "{seen}");
    assert!(!seen.contains(PASSWORD) && !seen.contains(NEW_PASSWORD), "{seen}");
    ada.gets(&["ls"]).await;

    let (_, codes) = add_authenticator(&ada).await;
    let line = ["sign-in", "ada@example.org"];
    let code = |typed| ("or a recovery code: ", Echo::Shown, typed);
    let answers = [password(NEW_PASSWORD), code("0000-0000-0000-0000"), code(&codes[3])];
    let (exit, seen) = at_a_terminal(&ada.command(&line), &answers).await;
    assert_eq!(exit, 0, "{seen}");
    assert!(seen.contains("This is not the code. Please try the next one."), "{seen}");
    assert!(seen.contains("You are signed in as ada@example.org."), "{seen}");
    assert!(!seen.contains(NEW_PASSWORD) && seen.contains(&codes[3]), "{seen}");
    let (exit, seen) = at_a_terminal(&ada.command(&line), &[password(PASSWORD)]).await;
    assert_eq!(exit, 16, "the old one: {seen}");
    up.stop().await;
}
