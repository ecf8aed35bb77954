//! Rules made at random: what is true of all of them. Each comes from a seed
//! that a failure names.

use std::fmt::Write as _;

use chrono::{Datelike as _, Days, NaiveDate};

use super::{super::CALENDAR, Rule, day};

const RULES: u64 = 500;
const OCCURRENCES: usize = 30;
const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// Numbers that look random: SplitMix64.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// Up to four different numbers from 1 to `most`, or from the end.
    fn numbers(&mut self, most: u64, signed: bool) -> String {
        let mut numbers = Vec::new();
        for _ in 0..=self.below(4) {
            let sign = if signed && self.below(3) == 0 { "-" } else { "" };
            let number = format!("{sign}{}", self.below(most) + 1);
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        numbers.join(",")
    }

    fn days(&mut self, ordinals: u64) -> String {
        let mut days = Vec::new();
        for weekday in WEEKDAYS {
            match self.below(6) {
                0 | 1 => days.push(weekday.to_owned()),
                2 if ordinals > 0 => {
                    let sign = if self.below(2) == 0 { "-" } else { "" };
                    days.push(format!("{sign}{}{weekday}", self.below(ordinals) + 1));
                }
                _ => {}
            }
        }
        if days.is_empty() { "WE".to_owned() } else { days.join(",") }
    }

    /// A rule without COUNT and UNTIL, and the day that it is counted from.
    pub(super) fn rule(&mut self) -> (String, NaiveDate) {
        let frequency =
            ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"][usize::try_from(self.below(4)).unwrap()];
        let (monthly, yearly) = (frequency == "MONTHLY", frequency == "YEARLY");
        let mut rule = format!("FREQ={frequency}");
        let mut part = |name: &str, value: String| write!(rule, ";{name}={value}").unwrap();
        if self.below(2) == 0 {
            part("INTERVAL", (self.below(5) + 1).to_string());
        }
        let by_month = self.below(3) == 0;
        if by_month {
            part("BYMONTH", self.numbers(12, false));
        }
        if yearly && self.below(6) == 0 {
            part("BYYEARDAY", self.numbers(366, true));
        }
        if frequency != "WEEKLY" && self.below(3) == 0 {
            part("BYMONTHDAY", self.numbers(31, true));
        }
        if self.below(2) == 0 {
            let ordinals = if monthly || yearly && by_month { 5 } else { 53 };
            part("BYDAY", self.days(if monthly || yearly { ordinals } else { 0 }));
        }
        if self.below(5) == 0 {
            part("BYSETPOS", self.numbers(4, true));
        }
        if self.below(4) == 0 {
            part("WKST", WEEKDAYS[usize::try_from(self.below(7)).unwrap()].to_owned());
        }
        (rule, day("19960101") + Days::new(self.below(3_000)))
    }
}

/// The first days of a rule, and nothing if it is refused.
fn walk(text: &str, start: NaiveDate) -> Vec<NaiveDate> {
    let Ok(rule) = Rule::parse(text, start) else { return Vec::new() };
    let mut days = vec![start];
    while days.len() < OCCURRENCES {
        let number = i64::try_from(days.len()).unwrap();
        let Some((date, place)) = rule.next(start, number, days[days.len() - 1]) else { break };
        assert_eq!(place, number + 1, "{text}");
        days.push(date);
    }
    days
}

/// Runs `check` on each rule that is taken, with its first days.
fn each(mut check: impl FnMut(&mut Dice, &str, NaiveDate, &[NaiveDate])) {
    let mut taken = 0;
    for seed in 0..RULES {
        let mut dice = Dice(seed);
        let (text, start) = dice.rule();
        let days = walk(&text, start);
        if !days.is_empty() {
            taken += 1;
            check(&mut dice, &format!("seed {seed}: {text} from {start}"), start, &days);
        }
    }
    assert!(taken > RULES / 2, "only {taken} rules were taken");
}

fn text(said: &str) -> &str {
    said.split(' ').nth(2).unwrap()
}

#[test]
fn days_rise_and_are_on_the_rule() {
    each(|_, said, start, days| {
        let part = |name: &str| text(said).split(';').find_map(|part| part.strip_prefix(name));
        let interval: i64 = part("INTERVAL=").map_or(1, |value| value.parse().unwrap());
        let week_start = WEEKDAYS.iter().position(|day| Some(*day) == part("WKST=")).unwrap_or(0);
        let week = |date: NaiveDate| {
            (i64::from(date.num_days_from_ce()) - 1 - i64::try_from(week_start).unwrap()) / 7
        };
        let months = |date: NaiveDate| i64::from(date.year() * 12) + i64::from(date.month());
        assert!(days.is_sorted_by(|a, b| a < b), "{said}: {days:?}");
        for date in days.iter().skip(1).copied() {
            let apart = match part("FREQ=").unwrap() {
                "DAILY" => (date - start).num_days(),
                "WEEKLY" => week(date) - week(start),
                "MONTHLY" => months(date) - months(start),
                _ => i64::from(date.year() - start.year()),
            };
            assert_eq!(apart % interval, 0, "{said}: {date}");
            let named = WEEKDAYS[usize::try_from(date.weekday().num_days_from_monday()).unwrap()];
            assert!(part("BYDAY=").is_none_or(|days| days.contains(named)), "{said}: {date}");
            let in_month = |months: &str| months.split(',').any(|m| m == date.month().to_string());
            assert!(part("BYMONTH=").is_none_or(in_month), "{said}: {date}");
        }
    });
}

#[test]
fn from_any_day_in_between_the_same_day_comes_next() {
    each(|dice, said, start, days| {
        let rule = Rule::parse(text(said), start).unwrap();
        for pair in days.windows(2) {
            let apart = u64::try_from((pair[1] - pair[0]).num_days()).unwrap();
            let between = pair[0] + Days::new(dice.below(apart));
            assert_eq!(rule.next(start, 7, between), Some((pair[1], 8)), "{said}: {between}");
        }
    });
}

#[test]
fn count_and_until_are_exact() {
    each(|dice, said, start, days| {
        let count = usize::try_from(dice.below(u64::try_from(days.len()).unwrap())).unwrap() + 1;
        let counted = walk(&format!("{};COUNT={count}", text(said)), start);
        assert_eq!(counted, days[..count], "{said}: {count}");
        let last = days[count - 1];
        let until = |last: NaiveDate| format!("{};UNTIL={}", text(said), last.format("%Y%m%d"));
        assert_eq!(walk(&until(last), start), days[..count], "{said}: until {last}");
        if count > 1 {
            let eve = last - Days::new(1);
            assert_eq!(walk(&until(eve), start), days[..count - 1], "{said}: until {eve}");
        }
    });
}

#[test]
fn a_kept_rule_comes_on_the_same_days() {
    each(|_, said, start, days| {
        let kept = Rule::parse(text(said), start).unwrap();
        assert_eq!(walk(kept.as_str(), start), days, "{said}");
    });
}

#[test]
fn a_rule_that_does_not_come_within_a_cycle_of_the_calendar_never_does() {
    for seed in 0..RULES / 20 {
        let mut dice = Dice(seed);
        let (text, start) = dice.rule();
        let Ok(rule) = Rule::read(&text) else { continue };
        // Late enough for the calendar to end some cycles on.
        let start = start + Days::new(18 * 146_097);
        let parts = rule.parts.counted_from(start);
        for after in [start, start + Days::new(dice.below(100_000))] {
            let (mut cycle, mut all) = (CALENDAR, i64::MAX);
            let found = parts.search(start, after, &mut cycle);
            assert!(cycle > -366, "seed {seed}: {text}: {cycle}");
            assert_eq!(found, parts.search(start, after, &mut all), "seed {seed}: {text}");
        }
    }
}
