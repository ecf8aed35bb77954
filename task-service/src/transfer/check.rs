//! The fields of one entry: what is acceptable is kept, what is not is reported
//! and left out. A task is left out as a whole only if it has no good title.

use std::{borrow::Cow, collections::BTreeSet};

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, SubsecRound as _, Timelike as _, Utc};
use chrono_tz::Tz;

use super::{draft::Repeat, report::Report};
use crate::{
    due::Due,
    lists::ListTitle,
    recurrence::Rule,
    text::{Labels, Notes, Title},
};

const LABELS: usize = 32;
/// No IANA zone has a longer name.
const ZONE_BYTES: usize = 64;

/// Looks at the fields of one entry.
pub(super) struct Check<'a> {
    report: &'a mut Report,
    /// How many days may still be looked at for rules.
    rule_days: &'a mut i64,
    line: usize,
    now: DateTime<Utc>,
}

/// How a file calls the three fields of a due date, if it has three.
pub(super) struct DueFields {
    pub(super) date: &'static str,
    pub(super) time: &'static str,
    pub(super) zone: &'static str,
}

/// How a task comes back, as a file tells it.
#[derive(Default)]
pub(super) struct Repeating<'a> {
    pub(super) rule: &'a str,
    pub(super) after_completion: bool,
    /// None for the day that the task is due.
    pub(super) start: Option<NaiveDate>,
    /// None for the first.
    pub(super) number: Option<i64>,
    pub(super) series: Option<String>,
}

impl<'a> Check<'a> {
    pub(super) fn new(
        report: &'a mut Report,
        rule_days: &'a mut i64,
        line: usize,
        now: DateTime<Utc>,
    ) -> Self {
        Self { report, rule_days, line, now }
    }

    /// Notes that this field is not carried over; an empty one is the entry.
    pub(super) fn note(&mut self, field: &str, reason: impl Into<Cow<'static, str>>) {
        self.report.add(self.line, field, reason);
    }

    /// The same for a field on a line of its own.
    pub(super) fn at(&mut self, line: usize) -> Check<'_> {
        Check { report: self.report, rule_days: self.rule_days, line, now: self.now }
    }

    /// The title. Without one the entry is left out.
    pub(super) fn title(&mut self, field: &str, text: &str) -> Option<Title> {
        self.keep(field, Title::parse(text))
    }

    /// The title of a list.
    pub(super) fn list_title(&mut self, field: &str, text: &str) -> Option<ListTitle> {
        self.keep(field, ListTitle::parse(text))
    }

    /// The notes; empty if they are not acceptable.
    pub(super) fn notes(&mut self, field: &str, text: &str) -> Notes {
        self.keep(field, Notes::parse(text)).unwrap_or_default()
    }

    /// The labels, each once and sorted.
    pub(super) fn labels<'l>(
        &mut self,
        field: &str,
        labels: impl IntoIterator<Item = &'l str>,
    ) -> Vec<String> {
        let mut kept = BTreeSet::new();
        for label in labels {
            let label = self.keep(field, Labels::parse(&[label]));
            kept.extend(label.iter().flat_map(|label| label.as_slice()).cloned());
        }
        if kept.len() > LABELS {
            self.note(field, "A task has at most 32 labels; the last ones are left out.");
        }
        kept.into_iter().take(LABELS).collect()
    }

    /// When it is due. A time that cannot be read leaves the day, a zone that is
    /// not known leaves the time.
    pub(super) fn due(
        &mut self,
        fields: &DueFields,
        date: &str,
        time: &str,
        zone: &str,
    ) -> Option<Due> {
        let DueFields { date: date_field, time: time_field, zone: zone_field } = fields;
        if date.is_empty() {
            if !time.is_empty() {
                self.note(time_field, "A time needs a day.");
            }
            return None;
        }
        let date = self.keep(date_field, self::date(date))?;
        if time.is_empty() && !zone.is_empty() {
            self.note(zone_field, "A time zone needs a time.");
        }
        let time = if time.is_empty() { None } else { self.keep(time_field, self::time(time)) };
        self.due_at(fields, date, time, time.and(Some(zone)))
    }

    /// When it is due, out of what was read already.
    pub(super) fn due_at(
        &mut self,
        fields: &DueFields,
        date: NaiveDate,
        time: Option<NaiveTime>,
        zone: Option<&str>,
    ) -> Option<Due> {
        let zone = zone.filter(|zone| !zone.is_empty()).and_then(|zone| {
            let found = known_zone(zone);
            if found.is_none() {
                self.note(fields.zone, "This is not an IANA time zone; the time is kept without.");
            }
            found
        });
        if time.is_some_and(|time| time.second() > 0) {
            self.note(fields.time, "The time is kept without its seconds.");
        }
        let minute = time.map(|time| i32::try_from(time.num_seconds_from_midnight() / 60));
        let minute = minute.and_then(Result::ok);
        self.keep(fields.date, Due::new(date, minute, zone))
    }

    /// A day; None if there is none.
    pub(super) fn day(&mut self, field: &str, text: &str) -> Option<NaiveDate> {
        if text.is_empty() { None } else { self.keep(field, date(text)) }
    }

    /// A moment in the past. One that is missing, or in the future, is now.
    pub(super) fn moment(&mut self, field: &str, text: &str) -> DateTime<Utc> {
        if text.is_empty() {
            return self.now;
        }
        let at = DateTime::parse_from_rfc3339(text)
            .map_err(|_| "This is not a time as 2026-03-09T08:00:00Z; the present one is taken.");
        let at = self.keep(field, at).map(|at| at.to_utc());
        at.map_or(self.now, |at| self.past(field, at))
    }

    /// The same, out of what was read already.
    pub(super) fn past(&mut self, field: &str, at: DateTime<Utc>) -> DateTime<Utc> {
        let at = at.trunc_subsecs(6);
        if at > self.now {
            self.note(field, "It lies in the future; the present time is taken.");
        } else if at.year() < 1 {
            self.note(field, "It lies too far back; the present time is taken.");
        } else {
            return at;
        }
        self.now
    }

    /// How it comes back.
    pub(super) fn repeat(
        &mut self,
        field: &str,
        repeating: Repeating<'_>,
        due: Option<&Due>,
    ) -> Option<Repeat> {
        let Repeating { rule, after_completion, start, number, series } = repeating;
        let Some(due) = due else {
            self.note(field, "A task that comes back needs a day that it is due.");
            return None;
        };
        let start = start.unwrap_or(due.date());
        let rule = Rule::parse_sparing(rule, start, self.rule_days);
        let rule = self.keep(field, rule)?.as_str().to_owned();
        let number = number.unwrap_or(1);
        if number < 1 {
            self.note(field, "Occurrences are counted from 1.");
            return None;
        }
        Some(Repeat { rule, after_completion, start, number, series })
    }

    /// A value, or a note why there is none.
    pub(super) fn keep<T>(
        &mut self,
        field: &str,
        value: Result<T, impl Into<Cow<'static, str>>>,
    ) -> Option<T> {
        value.map_err(|reason| self.note(field, reason)).ok()
    }
}

/// The IANA zone that this names, in the spelling that is stored.
pub(super) fn known_zone(text: &str) -> Option<&str> {
    // Some programs put a registry's name before it: `/example.org/Europe/Paris`.
    let rest = text.match_indices('/').map(|(at, _)| &text[at + 1..]);
    std::iter::once(text)
        .chain(rest)
        .filter(|zone| zone.len() <= ZONE_BYTES)
        .find(|zone| zone.parse::<Tz>().is_ok())
}

fn date(text: &str) -> Result<NaiveDate, &'static str> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
        .map_err(|_| "This is not a day in the calendar as 2026-03-09.")
}

fn time(text: &str) -> Result<NaiveTime, &'static str> {
    let text = text.trim();
    NaiveTime::parse_from_str(text, "%H:%M")
        .or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S"))
        .map_err(|_| "This is not a time as 14:30.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last day of a leap year is a Sunday every 28 years; a file of nothing
    /// but such rules would keep a core busy for seconds.
    #[test]
    fn rules_that_seldom_come_are_looked_at_only_for_so_long() {
        let (mut report, mut days) = (Report::default(), 30_000);
        let due = NaiveDate::from_ymd_opt(2028, 12, 31).map(Due::all_day);
        let mut keep = |line, rule| {
            let mut check = Check::new(&mut report, &mut days, line, DateTime::UNIX_EPOCH);
            check.repeat("rrule", Repeating { rule, ..Repeating::default() }, due.as_ref())
        };
        let seldom = "FREQ=YEARLY;BYYEARDAY=366;BYDAY=SU";
        let kept: Vec<_> = (1..=5).map(|line| keep(line, seldom).is_some()).collect();
        assert_eq!(kept, [true, true, false, false, false]);
        assert!(keep(6, "FREQ=DAILY").is_none());
        let notes = report.notes();
        assert_eq!(notes.iter().map(|note| note.line).collect::<Vec<_>>(), [3, 4, 5, 6]);
        assert!(notes.iter().all(|note| note.reason.contains("too many rules")), "{notes:?}");
    }
}
