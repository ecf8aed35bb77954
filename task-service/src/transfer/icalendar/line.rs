//! Content lines of iCalendar (RFC 5545, section 3.1): folding, parameters, and
//! the escapes of TEXT values (section 3.3.11).
//!
//! Invariant: a line that is written has at most 75 octets, and its folds never
//! split a character.

use std::iter::Peekable;

use super::super::Pieces;

const OCTETS: usize = 75;

/// A content line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins, from 1.
    pub(super) number: usize,
    /// In upper case.
    pub(super) name: String,
    /// Names in upper case.
    parameters: Vec<(String, String)>,
    /// As it is written, escapes and all.
    pub(super) value: String,
}

/// The unfolded lines of a file, with their numbers.
pub(super) fn unfold(text: &str) -> impl Iterator<Item = (usize, String)> {
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let lines = Unfold((1..).zip(lines).peekable());
    lines.filter(|(_, line)| !line.trim().is_empty())
}

struct Unfold<I: Iterator>(Peekable<I>);

impl<'t, I: Iterator<Item = (usize, &'t str)>> Iterator for Unfold<I> {
    type Item = (usize, String);

    fn next(&mut self) -> Option<Self::Item> {
        let (number, first) = self.0.next()?;
        let mut line = first.to_owned();
        let folded = |line: &(usize, &str)| line.1.starts_with([' ', '\t']);
        while let Some((_, more)) = self.0.next_if(folded) {
            line.push_str(more.get(1..).unwrap_or_default());
        }
        Some((number, line))
    }
}

impl Line {
    /// Reads an unfolded line; None if it is none.
    pub(super) fn parse(number: usize, text: &str) -> Option<Self> {
        let end = text.find([';', ':'])?;
        let (name, mut rest) = text.split_at(end);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        let mut parameters = Vec::new();
        while let Some(parameter) = rest.strip_prefix(';') {
            let (name, value) = parameter.split_once('=')?;
            let length = value_length(value)?;
            let (value, more) = value.split_at(length);
            parameters.push((name.to_ascii_uppercase(), value.replace('"', "")));
            rest = more;
        }
        let value = rest.strip_prefix(':')?.to_owned();
        Some(Self { number, name: name.to_ascii_uppercase(), parameters, value })
    }

    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value, if it is a text.
    pub(super) fn text(&self) -> String {
        unescape(&self.value)
    }

    /// The values, if they are texts with commas between them.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut escaped = false;
        for c in self.value.chars() {
            if c == ',' && !escaped {
                texts.push(String::new());
            } else if let Some(text) = texts.last_mut() {
                text.push(c);
            }
            escaped = c == '\\' && !escaped;
        }
        texts.iter().map(|text| unescape(text)).collect()
    }
}

/// How long the value of a parameter is; what is quoted may have any character.
fn value_length(text: &str) -> Option<usize> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ';' | ':' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// A text as the value of a line. Every kind of line end becomes `\n`.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\r' => {
                chars.next_if_eq(&'\n');
                escaped.push_str("\\n");
            }
            '\n' => escaped.push_str("\\n"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(c @ ('\\' | ';' | ',')) => plain.push(c),
                // No escape that there is: it stays.
                other => plain.extend(['\\'].into_iter().chain(other)),
            },
            c => plain.push(c),
        }
    }
    plain
}

/// Writes a content line, folded.
pub(super) fn write(file: &mut Pieces, line: &str) {
    let mut rest = line;
    let mut room = OCTETS;
    while rest.len() > room {
        let mut end = room;
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (now, later) = rest.split_at(end);
        file.push(now);
        file.push("\r\n ");
        rest = later;
        // The blank counts.
        room = OCTETS - 1;
    }
    file.push(rest);
    file.push("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &str) -> String {
        let mut file = Pieces::default();
        write(&mut file, line);
        String::from_utf8(file.into_iter().flatten().collect()).unwrap()
    }

    #[test]
    fn lines_are_folded_at_75_octets_between_characters() {
        assert_eq!(written("A:b"), "A:b\r\n");
        assert_eq!(written(&"a".repeat(75)), format!("{}\r\n", "a".repeat(75)));
        for text in ["a", "é", "€", "𝄞", "a𝄞é"] {
            let line = format!("SUMMARY:{}", text.repeat(300));
            let folded = written(&line);
            assert!(folded.lines().all(|line| line.len() <= 75), "{text}");
            let unfolded: Vec<_> = unfold(&folded).collect();
            assert_eq!(unfolded, [(1, line)]);
        }
    }

    #[test]
    fn a_line_has_the_number_it_begins_on() {
        let lines: Vec<_> = unfold("A:1\r\n 2\r\n\t3\r\n\r\nB:4\nC:5").collect();
        let expected = [(1, "A:123"), (5, "B:4"), (6, "C:5")];
        assert_eq!(lines, expected.map(|(number, line)| (number, line.to_owned())));
    }

    #[test]
    fn texts_come_back_as_they_were() {
        for text in ["", "a;b,c\\n", "one\ntwo", "\\", "\\\\,", "tab\there", "a:b\"c"] {
            let line = Line::parse(1, &format!("X:{}", escape(text))).unwrap();
            assert_eq!(line.text(), text);
        }
        assert_eq!(escape("a\r\nb\rc"), "a\\nb\\nc");
        assert_eq!(Line::parse(1, "X:\\x\\").unwrap().text(), "\\x\\");
        let line = Line::parse(1, "CATEGORIES:a\\,b,c\\\\,d").unwrap();
        assert_eq!(line.texts(), ["a,b", "c\\", "d"]);
    }

    #[test]
    fn parameters() {
        let line = Line::parse(7, "due;TZID=\"a:b;c\";value=DATE-TIME:1:2").unwrap();
        assert_eq!((line.number, line.name.as_str(), line.value.as_str()), (7, "DUE", "1:2"));
        assert_eq!(line.parameter("TZID"), Some("a:b;c"));
        assert_eq!(line.parameter("VALUE"), Some("DATE-TIME"));
        assert_eq!(line.parameter("X"), None);
        for bad in ["", "A", ":b", "A B:c", "A;b:c", "A;b=c", "A;b=\"c:d", "É:1"] {
            assert_eq!(Line::parse(1, bad), None, "{bad}");
        }
    }
}
