//! How a task comes back, in the words that the page uses too
//! (`web/src/tasks/recurrence.ts`). Rules that people seldom write are shown as
//! they are: `Repeats (FREQ=…)`.

const DAYS: [(&str, &str); 7] = [
    ("MO", "Monday"),
    ("TU", "Tuesday"),
    ("WE", "Wednesday"),
    ("TH", "Thursday"),
    ("FR", "Friday"),
    ("SA", "Saturday"),
    ("SU", "Sunday"),
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WORKDAYS: &str = "MO,TU,WE,TH,FR";

/// A rule (RFC 5545, section 3.3.10) in words: `Every 2 weeks on Monday`.
pub(crate) fn in_words(rrule: &str) -> String {
    words(rrule).unwrap_or_else(|| format!("Repeats ({rrule})"))
}

/// The parts of a rule that have words.
#[derive(Default)]
struct Parts<'a> {
    freq: &'a str,
    interval: u32,
    days: &'a str,
    month_days: &'a str,
    months: &'a str,
    place: &'a str,
    end: String,
}

fn words(rrule: &str) -> Option<String> {
    let parts = read(rrule)?;
    let (one, many) = match parts.freq {
        "DAILY" => ("day", "days"),
        "WEEKLY" => ("week", "weeks"),
        "MONTHLY" => ("month", "months"),
        "YEARLY" => ("year", "years"),
        _ => return None,
    };
    let every = match parts.interval {
        1 if parts.freq == "WEEKLY" && is_workdays(&parts) => "Every weekday".to_owned(),
        1 => format!("Every {one}"),
        interval => format!("Every {interval} {many}"),
    };
    let on = if every == "Every weekday" { String::new() } else { on(&parts)? };
    Some(every + &on + &parts.end)
}

fn read(rrule: &str) -> Option<Parts<'_>> {
    let mut parts = Parts { interval: 1, ..Parts::default() };
    for part in rrule.split(';') {
        let (name, value) = part.split_once('=')?;
        match name {
            "FREQ" => parts.freq = value,
            "INTERVAL" => parts.interval = value.parse().ok()?,
            "BYDAY" => parts.days = value,
            "BYMONTHDAY" => parts.month_days = value,
            "BYMONTH" => parts.months = value,
            "BYSETPOS" => parts.place = value,
            "COUNT" => match value.parse::<u32>().ok()? {
                1 => parts.end = ", once".to_owned(),
                count => parts.end = format!(", {count} times"),
            },
            "UNTIL" => {
                let day = value.get(..8).filter(|day| day.bytes().all(|c| c.is_ascii_digit()))?;
                parts.end = format!(", until {}-{}-{}", &day[..4], &day[4..6], &day[6..]);
            }
            "WKST" => {}
            _ => return None,
        }
    }
    Some(parts)
}

fn is_workdays(parts: &Parts<'_>) -> bool {
    parts.days == WORKDAYS && [parts.month_days, parts.months, parts.place] == [""; 3]
}

/// On which days: ` on Monday and Thursday`, or nothing.
fn on(parts: &Parts<'_>) -> Option<String> {
    let days = match (parts.days, parts.month_days, parts.place) {
        ("", "", "") => String::new(),
        (WORKDAYS, "", "") => "weekdays".to_owned(),
        (WORKDAYS, "", place) if !place.is_empty() => {
            format!("the {} weekday", ordinal(place.parse().ok()?)?)
        }
        (days, "", "") => join(days.split(',').map(day).collect::<Option<_>>()?),
        ("", days, "") => join(days.split(',').map(month_day).collect::<Option<_>>()?),
        _ => return None,
    };
    let months = parts.months.split(',').filter(|month| !month.is_empty()).map(|month| {
        let place: usize = month.parse().ok()?;
        MONTHS.get(place.checked_sub(1)?).map(|name| (*name).to_owned())
    });
    let months = join(months.collect::<Option<_>>()?);
    Some(match (days.as_str(), months.as_str()) {
        ("", "") => String::new(),
        (days, "") => format!(" on {days}"),
        ("", months) => format!(" in {months}"),
        (days, months) if parts.freq == "YEARLY" => format!(" on {days} of {months}"),
        (days, months) => format!(" on {days} in {months}"),
    })
}

/// `MO` is Monday, `-1FR` the last Friday.
fn day(text: &str) -> Option<String> {
    let at = text.len().checked_sub(2)?;
    let (place, code) = (text.get(..at)?, text.get(at..)?);
    let (_, name) = DAYS.iter().find(|(known, _)| *known == code)?;
    match place {
        "" => Some((*name).to_owned()),
        place => Some(format!("the {} {name}", ordinal(place.parse().ok()?)?)),
    }
}

/// `15` is the 15th, `-1` the last day.
fn month_day(text: &str) -> Option<String> {
    let number: i32 = text.parse().ok()?;
    match number {
        1..=31 => Some(format!("the {}", numeral(number))),
        _ => Some(format!("the {} day", ordinal(number)?)),
    }
}

fn ordinal(number: i32) -> Option<String> {
    Some(match number {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        4 => "fourth".to_owned(),
        5 => "fifth".to_owned(),
        6.. => numeral(number),
        0 => return None,
        -1 => "last".to_owned(),
        _ => format!("{} to last", ordinal(number.checked_neg()?)?),
    })
}

fn numeral(number: i32) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

fn join(mut words: Vec<String>) -> String {
    match words.pop() {
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_rules_have_words() {
        for (rule, expected) in [
            ("FREQ=DAILY", "Every day"),
            ("FREQ=DAILY;INTERVAL=3;COUNT=10", "Every 3 days, 10 times"),
            ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every weekday"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR", "Every 2 weeks on weekdays"),
            ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "Every 2 weeks on Monday and Thursday"),
            ("FREQ=WEEKLY;BYDAY=MO,WE,SU;WKST=SU", "Every week on Monday, Wednesday and Sunday"),
            ("FREQ=WEEKLY;UNTIL=20261224T170000Z", "Every week, until 2026-12-24"),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", "Every month on the last day"),
            ("FREQ=MONTHLY;BYMONTHDAY=1,22", "Every month on the 1st and the 22nd"),
            ("FREQ=MONTHLY;BYDAY=2TU", "Every month on the second Tuesday"),
            ("FREQ=MONTHLY;BYDAY=-2FR;COUNT=1", "Every month on the second to last Friday, once"),
            ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "Every month on the last weekday"),
            ("FREQ=MONTHLY;BYMONTHDAY=11,12,13", "Every month on the 11th, the 12th and the 13th"),
            ("FREQ=YEARLY;BYDAY=20MO", "Every year on the 20th Monday"),
            ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "Every year on the 24th of December"),
            ("FREQ=YEARLY;BYDAY=4TH;BYMONTH=11", "Every year on the fourth Thursday of November"),
            ("FREQ=DAILY;BYMONTH=6,7", "Every day in June and July"),
        ] {
            assert_eq!(in_words(rule), expected);
        }
    }

    #[test]
    fn other_rules_are_shown_as_they_are() {
        for rule in [
            "",
            "FREQ=SECONDLY",
            "FREQ=YEARLY;BYWEEKNO=20",
            "FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=13",
            "weekly",
            "FREQ=YEARLY;BYYEARDAY=1",
            "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1",
            "FREQ=MONTHLY;BYMONTHDAY=1,2;BYSETPOS=1",
            "FREQ=MONTHLY;BYDAY=oneMO",
            "FREQ=WEEKLY;UNTIL=tomorrow",
            "FREQ=MONTHLY;BYDAY=XX",
            "FREQ=MONTHLY;BYDAY=é",
            "FREQ=MONTHLY;BYDAY=0MO",
            "FREQ=YEARLY;BYMONTH=13",
            "FREQ=YEARLY;BYMONTH=0",
            "FREQ=WEEKLY;UNTIL=é0261224",
            "FREQ=MONTHLY;BYMONTHDAY=-2147483648",
        ] {
            assert_eq!(in_words(rule), format!("Repeats ({rule})"));
        }
    }
}
