//! How a task comes back: a subset of RFC 5545, section 3.3.10, on civil dates.
//! An occurrence keeps the minute and the zone of the one before, so a change of
//! the clocks never moves the time that the user said.
//!
//! Invariant: a `Rule` comes again after the day it was read for, and asking
//! when takes a bounded number of steps.

// The crate `rrule` would save little: it skips the days that a month lacks,
// works on instants, takes what is refused here and searches without a bound.
// A day that a month lacks is its last day here (as with SKIP=BACKWARD of RFC
// 7529), and one counted from the end its first.

mod days;
mod parse;
mod parts;
#[cfg(test)]
mod tests;

use chrono::{Datelike as _, NaiveDate, TimeDelta};

use self::{
    days::{CALENDAR, LIFETIME},
    parts::{End, Parts},
};
use crate::task;

/// A task that is later than this takes no COUNT up: nobody counts days of
/// centuries, and a caller could have us do it for every task of a batch.
const LONG_LATE: TimeDelta = TimeDelta::days(36_525);

/// A recurrence rule that can be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    text: String,
    parts: Parts,
}

/// The occurrence that follows one that was completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Following {
    /// The day it is due.
    pub date: NaiveDate,
    /// Its place in the series, from 1.
    pub number: i64,
    /// The day the rule is counted from, from now on.
    pub start: NaiveDate,
}

impl Rule {
    /// Reads the text of a rule for a task that is due on `start`.
    ///
    /// # Errors
    /// In words for the caller: it is more than 256 bytes, not a rule, not in
    /// the subset, over before `start`, or comes in no 40 years after it that it
    /// could come in.
    pub fn parse(text: &str, start: NaiveDate) -> Result<Self, String> {
        Self::parse_sparing(text, start, &mut LIFETIME.clone())
    }

    /// The same for one of many rules, for all of which together no more than
    /// `days` days are looked at; those that were are taken away from it.
    ///
    /// # Errors
    /// As `parse`, or that there are too many that seldom come.
    pub fn parse_sparing(text: &str, start: NaiveDate, days: &mut i64) -> Result<Self, String> {
        let rule = Self::read(text)?;
        if let End::Until(last) = rule.parts.end
            && last < start
        {
            return Err("UNTIL is before the day that the task is due.".to_owned());
        }
        rule.coming(start, days)
    }

    /// The same for a task of which it is not known when it is due. `day` is any
    /// day to begin with, before or after the UNTIL of the rule.
    ///
    /// # Errors
    /// As `parse`.
    pub fn parse_undated(text: &str, day: NaiveDate) -> Result<Self, String> {
        Self::read(text)?.coming(day, &mut LIFETIME.clone())
    }

    /// The rule, if it ever comes again.
    fn coming(self, start: NaiveDate, days: &mut i64) -> Result<Self, String> {
        let most = LIFETIME.min(*days);
        let mut left = most;
        let found = self.parts.counted_from(start).search(start, start, &mut left);
        *days -= most - left;
        match found {
            Some(_) => Ok(self),
            None if most < LIFETIME => Err("There are too many rules that seldom come.".to_owned()),
            None => Err("The rule never comes, or not within a lifetime.".to_owned()),
        }
    }

    /// The rule as it is stored: upper case, its parts in one order, without
    /// what goes without saying.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first day after `after` of the rule counted from `start`, which is
    /// its first day itself. `number` is the place in the series of the last
    /// occurrence up to `after`; the place of the day comes with it. None if
    /// COUNT, UNTIL or the calendar (year 9999) is over.
    #[must_use]
    pub fn next(
        &self,
        start: NaiveDate,
        number: i64,
        after: NaiveDate,
    ) -> Option<(NaiveDate, i64)> {
        let number = number.checked_add(1)?;
        let date = if after < start { start } else { self.date_after(start, after, CALENDAR)? };
        let over = match self.parts.end {
            End::Never => false,
            End::Count(count) => number > count,
            End::Until(last) => date > last,
        };
        (!over).then_some((date, number))
    }

    /// Reads the text of a rule, whenever it comes.
    fn read(text: &str) -> Result<Self, String> {
        let parts = parse::parts(text)?;
        Ok(Self { text: parts.to_string(), parts })
    }

    /// The first day after `after`, whatever the end of the rule is, if it does
    /// not take more days than `budget` to find it.
    fn date_after(&self, start: NaiveDate, after: NaiveDate, mut budget: i64) -> Option<NaiveDate> {
        self.parts.counted_from(start).search(start, after, &mut budget)
    }

    /// The first day after `due` that is not before `today`. Days that were
    /// passed over take up a COUNT.
    fn not_past(
        &self,
        start: NaiveDate,
        number: i64,
        due: NaiveDate,
        today: NaiveDate,
    ) -> Option<(NaiveDate, i64)> {
        if !matches!(self.parts.end, End::Count(_)) || today - due > LONG_LATE {
            let eve = today.pred_opt().unwrap_or(today);
            return self.next(start, number, due.max(eve));
        }
        let mut next = self.next(start, number, due)?;
        while next.0 < today {
            next = self.next(start, next.1, next.0)?;
        }
        Some(next)
    }
}

/// What follows an occurrence that was due on `due` and completed on
/// `completed_on`; None if it was the last one.
///
/// Counted from the due date, it is the first day after that which is not past.
/// Counted from completion, it is the first day of the rule that begins on the
/// day of completion; should that never come (every 7 days on Mondays, begun on
/// a Tuesday), of the rule as it was begun before.
#[must_use]
pub fn following(
    recurrence: &task::Recurrence,
    due: NaiveDate,
    completed_on: NaiveDate,
) -> Option<Following> {
    let task::Recurrence { rule, after_completion, start, number, series: _ } = recurrence;
    let (start, number) = (*start, *number);
    let rule = Rule::read(rule).ok()?;
    if *after_completion && let Some((date, number)) = rule.next(completed_on, number, completed_on)
    {
        return Some(Following { date, number, start: completed_on });
    }
    let (date, number) = match after_completion {
        true => rule.next(start, number, completed_on)?,
        false => rule.not_past(start, number, due, completed_on)?,
    };
    Some(Following { date, number, start })
}

/// Whether this is a day of the years that a task can be due in.
fn in_calendar(date: NaiveDate) -> bool {
    (1..=9999).contains(&date.year())
}
