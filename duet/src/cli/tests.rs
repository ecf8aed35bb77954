//! What can be typed and what cannot.

use clap::CommandFactory as _;

use super::*;

fn refused(line: &str) -> bool {
    Cli::try_parse_from(line.split(' ')).is_err()
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
    assert!(matches!(Cli::try_parse_from(["duet", "up"]).unwrap().command, Command::Up(_)));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for line in [
        "duet add",
        "duet add x --due tomorrow",
        "duet add x --at 18:00",
        "duet add x --due 2026-12-24 --zone Europe/Paris",
        "duet add x --due 2026-12-24 --at 24:00",
        "duet edit 1234",
        "duet edit 1234 --no-due --at 18:00",
        "duet edit 1234 --all-day --zone Europe/Paris",
        "duet ls --open --done",
        "duet ls --done --cancelled",
        "duet ls --limit 0",
        "duet ls --due sometimes",
        "duet ls --due 2026-02-30",
        "duet ls --priority urgent",
        "duet ls --sort title",
        "duet add x --repeat weekly",
        "duet add x --due 2026-12-24 --repeat sometimes",
        "duet add x --due 2026-12-24 --after-completion",
        "duet edit 1234 --priority low --no-priority",
        "duet edit 1234 --no-labels --remove-label x",
        "duet edit 1234 --no-repeat --repeat daily",
        "duet edit 1234 --after-due --after-completion",
        "duet edit 1234 --top --parent 5678",
        "duet mv 1234",
        "duet mv 1234 --after 5678 --first",
        "duet mv 1234 --after 5678 --before 9abc",
        "duet mv 1234 --top --parent 5678",
        "duet done",
        "duet done 1234 --at now",
        "duet restore",
        "duet watch --done",
        "duet watch --sort due",
        "duet lists add",
        "duet lists rename Home",
        "duet lists move Home",
        "duet lists move Home --first --after Garden",
        "duet export --format todoist",
        "duet export --force",
        "duet export --account --format csv",
        "duet activity --limit 0",
        "duet delete-account a@example.com",
        "duet delete-account --password-stdin",
        "duet deletion",
        "duet passwd --new hush",
        "duet passwd hush",
        "duet factors add --password hush",
        "duet factors remove",
        "duet factors recovery-codes --force",
        "duet import",
        "duet import x.csv --format excel",
        "duet ls --time-zone Mars/Base",
        "duet admin",
        "duet admin suspend",
        "duet admin users --limit 0",
        "duet admin import",
        "duet admin keys",
        "duet admin keys revoke",
        "duet admin service-accounts create",
        "duet sign-in",
        "duet sign-in a@example.com --password hush",
        "duet whoami --auth-url 127.0.0.1:50051",
        "duet whoami --auth-url ftp://127.0.0.1",
        "duet whoami --auth-url http://me:hush@127.0.0.1",
        "duet whoami --auth-url http://127.0.0.1/auth",
    ] {
        assert!(refused(line), "{line}");
    }
}

#[test]
fn what_the_readme_says_is_understood() {
    for line in [
        "duet sign-up ada@example.com --password-stdin --name Ada",
        "duet sign-in ada@example.com --password-stdin",
        "duet sign-in ada@example.com --password-stdin --code -",
        "duet passwd",
        "duet passwd --password-stdin --code 123456",
        "duet factors",
        "duet factors list",
        "duet factors add --name Phone --output codes.txt --password-stdin --first-code-stdin",
        "duet factors remove 1234 --password-stdin --code -",
        "duet factors recovery-codes -o codes.txt --force",
        "duet add Buy milk --due 2026-12-24 --at 18:00 --zone Europe/Paris --notes Two",
        "duet ls --done --limit 5 --json",
        "duet --json ls",
        "duet edit 1234 --title Tea --due 2026-12-24",
        "duet edit 1234 --no-due --no-repeat --no-labels --label a --no-priority --top",
        "duet add Tea --list Home --parent 1234 --priority high --label a --label b",
        "duet add Tea --due 2026-12-24 --repeat FREQ=WEEKLY;BYDAY=MO,TH --after-completion",
        "duet ls --all --list Home --label a --priority low --due today --search milk",
        "duet ls --filter due<today() --sort due --reverse --time-zone Europe/Paris",
        "duet done 1234 5678 --force --cancel --at 18:00",
        "duet mv 1234 --list Home --parent 5678 --after 9abc",
        "duet mv 1234 --first",
        "duet rm 1234",
        "duet bin",
        "duet restore 1234",
        "duet watch --filter labels:home",
        "duet watch --list Home --label a --priority high --due week --search milk",
        "duet lists",
        "duet lists ls --all",
        "duet lists add To read",
        "duet lists rename Home Our home",
        "duet lists archive Home Garden",
        "duet lists unarchive Home",
        "duet lists move Home --before Garden",
        "duet lists rm Home --force",
        "duet export --format ics -o -",
        "duet export --account -o all.json --password-stdin --code 123456",
        "duet activity --limit 10",
        "duet delete-account",
        "duet delete-account --email a@example.com --password-stdin",
        "duet deletion dr_AAAA",
        "duet export -o tasks.csv --force",
        "duet import tasks.csv --format todoist --list Home --dry-run",
        "duet usage",
        "duet sessions",
        "duet sessions revoke 1234",
        "duet sessions revoke-others",
        "duet admin users --email ada@example.com --limit 5",
        "duet admin suspend ada@example.com --reason spam",
        "duet admin reinstate 1234",
        "duet admin import users.jsonl",
        "duet admin service-accounts",
        "duet admin service-accounts list",
        "duet admin service-accounts create reporter --scope tasks:read --public-key key.json",
        "duet admin service-accounts delete reporter",
        "duet admin keys rotate",
        "duet admin keys revoke 1234",
        // The hash of a key may begin with any letter of base64url.
        "duet admin keys revoke -SRa2TSKGH29Zl9hs7HvVxOB4EZRaOgZqNKUiICV0ZU",
        "duet admin keys revoke --Ra2TSKGH29Zl9hs7HvVxOB4EZRaOgZqNKUiICV0ZU",
        "duet admin keys revoke _-Ra2TSKGH29Zl9hs7HvVxOB4EZRaOgZqNKUiICV0ZU --json",
        "duet admin audit",
        "duet admin --password-stdin --code 123456 keys rotate",
        "duet admin audit ada@example.com --limit 5",
        "duet completions zsh",
        "duet whoami --auth-url https://duet.example/ --credentials me.json",
    ] {
        assert!(!refused(line), "{line}");
    }
}

#[test]
fn every_line_of_the_readme_is_understood() {
    let readme = include_str!("../../../README.md");
    let lines: Vec<&str> = readme
        .lines()
        .map(|line| line.split("  #").next().unwrap_or_default().trim_end())
        .filter(|line| line.starts_with("duet ") && !line.contains("()"))
        .collect();
    assert!(lines.len() >= 5, "{lines:?}");
    for line in lines {
        assert!(!refused(line), "{line}");
    }
}
