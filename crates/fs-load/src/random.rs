//! Numbers that look random and are the same every time.

/// [SplitMix64](https://doi.org/10.1145/2660193.2660195): any seed will do, each step is a few instructions.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `limit`, exclusive; 0 if `limit` is.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(limit);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// How long until the next of events that come once in a while of length 1, on average.
    pub(crate) fn exponential(&mut self) -> f64 {
        // 32 bits are enough to tell gaps apart, and above 0, whose logarithm is infinite.
        let bits = u32::try_from(self.next() >> 32).unwrap_or(0);
        let fraction = (f64::from(bits) + 0.5) / (f64::from(u32::MAX) + 1.0);
        -fraction.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_below_the_limit_and_reach_all_of_it() {
        let mut random = Random::new(7);
        let drawn: std::collections::BTreeSet<u64> = (0..200).map(|_| random.below(10)).collect();
        assert_eq!(
            drawn.into_iter().collect::<Vec<_>>(),
            (0..10).collect::<Vec<_>>()
        );
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let numbers = |seed| [0; 3].map(|_: u64| Random::new(seed).next());
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
    }

    #[test]
    fn gaps_are_one_on_average() {
        let mut random = Random::new(7);
        let sum: f64 = (0..100_000).map(|_| random.exponential()).sum();
        assert!((sum / 100_000.0 - 1.0).abs() < 0.02, "{sum}");
    }
}
