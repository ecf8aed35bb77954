//! What a user writes into a task. A value of these types is acceptable; they
//! are made by `parse` only. Lengths count characters, not bytes.

const TITLE_CHARACTERS: usize = 500;
const NOTES_CHARACTERS: usize = 20_000;
const LABELS: usize = 32;
const LABEL_CHARACTERS: usize = 64;

/// A task's title: one line of 1 to 500 characters without surrounding blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// Reads a title; blanks around it are dropped.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains(breaks_lines) {
            return Err("A title is one line without control characters.");
        }
        match text.trim() {
            "" => Err("A task needs a title."),
            title if title.chars().count() > TITLE_CHARACTERS => {
                Err("A title has at most 500 characters.")
            }
            title => Ok(Self(title.to_owned())),
        }
    }

    /// The title itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A task's notes: at most 20,000 characters, empty for none. Tabs and line
/// ends are the only control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(String);

impl Notes {
    /// Reads notes, as they are.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err("Notes may have line ends and tabs, but no other control characters.");
        }
        if text.chars().count() > NOTES_CHARACTERS {
            return Err("Notes have at most 20,000 characters.");
        }
        Ok(Self(text.to_owned()))
    }

    /// The notes themselves.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A task's labels: a set of at most 32, each of 1 to 64 characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<String>);

impl Labels {
    /// Reads labels, in any order; one that is there twice is there once.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(labels: &[impl AsRef<str>]) -> Result<Self, String> {
        let mut read = labels
            .iter()
            .map(|label| Self::parse_one(label.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        read.sort_unstable();
        read.dedup();
        if read.len() > LABELS {
            return Err("A task has at most 32 labels.".to_owned());
        }
        Ok(Self(read))
    }

    /// The labels, sorted.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }

    fn parse_one(label: &str) -> Result<String, String> {
        match label.trim() {
            "" => Err("A label is not empty.".to_owned()),
            label if label.contains(breaks_lines) => {
                Err("A label is one line without control characters.".to_owned())
            }
            label if label.chars().count() > LABEL_CHARACTERS => {
                Err("A label has at most 64 characters.".to_owned())
            }
            label => Ok(label.to_owned()),
        }
    }
}

/// U+2028 and U+2029 break lines without being control characters.
pub(crate) fn breaks_lines(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles() {
        assert_eq!(Title::parse("  Buy milk \u{a0}").unwrap().as_str(), "Buy milk");
        assert!(Title::parse(&"é".repeat(500)).is_ok());
        assert!(Title::parse(&format!(" {} ", "é".repeat(500))).is_ok());
        for bad in ["", "   ", "\u{3000}", "a\0b", "a\rb", "a\n", "a\tb", "a\u{7f}", "a\u{2028}b"] {
            assert!(Title::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Title::parse(&"é".repeat(501)).is_err());
    }

    #[test]
    fn notes() {
        assert_eq!(Notes::parse(" one\r\n\ttwo\n").unwrap().as_str(), " one\r\n\ttwo\n");
        assert!(Notes::parse("").is_ok());
        assert!(Notes::parse(&"é".repeat(20_000)).is_ok());
        assert!(Notes::parse(&"é".repeat(20_001)).is_err());
        assert!(Notes::parse("a\0b").is_err());
        assert!(Notes::parse("\u{1b}[31m").is_err());
    }

    #[test]
    fn labels() {
        let read = Labels::parse(&["b", " a ", "b"]).unwrap();
        assert_eq!(read.as_slice(), ["a", "b"]);
        assert_eq!(Labels::parse(&[""; 0]).unwrap(), Labels::default());
        let many: Vec<_> = (0..33).map(|n| n.to_string()).collect();
        assert!(Labels::parse(&many).is_err());
        assert!(Labels::parse(&many[1..]).is_ok());
        assert!(Labels::parse(&["é".repeat(64)]).is_ok());
        for bad in ["", " ", "a\nb", "a\u{2029}b", &"é".repeat(65)] {
            assert!(Labels::parse(&["fine", bad]).is_err(), "{bad:?}");
        }
    }
}
