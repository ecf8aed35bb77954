//! What a user may expect of rules: what is refused and how, which day follows
//! when a task is completed late or early, months' ends, and what a change of
//! the clocks does. The RFC's own examples and rules at random are below.

mod clocks;
mod oracle;
mod random;
mod rfc;

use chrono::NaiveDate;
use uuid::Uuid;

use super::{Following, LIFETIME, Rule, following};
use crate::task::Recurrence;

const NEVER: &str = "The rule never comes, or not within a lifetime.";

/// A day from `20261224`.
fn day(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y%m%d").unwrap()
}

/// The first days of a rule, `start` included, at most `count`.
fn days(rule: &str, start: &str, count: usize) -> Vec<String> {
    let start = day(start);
    let rule = Rule::parse(rule, start).unwrap();
    let mut days = vec![start];
    while days.len() < count {
        let number = i64::try_from(days.len()).unwrap();
        let Some((date, next)) = rule.next(start, number, days[days.len() - 1]) else { break };
        assert_eq!(next, number + 1);
        days.push(date);
    }
    days.into_iter().map(|day| day.format("%Y%m%d").to_string()).collect()
}

fn recurrence(rule: &str, after_completion: bool, start: &str) -> Recurrence {
    let start = day(start);
    let rule = Rule::parse(rule, start).unwrap().as_str().to_owned();
    Recurrence { rule, after_completion, start, number: 1, series: Uuid::nil() }
}

#[test]
fn a_rule_is_kept_in_one_spelling() {
    for (said, kept) in [
        ("FREQ=DAILY", "FREQ=DAILY"),
        ("freq=weekly;byday=th,mo", "FREQ=WEEKLY;BYDAY=MO,TH"),
        ("BYDAY=MO;WKST=MO;INTERVAL=01;FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=MO"),
        ("FREQ=WEEKLY;WKST=SU;INTERVAL=2", "FREQ=WEEKLY;INTERVAL=2;WKST=SU"),
        ("FREQ=MONTHLY;BYDAY=-1FR,+1MO,SU", "FREQ=MONTHLY;BYDAY=SU,1MO,-1FR"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,31,1", "FREQ=MONTHLY;BYMONTHDAY=1,31,-1"),
        ("FREQ=DAILY;UNTIL=20261224T235959Z", "FREQ=DAILY;UNTIL=20261224"),
        ("FREQ=DAILY;UNTIL=20261224T000000", "FREQ=DAILY;UNTIL=20261224"),
        (
            "FREQ=YEARLY;COUNT=1;BYSETPOS=-1,1;BYMONTH=3,2",
            "FREQ=YEARLY;COUNT=1;BYMONTH=2,3;BYSETPOS=1,-1",
        ),
        ("FREQ=YEARLY;BYDAY=MO;BYWEEKNO=20,-1", "FREQ=YEARLY;BYWEEKNO=20,-1;BYDAY=MO"),
    ] {
        let rule = Rule::parse(said, day("20260105")).unwrap();
        assert_eq!(rule.as_str(), kept);
        assert_eq!(Rule::parse(kept, day("20260105")).unwrap(), rule, "{kept}");
    }
}

#[test]
fn what_cannot_be_kept_is_refused_in_words() {
    let long = format!("FREQ=DAILY;BYMONTHDAY={}", "1,".repeat(200));
    let too_long = (&*long, "A rule has at most 256 bytes.");
    for (bad, words) in REFUSED.iter().copied().chain([too_long]) {
        let refused = Rule::parse(bad, day("20260105")).unwrap_err();
        assert!(refused.starts_with(words), "{bad}: {refused}");
    }
}

const REFUSED: &[(&str, &str)] = &[
    ("", "A rule is like FREQ="),
    ("daily", "A rule is like FREQ="),
    ("FREQ=DAILY;", "A rule is like FREQ="),
    ("FREQ = DAILY", "A rule has a part that is not known"),
    ("RRULE:FREQ=DAILY", "A rule has a part that is not known"),
    ("INTERVAL=2", "A rule needs FREQ."),
    ("FREQ=", "FREQ is DAILY"),
    ("FREQ=SECONDLY", "FREQ is DAILY"),
    ("FREQ=MINUTELY", "FREQ is DAILY"),
    ("FREQ=HOURLY", "FREQ is DAILY"),
    ("FREQ=DAILY;FREQ=DAILY", "FREQ is there twice."),
    ("FREQ=DAILY;INTERVAL=0", "INTERVAL is a number between 1 and 1000."),
    ("FREQ=DAILY;INTERVAL=-1", "INTERVAL is a number between 1 and 1000."),
    ("FREQ=DAILY;INTERVAL=1001", "INTERVAL is a number between 1 and 1000."),
    ("FREQ=DAILY;INTERVAL=99999999999999999999", "INTERVAL is a number"),
    ("FREQ=DAILY;COUNT=0", "COUNT is a number between 1 and 10000."),
    ("FREQ=DAILY;COUNT=10001", "COUNT is a number between 1 and 10000."),
    ("FREQ=DAILY;COUNT=1;UNTIL=20270101", "COUNT and UNTIL do not go together."),
    ("FREQ=DAILY;UNTIL=20270101;COUNT=1", "COUNT and UNTIL do not go together."),
    ("FREQ=DAILY;UNTIL=20260104", "UNTIL is before"),
    ("FREQ=DAILY;UNTIL=20270229", "UNTIL is a day"),
    ("FREQ=DAILY;UNTIL=2027011", "UNTIL is a day"),
    ("FREQ=DAILY;UNTIL=00000101", "UNTIL is a day"),
    ("FREQ=DAILY;UNTIL=20270101T250000Z", "UNTIL is a day"),
    ("FREQ=DAILY;UNTIL=20270101T2500", "UNTIL is a day"),
    ("FREQ=DAILY;BYHOUR=9", "BYHOUR repeats within a day"),
    ("FREQ=DAILY;BYMINUTE=9", "BYMINUTE repeats within a day"),
    ("FREQ=DAILY;BYSECOND=9", "BYSECOND repeats within a day"),
    ("FREQ=DAILY;BYEASTER=0", "A rule has a part that is not known"),
    ("RSCALE=GREGORIAN;FREQ=DAILY", "A rule has a part that is not known"),
    ("FREQ=DAILY;BYMONTH=0", "BYMONTH has numbers from 1 to 12."),
    ("FREQ=DAILY;BYMONTH=13", "BYMONTH has numbers from 1 to 12."),
    ("FREQ=DAILY;BYMONTH=-1", "BYMONTH has numbers from 1 to 12."),
    ("FREQ=DAILY;BYMONTH=1,,2", "BYMONTH has numbers from 1 to 12."),
    ("FREQ=DAILY;BYMONTH=1,1", "BYMONTH names something twice."),
    ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY has numbers from 1 to 31, or -31 to -1."),
    ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY has numbers"),
    ("FREQ=MONTHLY;BYMONTHDAY=--1", "BYMONTHDAY has numbers"),
    ("FREQ=MONTHLY;BYMONTHDAY=-+1", "BYMONTHDAY has numbers"),
    ("FREQ=YEARLY;BYYEARDAY=367", "BYYEARDAY has numbers"),
    ("FREQ=YEARLY;BYWEEKNO=54;BYDAY=MO", "BYWEEKNO has numbers"),
    ("FREQ=WEEKLY;BYDAY=", "BYDAY has days"),
    ("FREQ=WEEKLY;BYDAY=M", "BYDAY has days"),
    ("FREQ=WEEKLY;BYDAY=MON", "BYDAY has days"),
    ("FREQ=WEEKLY;BYDAY=MO TU", "BYDAY has days"),
    ("FREQ=WEEKLY;BYDAY=é", "BYDAY has days"),
    ("FREQ=WEEKLY;BYDAY=MO,MO", "BYDAY names something twice."),
    ("FREQ=YEARLY;BYDAY=54MO", "BYDAY has days"),
    ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY has days"),
    ("FREQ=MONTHLY;BYDAY=6MO", "A number in BYDAY is between 1 and 5"),
    ("FREQ=YEARLY;BYMONTH=1;BYDAY=-6MO", "A number in BYDAY is between 1 and 5"),
    ("FREQ=WEEKLY;BYDAY=1MO", "A number in BYDAY needs FREQ=MONTHLY"),
    ("FREQ=DAILY;BYDAY=-1MO", "A number in BYDAY needs FREQ=MONTHLY"),
    ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY does not go with FREQ=WEEKLY."),
    ("FREQ=MONTHLY;BYYEARDAY=1", "BYWEEKNO and BYYEARDAY need FREQ=YEARLY."),
    ("FREQ=WEEKLY;BYWEEKNO=1;BYDAY=MO", "BYWEEKNO and BYYEARDAY need FREQ=YEARLY."),
    ("FREQ=YEARLY;BYWEEKNO=1", "BYWEEKNO needs BYDAY"),
    ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", "BYWEEKNO needs BYDAY"),
    ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO;INTERVAL=2", "BYWEEKNO does not go with"),
    ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO;BYSETPOS=1", "BYWEEKNO does not go with"),
    ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs another part"),
    ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "BYSETPOS has numbers"),
    ("FREQ=WEEKLY;WKST=1MO", "WKST is one of MO to SU."),
];

#[test]
fn a_rule_that_never_comes_is_refused_after_a_bounded_number_of_steps() {
    for never in [
        "FREQ=DAILY;BYMONTH=1;BYSETPOS=2",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=DAILY;INTERVAL=1000;BYMONTH=2;BYMONTHDAY=1;BYDAY=MO;BYSETPOS=-2",
        "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=3",
        "FREQ=MONTHLY;BYMONTHDAY=1,2,3,4,5,6,7,8,9,10;BYDAY=SU;BYSETPOS=366",
        "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=2",
        "FREQ=YEARLY;BYMONTHDAY=-1;BYYEARDAY=-2",
        "FREQ=YEARLY;BYYEARDAY=1;BYMONTH=2",
        "FREQ=YEARLY;INTERVAL=1000;BYYEARDAY=366;BYMONTH=1",
        "FREQ=YEARLY;BYWEEKNO=30;BYMONTH=1;BYDAY=MO",
        "FREQ=YEARLY;BYDAY=53MO;BYMONTHDAY=1;BYSETPOS=5",
    ] {
        let start = day("20260105");
        assert_eq!(Rule::parse(never, start).unwrap_err(), NEVER, "{never}");
        let parts = Rule::read(never).unwrap().parts.counted_from(start);
        let mut budget = LIFETIME;
        assert_eq!(parts.search(start, start, &mut budget), None, "{never}");
        assert!(budget > -366, "{never}: {budget}");
        // Nor would it come in 773 years, to the end of the year 9999. The
        // calendar of 9226 is that of 2026.
        let start = day("92260105");
        assert_eq!(parts.search(start, start, &mut { i64::MAX }), None, "{never}");
    }
}

#[test]
fn a_rule_that_comes_once_in_a_long_time_is_taken() {
    for (rule, start, second) in [
        ("FREQ=YEARLY;BYYEARDAY=366", "18970101", "19041231"),
        ("FREQ=YEARLY;BYYEARDAY=366;BYDAY=MO", "18881231", "19281231"),
        ("FREQ=YEARLY;INTERVAL=100;BYYEARDAY=366", "21000101", "24001231"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "20260105", "20330228"),
        ("FREQ=YEARLY;INTERVAL=1000", "00010101", "10010101"),
        ("FREQ=MONTHLY;INTERVAL=1000;BYMONTH=9", "20260105", "21920905"),
        ("FREQ=DAILY;INTERVAL=1000;BYMONTH=2", "20260105", "20560217"),
    ] {
        assert_eq!(days(rule, start, 2)[1], second, "{rule}");
    }
}

#[test]
fn a_day_that_the_month_lacks_is_its_last() {
    for (rule, start, expected) in [
        ("FREQ=MONTHLY", "20260131", "20260131 20260228 20260331 20260430 20260531"),
        ("FREQ=MONTHLY", "20240130", "20240130 20240229 20240330 20240430 20240530"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "20260110", "20260110 20260131 20260228 20260331"),
        ("FREQ=MONTHLY;BYMONTHDAY=30,31", "20260130", "20260130 20260131 20260228 20260330"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "20260131", "20260131 20260228 20260331 20260430"),
        ("FREQ=MONTHLY;BYMONTHDAY=-31", "20260101", "20260101 20260201 20260301 20260401"),
        ("FREQ=MONTHLY;INTERVAL=2", "20251231", "20251231 20260228 20260430 20260630"),
        ("FREQ=YEARLY", "20240229", "20240229 20250228 20260228 20270228 20280229"),
        ("FREQ=YEARLY;INTERVAL=4", "18960229", "18960229 19000228 19040229"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "20260101", "20260101 20260228 20270228 20280229"),
        ("FREQ=DAILY;BYMONTHDAY=31", "20260331", "20260331 20260430 20260531"),
        // An ordinal names no day of the month: there it is as in the RFC.
        ("FREQ=MONTHLY;BYDAY=5SA", "20260131", "20260131 20260530 20260829"),
        ("FREQ=YEARLY;BYYEARDAY=366", "20241231", "20241231 20281231"),
    ] {
        let expected: Vec<_> = expected.split(' ').collect();
        assert_eq!(days(rule, start, expected.len()), expected, "{rule}");
    }
}

#[test]
fn weeks_of_the_year_are_those_of_the_standard() {
    for (rule, start, expected) in [
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "20250101", "20250101 20251229 20270104 20280103"),
        ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=FR", "20210101", "20210101 20270101 20321231"),
        ("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=TH", "20251225", "20251225 20261231 20271230"),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=SU;WKST=SU", "20260104", "20260104 20270103 20280102"),
    ] {
        let expected: Vec<_> = expected.split(' ').collect();
        assert_eq!(days(rule, start, expected.len()), expected, "{rule}");
    }
}

#[test]
fn counted_from_the_due_date_what_is_past_is_passed_over() {
    let weekly = recurrence("FREQ=WEEKLY", false, "20260105");
    for (due, completed_on, date) in [
        // On the day, before it, a day late, on the next day of the rule, weeks late.
        ("20260105", "20260105", "20260112"),
        ("20260105", "20251201", "20260112"),
        ("20260105", "20260106", "20260112"),
        ("20260105", "20260112", "20260112"),
        ("20260105", "20260113", "20260119"),
        ("20260105", "20260701", "20260706"),
        // Its due date was put off by hand: the rule stays where it was.
        ("20260108", "20260108", "20260112"),
    ] {
        let next = following(&weekly, day(due), day(completed_on)).unwrap();
        let start = day("20260105");
        assert_eq!(next, Following { date: day(date), number: 2, start }, "{due} {completed_on}");
    }
    let counted = recurrence("FREQ=WEEKLY;COUNT=4", false, "20260105");
    let late = |on| following(&counted, day("20260105"), day(on)).map(|next| next.number);
    assert_eq!([late("20260112"), late("20260113")], [Some(2), Some(3)]);
    assert_eq!([late("20260126"), late("20260127")], [Some(4), None]);
    // Centuries late nobody counts.
    let ancient = recurrence("FREQ=YEARLY;COUNT=2", false, "00010101");
    let next = following(&ancient, day("00010101"), day("20260105")).unwrap();
    assert_eq!((next.date, next.number), (day("20270101"), 2));
}

#[test]
fn counted_from_completion_the_rule_begins_anew() {
    for (rule, due, completed_on, date) in [
        ("FREQ=DAILY;INTERVAL=3", "20260105", "20260107", "20260110"),
        ("FREQ=DAILY;INTERVAL=3", "20260105", "20260101", "20260104"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "20260105", "20260107", "20260108"),
        ("FREQ=WEEKLY;BYDAY=MO", "20260105", "20260112", "20260119"),
        ("FREQ=MONTHLY", "20260105", "20260131", "20260228"),
        ("FREQ=YEARLY", "20260105", "20280229", "20290228"),
    ] {
        let recurrence = recurrence(rule, true, due);
        let next = following(&recurrence, day(due), day(completed_on)).unwrap();
        let start = day(completed_on);
        assert_eq!(next, Following { date: day(date), number: 2, start }, "{rule}");
    }
}

#[test]
fn counted_from_completion_it_ends_as_the_rule_says() {
    let mut twice = recurrence("FREQ=DAILY;COUNT=2", true, "20260105");
    let next = following(&twice, day("20260105"), day("20260301")).unwrap();
    assert_eq!((next.date, next.number), (day("20260302"), 2));
    (twice.start, twice.number) = (next.start, next.number);
    assert_eq!(following(&twice, day("20260302"), day("20260302")), None);
    let until = recurrence("FREQ=DAILY;UNTIL=20260110", true, "20260105");
    assert!(following(&until, day("20260105"), day("20260109")).is_some());
    assert_eq!(following(&until, day("20260105"), day("20260110")), None);
    assert_eq!(following(&until, day("20260105"), day("20270110")), None);
}

#[test]
fn a_rule_that_never_comes_from_completion_goes_on_from_where_it_began() {
    // Every seventh day from Tuesday is never a Monday.
    let mondays = recurrence("FREQ=DAILY;INTERVAL=7;BYDAY=MO", true, "20260105");
    let next = following(&mondays, day("20260105"), day("20260106")).unwrap();
    let start = day("20260105");
    assert_eq!(next, Following { date: day("20260112"), number: 2, start });
}

#[test]
fn the_calendar_ends_with_the_year_9999() {
    let last = day("99991230");
    let daily = Rule::parse("FREQ=DAILY", last).unwrap();
    assert_eq!(daily.next(last, 1, last), Some((day("99991231"), 2)));
    assert_eq!(daily.next(last, 2, day("99991231")), None);
    assert_eq!(daily.next(last, i64::MAX, last), None);
    let weekly = recurrence("FREQ=WEEKLY;WKST=SU", false, "00010101");
    let next = following(&weekly, day("00010101"), NaiveDate::MAX);
    assert_eq!(next, None);
    assert_eq!(following(&weekly, day("00010101"), NaiveDate::MIN).unwrap().date, day("00010108"));
}
