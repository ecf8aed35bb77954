//! Chance that a seed decides: SplitMix64.

/// A sequence of numbers.
#[derive(Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The sequence of this seed, for one of those who draw from it.
    pub(crate) fn of(seed: u64, who: usize) -> Self {
        let mut chance = Self(seed.rotate_left(32) ^ who as u64);
        chance.below(1);
        chance
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let below = (z ^ (z >> 31)) % end.max(1) as u64;
        usize::try_from(below).expect("less than a usize")
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}
