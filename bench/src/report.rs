//! What is printed: one table of absolute figures, and that of the goals. The
//! median of the rounds everywhere, with the least and the most of them where
//! it is held against a goal.

use std::io::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use crate::{
    goals::ratios,
    load::processors,
    measure::{Sample, Spread},
    plan::{Case, Plan, What},
};

pub(crate) const MIB: f64 = 1024.0 * 1024.0;

/// Everything that was measured.
pub(crate) struct Figures {
    /// In the order of a round; a sample for each round.
    cases: Vec<(Case, Vec<Sample>)>,
    /// Resident memory of task-service before any load, in bytes.
    pub(crate) idle: f64,
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
    pub(crate) fn of(&self, what: What, callers: usize, figure: Figure) -> Vec<f64> {
        let found = self.cases.iter().find(|(case, _)| *case == Case { what, callers });
        found.into_iter().flat_map(|(_, samples)| samples).filter_map(figure).collect()
    }

    pub(crate) fn highest(&self, whats: &[What], figure: Figure) -> Option<f64> {
        let cases = self.cases.iter().filter(|(case, _)| whats.contains(&case.what));
        cases.flat_map(|(_, samples)| samples).filter_map(figure).max_by(f64::total_cmp)
    }
}

/// One figure of a sample.
pub(crate) type Figure = fn(&Sample) -> Option<f64>;

pub(crate) const RATE: Figure = |sample| Some(sample.per_second).filter(|rate| *rate > 0.0);
pub(crate) const P50: Figure = |sample| sample.p50;
pub(crate) const P99: Figure = |sample| sample.p99;
pub(crate) const CPU: Figure = |sample| sample.server_cpu;
pub(crate) const RESIDENT: Figure = |sample| sample.resident;

/// Prints everything.
pub(crate) fn report(figures: &Figures, plan: &Plan) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let Plan { seconds, rounds, rate, .. } = plan;
    writeln!(
        out,
        "\n{} processors shared by load, services and Postgres; {rounds} rounds of {seconds} s.\n\
         Closed loop, or open at {rate} calls/s; medians of the rounds. CPU is user and \
         system, per call.\n",
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
        // The rate of an open loop is a setting.
        let bare =
            if what.is_paced() { Vec::new() } else { figures.of(What::BareEcho, callers, RATE) };
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

/// A table as Markdown, so that it can be quoted; numbers on the right.
pub(crate) fn table(header: &[&str]) -> Table {
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
