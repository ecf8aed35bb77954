//! Chance that a seed decides (SplitMix64), and which seeds a test takes.
//!
//! Invariant: the same seed always draws the same numbers.

use std::ops::Range;

/// A sequence of numbers.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The sequence of this seed, for one of those who draw from it.
    #[must_use]
    pub fn of(seed: u64, who: usize) -> Self {
        let mut chance = Self(seed.rotate_left(32) ^ who as u64);
        chance.below(1);
        chance
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let below = (z ^ (z >> 31)) % end.max(1) as u64;
        // It is less than `end`, so that it always is one.
        usize::try_from(below).unwrap_or(0)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    ///
    /// # Panics
    /// If there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The seeds of a soak: from the first on as many as `SOAK_SEEDS` says, or else
/// `usually`; or only the one that `SOAK_SEED` names.
///
/// # Panics
/// If a variable is no number.
#[must_use]
pub fn seeds(usually: u64) -> Range<u64> {
    match (number("SOAK_SEED"), number("SOAK_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(usually),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test process has no Config")]
#[expect(clippy::panic, reason = "this is how a test fails")]
fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}
