//! Intervals from rounds: what measured cells are judged by.
//!
//! Requests of one round share whatever the machine or the network did meanwhile, and blocks within the round share it,
//! too. Only other rounds show how large it is. So each round is one observation, and Student's t over the rounds' values
//! gives the interval, which needs [`MIN_ROUNDS`] of them.

use std::collections::BTreeMap;

use super::batches::Batches;
use super::interval::{Interval, Replicates};
use super::proportion::wilson;
use super::student::t_quantile;

/// The fewest rounds that give an interval. Two would: with one degree of freedom, t is 12.7, and the interval says nothing.
pub const MIN_ROUNDS: usize = 3;

/// The interval of the mean of one value a round: mean ± t(0.975, k - 1) x s / √k. `None` with fewer than
/// [`MIN_ROUNDS`] values.
fn student(values: &[f64]) -> Option<(f64, f64)> {
    if values.len() < MIN_ROUNDS {
        return None;
    }
    let k = values.len() as f64;
    let mean = values.iter().sum::<f64>() / k;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let half = t_quantile(0.975, k - 1.0) * (squares / (k - 1.0) / k).sqrt();
    Some((mean - half, mean + half))
}

/// An estimate with the interval that the rounds' own `values` give it. Where rounds hold different numbers of
/// observations, the estimate weighs observations and the interval rounds: it is then widened to hold the estimate.
pub(super) fn interval(value: f64, observations: u64, values: &[f64]) -> Interval {
    let (low, high) = student(values).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    Interval {
        value,
        low: low.min(value),
        high: high.max(value),
        observations,
        effective: values.len() as f64,
        batches: values.len(),
        few_blocks: false,
        replicates: Replicates::Rounds,
    }
}

/// The mean of each round that has an observation.
pub(super) fn means(batches: &Batches) -> Vec<f64> {
    batches.each_filled().map(|(_, sum, count)| sum / count).collect()
}

/// A mean.
pub(super) fn mean(batches: &Batches) -> Option<Interval> {
    Some(interval(batches.mean()?, batches.observations(), &means(batches)))
}

/// A share: t over the rounds' shares, cut off at 0 and 1. Near 0 and 1 few shares are far from normal, and t alone covers
/// too little: the interval also holds that of t over their logits (Cox and Snell's empirical ones, which are finite).
/// Rounds that happen to agree (none missed in any) would give an interval of no width: it holds Wilson's for independent
/// rows, too. A rare event whose share differs several times over from round to round is still covered less than it should
/// be; no method knows it from three rounds.
pub(super) fn proportion(batches: &Batches) -> Option<Interval> {
    let value = batches.mean()?;
    let rounds = interval(value, batches.observations(), &means(batches));
    if !rounds.is_bounded() {
        return Some(rounds);
    }
    let rows = wilson(value, batches.observations() as f64, t_quantile(0.975, f64::INFINITY));
    let logit = |(_, ones, count): (usize, f64, f64)| libm::log((ones + 0.5) / (count - ones + 0.5));
    let share = |logit: f64| 1.0 / (1.0 + libm::exp(-logit));
    let (low, high) = student(&batches.each_filled().map(logit).collect::<Vec<_>>())?;
    Some(Interval {
        low: rounds.low.min(rows.0).min(share(low)).max(0.0),
        high: rounds.high.max(rows.1).max(share(high)).min(1.0),
        ..rounds
    })
}

/// A rate from the gaps between events, on the scale of logarithms: a rate is positive, and what slows a machine down
/// multiplies.
pub(super) fn rate(gaps: &Batches) -> Option<Interval> {
    let gap = gaps.mean().filter(|gap| *gap > 0.0)?;
    let logarithms: Vec<f64> =
        means(gaps).into_iter().filter(|mean| *mean > 0.0).map(|mean| -libm::log(mean)).collect();
    Some(interval(-libm::log(gap), gaps.observations(), &logarithms).mapped(libm::exp))
}

/// The mean of `on` less the mean of `off`, round by round: what moves both sides of a round cancels.
pub(super) fn paired_difference(off: &Batches, on: &Batches) -> Option<Interval> {
    let value = on.mean()? - off.mean()?;
    let differences: Vec<f64> = pairs(off, on).map(|(off, on)| on - off).collect();
    Some(interval(value, off.observations().min(on.observations()), &differences))
}

/// The mean of `on` over the mean of `off`, round by round: the geometric mean of the rounds' ratios, with Student's t on
/// the scale of logarithms. `None` where no round has a positive mean on both sides.
#[must_use]
pub fn paired_ratio(off: &Batches, on: &Batches) -> Option<Interval> {
    let positive = pairs(off, on).filter(|(off, on)| *off > 0.0 && *on > 0.0);
    let logarithms: Vec<f64> = positive.map(|(off, on)| libm::log(on / off)).collect();
    let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
    let observations = off.observations().min(on.observations());
    (!logarithms.is_empty()).then(|| interval(mean, observations, &logarithms).mapped(libm::exp))
}

/// The means of the rounds that have observations on both sides.
fn pairs(off: &Batches, on: &Batches) -> impl Iterator<Item = (f64, f64)> {
    let on: BTreeMap<usize, f64> = on.each_filled().map(|(round, sum, count)| (round, sum / count)).collect();
    off.each_filled().filter_map(move |(round, sum, count)| Some((sum / count, *on.get(&round)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(values: &[&[f64]]) -> Batches {
        Batches::of(values, Replicates::Rounds)
    }

    #[test]
    fn three_rounds_give_student_s_interval() {
        // Means 1, 2 and 6: mean 3, s = √7, t(0.975, 2) = 4.30265.
        let found = mean(&rounds(&[&[1.0, 1.0], &[1.0, 3.0], &[6.0, 6.0]])).unwrap();
        let half = 4.302_652_729_911_275 * 7.0_f64.sqrt() / 3.0_f64.sqrt();
        assert!((found.value - 3.0).abs() < 1e-12 && (found.high - 3.0 - half).abs() < 1e-9, "{found:?}");
        assert!((found.low - 3.0 + half).abs() < 1e-9 && found.is_bounded());
    }

    #[test]
    fn fewer_rounds_give_none_however_many_requests() {
        let long = [1.0; 10_000];
        for few in [&[&long[..]][..], &[&long[..], &long[..]]] {
            for found in [mean(&rounds(few)), proportion(&rounds(few)), rate(&rounds(few))] {
                let found = found.unwrap();
                assert!(found.value == 1.0 && !found.is_bounded() && found.batches == few.len(), "{found:?}");
            }
        }
        // A round of which nothing was observed is none.
        assert!(!mean(&rounds(&[&long[..], &long[..], &[f64::NAN]])).unwrap().is_bounded());
    }

    #[test]
    fn rounds_that_agree_do_not_make_a_share_exact() {
        let none = [0.0; 200];
        let found = proportion(&rounds(&[&none, &none, &none])).unwrap();
        assert_eq!((found.value, found.low), (0.0, 0.0));
        // Wilson's interval at zero of 600.
        assert!((found.high - 3.841_458_820_694 / 603.841_458_820_694).abs() < 1e-9, "{found:?}");
        assert!(found.low < found.high);
        let all = [1.0; 200];
        let found = proportion(&rounds(&[&all, &all, &none])).unwrap();
        assert_eq!((found.low, found.high), (0.0, 1.0));
    }

    #[test]
    fn ratios_are_those_of_the_rounds() {
        let (off, on) = (rounds(&[&[1.0], &[4.0], &[9.0]]), rounds(&[&[2.0], &[8.0], &[18.0]]));
        let found = paired_ratio(&off, &on).unwrap();
        assert!((found.value - 2.0).abs() < 1e-12 && found.high - found.low < 1e-12, "{found:?}");
        assert_eq!(paired_ratio(&off, &rounds(&[&[f64::NAN], &[f64::NAN], &[f64::NAN]])), None);
    }
}
