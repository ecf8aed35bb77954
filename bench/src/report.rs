//! What is printed: one table of absolute figures, and the ratios with the
//! goals they are held against. The median of the rounds everywhere, with the
//! least and the most of them where it is a ratio.

use std::io::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use crate::{
    load::processors,
    measure::{Sample, Spread},
    pgbench::CLIENTS,
    plan::{Case, Plan, What},
};

const MIB: f64 = 1024.0 * 1024.0;

/// Everything that was measured.
pub(crate) struct Figures {
    /// In the order of a round; a sample for each round.
    cases: Vec<(Case, Vec<Sample>)>,
    /// Resident memory of task-service before any load, in bytes.
    idle: f64,
}

impl Figures {
    /// Nothing yet.
    pub(crate) const fn new(idle: f64) -> Self {
        Self { cases: Vec::new(), idle }
    }

    /// Adds what a round has found.
    pub(crate) fn add(&mut self, case: Case, sample: Sample) {
        match self.cases.iter_mut().find(|(other, _)| *other == case) {
            Some((_, samples)) => samples.push(sample),
            None => self.cases.push((case, vec![sample])),
        }
    }

    /// One figure of a case, round by round; empty if it was not measured.
    fn of(&self, what: What, callers: usize, figure: Figure) -> Vec<f64> {
        let found = self.cases.iter().find(|(case, _)| *case == Case { what, callers });
        found.into_iter().flat_map(|(_, samples)| samples).filter_map(figure).collect()
    }

    fn highest(&self, whats: &[What], figure: Figure) -> Option<f64> {
        let cases = self.cases.iter().filter(|(case, _)| whats.contains(&case.what));
        cases.flat_map(|(_, samples)| samples).filter_map(figure).max_by(f64::total_cmp)
    }
}

type Figure = fn(&Sample) -> Option<f64>;

const RATE: Figure = |sample| Some(sample.per_second).filter(|rate| *rate > 0.0);
const P50: Figure = |sample| sample.p50;
const P99: Figure = |sample| sample.p99;
const CPU: Figure = |sample| sample.server_cpu;
const RESIDENT: Figure = |sample| sample.resident;

/// Prints everything.
pub(crate) fn report(figures: &Figures, plan: &Plan) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let Plan { seconds, rounds, .. } = plan;
    writeln!(
        out,
        "\n{} processors shared by load, services and Postgres; {rounds} rounds of {seconds} s.\n\
         Closed loop; medians of the rounds. CPU is user and system, per call.\n",
        processors()
    )?;
    writeln!(out, "{}\n", absolute(figures))?;
    writeln!(out, "{}", ratios(figures))?;
    Ok(())
}

fn absolute(figures: &Figures) -> Table {
    let header = [
        "",
        "callers",
        "calls/s",
        "÷ bare echo",
        "p50 ms",
        "p99 ms",
        "server µs",
        "Postgres µs",
        "all µs",
        "statements",
        "RSS MiB",
        "load, cores",
    ];
    let mut table = table(&header);
    for (case, samples) in &figures.cases {
        let Case { what, callers } = *case;
        let median = |figure: Figure, unit: f64, digits: usize| {
            let spread = Spread::of(samples.iter().filter_map(figure));
            spread.map_or_else(String::new, |spread| format!("{:.digits$}", spread.median * unit))
        };
        let bare = figures.of(What::BareEcho, callers, RATE);
        let beside = Spread::of_ratios(&figures.of(what, callers, RATE), &bare);
        table.add_row([
            what.name().to_owned(),
            callers.to_string(),
            median(RATE, 1.0, 0),
            beside.map_or_else(String::new, |beside| format!("{:.3}", beside.median)),
            median(P50, 1e3, 3),
            median(P99, 1e3, 3),
            median(CPU, 1e6, 1),
            median(|sample| sample.postgres_cpu, 1e6, 1),
            median(Sample::all_cpu, 1e6, 1),
            what.statements().map_or_else(String::new, |statements| statements.to_string()),
            median(RESIDENT, 1.0 / MIB, 1),
            median(|sample| sample.generator, 1.0, 2),
        ]);
    }
    table
}

/// What a figure must be.
#[derive(Clone, Copy)]
enum Must {
    AtMost(f64),
    AtLeast(f64),
}

fn ratios(figures: &Figures) -> Table {
    use What::{
        BareEcho, Create, Hashing, List, ListInCalm, ListInStorm, PlainInsert, PlainSelect,
        QuietEcho, SignIn, Start, WholeEcho,
    };
    let mut table = table(&["goal", "", "median", "min–max", "must", ""]);
    let ratio = |above: What, below: What, callers, figure| {
        let (above, below) =
            (figures.of(above, callers, figure), figures.of(below, callers, figure));
        Spread::of_ratios(&above, &below)
    };
    let mut row = |goal: &str, what: &str, spread: Option<Spread>, must: Must| {
        table.add_row(held_against(goal, what, spread, must));
    };
    for callers in [1, 16, 64] {
        let what = format!("CPU of an authenticated call ÷ bare echo, {callers} callers");
        row("P1", &what, ratio(QuietEcho, BareEcho, callers, CPU), Must::AtMost(1.15));
    }
    for callers in [1, 16, 64] {
        let what = format!("the same with log line and metrics, {callers} callers");
        row("P2", &what, ratio(WholeEcho, BareEcho, callers, CPU), Must::AtMost(1.6));
    }
    let create = ratio(Create, PlainInsert, CLIENTS, RATE);
    row("P3", "create ÷ pgbench insert, 32 callers", create, Must::AtLeast(0.36));
    let create = ratio(PlainInsert, Create, CLIENTS, Sample::all_cpu);
    row("P3", "the same by CPU of everything", create, Must::AtLeast(0.36));
    let list = ratio(List, PlainSelect, CLIENTS, RATE);
    row("P4", "list of 50 ÷ pgbench select, 32 callers", list, Must::AtLeast(0.27));
    let list = ratio(PlainSelect, List, CLIENTS, Sample::all_cpu);
    row("P4", "the same by CPU of everything", list, Must::AtLeast(0.27));
    let sign_in = ratio(SignIn, Hashing, 16, RATE);
    row("P7", "sign-ins ÷ only hashing, 16 callers", sign_in, Must::AtLeast(0.9));
    let storm =
        Spread::of_ratios(&of_any(figures, ListInStorm, P99), &of_any(figures, ListInCalm, P99));
    row("P8", "p99 of list in a storm of 32 sign-ins ÷ calm", storm, Must::AtMost(1.5));
    let one = |figure: Option<f64>, unit: f64| Spread::of(figure.map(|figure| figure * unit));
    let tasks = [What::Get, Create, List, ListInCalm, ListInStorm];
    let idle = one(Some(figures.idle), 1.0 / MIB);
    row("P9", "MiB of task-service, idle", idle, Must::AtMost(12.0));
    let loaded = one(figures.highest(&tasks, RESIDENT), 1.0 / MIB);
    row("P9", "MiB of task-service, highest under load", loaded, Must::AtMost(24.0));
    let most = 20.0f64.mul_add(processors() as f64, 25e6 / MIB);
    let hashing = one(figures.highest(&[SignIn], RESIDENT), 1.0 / MIB);
    row("P9", "MiB of auth-service, highest while signing in", hashing, Must::AtMost(most));
    let start = Spread::of(figures.of(Start, 1, P50).into_iter().map(|seconds| seconds * 1e3));
    row("P10", "ms from start to serving, duet up", start, Must::AtMost(150.0));
    let waiting = figures.of(SignIn, 16, P99).into_iter().map(|seconds| seconds * 1e3);
    row("P16", "p99 ms of sign-in, 16 callers", Spread::of(waiting), Must::AtMost(200.0));
    table
}

/// A figure of something that is measured with one number of callers only.
fn of_any(figures: &Figures, what: What, figure: Figure) -> Vec<f64> {
    let case = figures.cases.iter().find(|(case, _)| case.what == what);
    case.into_iter().flat_map(|(_, samples)| samples).filter_map(figure).collect()
}

/// Something that was not measured has no figures and no verdict.
fn held_against(goal: &str, what: &str, spread: Option<Spread>, must: Must) -> [String; 6] {
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
    [goal.to_owned(), what.to_owned(), median, range, format!("{sign} {limit:.2}"), verdict]
}

/// A table as Markdown, so that it can be quoted; numbers on the right.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_holds_or_is_missed_and_what_was_not_measured_is_neither() {
        let of = |median| Some(Spread { median, min: 0.5, max: 2.0 });
        let verdict = |spread, must| held_against("P0", "", spread, must)[5].clone();
        assert_eq!(verdict(of(1.1), Must::AtMost(1.15)), "holds");
        assert_eq!(verdict(of(1.2), Must::AtMost(1.15)), "MISSED");
        assert_eq!(verdict(of(0.3), Must::AtLeast(0.36)), "MISSED");
        assert_eq!(verdict(None, Must::AtLeast(0.36)), "");
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let mut figures = Figures::new(0.0);
        for (bare, quiet) in [(1.0, 2.0), (10.0, 20.0)] {
            for (what, cpu) in [(What::BareEcho, bare), (What::QuietEcho, quiet)] {
                let sample = Sample { server_cpu: Some(cpu), ..Sample::default() };
                figures.add(Case { what, callers: 1 }, sample);
            }
        }
        let of = |what| figures.of(what, 1, CPU);
        let spread = Spread::of_ratios(&of(What::QuietEcho), &of(What::BareEcho)).unwrap();
        assert_eq!((spread.min, spread.max), (2.0, 2.0));
    }
}
