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
        "duet ls --limit 0",
        "duet done",
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
        "duet add Buy milk --due 2026-12-24 --at 18:00 --zone Europe/Paris --notes Two",
        "duet ls --done --limit 5 --json",
        "duet --json ls",
        "duet edit 1234 --title Tea --due 2026-12-24",
        "duet done 1234 5678",
        "duet sessions",
        "duet sessions revoke 1234",
        "duet sessions revoke-others",
        "duet completions zsh",
        "duet whoami --auth-url https://duet.example/ --credentials me.json",
    ] {
        assert!(!refused(line), "{line}");
    }
}
