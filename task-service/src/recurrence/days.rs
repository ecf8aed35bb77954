//! The days of a rule: period by period, those that all of its parts allow.
//!
//! Invariant: a search begins no period once it has looked at as many days as it
//! was given.

use std::ops::RangeInclusive;

use chrono::{Datelike as _, Days, Months, NaiveDate};

use super::{
    in_calendar,
    parts::{Day, Frequency, Parts},
};

/// So many days tell whether a rule ever comes again. The calendar repeats itself
/// after 400 years, which are 4,800 months, 20,871 weeks or 146,097 days, each a
/// whole number: so many periods, whatever lies between them, meet every case
/// there is. Months have the most days then: 31, if only such months are met.
pub(super) const CALENDAR: i64 = 4_801 * 31;

/// The days of 40 years, the longest time between two leap days on the same
/// weekday. To look at so many takes less than a millisecond.
pub(super) const LIFETIME: i64 = 40 * 366;

impl Parts {
    /// The first day after `after`, which is not before `start`, within a period
    /// that begins while `budget` lasts: it loses one for each day looked at. The
    /// parts are those that are `counted_from` the start.
    pub(super) fn search(
        &self,
        start: NaiveDate,
        after: NaiveDate,
        budget: &mut i64,
    ) -> Option<NaiveDate> {
        let mut index = self.period_of(start, after);
        while *budget > 0 {
            let found = self.first_in(self.period(start, index)?, after, budget);
            if found.is_some() {
                return found;
            }
            index += 1;
        }
        None
    }

    /// Which period from that of `start` is the last one to begin up to `date`.
    fn period_of(&self, start: NaiveDate, date: NaiveDate) -> i64 {
        let week = |date: NaiveDate| date.week(self.week_start).first_day();
        let months = |date: NaiveDate| i64::from(date.year()) * 12 + i64::from(date.month0());
        let apart = match self.frequency {
            Frequency::Daily => (date - start).num_days(),
            Frequency::Weekly => (week(date) - week(start)).num_weeks(),
            Frequency::Monthly => months(date) - months(start),
            Frequency::Yearly => i64::from(date.year()) - i64::from(start.year()),
        };
        apart / i64::from(self.interval)
    }

    /// The days of a period; None beyond the end of the calendar.
    fn period(&self, start: NaiveDate, index: i64) -> Option<RangeInclusive<NaiveDate>> {
        let apart = u32::try_from(index).ok()?.checked_mul(self.interval.unsigned_abs())?;
        let days = |count: u32| Days::new(u64::from(count));
        let (first, last) = match self.frequency {
            Frequency::Daily => {
                let day = start.checked_add_days(days(apart))?;
                (day, day)
            }
            Frequency::Weekly => {
                let week = start.week(self.week_start).first_day();
                let first = week.checked_add_days(days(apart.checked_mul(7)?))?;
                (first, first.checked_add_days(days(6))?)
            }
            Frequency::Monthly => {
                let first = start.with_day(1)?.checked_add_months(Months::new(apart))?;
                (first, first.checked_add_days(days(month_length(first) - 1))?)
            }
            Frequency::Yearly => {
                let year = start.year().checked_add(i32::try_from(apart).ok()?)?;
                (NaiveDate::from_ymd_opt(year, 1, 1)?, NaiveDate::from_ymd_opt(year, 12, 31)?)
            }
        };
        (first.year() <= 9999).then_some(first..=last)
    }

    /// The first day of a period that is on the rule and after `after`.
    fn first_in(
        &self,
        period: RangeInclusive<NaiveDate>,
        after: NaiveDate,
        budget: &mut i64,
    ) -> Option<NaiveDate> {
        let (first, last) = period.into_inner();
        let mut allowed = first
            .iter_days()
            .take_while(|date| *date <= last)
            .inspect(|_| *budget -= 1)
            .filter(|date| self.allows(*date));
        let wanted = |date: &NaiveDate| *date > after && in_calendar(*date);
        if self.positions.is_empty() {
            return allowed.find(wanted);
        }
        let set: Vec<_> = allowed.collect();
        let mut places: Vec<_> =
            self.positions.iter().filter_map(|position| place(*position, set.len())).collect();
        places.sort_unstable();
        places.into_iter().filter_map(|place| set.get(place)).copied().find(wanted)
    }

    /// Whether every part that is given allows the day.
    fn allows(&self, date: NaiveDate) -> bool {
        any(&self.months, |month| *month == number(date.month()))
            && any(&self.month_days, |day| is_month_day(*day, date))
            && any(&self.days, |day| self.is_day(*day, date))
            && any(&self.year_days, |day| is_nth(*day, date.ordinal(), year_length(date)))
            && any(&self.weeks, |week| self.is_in_week(*week, date))
    }

    fn is_day(&self, day: Day, date: NaiveDate) -> bool {
        let Day { ordinal, weekday } = day;
        let in_month = self.frequency == Frequency::Monthly || !self.months.is_empty();
        let (day, length) = match in_month {
            true => (date.day(), month_length(date)),
            false => (date.ordinal(), year_length(date)),
        };
        let is_ordinal = |ordinal| match ordinal > 0 {
            true => number((day - 1) / 7 + 1) == ordinal,
            false => -number((length - day) / 7 + 1) == ordinal,
        };
        weekday == date.weekday() && ordinal.is_none_or(is_ordinal)
    }

    /// Whether a day is in a week of the year. A week belongs to the year that
    /// has at least four of its days, so the year of the fourth.
    fn is_in_week(&self, week: i32, date: NaiveDate) -> bool {
        let Some(fourth) = date.week(self.week_start).first_day().checked_add_days(Days::new(3))
        else {
            return false;
        };
        let before = fourth.ordinal0() / 7;
        let behind = (year_length(fourth) - fourth.ordinal()) / 7;
        is_nth(week, before + 1, before + 1 + behind)
    }
}

fn any<T>(given: &[T], holds: impl Fn(&T) -> bool) -> bool {
    given.is_empty() || given.iter().any(holds)
}

/// Whether `place`, from 1 to `length`, is the one meant by `wanted`, which is
/// negative if it counts from the end.
fn is_nth(wanted: i32, place: u32, length: u32) -> bool {
    match wanted > 0 {
        true => number(place) == wanted,
        false => number(place) - number(length) - 1 == wanted,
    }
}

/// As `is_nth`, and a day that the month lacks is the one closest to it.
fn is_month_day(wanted: i32, date: NaiveDate) -> bool {
    let length = month_length(date);
    is_nth(wanted.clamp(-number(length), number(length)), date.day(), length)
}

/// The index, from 0, of a position from 1 or from the end.
fn place(position: i32, length: usize) -> Option<usize> {
    let distance = usize::try_from(position.unsigned_abs()).ok()?;
    match position > 0 {
        true => distance.checked_sub(1),
        false => length.checked_sub(distance),
    }
}

fn month_length(date: NaiveDate) -> u32 {
    u32::from(date.num_days_in_month())
}

fn year_length(date: NaiveDate) -> u32 {
    if date.leap_year() { 366 } else { 365 }
}

/// Days, months and weeks are few.
fn number(few: u32) -> i32 {
    i32::try_from(few).unwrap_or(i32::MAX)
}
