//! Days and moments in a filter, some of which are known only when it is
//! applied: today is another day tomorrow, and in another time zone.

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

/// The first and the last microsecond of the years 1 to 9999.
const FIRST: i64 = -62_135_596_800_000_000;
const LAST: i64 = 253_402_300_799_999_999;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Day {
    On(NaiveDate),
    /// So many days after today.
    Today {
        days: i64,
    },
}

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    At(DateTime<Utc>),
    /// The first of this day.
    Start(Day),
}

impl Day {
    pub(super) fn on(self, today: NaiveDate) -> NaiveDate {
        match self {
            Self::On(date) => date,
            Self::Today { days } => today + TimeDelta::days(days),
        }
    }
}

impl Moment {
    pub(super) fn at(self, today: NaiveDate, zone: Tz) -> DateTime<Utc> {
        match self {
            Self::At(at) => at,
            Self::Start(day) => start(day.on(today), zone),
        }
    }
}

/// A moment as JSON has it: in microseconds as Postgres keeps it, and in a year
/// that both can write, which is as far as any task's time can be.
pub(super) fn text(at: DateTime<Utc>) -> String {
    let micros = at.timestamp_micros().clamp(FIRST, LAST);
    let at = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// When a day begins. It is not midnight where the clocks go forward then.
fn start(date: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = date.and_time(NaiveTime::MIN);
    // The longest gap there was is the day that Samoa left out.
    let quarters = (0..=4 * 24).map(|quarter| midnight + TimeDelta::minutes(15 * quarter));
    let start = quarters.filter_map(|local| zone.from_local_datetime(&local).earliest()).next();
    start.map_or_else(|| midnight.and_utc(), |start| start.to_utc())
}
