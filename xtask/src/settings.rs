//! `docs/settings.md`: every setting that has an environment variable, from the
//! programs' own `--help`, which is the reference.

use std::{fmt::Write as _, path::Path};

use crate::workspace::{build, command, output};

const HEAD: &str = "\
# Settings

Every setting of every program, made from their `--help` by `cargo xtask gen`;
do not edit. A flag goes before its variable, a variable before the default.
Bad settings end a program with exit code 64 before it opens a port.
";

/// Programs and the command whose settings are listed.
const PROGRAMS: [(&str, &[&str]); 3] =
    [("auth-service", &[]), ("task-service", &[]), ("duet", &["up"])];

/// The page.
pub(crate) fn page() -> anyhow::Result<String> {
    let programs = build(&PROGRAMS.map(|(program, _)| program))?;
    let mut page = HEAD.to_owned();
    for (program, arguments) in PROGRAMS {
        let settings = read(&help(&programs.join(program), arguments)?);
        anyhow::ensure!(!settings.is_empty(), "{program} has no settings");
        let title = [&[program], arguments].concat().join(" ");
        write!(page, "\n## {title}\n\n| variable | flag | default | |\n|---|---|---|---|\n")?;
        for Setting { flag, variable, default, text } in settings {
            let default = default.map(|default| format!("`{default}`")).unwrap_or_default();
            writeln!(page, "| `{variable}` | `{flag}` | {default} | {text} |")?;
        }
    }
    Ok(page)
}

/// What a program says about itself, as wide as it likes and whatever the
/// variables of this process are.
fn help(program: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut run = command(program, arguments);
    for (name, _) in std::env::vars_os() {
        let ours = ["AUTH_", "TASK_", "DUET_"];
        if ours.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            run.env_remove(name);
        }
    }
    output(run.arg("--help").env("COLUMNS", "10000"))
}

#[derive(Debug, PartialEq, Eq)]
struct Setting {
    flag: String,
    variable: String,
    default: Option<String>,
    text: String,
}

/// Reads clap's help: an entry begins with its flag, and what belongs to it is
/// on the same line or on deeper ones. Entries without a variable are no
/// settings.
fn read(help: &str) -> Vec<Setting> {
    let mut entries: Vec<Vec<&str>> = Vec::new();
    let mut within = false;
    for line in help.lines() {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        if (2..8).contains(&depth) && text.starts_with('-') {
            entries.push(text.splitn(2, "  ").map(str::trim).collect());
            within = true;
        } else if depth >= 8
            && within
            && let Some(entry) = entries.last_mut()
        {
            entry.push(text);
        } else if !text.is_empty() {
            within = false;
        }
    }
    entries.iter().filter_map(|entry| read_entry(entry)).collect()
}

fn read_entry(entry: &[&str]) -> Option<Setting> {
    let (head, rest) = entry.split_first()?;
    let flag = head.split_whitespace().find(|word| word.starts_with("--"))?;
    // Values that explain themselves are a list: `- json: One object a line`.
    let (values, rest): (Vec<&str>, Vec<&str>) =
        rest.iter().partition(|line| line.starts_with("- "));
    let mut text = rest.join(" ").replace("Possible values:", "");
    let variable = take(&mut text, "[env: ")?;
    let default = take(&mut text, "[default: ");
    let one_of = take(&mut text, "[possible values: ");
    let values: Vec<&str> = values.iter().map(|value| value.trim_start_matches("- ")).collect();
    let values = one_of.unwrap_or_else(|| values.join("; "));
    if !values.is_empty() {
        text = format!("{text} ({values})");
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    Some(Setting {
        flag: flag.trim_end_matches("...").to_owned(),
        variable: variable.split('=').next().unwrap_or_default().to_owned(),
        default,
        text: words.join(" ").replace('|', "\\|"),
    })
}

/// Takes the bracket that begins with `start` out of `text`.
fn take(text: &mut String, start: &str) -> Option<String> {
    let from = text.find(start)?;
    let length = text.get(from..)?.find(']')?;
    let inner = text.get(from + start.len()..from + length)?.to_owned();
    text.replace_range(from..=from + length, "");
    Some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: &str = "\
Tasks of Duet, over gRPC.

Usage: task-service [OPTIONS] [COMMAND]

Options:
      --listen-addr <LISTEN_ADDR>
          Address for gRPC
          
          [env: TASK_LISTEN_ADDR=]
          [default: 127.0.0.1:50052]

      --log-format <LOG_FORMAT>
          How log lines look

          Possible values:
          - json: One object a line
          - text: For people
          
          [env: TASK_LOG_FORMAT=]
          [default: json]

  -h, --help
          Print help

Exit codes:
  64    the configuration is not acceptable [env: NOT_A_SETTING=]
";

    #[test]
    fn settings_are_read_from_help_on_many_lines_and_on_one() {
        let settings = read(HELP);
        let variables: Vec<&str> = settings.iter().map(|one| one.variable.as_str()).collect();
        assert_eq!(variables, ["TASK_LISTEN_ADDR", "TASK_LOG_FORMAT"]);
        assert_eq!(settings[0].default.as_deref(), Some("127.0.0.1:50052"));
        assert_eq!(settings[0].text, "Address for gRPC");
        assert_eq!(
            settings[1].text,
            "How log lines look (json: One object a line; text: For people)"
        );

        let line = "  -d, --data-dir <DIR>  Where it lies [env: DUET_DATA_DIR=/here]";
        let expected = Setting {
            flag: "--data-dir".to_owned(),
            variable: "DUET_DATA_DIR".to_owned(),
            default: None,
            text: "Where it lies".to_owned(),
        };
        assert_eq!(read(line), [expected]);
    }
}
