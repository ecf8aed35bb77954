//! What a user writes into a task. A value of these types is acceptable; they
//! are made by `parse` only. Lengths count characters, not bytes.

const TITLE_CHARACTERS: usize = 500;
const NOTES_CHARACTERS: usize = 20_000;

/// A task's title: one line of 1 to 500 characters without surrounding blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// Reads a title; blanks around it are dropped.
    ///
    /// # Errors
    /// In words for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        // U+2028 and U+2029 break lines without being control characters.
        if text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
}
