//! The parts of a rule and their text.
//!
//! Invariant: what `parse` lets through is in range and in order, so two rules
//! that say the same have the same parts and the same text.

use std::fmt::{self, Display};

use chrono::{Datelike as _, NaiveDate, Weekday};

/// How long the periods are that a rule goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// When a rule is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Never,
    /// After so many occurrences.
    Count(i64),
    /// After this day.
    Until(NaiveDate),
}

/// A day of the week, or with an ordinal that one in the month or year: 1 for
/// the first, -1 for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) ordinal: Option<i32>,
    pub(super) weekday: Weekday,
}

/// A rule, part by part. An empty list stands for a part that is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) frequency: Frequency,
    pub(super) interval: i32,
    pub(super) end: End,
    pub(super) months: Vec<i32>,
    pub(super) weeks: Vec<i32>,
    pub(super) year_days: Vec<i32>,
    pub(super) month_days: Vec<i32>,
    pub(super) days: Vec<Day>,
    pub(super) positions: Vec<i32>,
    pub(super) week_start: Weekday,
}

impl Frequency {
    pub(super) const ALL: [Self; 4] = [Self::Daily, Self::Weekly, Self::Monthly, Self::Yearly];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
            Self::Yearly => "YEARLY",
        }
    }
}

impl Parts {
    /// The rule with what its first day says about the days to come: a weekly
    /// one without days comes on the weekday of that day, and so on.
    pub(super) fn counted_from(&self, start: NaiveDate) -> Self {
        let mut parts = self.clone();
        let bare = self.weeks.is_empty()
            && self.year_days.is_empty()
            && self.month_days.is_empty()
            && self.days.is_empty();
        match self.frequency {
            Frequency::Weekly if bare => {
                parts.days.push(Day { ordinal: None, weekday: start.weekday() });
            }
            Frequency::Monthly | Frequency::Yearly if bare => {
                parts.month_days.extend(i32::try_from(start.day()));
                if self.frequency == Frequency::Yearly && self.months.is_empty() {
                    parts.months.extend(i32::try_from(start.month()));
                }
            }
            Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly => {}
        }
        parts
    }
}

impl Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            frequency,
            interval,
            end,
            months,
            weeks,
            year_days,
            month_days,
            days,
            positions,
            week_start,
        } = self;
        write!(f, "FREQ={}", frequency.name())?;
        if *interval != 1 {
            write!(f, ";INTERVAL={interval}")?;
        }
        match end {
            End::Never => {}
            End::Count(count) => write!(f, ";COUNT={count}")?,
            End::Until(last) => write!(f, ";UNTIL={}", last.format("%Y%m%d"))?,
        }
        list(f, "BYMONTH", months)?;
        list(f, "BYWEEKNO", weeks)?;
        list(f, "BYYEARDAY", year_days)?;
        list(f, "BYMONTHDAY", month_days)?;
        list(f, "BYDAY", days)?;
        list(f, "BYSETPOS", positions)?;
        if *week_start != Weekday::Mon {
            write!(f, ";WKST={}", letters(*week_start))?;
        }
        Ok(())
    }
}

impl Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ordinal) = self.ordinal {
            write!(f, "{ordinal}")?;
        }
        f.write_str(letters(self.weekday))
    }
}

fn list<T: Display>(f: &mut fmt::Formatter<'_>, name: &str, items: &[T]) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        match place {
            0 => write!(f, ";{name}={item}")?,
            _ => write!(f, ",{item}")?,
        }
    }
    Ok(())
}

/// The two letters that the RFC has for a day of the week.
pub(super) const fn letters(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Mon => "MO",
        Weekday::Tue => "TU",
        Weekday::Wed => "WE",
        Weekday::Thu => "TH",
        Weekday::Fri => "FR",
        Weekday::Sat => "SA",
        Weekday::Sun => "SU",
    }
}
