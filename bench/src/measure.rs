//! The arithmetic: what one measurement found, and medians of ratios over the
//! rounds. A ratio is formed within a round, so that a slow minute of the
//! machine falls on both sides of it.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies in nanoseconds. Sixty seconds are more than any deadline.
pub(crate) type Latencies = Histogram<u32>;

/// An empty histogram, three digits exact.
pub(crate) fn latencies() -> anyhow::Result<Latencies> {
    Ok(Histogram::new_with_bounds(1_000, 60_000_000_000, 3)?)
}

/// What one measurement found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    /// Calls answered per second.
    pub(crate) per_second: f64,
    /// Latencies, in seconds.
    pub(crate) p50: Option<f64>,
    /// As `p50`.
    pub(crate) p99: Option<f64>,
    /// CPU time of the server process per call, user and system, in seconds.
    pub(crate) server_cpu: Option<f64>,
    /// The same of Postgres.
    pub(crate) postgres_cpu: Option<f64>,
    /// Cores that the load generator itself kept busy.
    pub(crate) generator: Option<f64>,
    /// Resident memory of the server process, in bytes.
    pub(crate) resident: Option<f64>,
}

/// What was used while a load ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// Wall clock.
    pub(crate) time: Duration,
    /// CPU of the server process.
    pub(crate) server: Duration,
    /// CPU of Postgres.
    pub(crate) postgres: Duration,
    /// CPU of this process.
    pub(crate) generator: Duration,
    /// Resident memory of the server process at the end, in bytes.
    pub(crate) resident: u64,
}

impl Sample {
    /// The sample of a load with these latencies.
    pub(crate) fn of(latencies: &Latencies, used: &Used) -> Self {
        let (calls, seconds) = (latencies.len() as f64, used.time.as_secs_f64());
        let quantile = |q| Some(latencies.value_at_quantile(q) as f64 / 1e9);
        let per_call = |cpu: Duration| (calls > 0.0).then(|| cpu.as_secs_f64() / calls);
        Self {
            per_second: calls / seconds,
            p50: quantile(0.5),
            p99: quantile(0.99),
            server_cpu: per_call(used.server),
            postgres_cpu: per_call(used.postgres),
            generator: Some(used.generator.as_secs_f64() / seconds),
            resident: Some(used.resident as f64),
        }
    }

    /// CPU time of everything per call, in seconds: server, Postgres, load.
    pub(crate) fn all_cpu(&self) -> Option<f64> {
        let load = self.generator? / self.per_second;
        Some(self.server_cpu.unwrap_or_default() + self.postgres_cpu? + load)
    }

    /// CPU time of the server and Postgres per call, in seconds.
    pub(crate) fn serving_cpu(&self) -> Option<f64> {
        Some(self.server_cpu? + self.postgres_cpu?)
    }

    /// The sample of something that only tells how often it happened.
    pub(crate) fn rate(per_second: f64) -> Self {
        Self { per_second, ..Self::default() }
    }
}

/// The middle of some figures, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// None of no figures. Of an even number the median is between the middle two.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let half = figures.len() / 2;
        let median = match figures.len() % 2 {
            1 => figures[half],
            _ => f64::midpoint(figures[half - 1], figures[half]),
        };
        Some(Self { median, min, max })
    }

    /// The spread of `above / below`, round by round.
    pub(crate) fn of_ratios(above: &[f64], below: &[f64]) -> Option<Self> {
        let rounds = above.iter().zip(below).filter(|(_, below)| **below > 0.0);
        Self::of(rounds.map(|(above, below)| above / below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_and_of_nothing_there_is_none() {
        let spread = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(spread, Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_slow_round_does_not_change_a_ratio() {
        let spread = Spread::of_ratios(&[10.0, 5.0, 10.0], &[20.0, 10.0, 20.0]).unwrap();
        assert_eq!(spread, Spread { median: 0.5, min: 0.5, max: 0.5 });
        assert_eq!(Spread::of_ratios(&[1.0], &[0.0]), None);
    }

    #[test]
    fn cpu_is_counted_per_call_and_the_generator_in_cores() {
        let mut found = latencies().unwrap();
        (0..1000).for_each(|_| found.record(2_000_000).unwrap());
        let used = Used {
            time: Duration::from_secs(2),
            server: Duration::from_millis(20),
            postgres: Duration::from_millis(50),
            generator: Duration::from_secs(1),
            resident: 7,
        };
        let sample = Sample::of(&found, &used);
        assert!((sample.serving_cpu().unwrap() - 0.000_07).abs() < 1e-9);
        assert_eq!((sample.per_second, sample.generator), (500.0, Some(0.5)));
        assert_eq!((sample.server_cpu, sample.postgres_cpu), (Some(20e-6), Some(50e-6)));
        assert!((sample.all_cpu().unwrap() - 0.001_07).abs() < 1e-9);
        assert!((sample.p99.unwrap() - 0.002).abs() < 1e-5);
    }
}
