//! The goals, and what was measured held against them. A ratio is formed within
//! a round; what was not measured has no figures and no verdict.

use comfy_table::Table;

use crate::{
    load::processors,
    measure::{Sample, Spread},
    pgbench::CLIENTS,
    plan::{READERS, WRITERS, What},
    report::{CPU, Figure, Figures, MIB, P50, P99, RATE, RESIDENT, table},
};

/// What a figure must be.
#[derive(Clone, Copy)]
enum Must {
    AtMost(f64),
    AtLeast(f64),
}

/// Something that is held against a goal; the number is that of the goal.
struct Goal {
    number: u32,
    what: String,
    spread: Option<Spread>,
    must: Must,
}

/// All of them, by their numbers.
pub(crate) fn ratios(figures: &Figures) -> Table {
    let mut table = table(&["goal", "", "median", "min–max", "must", ""]);
    let mut goals = of_calls(figures);
    goals.extend(of_processes(figures));
    goals.extend(of_the_feed(figures));
    goals.sort_by_key(|goal| goal.number);
    for goal in goals {
        table.add_row(held_against(goal));
    }
    table
}

/// What calls cost beside something plainer.
fn of_calls(figures: &Figures) -> Vec<Goal> {
    use Must::{AtLeast, AtMost};
    use What::{
        BareEcho, Create, CreateRuled, CreateUnruled, Edit, FirstPage, GetOfFew, GetOfMany,
        Hashing, LastPage, List, ListInCalm, ListInFlood, ListInStorm, ListOfFew, ListOfMany,
        ListRuled, ListUnruled, PlainInsert, PlainSelect, QuietEcho, SignIn, WholeEcho,
    };
    let at = |callers: usize, figure: Figure| {
        move |number, what: &str, [above, below]: [What; 2], must| {
            let figures = [above, below].map(|what| figures.of(what, callers, figure));
            let spread = Spread::of_ratios(&figures[0], &figures[1]);
            Goal { number, what: what.to_owned(), spread, must }
        }
    };
    let mut goals = Vec::new();
    for callers in [1, 16, 64] {
        let by_cpu = at(callers, CPU);
        let what = format!("CPU of an authenticated call ÷ bare echo, {callers} callers");
        goals.push(by_cpu(1, &what, [QuietEcho, BareEcho], AtMost(1.15)));
        let what = format!("the same with log line and metrics, {callers} callers");
        goals.push(by_cpu(2, &what, [WholeEcho, BareEcho], AtMost(1.6)));
    }
    let (rate, all) = (at(CLIENTS, RATE), at(CLIENTS, Sample::all_cpu));
    goals.extend([
        rate(3, "create ÷ pgbench insert, 32 callers", [Create, PlainInsert], AtLeast(0.36)),
        all(3, "the same by CPU of everything", [PlainInsert, Create], AtLeast(0.36)),
        rate(4, "list of 50 ÷ pgbench select, 32 callers", [List, PlainSelect], AtLeast(0.27)),
        all(4, "the same by CPU of everything", [PlainSelect, List], AtLeast(0.27)),
    ]);
    let (rate, serving) = (at(16, RATE), at(16, Sample::serving_cpu));
    let many_and_few = "CPU of list of 50, 1 M ÷ 10 k in the table";
    goals.extend([
        rate(5, "list of 50 ÷ without row security", [ListRuled, ListUnruled], AtLeast(0.85)),
        serving(5, "the same by CPU", [ListUnruled, ListRuled], AtLeast(0.85)),
        rate(5, "create ÷ without row security", [CreateRuled, CreateUnruled], AtLeast(0.85)),
        serving(5, "the same by CPU", [CreateUnruled, CreateRuled], AtLeast(0.85)),
        rate(7, "sign-ins ÷ only hashing, 16 callers", [SignIn, Hashing], AtLeast(0.9)),
        serving(3, "extra: CPU of update ÷ create, 16 callers", [Edit, Create], AtMost(2.0)),
        serving(15, many_and_few, [ListOfMany, ListOfFew], AtMost(1.2)),
        serving(15, "the same of get", [GetOfMany, GetOfFew], AtMost(1.2)),
    ]);
    let (storm, flood) = ([ListInStorm, ListInCalm], [ListInFlood, ListInCalm]);
    let pages = [LastPage, FirstPage];
    let (tail, serving) = (at(READERS, P99), at(READERS, Sample::serving_cpu));
    goals.extend([
        tail(8, "p99 of list in a storm of 32 sign-ins ÷ calm", storm, AtMost(1.5)),
        tail(8, "the same in a flood of 500 guesses", flood, AtMost(1.5)),
        serving(15, "CPU of page 1,000 ÷ page 1 of 50,000 tasks", pages, AtMost(1.2)),
    ]);
    goals
}

/// Memory, and times that are told as they are.
fn of_processes(figures: &Figures) -> Vec<Goal> {
    use What::{Create, Get, Guess, List, ListInCalm, ListInFlood, ListInStorm, SignIn, Start};
    let row = |number, what: &str, figures: Vec<f64>, unit: f64, most| Goal {
        number,
        what: what.to_owned(),
        spread: Spread::of(figures.into_iter().map(|figure| figure * unit)),
        must: Must::AtMost(most),
    };
    let highest = |whats: &[What]| figures.highest(whats, RESIDENT).into_iter().collect();
    let loaded = highest(&[Get, Create, List, ListInCalm, ListInStorm, ListInFlood]);
    let storm = 20.0f64.mul_add(processors() as f64, 25e6 / MIB);
    let waits = figures.of(SignIn, 16, P99);
    vec![
        row(9, "MiB of task-service, idle", vec![figures.idle], 1.0 / MIB, 12.0),
        row(9, "MiB of task-service, highest under load", loaded, 1.0 / MIB, 24.0),
        row(
            9,
            "MiB of auth-service, highest while signing in",
            highest(&[SignIn, Guess]),
            1.0 / MIB,
            storm,
        ),
        row(10, "ms from start to serving, duet up", figures.of(Start, 1, P50), 1e3, 150.0),
        row(16, "p99 ms of sign-in, 16 callers", waits, 1e3, 200.0),
    ]
}

/// What those who watch wait for, and what they weigh.
fn of_the_feed(figures: &Figures) -> Vec<Goal> {
    let mut goals = Vec::new();
    let places = [
        (What::SeenHere, "the same replica", [5.0, 25.0]),
        (What::SeenThere, "another replica", [25.0, 60.0]),
    ];
    for (what, place, limits) in places {
        for callers in [1, 16] {
            for ((name, figure), most) in [("median", P50), ("p99", P99)].into_iter().zip(limits) {
                let waits = figures.of(what, callers, figure);
                goals.push(Goal {
                    number: 13,
                    what: format!(
                        "{name} ms from a write to a watcher on {place}, {callers} callers"
                    ),
                    spread: Spread::of(waits.into_iter().map(|seconds| seconds * 1e3)),
                    must: Must::AtMost(most),
                });
            }
        }
    }
    let weights = figures.of(What::Watcher, 1, RESIDENT);
    goals.push(Goal {
        number: 14,
        what: "KB of an idle watcher, one of 2,000".to_owned(),
        spread: Spread::of(weights.into_iter().map(|bytes| bytes / 1e3)),
        must: Must::AtMost(40.0),
    });
    let [watched, alone] = [What::UpdateWatched, What::Update]
        .map(|what| figures.of(what, WRITERS, Sample::serving_cpu));
    goals.push(Goal {
        number: 14,
        what: "CPU of a write beside them ÷ with none".to_owned(),
        spread: Spread::of_ratios(&watched, &alone),
        must: Must::AtMost(1.1),
    });
    goals
}

/// Something that was not measured has no figures and no verdict.
fn held_against(goal: Goal) -> [String; 6] {
    let Goal { number, what, spread, must } = goal;
    let (sign, limit) = match must {
        Must::AtMost(limit) => ("≤", limit),
        Must::AtLeast(limit) => ("≥", limit),
    };
    let [median, range, verdict] = match spread {
        None => ["not measured".to_owned(), String::new(), String::new()],
        Some(Spread { median, min, max }) => {
            let holds = match must {
                Must::AtMost(limit) => median <= limit,
                Must::AtLeast(limit) => median >= limit,
            };
            let verdict = if holds { "holds" } else { "MISSED" };
            [format!("{median:.2}"), format!("{min:.2}–{max:.2}"), verdict.to_owned()]
        }
    };
    [format!("P{number}"), what, median, range, format!("{sign} {limit:.2}"), verdict]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_holds_or_is_missed_and_what_was_not_measured_is_neither() {
        let of = |median| Some(Spread { median, min: 0.5, max: 2.0 });
        let verdict = |spread, must| {
            held_against(Goal { number: 0, what: String::new(), spread, must })[5].clone()
        };
        assert_eq!(verdict(of(1.1), Must::AtMost(1.15)), "holds");
        assert_eq!(verdict(of(1.2), Must::AtMost(1.15)), "MISSED");
        assert_eq!(verdict(of(0.3), Must::AtLeast(0.36)), "MISSED");
        assert_eq!(verdict(None, Must::AtLeast(0.36)), "");
    }
}
