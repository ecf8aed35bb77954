//! From the text of a rule to its parts, with words for whoever wrote it.
//!
//! Invariant: nothing is guessed and nothing is dropped: what is not understood,
//! contradicts itself or could mean two things is refused.

use std::ops::RangeInclusive;

use chrono::{NaiveDate, NaiveDateTime, Weekday};

use super::{
    in_calendar,
    parts::{Day, End, Frequency, Parts, letters},
};

const MAX_BYTES: usize = 256;
const WEEK: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

type Result<T> = std::result::Result<T, String>;

/// Reads the text of a rule.
pub(super) fn parts(text: &str) -> Result<Parts> {
    if text.len() > MAX_BYTES {
        return Err(format!("A rule has at most {MAX_BYTES} bytes."));
    }
    let text = text.to_ascii_uppercase();
    let mut given: Vec<(&str, &str)> = Vec::new();
    for part in text.split(';') {
        let (name, value) = part
            .split_once('=')
            .ok_or("A rule is like FREQ=WEEKLY;BYDAY=MO: parts with = inside and ; between.")?;
        if given.iter().any(|(other, _)| *other == name) {
            return Err(format!("{name} is there twice."));
        }
        given.push((name, value));
    }
    let parts = read(&given)?;
    together(&parts)?;
    Ok(parts)
}

fn read(given: &[(&str, &str)]) -> Result<Parts> {
    let mut parts = Parts {
        frequency: Frequency::Daily,
        interval: 1,
        end: End::Never,
        months: Vec::new(),
        weeks: Vec::new(),
        year_days: Vec::new(),
        month_days: Vec::new(),
        days: Vec::new(),
        positions: Vec::new(),
        week_start: Weekday::Mon,
    };
    let mut frequency = None;
    for &(name, value) in given {
        match name {
            "FREQ" => frequency = Some(read_frequency(value)?),
            "INTERVAL" => parts.interval = number(name, value, 1..=1_000)?,
            "COUNT" | "UNTIL" if parts.end != End::Never => {
                return Err("COUNT and UNTIL do not go together.".to_owned());
            }
            "COUNT" => parts.end = End::Count(number(name, value, 1..=10_000)?.into()),
            "UNTIL" => parts.end = End::Until(last_day(value)?),
            "BYMONTH" => parts.months = numbers(name, value, 1..=12, false)?,
            "BYWEEKNO" => parts.weeks = numbers(name, value, 1..=53, true)?,
            "BYYEARDAY" => parts.year_days = numbers(name, value, 1..=366, true)?,
            "BYMONTHDAY" => parts.month_days = numbers(name, value, 1..=31, true)?,
            "BYDAY" => parts.days = days(value)?,
            "BYSETPOS" => parts.positions = numbers(name, value, 1..=366, true)?,
            "WKST" => parts.week_start = weekday(value).ok_or("WKST is one of MO to SU.")?,
            "BYHOUR" | "BYMINUTE" | "BYSECOND" => {
                return Err(format!("{name} repeats within a day; a rule here goes by days."));
            }
            _ => return Err("A rule has a part that is not known, or not understood here.".into()),
        }
    }
    parts.frequency = frequency.ok_or("A rule needs FREQ.")?;
    Ok(parts)
}

/// Refuses what is fine part by part and means nothing, or two things, together.
fn together(parts: &Parts) -> Result<()> {
    use Frequency::{Daily, Monthly, Weekly, Yearly};
    let frequency = parts.frequency;
    let ordinals = || parts.days.iter().filter_map(|day| day.ordinal);
    let in_month = frequency == Monthly || !parts.months.is_empty();
    let bare = parts.months.is_empty()
        && parts.weeks.is_empty()
        && parts.year_days.is_empty()
        && parts.month_days.is_empty()
        && parts.days.is_empty();
    let faults = [
        (
            frequency != Yearly && !(parts.weeks.is_empty() && parts.year_days.is_empty()),
            "BYWEEKNO and BYYEARDAY need FREQ=YEARLY.",
        ),
        (
            frequency == Weekly && !parts.month_days.is_empty(),
            "BYMONTHDAY does not go with FREQ=WEEKLY.",
        ),
        (
            matches!(frequency, Daily | Weekly) && ordinals().next().is_some(),
            "A number in BYDAY needs FREQ=MONTHLY or FREQ=YEARLY.",
        ),
        (
            in_month && ordinals().any(|ordinal| ordinal.abs() > 5),
            "A number in BYDAY is between 1 and 5, or -5 and -1, within a month.",
        ),
        (
            !parts.weeks.is_empty() && (parts.days.is_empty() || ordinals().next().is_some()),
            "BYWEEKNO needs BYDAY without numbers.",
        ),
        // Whether the days of a week that lie in another year count there is
        // told differently by different programs.
        (
            !parts.weeks.is_empty() && (parts.interval != 1 || !parts.positions.is_empty()),
            "BYWEEKNO does not go with INTERVAL or BYSETPOS.",
        ),
        (bare && !parts.positions.is_empty(), "BYSETPOS needs another part that begins with BY."),
    ];
    match faults.into_iter().find(|(holds, _)| *holds) {
        Some((_, words)) => Err(words.to_owned()),
        None => Ok(()),
    }
}

fn read_frequency(value: &str) -> Result<Frequency> {
    Frequency::ALL
        .into_iter()
        .find(|frequency| frequency.name() == value)
        .ok_or_else(|| "FREQ is DAILY, WEEKLY, MONTHLY or YEARLY.".to_owned())
}

/// A day, or a moment whose day counts: `20261224`, `20261224T180000Z`.
fn last_day(value: &str) -> Result<NaiveDate> {
    let digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let moment = value.strip_suffix('Z').unwrap_or(value);
    let day = match moment.split_once('T') {
        None if value.len() == 8 && digits(value) => {
            NaiveDate::parse_from_str(value, "%Y%m%d").ok()
        }
        Some((day, time)) if (day.len(), time.len()) == (8, 6) && digits(day) && digits(time) => {
            NaiveDateTime::parse_from_str(moment, "%Y%m%dT%H%M%S").ok().map(|moment| moment.date())
        }
        _ => None,
    };
    day.filter(|day| in_calendar(*day))
        .ok_or_else(|| "UNTIL is a day such as 20261224, or 20261224T180000Z.".to_owned())
}

fn number(name: &str, value: &str, range: RangeInclusive<i32>) -> Result<i32> {
    let (least, most) = (range.start(), range.end());
    plain(value)
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("{name} is a number between {least} and {most}."))
}

/// A list of numbers, or with `signed` of numbers counted from the end too.
fn numbers(name: &str, value: &str, range: RangeInclusive<i32>, signed: bool) -> Result<Vec<i32>> {
    let (least, most) = (range.start(), range.end());
    let read = |item| {
        let number = if signed { with_sign(item) } else { plain(item) };
        number.filter(|number| range.contains(&number.abs())).ok_or_else(|| match signed {
            true => format!("{name} has numbers from {least} to {most}, or -{most} to -{least}."),
            false => format!("{name} has numbers from {least} to {most}."),
        })
    };
    let numbers = value.split(',').map(read).collect::<Result<Vec<_>>>()?;
    // From the end comes after from the beginning, as it does in a month.
    in_order(name, numbers, |number| (*number < 0, *number))
}

fn days(value: &str) -> Result<Vec<Day>> {
    let read = |item: &str| {
        let (ordinal, name) = item.split_at_checked(item.len().checked_sub(2)?)?;
        let ordinal = match ordinal {
            "" => None,
            ordinal => Some(with_sign(ordinal).filter(|n| (1..=53).contains(&n.abs()))?),
        };
        Some(Day { ordinal, weekday: weekday(name)? })
    };
    let days = value.split(',').map(read).collect::<Option<Vec<_>>>();
    let days = days.ok_or("BYDAY has days such as MO, or 1MO and -1FR: the first, the last.")?;
    in_order("BYDAY", days, |day| {
        let ordinal = day.ordinal.unwrap_or_default();
        (ordinal < 0, ordinal, day.weekday.num_days_from_monday())
    })
}

fn in_order<T: PartialEq, K: Ord>(
    name: &str,
    mut items: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>> {
    items.sort_by_key(key);
    match items.windows(2).any(|pair| pair.first() == pair.last()) {
        true => Err(format!("{name} names something twice.")),
        false => Ok(items),
    }
}

fn weekday(value: &str) -> Option<Weekday> {
    WEEK.into_iter().find(|weekday| letters(*weekday) == value)
}

fn with_sign(value: &str) -> Option<i32> {
    match value.strip_prefix('-') {
        Some(value) => plain(value).map(|number| -number),
        None => plain(value.strip_prefix('+').unwrap_or(value)),
    }
}

/// Digits only, five at most.
fn plain(value: &str) -> Option<i32> {
    let digits = (1..=5).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| digits)
}
