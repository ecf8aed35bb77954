//! What `ls` and `watch` ask for, as a filter and an order of the service
//! (AIP-160, AIP-132).
//!
//! Invariant: a value that the user gave reaches the filter through `quote`
//! and is nothing but a value there. Only `--filter` is taken as it is.

use chrono::NaiveDate;

use super::{due as day, id};
use crate::cli::tasks::{Level, Ls, Sort, Which};

/// When a task has to be due to be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Today.
    Today,
    /// Tomorrow.
    Tomorrow,
    /// Today or within the six days after it.
    Week,
    /// Before today.
    Overdue,
    /// On whatever day.
    Any,
    /// Not at all.
    None,
    /// On this day.
    On(NaiveDate),
}

/// Reads when a task has to be due.
///
/// # Errors
/// In words for the user.
pub(crate) fn due(text: &str) -> Result<Due, String> {
    Ok(match text {
        "today" => Due::Today,
        "tomorrow" => Due::Tomorrow,
        "week" => Due::Week,
        "overdue" => Due::Overdue,
        "any" => Due::Any,
        "none" => Due::None,
        _ if text.starts_with(|c: char| c.is_ascii_digit()) => Due::On(day::date(text)?),
        _ => {
            return Err("write today, tomorrow, week, overdue, any, none, or a day as 2026-12-24"
                .to_owned());
        }
    })
}

/// The filter for what was asked for; `list` is the name of the list, and
/// `status` what is said of being closed.
pub(crate) fn filter(which: &Which, status: Option<&str>, list: Option<&str>) -> String {
    let Which { list: _, filter, search, labels, priority, due } = which;
    let mut terms = Vec::new();
    // AND binds least in AIP-160, so what the user wrote needs no parentheses;
    // it comes first, so that the service counts its characters as they do.
    terms.extend(filter.as_deref().filter(|text| !text.trim().is_empty()).map(str::to_owned));
    terms.extend(status.map(str::to_owned));
    terms.extend(list.map(|name| format!("list = {}", quote(id::last(name)))));
    terms.extend(labels.iter().map(|label| format!("labels:{}", quote(label))));
    terms.extend(priority.map(|level| format!("priority = {}", level_name(level))));
    terms.extend(due.map(due_term));
    terms.extend(search.as_deref().map(quote));
    terms.join(" AND ")
}

/// The order that was asked for, as the service's `order_by`.
pub(crate) fn order(args: &Ls) -> String {
    let Ls { sort, reverse, which, .. } = args;
    let usual = if which.list.is_some() { Sort::Manual } else { Sort::Created };
    let (field, descending) = match sort.unwrap_or(usual) {
        Sort::Created => ("create_time", true),
        Sort::Changed => ("update_time", true),
        Sort::Due => ("due", false),
        Sort::Priority => ("priority", true),
        Sort::Manual => ("position", false),
    };
    if descending == *reverse { field.to_owned() } else { format!("{field} desc") }
}

/// A text as a value within a filter.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// What `ls` says of being closed.
pub(crate) fn status(args: &Ls) -> Option<&'static str> {
    let Ls { open, done, cancelled, all, which, .. } = args;
    match (open, done, cancelled, all) {
        (_, true, _, _) => Some("status = DONE"),
        (_, _, true, _) => Some("status = CANCELLED"),
        (_, _, _, true) => None,
        (true, ..) => Some("status = OPEN"),
        // A filter says itself what it is about.
        _ if which.filter.is_some() => None,
        _ => Some("status = OPEN"),
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Low => "LOW",
        Level::Medium => "MEDIUM",
        Level::High => "HIGH",
    }
}

fn due_term(due: Due) -> String {
    match due {
        Due::Today => "due = today()".to_owned(),
        Due::Tomorrow => "due = days(1)".to_owned(),
        Due::Week => "due >= today() AND due < days(7)".to_owned(),
        Due::Overdue => "due < today()".to_owned(),
        Due::Any => "due:*".to_owned(),
        Due::None => "NOT due:*".to_owned(),
        Due::On(day) => format!("due = {day}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, ClientCommand, Command};

    fn ls(words: &[&str]) -> Ls {
        let line = ["duet", "ls"].iter().chain(words);
        match Cli::try_parse_from(line).unwrap().command {
            Command::Client(ClientCommand::Ls(args)) => *args,
            other => panic!("{other:?}"),
        }
    }

    fn asked(words: &[&str]) -> String {
        asked_of(words, None)
    }

    fn asked_of(words: &[&str], list: Option<&str>) -> String {
        let args = ls(words);
        filter(&args.which, status(&args), list)
    }

    #[test]
    fn what_is_asked_for_becomes_a_filter() {
        assert_eq!(asked(&[]), "status = OPEN");
        assert_eq!(asked(&["--all"]), "");
        assert_eq!(asked(&["--done"]), "status = DONE");
        assert_eq!(asked(&["--cancelled"]), "status = CANCELLED");
        let words = ["--all", "--label", "home", "--label", "a b", "--priority", "high"];
        assert_eq!(asked(&words), r#"labels:"home" AND labels:"a b" AND priority = HIGH"#);
        for (when, term) in [
            ("today", "due = today()"),
            ("tomorrow", "due = days(1)"),
            ("week", "due >= today() AND due < days(7)"),
            ("overdue", "due < today()"),
            ("any", "due:*"),
            ("none", "NOT due:*"),
            ("2026-12-24", "due = 2026-12-24"),
        ] {
            assert_eq!(asked(&["--all", "--due", when]), term);
        }
        let name = "users/u/lists/0197a2b4-1111-7aaa-8aaa-00001a2b3c4d";
        let expected = r#"status = OPEN AND list = "0197a2b4-1111-7aaa-8aaa-00001a2b3c4d""#;
        assert_eq!(asked_of(&["--list", "Home"], Some(name)), expected);
    }

    #[test]
    fn a_filter_says_itself_what_it_is_about_and_comes_first() {
        assert_eq!(asked(&["--filter", "a OR b"]), "a OR b");
        assert_eq!(asked(&["--filter", "a OR b", "--open"]), "a OR b AND status = OPEN");
        assert_eq!(asked(&["--filter", " ", "--search", "milk"]), r#""milk""#);
    }

    #[test]
    fn a_value_cannot_become_more_than_a_value() {
        for (text, quoted) in [
            ("milk", r#""milk""#),
            ("", r#""""#),
            (r#"" OR title:""#, r#""\" OR title:\"""#),
            (r"\", r#""\\""#),
            (r#"\""#, r#""\\\"""#),
            ("it's (a) *", r#""it's (a) *""#),
        ] {
            assert_eq!(quote(text), quoted);
            // Read as the service reads it, it is the text again.
            let mut inner = quoted[1..quoted.len() - 1].chars();
            let mut read = String::new();
            while let Some(c) = inner.next() {
                assert_ne!(c, '"', "{quoted}");
                read.push(if c == '\\' { inner.next().unwrap() } else { c });
            }
            assert_eq!(read, text);
        }
    }

    #[test]
    fn an_order_has_the_direction_that_people_expect() {
        for (words, expected) in [
            (&[][..], "create_time desc"),
            (&["--reverse"], "create_time"),
            (&["--list", "Home"], "position"),
            (&["--sort", "changed"], "update_time desc"),
            (&["--sort", "due"], "due"),
            (&["--sort", "due", "--reverse"], "due desc"),
            (&["--sort", "priority"], "priority desc"),
            (&["--sort", "manual", "--reverse"], "position desc"),
        ] {
            assert_eq!(order(&ls(words)), expected, "{words:?}");
        }
    }
}
