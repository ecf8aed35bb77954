//! When a task is due, as people write and read it: `2026-12-24`, `18:00`,
//! `2026-12-24 18:00 Europe/Paris`. Whether a time zone exists is for the
//! service to say.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use proto::task::v1::{Date, Due};

/// Reads a day: year, month and day as 4, 2 and 2 digits (RFC 3339).
///
/// # Errors
/// In words for the user.
pub(crate) fn date(text: &str) -> Result<NaiveDate, String> {
    let parts: Vec<&str> = text.split('-').collect();
    if let [year, month, day] = parts[..]
        && let Some(year) = digits(year, 4..=4)
        && let Some(month) = digits(month, 2..=2)
        && let Some(day) = digits(day, 2..=2)
    {
        return Some(year)
            .filter(|year| *year > 0)
            .and_then(|year| {
                NaiveDate::from_ymd_opt(year, month.cast_unsigned(), day.cast_unsigned())
            })
            .ok_or_else(|| "there is no such day".to_owned());
    }
    Err("write the day as 2026-12-24".to_owned())
}

/// Reads a time of the day, `18:00` or `9:30`, as the minute of the day.
///
/// # Errors
/// In words for the user.
pub(crate) fn minute(text: &str) -> Result<i32, String> {
    text.split_once(':')
        .and_then(|(hour, minute)| Some((digits(hour, 1..=2)?, digits(minute, 2..=2)?)))
        .filter(|(hour, minute)| *hour < 24 && *minute < 60)
        .map(|(hour, minute)| hour * 60 + minute)
        .ok_or_else(|| "write the time as 18:00".to_owned())
}

/// When something was, as a user writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// An instant, with its offset.
    Instant(DateTime<Utc>),
    /// A minute of a day; the day is today unless it is given.
    Wall(Option<NaiveDate>, i32),
}

/// Reads when something was: a time of today, a day, both, or an instant as of
/// RFC 3339.
///
/// # Errors
/// In words for the user.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(Moment::Instant(instant.with_timezone(&Utc)));
    }
    let both = text.split_once([' ', 'T']);
    match both {
        Some((day, time)) => Ok(Moment::Wall(Some(date(day)?), minute(time)?)),
        None if text.contains('-') => Ok(Moment::Wall(Some(date(text)?), 0)),
        None => Ok(Moment::Wall(None, minute(text)?)),
    }
}

/// A due from its parts.
pub(crate) fn new(day: NaiveDate, minute_of_day: Option<i32>, time_zone: Option<&str>) -> Due {
    let date =
        Date { year: day.year(), month: day.month().cast_signed(), day: day.day().cast_signed() };
    Due { date: Some(date), minute_of_day, time_zone: time_zone.unwrap_or_default().to_owned() }
}

/// A due for people to read.
pub(crate) fn text(due: &Due) -> String {
    let Due { date, minute_of_day, time_zone } = due;
    let Date { year, month, day } = date.unwrap_or_default();
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    if let Some(minute) = minute_of_day {
        text += &format!(" {:02}:{:02}", minute / 60, minute % 60);
    }
    if !time_zone.is_empty() {
        text += " ";
        text += time_zone;
    }
    text
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i32> {
    let all = text.bytes().all(|byte| byte.is_ascii_digit());
    if all && length.contains(&text.len()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_read_strictly() {
        assert_eq!(date("2026-12-24"), Ok(NaiveDate::from_ymd_opt(2026, 12, 24).unwrap()));
        for bad in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-1-1",
            "10000-01-01",
            "0000-01-01",
            "+2026-01-01",
            "2026-12-24T18:00",
            "24.12.2026",
            " 2026-12-24",
            "२०२६-12-24",
        ] {
            assert!(date(bad).is_err(), "{bad}");
        }
        assert_eq!(minute("00:00"), Ok(0));
        assert_eq!(minute("9:05"), Ok(545));
        assert_eq!(minute("23:59"), Ok(1439));
        for bad in ["", "9", "24:00", "12:60", "12:5", "012:00", "-1:00", "6pm", "18:00:00"] {
            assert!(minute(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_moment_is_a_time_a_day_both_or_an_instant() {
        let day = date("2026-11-20").ok();
        assert_eq!(moment("9:05"), Ok(Moment::Wall(None, 545)));
        assert_eq!(moment("2026-11-20"), Ok(Moment::Wall(day, 0)));
        assert_eq!(moment("2026-11-20 18:00"), Ok(Moment::Wall(day, 1080)));
        assert_eq!(moment("2026-11-20T18:00"), Ok(Moment::Wall(day, 1080)));
        let instant = "2026-11-20T17:00:00Z".parse().unwrap();
        assert_eq!(moment("2026-11-20T18:00:00+01:00"), Ok(Moment::Instant(instant)));
        for bad in ["", "now", "25:00", "2026-11-31", "2026-11-20 18", "2026-11-20T18:00:61Z"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_due_reads_as_it_was_written() {
        let day = date("2026-12-04").unwrap();
        assert_eq!(text(&new(day, None, None)), "2026-12-04");
        assert_eq!(text(&new(day, Some(545), None)), "2026-12-04 09:05");
        let zoned = new(day, Some(1080), Some("Europe/Paris"));
        assert_eq!(text(&zoned), "2026-12-04 18:00 Europe/Paris");
    }
}
