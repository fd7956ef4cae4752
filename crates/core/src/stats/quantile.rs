//! Quantiles.

use super::batches::Batches;
use super::interval::{Interval, Replicates};
use super::proportion::design_effect;
use super::rounds;
use super::student::t_quantile;

/// The rank, from 1, of the `p`-quantile among `n` sorted values by the nearest-rank method: the smallest value that at
/// least a share `p` of the values does not exceed, type 1 of Hyndman and Fan 1996. Never between two values, so that a
/// quantile of whole microseconds is one that was measured. `n` must not be 0.
#[must_use]
pub fn nearest_rank(p: f64, n: u64) -> u64 {
    let exact = p * n as f64;
    // 0.9 x 10 is 9 only up to rounding: what is as near to a whole number is that number.
    let whole = exact.round();
    let rank = if (exact - whole).abs() < 1e-9 * exact.max(1.0) { whole } else { exact.ceil() };
    (rank as u64).clamp(1, n.max(1))
}

/// The `p`-quantile by the nearest-rank method, with an interval between two order statistics.
///
/// The rank of the true quantile among n independent values is binomial (David and Nagaraja, *Order Statistics*, 3rd
/// ed., 7.1); here its variance n p (1 - p) is multiplied by the design effect of "does not exceed the estimate" between
/// batches, and Student's t replaces the normal quantile (Woodruff 1952 for cluster samples). An end is infinite where
/// the sample is too small to bound the quantile. Where rounds are the replicates it is Student's t over the rounds'
/// quantiles. `rounds` as in [`Batches::of`]; `None` if nothing was observed.
#[must_use]
pub fn quantile(rounds: &[&[f64]], p: f64, replicates: Replicates) -> Option<Interval> {
    let known = |round: &[f64]| round.iter().copied().filter(|value| !value.is_nan()).collect::<Vec<f64>>();
    let mut values: Vec<f64> = rounds.iter().flat_map(|round| known(round)).collect();
    if values.is_empty() {
        return None;
    }
    let n = values.len() as u64;
    let value = order_statistic(&mut values, nearest_rank(p, n));
    if replicates == Replicates::Rounds {
        let rounds = rounds.iter().map(|round| known(round)).filter(|round| !round.is_empty());
        let of_round = |mut round: Vec<f64>| {
            let rank = nearest_rank(p, round.len() as u64);
            order_statistic(&mut round, rank)
        };
        let each: Vec<f64> = rounds.map(of_round).collect();
        return Some(rounds::interval(value, n, &each));
    }
    let batches = Batches::of_map(rounds, replicates, |observed| if observed <= value { 1.0 } else { 0.0 });
    let share = batches.mean()?;
    let (effect, t) = design_effect(&batches, share).unwrap_or((1.0, t_quantile(0.975, f64::INFINITY)));
    let count = n as f64;
    let half = t * (count * p * (1.0 - p) * effect).sqrt();
    // Between ranks low and high lies the quantile if low <= binomial < high: half a rank of continuity correction.
    let (low, high) = ((count * p - half + 0.5).round(), (count * p + half + 0.5).round());
    Some(Interval {
        value,
        low: if low < 1.0 { f64::NEG_INFINITY } else { order_statistic(&mut values, low as u64).min(value) },
        high: if high > count { f64::INFINITY } else { order_statistic(&mut values, high as u64).max(value) },
        observations: n,
        effective: count / effect,
        batches: batches.filled(),
        few_blocks: batches.layout().few_blocks(),
        replicates,
    })
}

/// The value of the given rank, from 1. Reorders the values.
fn order_statistic(values: &mut [f64], rank: u64) -> f64 {
    let index = (rank.max(1) - 1).min(values.len() as u64 - 1) as usize;
    *values.select_nth_unstable_by(index, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_order_statistics_by_nearest_rank(
            values in prop::collection::vec(-50i32..50, 1..200),
            percent in 1u32..100,
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let found = quantile(&[&values], f64::from(percent) / 100.0, Replicates::Blocks).unwrap();
            // The smallest value such that percent / 100 of all are not above it, in whole numbers.
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let enough = |value: &&f64| values.iter().filter(|v| *v <= value).count() * 100 >= values.len() * percent as usize;
            prop_assert_eq!(found.value, *sorted.iter().find(enough).unwrap());
            for end in [found.low, found.high] {
                prop_assert!(end.is_infinite() || values.contains(&end));
            }
        }
    }

    #[test]
    fn a_small_sample_does_not_bound_an_extreme_quantile() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        let found = quantile(&[&values], 0.99, Replicates::Blocks).unwrap();
        assert_eq!((found.value, found.high), (49.0, f64::INFINITY));
        assert!(found.low > 40.0);
        assert_eq!(quantile(&[&[f64::NAN]], 0.5, Replicates::Blocks), None);
    }
}
