//! The time zone of the user: in which it is today, and in which a time that
//! they write is meant.

use chrono::{DateTime, Local, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::due::Moment;
use crate::cli::Options;

/// Reads the IANA name of a time zone.
///
/// # Errors
/// In words for the user.
pub(crate) fn parse(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "there is no such zone; write it as Europe/Paris".to_owned())
}

/// Its IANA name, as the services want it; empty, which means UTC there, if the
/// system does not say.
pub(crate) fn name(options: &Options) -> String {
    let system = || {
        // POSIX writes a name in TZ with a colon before it, or without.
        let tz = options.tz.as_deref().map(|text| text.strip_prefix(':').unwrap_or(text));
        tz.and_then(|text| parse(text).ok())
            .or_else(|| iana_time_zone::get_timezone().ok().and_then(|text| parse(&text).ok()))
    };
    options.time_zone.or_else(system).map(|zone| zone.name().to_owned()).unwrap_or_default()
}

/// The instant that the user wrote at `now`.
pub(crate) fn instant(
    options: &Options,
    moment: Moment,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    match (moment, options.time_zone) {
        (Moment::Instant(instant), _) => Some(instant),
        (Moment::Wall(day, minute), Some(zone)) => on_the_wall(&zone, day, minute, now),
        (Moment::Wall(day, minute), None) => on_the_wall(&Local, day, minute, now),
    }
}

fn on_the_wall<Z: TimeZone>(
    zone: &Z,
    day: Option<NaiveDate>,
    minute: i32,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let day = day.unwrap_or_else(|| now.with_timezone(zone).date_naive());
    let wall = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(minute.into());
    let there = match zone.from_local_datetime(&wall) {
        LocalResult::Single(there) | LocalResult::Ambiguous(there, _) => there,
        // The clock was put forward over it: that much later.
        LocalResult::None => zone.from_local_datetime(&(wall + TimeDelta::hours(1))).earliest()?,
    };
    Some(there.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::due;

    fn paris() -> Options {
        Options { time_zone: parse("Europe/Paris").ok(), ..Options::default() }
    }

    #[test]
    fn a_zone_is_named_by_the_user_or_the_system() {
        assert!(parse("Mars/Base").is_err());
        assert_eq!(name(&paris()), "Europe/Paris");
        for tz in ["America/Lima", ":America/Lima"] {
            let options = Options { tz: Some(tz.to_owned()), ..Options::default() };
            assert_eq!(name(&options), "America/Lima");
            let options = Options { tz: Some(tz.to_owned()), ..paris() };
            assert_eq!(name(&options), "Europe/Paris");
        }
    }

    #[test]
    fn a_clock_on_the_wall_means_an_instant() {
        // Half an hour before midnight in UTC: the next day in Paris.
        let now = "2026-11-20T23:30:00Z".parse().unwrap();
        let at = |text| instant(&paris(), due::moment(text).unwrap(), now).unwrap().to_rfc3339();
        assert_eq!(at("18:30"), "2026-11-21T17:30:00+00:00");
        assert_eq!(at("2026-11-20"), "2026-11-19T23:00:00+00:00");
        assert_eq!(at("2026-11-20T12:00:00-05:00"), "2026-11-20T17:00:00+00:00");
        // Clocks go from 2:00 to 3:00 on March 29 and from 3:00 to 2:00 on October 25.
        assert_eq!(at("2026-03-29 2:30"), "2026-03-29T01:30:00+00:00");
        assert_eq!(at("2026-10-25 2:30"), "2026-10-25T00:30:00+00:00");
    }
}
