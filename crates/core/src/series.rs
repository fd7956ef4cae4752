//! A metric over rounds: the numbers of one configuration, and estimates with intervals from them.

use std::collections::BTreeMap;

use crate::stats::t_quantile;

use crate::axes::Point;
use crate::value::Value;

/// A metric of one cell: none where the cell has no result, or the metric no value.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The cell's point.
    pub point: Point,
    /// The cell's round.
    pub round: u32,
    /// The number.
    pub value: Option<f64>,
}

/// The numbers of one point, by round.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The point.
    pub point: Point,
    /// Its numbers.
    pub rounds: BTreeMap<u32, f64>,
    /// Rounds without a number: not done, failed, or without a value.
    pub missing: u32,
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

/// Mean and sample variance; the variance of fewer than two numbers is not known.
fn moments(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    (!values.is_empty()).then(|| (mean, (values.len() > 1).then(|| squares / (count - 1.0))))
}

/// The mean of independent rounds with Student's t interval, of coverage 1 - `alpha`.
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
        assert!(!mean(&[1.0], 0.05).unwrap().is_bounded());
        assert_eq!(mean(&[], 0.05), None);
        // scipy.stats.ttest_ind(a, b, equal_var=False).confidence_interval()
        let found = welch(&[3.0, 4.0, 5.0, 8.0], &[1.0, 2.0, 2.5], 0.05).unwrap();
        assert!((found.value - 3.166_667).abs() < 1e-5 && found.low < 0.3 && found.high > 6.0, "{found:?}");
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
