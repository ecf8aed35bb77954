//! What the client prints: a table or a sentence for a person, JSON for a
//! program.
//!
//! Invariant: nothing that came from a service reaches a terminal with a
//! control character in it, in a table as little as in JSON.

use std::io::{self, Write};

use chrono::{DateTime, Local};
use comfy_table::{ColumnConstraint, ContentArrangement, Row, Table, presets};
use prost_types::Timestamp;
use serde::Serialize;

/// The narrowest terminal that tables are made for.
const NARROWEST: u16 = 60;

/// Where answers go.
pub(crate) struct Output<'a> {
    to: &'a mut dyn Write,
    json: bool,
    terminal: bool,
    is_read: fn() -> bool,
}

impl<'a> Output<'a> {
    /// Answers go to `to`, which may be a terminal, as JSON or as text;
    /// `is_read` tells whether somebody is there to read them.
    pub(crate) fn new(
        to: &'a mut dyn Write,
        json: bool,
        terminal: bool,
        is_read: fn() -> bool,
    ) -> Self {
        Self { to, json, terminal, is_read }
    }

    /// Whether programs read the answers.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether people see what is written here.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Prints an answer in the form that was asked for.
    pub(crate) fn show(
        &mut self,
        json: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        let text = if self.json { to_json(json)? } else { text() };
        self.raw(text.trim_end().as_bytes())?;
        self.raw(b"\n")
    }

    /// Whether somebody is there to read. Who has nothing to write for a while
    /// does not notice by itself that nobody is.
    pub(crate) fn is_read(&self) -> bool {
        (self.is_read)()
    }

    /// Prints JSON on a line of its own, at once.
    pub(crate) fn json_line(&mut self, json: &impl Serialize) -> io::Result<()> {
        let line = serde_json::to_string(json)?;
        self.raw(escaped(&line).as_bytes())?;
        self.raw(b"\n")?;
        self.flush()
    }

    /// Brings what was printed to whoever reads it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    /// Prints bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }
}

/// JSON over several lines, safe to be shown on a terminal.
pub(crate) fn to_json(value: &impl Serialize) -> io::Result<String> {
    Ok(escaped(&serde_json::to_string_pretty(value)?))
}

fn escaped(json: &str) -> String {
    // JSON escapes what is below U+0020 by itself. The rest can only stand
    // within strings.
    json.chars().fold(String::with_capacity(json.len()), |mut safe, c| {
        if c != '\n' && is_unsafe(c) {
            safe += &format!("\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
        safe
    })
}

/// Text of others on one line.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(|c| if is_unsafe(c) { '\u{fffd}' } else { c }).collect()
}

/// Text of others, line ends and tabs kept.
pub(crate) fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\t', "    ");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A table without rulers. On a narrow terminal the second column is the one
/// that is broken into lines.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Row>) -> String {
    table_breaking(1, header, rows)
}

/// The same with another column that is broken into lines, counted from 0.
pub(crate) fn table_breaking(
    breaking: usize,
    header: &[&str],
    rows: impl IntoIterator<Item = Row>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_some_and(|width| width < NARROWEST) {
        // Some terminals do not know how wide they are and say 0.
        table.set_width(NARROWEST);
    }
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    table.add_rows(rows);
    for (place, column) in table.column_iter_mut().enumerate() {
        if place == 0 {
            column.set_padding((0, 1));
        }
        if place != breaking {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt()
}

/// How wide the terminal is, if it tells.
pub(crate) fn width() -> Option<u16> {
    Table::new().width().filter(|width| *width > 0)
}

/// A time for people: their own, to the minute.
pub(crate) fn time(time: Option<&Timestamp>) -> String {
    time.and_then(|time| DateTime::from_timestamp(time.seconds, u32::try_from(time.nanos).ok()?))
        .map(|time| time.with_timezone(&Local).format("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}

/// Control characters, and those that change the direction of what follows.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = "a\u{1b}[2Jb\u{9b}31mc\u{7}d\u{7f}e\r\nf\u{202e}g";

    #[test]
    fn nothing_can_steer_the_terminal() {
        assert_eq!(
            line(NASTY),
            "a\u{fffd}[2Jb\u{fffd}31mc\u{fffd}d\u{fffd}e\u{fffd}\u{fffd}f\u{fffd}g"
        );
        assert_eq!(lines("one\r\n\ttwo\u{1b}c"), "one\n    two\u{fffd}c");
        let json = to_json(&[NASTY]).unwrap();
        assert!(json.chars().all(|c| c == '\n' || !is_unsafe(c)), "{json:?}");
        let [back]: [String; 1] = serde_json::from_str(&json).unwrap();
        assert_eq!(back, NASTY);
    }

    #[test]
    fn a_table_has_no_rulers_and_no_trailing_blanks() {
        let rows = [Row::from(["x", "one"]), Row::from(["y", "two"])];
        assert_eq!(table(&["A", "B"], rows), "A  B\nx  one\ny  two");
    }
}
