//! Distributions as tables of whole microseconds.

use std::sync::Arc;

/// Steps of a table.
pub const INTERVALS: usize = 1 << BITS;
const BITS: u32 = 10;

/// Longest time that a table holds: 1000 s. It keeps the interpolation within 64 bits.
pub const MAX_US: i64 = 1_000_000_000;

/// An inverse cumulative distribution: microseconds at evenly spaced probabilities, linear in between. Sampling takes no
/// floating-point number, so it gives the same on every machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table(Arc<[i64]>);

impl Table {
    /// The table with the value of `at(k)` at probability `k / INTERVALS`, in microseconds, cut to `0..=MAX_US`.
    #[must_use]
    pub fn new(at: impl Fn(usize) -> f64) -> Self {
        Self((0..=INTERVALS).map(|k| at(k).round().clamp(0.0, MAX_US as f64) as i64).collect())
    }

    /// The time in microseconds that a uniform 64-bit draw stands for.
    #[must_use]
    pub fn sample(&self, draw: u64) -> i64 {
        let k = (draw >> (64 - BITS)) as usize;
        let fraction = ((draw << BITS) >> 32) as i64;
        let (a, b) = (self.0[k], self.0[k + 1]);
        a + (((b - a) * fraction) >> 32)
    }

    /// The distribution's mean in microseconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let ends = self.0.first().zip(self.0.last()).map_or(0, |(first, last)| first + last);
        let sum: i64 = self.0.iter().sum();
        (sum as f64 - ends as f64 / 2.0) / INTERVALS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn samples_follow_the_draw_and_stay_inside(a: u64, b: u64) {
            let table = Table::new(|k| (k * k) as f64);
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(table.sample(low) <= table.sample(high));
            prop_assert!((0..=(INTERVALS * INTERVALS) as i64).contains(&table.sample(high)));
        }
    }

    #[test]
    fn the_longest_times_do_not_overflow() {
        let table = Table::new(|k| if k == 0 { 0.0 } else { 1e30 });
        assert!(table.sample(u64::MAX >> BITS) > MAX_US - 2);
        assert_eq!(table.sample(u64::MAX), MAX_US);
    }
}
