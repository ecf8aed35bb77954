//! When a task is due: a civil date, maybe a minute of that day, maybe a time
//! zone for it. It stays what the user said and is never turned into an
//! instant here.

use std::ops::RangeInclusive;

use chrono::{Datelike as _, NaiveDate};
use chrono_tz::Tz;
use proto::task::v1 as pb;
use shared::error::Fields;

const LAST_MINUTE: i32 = 1439;
const YEARS: RangeInclusive<i32> = 1..=9999;
const YEAR_OUT_OF_RANGE: &str = "A year is between 1 and 9999.";

/// When a task is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    date: NaiveDate,
    time: Option<Time>,
}

/// A time of the day, in a zone or wherever the user is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Time {
    /// 0 to 1439.
    minute: i32,
    /// An IANA name.
    zone: Option<String>,
}

/// The columns that hold a due date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns<'a> {
    /// The day.
    pub date: Option<NaiveDate>,
    /// Minute of the day.
    pub minute: Option<i64>,
    /// An IANA name.
    pub zone: Option<&'a str>,
}

impl Due {
    /// Reads the field `field`. None if anything in it is not acceptable, which
    /// `fields` has then noted.
    pub fn read(fields: &mut Fields, field: &str, due: &pb::Due) -> Option<Self> {
        let pb::Due { date, minute_of_day, time_zone } = due;
        let date = fields.read(&format!("{field}.date"), parse_date(date.as_ref()));
        let minute = fields
            .read(&format!("{field}.minute_of_day"), minute_of_day.map(parse_minute).transpose());
        let zone = fields
            .read(&format!("{field}.time_zone"), parse_zone(time_zone, minute_of_day.is_some()));
        let (date, minute, zone) = (date?, minute?, zone?);
        Some(Self { date, time: minute.map(|minute| Time { minute, zone }) })
    }

    /// All of this day.
    #[must_use]
    pub const fn all_day(date: NaiveDate) -> Self {
        Self { date, time: None }
    }

    /// Due on this day, maybe at this minute of it, maybe in this zone.
    ///
    /// # Errors
    /// In words for the caller: the year is out of range, the minute is, the
    /// zone is not known or has no minute.
    pub fn new(
        date: NaiveDate,
        minute: Option<i32>,
        zone: Option<&str>,
    ) -> Result<Self, &'static str> {
        let zone = parse_zone(zone.unwrap_or_default(), minute.is_some())?;
        let minute = minute.map(parse_minute).transpose()?;
        if !YEARS.contains(&date.year()) {
            return Err(YEAR_OUT_OF_RANGE);
        }
        Ok(Self { date, time: minute.map(|minute| Time { minute, zone }) })
    }

    /// The day.
    #[must_use]
    pub const fn date(&self) -> NaiveDate {
        self.date
    }

    /// What the columns say; `Err` if they contradict each other.
    ///
    /// # Errors
    /// In words for the log.
    pub fn from_columns(columns: Columns<'_>) -> Result<Option<Self>, &'static str> {
        let Columns { date, minute, zone } = columns;
        let zone = zone.map(str::to_owned);
        match (date, minute.map(i32::try_from), zone) {
            (None, None, None) => Ok(None),
            (Some(date), None, None) => Ok(Some(Self { date, time: None })),
            (Some(date), Some(Ok(minute)), zone) => {
                Ok(Some(Self { date, time: Some(Time { minute, zone }) }))
            }
            _ => Err("the columns of a due date contradict each other"),
        }
    }

    /// The columns that hold this.
    #[must_use]
    pub fn columns(&self) -> Columns<'_> {
        let Self { date, time } = self;
        Columns {
            date: Some(*date),
            minute: time.as_ref().map(|time| i64::from(time.minute)),
            zone: time.as_ref().and_then(|time| time.zone.as_deref()),
        }
    }
}

impl From<Due> for pb::Due {
    fn from(due: Due) -> Self {
        let Due { date, time } = due;
        let (minute_of_day, zone) = match time {
            Some(Time { minute, zone }) => (Some(minute), zone),
            None => (None, None),
        };
        Self {
            date: Some(pb::Date {
                year: date.year(),
                // Both are two digits at most.
                month: i32::try_from(date.month()).unwrap_or_default(),
                day: i32::try_from(date.day()).unwrap_or_default(),
            }),
            minute_of_day,
            time_zone: zone.unwrap_or_default(),
        }
    }
}

fn parse_date(date: Option<&pb::Date>) -> Result<NaiveDate, &'static str> {
    let &pb::Date { year, month, day } = date.ok_or("A due date needs a date.")?;
    if !YEARS.contains(&year) {
        return Err(YEAR_OUT_OF_RANGE);
    }
    let (month, day) = (u32::try_from(month).ok(), u32::try_from(day).ok());
    month
        .zip(day)
        .and_then(|(month, day)| NaiveDate::from_ymd_opt(year, month, day))
        .ok_or("There is no such day in the calendar.")
}

fn parse_minute(minute: i32) -> Result<i32, &'static str> {
    if (0..=LAST_MINUTE).contains(&minute) {
        Ok(minute)
    } else {
        Err("A minute of the day is between 0 and 1439.")
    }
}

fn parse_zone(zone: &str, has_minute: bool) -> Result<Option<String>, &'static str> {
    match zone {
        "" => Ok(None),
        _ if !has_minute => Err("A time zone needs a minute of the day."),
        zone if zone.parse::<Tz>().is_ok() => Ok(Some(zone.to_owned())),
        _ => Err("A time zone has an IANA name such as Europe/Paris."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(year: i32, month: i32, day: i32, minute: Option<i32>, zone: &str) -> pb::Due {
        let date = Some(pb::Date { year, month, day });
        pb::Due { date, minute_of_day: minute, time_zone: zone.to_owned() }
    }

    #[test]
    fn a_due_date_comes_back_as_it_was_said() {
        for said in [
            due(1, 1, 1, None, ""),
            due(9999, 12, 31, Some(1439), ""),
            due(2024, 2, 29, Some(0), "Europe/Paris"),
            due(2026, 3, 29, Some(150), "America/Argentina/Buenos_Aires"),
        ] {
            let mut fields = Fields::new();
            let read = Due::read(&mut fields, "due", &said).unwrap();
            assert_eq!(Due::from_columns(read.columns()), Ok(Some(read.clone())));
            let Columns { date, minute, zone } = read.columns();
            let minute = minute.map(|minute| minute.try_into().unwrap());
            assert_eq!(Due::new(date.unwrap(), minute, zone), Ok(read.clone()));
            assert_eq!(pb::Due::from(read), said);
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for bad in [
            pb::Due { date: None, minute_of_day: None, time_zone: String::new() },
            due(0, 1, 1, None, ""),
            due(10_000, 1, 1, None, ""),
            due(i32::MIN, i32::MIN, i32::MIN, Some(i32::MIN), ""),
            due(2025, 2, 29, None, ""),
            due(2025, 13, 1, None, ""),
            due(2025, 0, 1, None, ""),
            due(2025, 1, -1, None, ""),
            due(2025, 1, 1, Some(1440), ""),
            due(2025, 1, 1, Some(-1), ""),
            due(2025, 1, 1, None, "Europe/Paris"),
            due(2025, 1, 1, Some(1), "europe/paris"),
            due(2025, 1, 1, Some(1), "Mars/Olympus"),
            due(2025, 1, 1, Some(1), "+02:00"),
        ] {
            let mut fields = Fields::new();
            assert_eq!(Due::read(&mut fields, "due", &bad), None, "{bad:?}");
            assert!(fields.all(()).is_err());
        }
    }

    #[test]
    fn parts_that_cannot_be_are_refused() {
        let day = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        assert!(Due::new(day(0), None, None).is_err());
        assert!(Due::new(day(10_000), None, None).is_err());
        assert!(Due::new(day(2025), Some(1440), None).is_err());
        assert!(Due::new(day(2025), None, Some("Europe/Paris")).is_err());
        assert!(Due::new(day(2025), Some(1), Some("Mars/Olympus")).is_err());
    }

    #[test]
    fn columns_that_contradict_each_other_are_noticed() {
        let date = NaiveDate::from_ymd_opt(2025, 1, 1);
        for columns in [
            Columns { date: None, minute: Some(1), zone: None },
            Columns { date, minute: None, zone: Some("UTC") },
            Columns { date, minute: Some(i64::MAX), zone: None },
        ] {
            assert!(Due::from_columns(columns).is_err());
        }
        assert_eq!(Due::from_columns(Columns::default()), Ok(None));
    }
}
