//! Rules made at random, beside the crate `rrule`, which somebody else wrote: as
//! long as no month lacks a day, both come on the same days.

use chrono::{Datelike as _, Days, NaiveDate};
use rrule::RRuleSet;

use super::{super::parts::letters, Rule, day, random::Dice};

const RULES: u64 = 6_000;
/// Rules that both take, and that come more often than once.
const COMPARED: usize = 2_000;
const DAYS: usize = 50;

/// A rule that means the same to both, and the day that it is counted from.
fn rule(dice: &mut Dice) -> Option<(String, NaiveDate)> {
    let (text, start) = dice.rule();
    let part = |name: &str| text.split(';').find_map(|part| part.strip_prefix(name));
    let numbers = |name: &str| -> Vec<i32> {
        part(name).map_or(vec![], |list| list.split(',').map(|n| n.parse().unwrap()).collect())
    };
    // What a month may lack, the crate passes over and we do not.
    let lacks = numbers("BYMONTHDAY=").iter().any(|day| day.abs() > 28);
    // It takes days with a number and days without one for both at once.
    let days: Vec<&str> = part("BYDAY=").map_or(vec![], |days| days.split(',').collect());
    let numbered = days.iter().filter(|day| day.len() > 2).count();
    let mixed = numbered > 0 && numbered < days.len();
    if lacks || mixed {
        return None;
    }
    // A day that every month and every year has, and the first one of its week:
    // of the week that a rule begins in, the crate counts the rest only.
    let start = (0..60)
        .map(|later| start + Days::new(later))
        .find(|day| day.day() <= 28 && letters(day.weekday()) == part("WKST=").unwrap_or("MO"));
    Some((text.clone(), start?))
}

/// The first days after `start`, as we tell them.
fn ours(rule: &Rule, start: NaiveDate) -> Vec<NaiveDate> {
    let next = |after: &NaiveDate| rule.next(start, 1, *after).map(|(date, _)| date);
    std::iter::successors(next(&start), next).take(DAYS).collect()
}

/// And as the crate does; none for what it does not take, as the fifth day from
/// the end of a month.
fn theirs(text: &str, start: NaiveDate) -> Option<Vec<NaiveDate>> {
    let set = format!("DTSTART:{}T120000Z\nRRULE:{text}", start.format("%Y%m%d"));
    let set: RRuleSet = set.parse().ok()?;
    let days = set.into_iter().map(|moment| moment.date_naive());
    Some(days.filter(|date| *date > start).take(DAYS).collect())
}

#[test]
fn another_implementation_comes_on_the_same_days() {
    let mut compared = 0;
    for seed in 0..RULES {
        let Some((text, start)) = rule(&mut Dice::of(seed)) else { continue };
        // One that never comes, the crate looks for as long as it can.
        let Ok(rule) = Rule::parse(&text, start) else { continue };
        let Some(theirs) = theirs(&text, start) else { continue };
        let ours = ours(&rule, start);
        assert_eq!(ours, theirs, "seed {seed}: {text} from {start}");
        compared += usize::from(ours.len() == DAYS);
    }
    assert!(compared >= COMPARED, "only {compared} rules were compared");
}

/// What a month lacks is where the two part: people mean its last day.
#[test]
fn the_other_implementation_skips_what_a_month_lacks() {
    let (text, start) = ("FREQ=MONTHLY;BYMONTHDAY=31", day("20260131"));
    let rule = Rule::parse(text, start).unwrap();
    assert_eq!(ours(&rule, start)[..2], [day("20260228"), day("20260331")]);
    assert_eq!(theirs(text, start).unwrap()[..2], [day("20260331"), day("20260531")]);
}
