//! Chance that a seed decides, so that what failed can be had again: SplitMix64.

/// A sequence of numbers.
#[derive(Clone)]
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
        usize::try_from(below).unwrap_or_default()
    }

    /// Whether the one of `n` is drawn that counts.
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
