//! Proportions.

use super::batches::{Batches, variance};
use super::interval::{Interval, Replicates};
use super::rounds;
use super::student::t_quantile;

/// Least design effect that is believed: batches that happen to agree do not make rows worth many times their number.
const LEAST_DESIGN_EFFECT: f64 = 0.5;

/// The proportion of ones among observations that are 0 or 1, with Wilson's score interval (Wilson 1927; see Brown, Cai
/// and DasGupta 2001) at the effective number of observations, as Kott and Liu 2009 and Dean and Pagano 2015 advise for
/// cluster samples: Kish's design effect is the variance between batches over that of independent rows, and Student's t
/// with k - 1 degrees of freedom replaces the normal quantile, because the effect is itself an estimate. Where all rows
/// agree there is nothing to estimate it from, and rows count as independent. `None` if nothing was observed.
#[must_use]
pub fn proportion(batches: &Batches) -> Option<Interval> {
    if batches.layout().replicates() == Replicates::Rounds {
        return rounds::proportion(batches);
    }
    let value = batches.mean()?;
    let observations = batches.observations();
    let (effect, quantile) = design_effect(batches, value).unwrap_or((1.0, t_quantile(0.975, f64::INFINITY)));
    let effective = observations as f64 / effect;
    let (low, high) = wilson(value, effective, quantile);
    Some(Interval {
        value,
        low,
        high,
        observations,
        effective,
        batches: batches.filled(),
        few_blocks: batches.layout().few_blocks(),
        replicates: Replicates::Blocks,
    })
}

/// Kish's design effect, and the quantile of Student's t that goes with it. `None` where all rows agree or a single
/// batch was observed.
pub(crate) fn design_effect(batches: &Batches, proportion: f64) -> Option<(f64, f64)> {
    let parts = batches.filled();
    let independent = proportion * (1.0 - proportion) / batches.observations() as f64;
    if independent <= 0.0 {
        return None;
    }
    let observed = variance(parts, batches.residuals(proportion))?;
    Some(((observed / independent).max(LEAST_DESIGN_EFFECT), t_quantile(0.975, (parts - 1) as f64)))
}

/// Wilson's score interval.
pub(super) fn wilson(proportion: f64, observations: f64, quantile: f64) -> (f64, f64) {
    let square = quantile * quantile / observations;
    let centre = (proportion + square / 2.0) / (1.0 + square);
    let spread = proportion * (1.0 - proportion) / observations + square / (4.0 * observations);
    let half = quantile * spread.sqrt() / (1.0 + square);
    // At the ends rounding could leave a hair of impossible shares, or shut out the estimate.
    ((centre - half).clamp(0.0, proportion), (centre + half).clamp(proportion, 1.0))
}

/// The proportion of ones among planned observations, some of which were not made. `ones` has a value for every planned
/// one: 1 where a one was observed, else 0; `missing` likewise, 1 where nothing was observed.
///
/// The estimate is ones/planned. What a missing observation would have been is not known: where there is any, the
/// interval runs from the lower end for ones/planned to the upper end for (ones + missing)/planned, and so covers these
/// bounds and the error of each. Without a single observation there is no estimate (NaN), and the interval is 0 to 1.
/// [`Interval::observations`] counts those that were made. `None` if nothing was planned or the two are not divided alike.
#[must_use]
pub fn proportion_of_planned(ones: &Batches, missing: &Batches) -> Option<Interval> {
    let least = proportion(ones)?;
    let unmade = missing.total();
    if unmade == 0.0 {
        return Some(least);
    }
    let most = proportion(&ones.plus(missing)?)?;
    let made = least.observations.saturating_sub(unmade as u64);
    if made == 0 {
        return Some(Interval { value: f64::NAN, low: 0.0, high: 1.0, observations: 0, ..least });
    }
    Some(Interval { high: most.high.max(least.high), observations: made, ..least })
}

/// The 95 % upper bound of the share of failures when `rows` independent rows showed none: 1 - 0.05^(1/n), the one-sided
/// bound of Clopper and Pearson 1934 (about 3/n). 1 without a row.
#[must_use]
pub fn zero_failures_bound(rows: u64) -> f64 {
    if rows == 0 { 1.0 } else { -libm::expm1(libm::log(0.05) / rows as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Batches {
        Batches::of(&[values], Replicates::Blocks)
    }

    #[test]
    fn nothing_seen_is_not_nothing_there() {
        let none = proportion(&of(&[0.0; 1000])).unwrap();
        assert_eq!((none.value, none.low), (0.0, 0.0));
        // Wilson's interval at zero of n: z^2 / (n + z^2).
        assert!((none.high - 3.841_458_820_694_124 / 1_003.841_458_820_694_1).abs() < 1e-15);
        let all = proportion(&of(&[1.0; 1000])).unwrap();
        assert_eq!((all.value, all.high), (1.0, 1.0));
        assert!((all.low - (1.0 - none.high)).abs() < 1e-12);
        assert_eq!(proportion(&of(&[])), None);
    }

    #[test]
    fn clustered_rows_are_worth_less() {
        let alternating: Vec<f64> = (0..1000).map(|i| f64::from(i % 2)).collect();
        let clustered: Vec<f64> = (0..1000).map(|i| f64::from(i / 100 % 2)).collect();
        let (even, odd) = (proportion(&of(&alternating)).unwrap(), proportion(&of(&clustered)).unwrap());
        assert_eq!(even.value, odd.value);
        assert!(odd.effective < 20.0 && even.effective > 1000.0, "{} {}", odd.effective, even.effective);
        assert!(odd.high - odd.low > 5.0 * (even.high - even.low));
    }

    #[test]
    fn lost_rows_move_the_upper_end_only() {
        let empty = || Batches::new(1, 100, Replicates::Blocks);
        let (mut misses, mut lost) = (empty(), empty());
        for i in 0..100 {
            misses.push(0, i, f64::from(u8::from(i % 10 == 0)));
            lost.push(0, i, f64::from(u8::from(i % 10 == 5)));
        }
        let without = proportion_of_planned(&misses, &of(&[0.0; 100])).unwrap();
        let with = proportion_of_planned(&misses, &lost).unwrap();
        assert_eq!((without.value, without.low), (with.value, with.low));
        assert_eq!(with.value, 0.1);
        assert!(without.high < 0.2 && with.high > 0.2, "{} {}", without.high, with.high);
    }

    #[test]
    fn without_a_read_a_share_may_be_anything() {
        for replicates in [Replicates::Blocks, Replicates::Rounds] {
            let (none, all): (&[f64], &[f64]) = (&[0.0; 20], &[1.0; 20]);
            let (misses, unread) = (Batches::of(&[none; 3], replicates), Batches::of(&[all; 3], replicates));
            let found = proportion_of_planned(&misses, &unread).unwrap();
            assert!(found.value.is_nan() && (found.low, found.high, found.observations) == (0.0, 1.0, 0), "{found:?}");
        }
    }

    #[test]
    fn the_bound_without_failures_is_the_rule_of_three() {
        assert_eq!(zero_failures_bound(0), 1.0);
        assert!((zero_failures_bound(1) - 0.95).abs() < 1e-15);
        assert!((zero_failures_bound(1000) - 0.002_991_249_252_8).abs() < 1e-9);
    }
}
