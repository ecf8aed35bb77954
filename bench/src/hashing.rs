//! The baseline of signing in: nothing but hashes, with the crate and the
//! parameters of auth-service, on as many threads as there are processors.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Instant,
};

use auth_service::{config::Config, hashing::Hashing};
use clap::Parser as _;

use crate::{
    load::{Timing, processors},
    measure::Sample,
};

const PASSWORD: &str = "walnut-Trombone-91";

/// Checks a password over and over.
pub(crate) fn measure(timing: Timing) -> anyhow::Result<Sample> {
    let hashing = Config::try_parse_from(["auth-service"])?
        .passwords
        .hashing()
        .map_err(anyhow::Error::msg)?;
    let (over, hashes) = (AtomicBool::new(false), AtomicU64::new(0));
    let stored = hashing.hash(PASSWORD, &mut Vec::new());
    let work = |hashing: &Hashing| {
        let mut memory = Vec::new();
        while !over.load(Ordering::Relaxed) && hashing.verify(PASSWORD, &stored, &mut memory) {
            hashes.fetch_add(1, Ordering::Relaxed);
        }
    };
    let per_second = thread::scope(|scope| {
        for _ in 0..processors() {
            scope.spawn(|| work(&hashing));
        }
        thread::sleep(timing.warm_up);
        let (before, began) = (hashes.load(Ordering::Relaxed), Instant::now());
        thread::sleep(timing.measured);
        let made = hashes.load(Ordering::Relaxed) - before;
        let time = began.elapsed();
        over.store(true, Ordering::Relaxed);
        made as f64 / time.as_secs_f64()
    });
    anyhow::ensure!(per_second > 0.0, "no password was checked");
    Ok(Sample::rate(per_second))
}
