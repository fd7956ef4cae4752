//! A metric over rounds: the numbers of one configuration, and estimates with intervals from them.

use std::collections::BTreeMap;

use crate::stats::{Batches, MIN_ROUNDS, Replicates, proportion, t_quantile};

use crate::axes::Point;
use crate::value::Value;

/// The number of one round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// The number.
    pub value: f64,
    /// Where it is a share: how many rows it is of.
    pub counts: Option<Counts>,
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self { value, counts: None }
    }
}

/// The rows behind a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Rows that are true.
    pub trues: u64,
    /// All rows.
    pub all: u64,
}

/// Which numbers a metric can have: its intervals end where these do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// Any, as far as its expression says.
    #[default]
    Any,
    /// 0 and more.
    NotNegative,
    /// 0 to 1.
    Share,
}

/// A metric of one cell: none where the cell has no result, or the metric no value.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The cell's point.
    pub point: Point,
    /// The cell's round.
    pub round: u32,
    /// The number.
    pub value: Option<Number>,
}

/// The numbers of one point, by round.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The point.
    pub point: Point,
    /// Its numbers.
    pub rounds: BTreeMap<u32, Number>,
    /// Rounds without a number: not done, failed, or without a value.
    pub missing: u32,
}

impl Series {
    /// The numbers, in the order of rounds.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.rounds.values().map(|number| number.value).collect()
    }

    /// The mean of the rounds with its interval, of coverage 1 - `alpha`; see [`estimate`].
    #[must_use]
    pub fn estimate(&self, range: Range, alpha: f64) -> Option<Estimate> {
        estimate(&self.rounds, range, alpha)
    }
}

/// Groups cells by their points, in the order in which points come first.
#[must_use]
pub fn by_point(cells: &[Measured]) -> Vec<Series> {
    let mut places: BTreeMap<&[Value], usize> = BTreeMap::new();
    let mut series: Vec<Series> = Vec::new();
    for cell in cells {
        let place = *places.entry(&cell.point).or_insert_with(|| {
            series.push(Series { point: cell.point.clone(), rounds: BTreeMap::new(), missing: 0 });
            series.len() - 1
        });
        match cell.value {
            Some(value) => drop(series[place].rounds.insert(cell.round, value)),
            None => series[place].missing += 1,
        }
    }
    series
}

/// An estimate with its 95 % interval. An end is infinite where the rounds do not bound it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Rounds behind it.
    pub rounds: usize,
}

impl Estimate {
    /// Something measured so few times that nothing bounds it.
    #[must_use]
    pub fn unbounded(value: f64, rounds: usize) -> Self {
        Self { value, low: f64::NEG_INFINITY, high: f64::INFINITY, rounds }
    }

    /// The estimate of exp(x), given that of x.
    #[must_use]
    pub fn exp(self) -> Self {
        let exp = |x: f64| if x == f64::INFINITY { x } else { libm::exp(x) };
        Self { value: exp(self.value), low: exp(self.low), high: exp(self.high), rounds: self.rounds }
    }

    /// Whether both ends are known.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.low.is_finite() && self.high.is_finite()
    }
}

/// Mean and sample variance. The variance of fewer than [`MIN_ROUNDS`] numbers says too little to be used.
fn moments(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    (!values.is_empty()).then(|| (mean, (values.len() >= MIN_ROUNDS).then(|| squares / (count - 1.0))))
}

/// The mean of a metric's rounds with an interval that ends where the metric's range does. That of a share whose counts
/// are known is also as wide as Wilson's for independent rows: rounds that agree do not make a share certain.
#[must_use]
pub fn estimate(rounds: &BTreeMap<u32, Number>, range: Range, alpha: f64) -> Option<Estimate> {
    let values: Vec<f64> = rounds.values().map(|number| number.value).collect();
    let mut found = mean(&values, alpha)?;
    if !found.is_bounded() {
        return Some(found);
    }
    let counts: Option<Vec<Counts>> = rounds.values().map(|number| number.counts).collect();
    if range == Range::Share
        && let Some(counts) = counts
        && let Some(share) = proportion(&Batches::aggregated(counts.len(), 1, Replicates::Rounds, |round, _| {
            counts.get(round).map(|of| (of.trues as f64, of.all)).into_iter().collect()
        }))
    {
        found = Estimate { low: found.low.min(share.low), high: found.high.max(share.high), ..found };
    }
    // A number out of its metric's range is a mistake elsewhere: its interval holds it nevertheless.
    let (least, most) = match range {
        Range::Any => return Some(found),
        Range::NotNegative => (0.0_f64, f64::INFINITY),
        Range::Share => (0.0, 1.0),
    };
    Some(Estimate { low: found.low.max(least.min(found.value)), high: found.high.min(most.max(found.value)), ..found })
}

/// The mean of independent rounds with Student's t interval, of coverage 1 - `alpha`; nothing bounds fewer than
/// [`MIN_ROUNDS`].
#[must_use]
pub fn mean(values: &[f64], alpha: f64) -> Option<Estimate> {
    let (mean, variance) = moments(values)?;
    let Some(variance) = variance else { return Some(Estimate::unbounded(mean, values.len())) };
    let count = values.len() as f64;
    let half = t_quantile(1.0 - alpha / 2.0, count - 1.0) * (variance / count).sqrt();
    Some(Estimate { value: mean, low: mean - half, high: mean + half, rounds: values.len() })
}

/// How much larger the mean of `one` is than that of `other`, two independent samples (Welch 1947).
#[must_use]
pub fn welch(one: &[f64], other: &[f64], alpha: f64) -> Option<Estimate> {
    let ((mean_one, variance_one), (mean_other, variance_other)) = (moments(one)?, moments(other)?);
    let value = mean_one - mean_other;
    let rounds = one.len().min(other.len());
    let (Some(variance_one), Some(variance_other)) = (variance_one, variance_other) else {
        return Some(Estimate::unbounded(value, rounds));
    };
    let (count_one, count_other) = (one.len() as f64, other.len() as f64);
    let (part_one, part_other) = (variance_one / count_one, variance_other / count_other);
    let sum = part_one + part_other;
    if sum == 0.0 {
        return Some(Estimate { value, low: value, high: value, rounds });
    }
    let freedom = sum * sum / (part_one * part_one / (count_one - 1.0) + part_other * part_other / (count_other - 1.0));
    let half = t_quantile(1.0 - alpha / 2.0, freedom) * sum.sqrt();
    Some(Estimate { value, low: value - half, high: value + half, rounds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_textbook() {
        // Five numbers, t(0.975, 4) = 2.776: 3 +- 2.776 x sqrt(2.5 / 5).
        let found = mean(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.05).unwrap();
        assert!((found.low - 1.0368).abs() < 1e-4 && (found.high - 4.9632).abs() < 1e-4, "{found:?}");
        assert!(!mean(&[1.0, 1.0], 0.05).unwrap().is_bounded());
        assert_eq!(mean(&[], 0.05), None);
        // scipy.stats.ttest_ind(a, b, equal_var=False).confidence_interval()
        let found = welch(&[3.0, 4.0, 5.0, 8.0], &[1.0, 2.0, 2.5], 0.05).unwrap();
        assert!((found.value - 3.166_667).abs() < 1e-5 && found.low < 0.3 && found.high > 6.0, "{found:?}");
    }

    #[test]
    fn an_interval_ends_where_a_metric_does_and_rounds_that_agree_do_not_make_a_share_certain() {
        let shares = |trues: &[u64], all: u64| {
            let share = |trues: &u64| {
                let counts = Some(Counts { trues: *trues, all });
                Number { value: *trues as f64 / all as f64, counts }
            };
            (1..).zip(trues.iter().map(share)).collect::<BTreeMap<u32, Number>>()
        };
        let numbers = |values: &[f64]| (1..).zip(values.iter().map(|v| Number::from(*v))).collect::<BTreeMap<_, _>>();
        let close = |rounds: BTreeMap<u32, Number>, range, wanted: [f64; 3]| {
            let found = estimate(&rounds, range, 0.05).unwrap();
            let ends = [found.value, found.low, found.high];
            assert!(ends.iter().zip(wanted).all(|(end, wanted)| (end - wanted).abs() < 1e-4), "{found:?} {wanted:?}");
        };
        // Wilson's interval of 6 of 6, and of 0 of 6.
        close(shares(&[2, 2, 2], 2), Range::Share, [1.0, 0.609_67, 1.0]);
        close(shares(&[0, 0, 0], 2), Range::Share, [0.0, 0.0, 0.390_33]);
        // Rounds that differ: Student's t would end at 1.022.
        let differing = shares(&[100, 100, 98], 100);
        let found = estimate(&differing, Range::Share, 0.05).unwrap();
        assert!(found.high == 1.0 && found.low < 0.9647 && found.low > 0.9, "{found:?}");
        // Without counts there is only the end.
        close(numbers(&[1.0, 1.0, 0.98]), Range::Share, [0.993_33, 0.964_65, 1.0]);
        let low = 2.0 - 4.302_653 * (3.0_f64).sqrt() / (3.0_f64).sqrt();
        close(numbers(&[1.0, 1.0, 4.0]), Range::Any, [2.0, low, 4.0 - low]);
        close(numbers(&[1.0, 1.0, 4.0]), Range::NotNegative, [2.0, 0.0, 4.0 - low]);
        for range in [Range::Any, Range::NotNegative, Range::Share] {
            assert!(!estimate(&shares(&[2, 2], 2), range, 0.05).unwrap().is_bounded());
        }
    }

    /// Of many samples of noise, 95 % of intervals hold the truth.
    #[test]
    fn intervals_of_noise_cover_the_truth() {
        let mut state = 7u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let (mut covered, mut covered_difference) = (0, 0);
        for _ in 0..2000 {
            let one: Vec<f64> = (0..5).map(|_| normal()).collect();
            let other: Vec<f64> = (0..5).map(|_| 3.0 * normal()).collect();
            let holds = |found: Estimate| found.low <= 0.0 && 0.0 <= found.high;
            covered += usize::from(holds(mean(&one, 0.05).unwrap()));
            covered_difference += usize::from(holds(welch(&one, &other, 0.05).unwrap()));
        }
        assert!((1860..=1940).contains(&covered), "{covered}");
        assert!((1860..=1945).contains(&covered_difference), "{covered_difference}");
    }
}
