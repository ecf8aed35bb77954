//! A change of the clocks moves no occurrence: the day comes from the rule, the
//! minute and the zone from the task. Which instant that is follows from the
//! zone, by RFC 5545, section 3.3.5: a time that is skipped counts by the
//! offset before the gap, one that comes twice is the first.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::{day, following, recurrence};

#[test]
fn a_change_of_the_clocks_leaves_the_time_that_was_said() {
    for (rule, zone, minute, due, instants) in CHANGES.iter().copied() {
        let zone: Tz = zone.parse().unwrap();
        let mut series = recurrence(rule, false, due);
        let mut due = day(due);
        for expected in instants {
            let at = instant(due, minute, zone).format("%Y-%m-%dT%H:%M").to_string();
            assert_eq!(at, expected, "{rule} in {zone}");
            let next = following(&series, due, due).unwrap();
            (series.start, series.number, due) = (next.start, next.number, next.date);
        }
    }
}

/// Rule, zone, minute; the due date; the instants of it and the three that follow.
type Change = (&'static str, &'static str, u32, &'static str, [&'static str; 4]);

const CHANGES: &[Change] = &[
    // Forward on 29 March: 09:00 stays 09:00.
    (
        "FREQ=DAILY",
        "Europe/Paris",
        540,
        "20260327",
        ["2026-03-27T08:00", "2026-03-28T08:00", "2026-03-29T07:00", "2026-03-30T07:00"],
    ),
    // 02:30 is skipped on that day: it is the moment 01:30 UTC, shown as 03:30.
    (
        "FREQ=DAILY",
        "Europe/Paris",
        150,
        "20260328",
        ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30", "2026-03-31T00:30"],
    ),
    // Back on 25 October: 02:30 comes twice, and is the first.
    (
        "FREQ=WEEKLY",
        "Europe/Paris",
        150,
        "20261018",
        ["2026-10-18T00:30", "2026-10-25T00:30", "2026-11-01T01:30", "2026-11-08T01:30"],
    ),
    (
        "FREQ=WEEKLY;BYDAY=SU",
        "America/New_York",
        150,
        "20260301",
        ["2026-03-01T07:30", "2026-03-08T07:30", "2026-03-15T06:30", "2026-03-22T06:30"],
    ),
    (
        "FREQ=MONTHLY;BYDAY=1SU",
        "America/New_York",
        90,
        "20261004",
        ["2026-10-04T05:30", "2026-11-01T05:30", "2026-12-06T06:30", "2027-01-03T06:30"],
    ),
    // Half an hour, and in April the other way round.
    (
        "FREQ=DAILY",
        "Australia/Lord_Howe",
        105,
        "20260403",
        ["2026-04-02T14:45", "2026-04-03T14:45", "2026-04-04T14:45", "2026-04-05T15:15"],
    ),
    // The change is at midnight: the day has no 00:00.
    (
        "FREQ=YEARLY;BYMONTH=9;BYDAY=1SU",
        "America/Santiago",
        0,
        "20250907",
        ["2025-09-07T04:00", "2026-09-06T04:00", "2027-09-05T04:00", "2028-09-03T04:00"],
    ),
    // A zone without changes, east of all others.
    (
        "FREQ=MONTHLY",
        "Pacific/Kiritimati",
        1439,
        "20260131",
        ["2026-01-31T09:59", "2026-02-28T09:59", "2026-03-31T09:59", "2026-04-30T09:59"],
    ),
];

/// The instant of a due date that has a minute and a zone.
fn instant(date: NaiveDate, minute: u32, zone: Tz) -> DateTime<Utc> {
    let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0).unwrap();
    let local = date.and_time(time);
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
        LocalResult::None => {
            let day_before = zone.from_local_datetime(&(local - TimeDelta::days(1))).unwrap();
            day_before.to_utc() + TimeDelta::days(1)
        }
    }
}
