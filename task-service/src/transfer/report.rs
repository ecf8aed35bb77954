//! What was not carried over from a file, for the person whose file it is.
//!
//! Invariant: however bad a file is, the report stays short; it always says how
//! much it leaves out.

use std::borrow::Cow;

/// The longest report, and the longest name of a field in it.
const MOST: usize = 1000;
const FIELD_CHARACTERS: usize = 64;

/// Something that was not carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The line it stands on, from 1; 0 for the whole file.
    pub line: usize,
    /// The field, as the file calls it; empty for the whole entry.
    pub field: String,
    /// Why, in one sentence.
    pub reason: Cow<'static, str>,
}

/// The notes on one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    notes: Vec<Note>,
    /// How many more there were.
    more: usize,
}

impl Report {
    /// Adds a note. They come in the order of the file.
    pub(super) fn add(&mut self, line: usize, field: &str, reason: impl Into<Cow<'static, str>>) {
        if self.notes.len() == MOST {
            self.more += 1;
            return;
        }
        let visible = field.chars().filter(|c| !c.is_control());
        let field = visible.take(FIELD_CHARACTERS).collect();
        self.notes.push(Note { line, field, reason: reason.into() });
    }

    /// Puts the notes of another look at the same file among these.
    pub(super) fn merge(&mut self, other: Self) {
        self.notes.extend(other.notes);
        self.notes.sort_by_key(|note| note.line);
        self.more += other.more + self.notes.len().saturating_sub(MOST);
        self.notes.truncate(MOST);
    }

    /// The notes in the order of the file, at most 1,000. If there are more,
    /// the last one says how many.
    #[must_use]
    pub fn notes(mut self) -> Vec<Note> {
        if self.more > 0 {
            let more = self.more + self.notes.split_off(MOST - 1).len();
            let reason = format!("{more} more things were not carried over.");
            self.notes.push(Note { line: 0, field: String::new(), reason: reason.into() });
        }
        self.notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lines: impl Iterator<Item = usize>) -> Report {
        let mut report = Report::default();
        lines.for_each(|line| report.add(line, "field", "Why."));
        report
    }

    #[test]
    fn a_report_is_in_the_order_of_the_file() {
        let mut all = report([1, 3, 5].into_iter());
        all.merge(report([2, 3, 9].into_iter()));
        let lines: Vec<_> = all.notes().iter().map(|note| note.line).collect();
        assert_eq!(lines, [1, 2, 3, 3, 5, 9]);
    }

    #[test]
    fn a_long_report_says_how_much_it_leaves_out() {
        assert_eq!(report(1..=1000).notes().len(), 1000);
        let notes = report(1..=1001).notes();
        assert_eq!(notes.len(), 1000);
        assert_eq!(notes[998].line, 999);
        assert_eq!(notes[999].reason, "2 more things were not carried over.");

        let mut all = report(1..=1500);
        all.merge(report(1..=1500));
        let notes = all.notes();
        assert_eq!(notes[998].line, 500);
        assert_eq!(notes[999].reason, "2001 more things were not carried over.");
    }

    #[test]
    fn a_field_is_named_in_few_visible_characters() {
        let mut report = Report::default();
        report.add(1, &format!("a\n{}", "b".repeat(100)), "Why.");
        assert_eq!(report.notes()[0].field, format!("a{}", "b".repeat(63)));
    }
}
