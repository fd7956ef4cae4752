//! Laws: distributions of times.

use serde::Serialize;

use crate::normal;
use crate::table::{INTERVALS, Table};

/// A distribution of times, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "law", rename_all = "snake_case")]
pub enum Law {
    /// Always the same.
    Constant {
        /// The time.
        value_ms: f64,
    },
    /// Lognormal, by its mean and its coefficient of variation (standard deviation over mean). Cut at 3.49 standard
    /// deviations of the logarithm on either side.
    Lognormal {
        /// Mean, before the cut.
        mean_ms: f64,
        /// Coefficient of variation, before the cut.
        cv: f64,
    },
    /// Straight lines between quantiles: pairs of probability and time, from probability 0 to 1.
    Quantiles {
        /// The pairs, in order.
        points_ms: Vec<(f64, f64)>,
    },
}

impl Law {
    /// The law as a table, each time multiplied by `factor` and then shifted by `shift_ms`.
    #[must_use]
    pub fn table(&self, factor: f64, shift_ms: f64) -> Table {
        let scaled = |ms: f64| (ms * factor + shift_ms) * 1e3;
        match self {
            Self::Constant { value_ms } => Table::new(|_| scaled(*value_ms)),
            Self::Lognormal { mean_ms, cv } => {
                // With mean m and coefficient of variation c: sigma^2 = ln(1 + c^2), mu = ln(m) - sigma^2 / 2.
                let variance = libm::log(1.0 + cv * cv);
                let (mu, sigma) = (libm::log(*mean_ms) - variance / 2.0, variance.sqrt());
                let z = normal::quantiles();
                Table::new(|k| scaled(libm::exp(mu + sigma * z[k])))
            }
            Self::Quantiles { points_ms } => {
                Table::new(|k| scaled(interpolate(points_ms, k as f64 / INTERVALS as f64)))
            }
        }
    }
}

/// The time at probability `p`, on the straight line between the two nearest points.
fn interpolate(points: &[(f64, f64)], p: f64) -> f64 {
    let line = points.windows(2).find(|line| p <= line[1].0);
    match line {
        Some([(p0, t0), (p1, t1)]) if p1 > p0 => t0 + (t1 - t0) * (p - p0) / (p1 - p0),
        Some([_, (_, t1)]) => *t1,
        _ => points.last().map_or(0.0, |point| point.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lognormal_table_has_the_mean_it_was_given() {
        let table = Law::Lognormal { mean_ms: 500.0, cv: 0.4 }.table(2.0, 10.0);
        assert!((table.mean() / 1e3 - 1010.0).abs() < 1.0, "{}", table.mean());
    }

    #[test]
    fn a_quantile_table_passes_through_its_points() {
        let law = Law::Quantiles { points_ms: vec![(0.0, 10.0), (0.25, 20.0), (0.5, 20.0), (1.0, 100.0)] };
        let table = law.table(1.0, 0.0);
        for (draw, expected_us) in [(0, 10_000), (1 << 61, 15_000), (1 << 62, 20_000), (3 << 62, 60_000)] {
            assert_eq!(table.sample(draw), expected_us);
        }
        assert!((table.mean() - 37_500.0).abs() < 5.0 * 1e3, "{}", table.mean());
    }

    #[test]
    fn a_shift_below_zero_does_not_make_time_run_backwards() {
        assert_eq!(Law::Constant { value_ms: 5.0 }.table(1.0, -9.0).sample(0), 0);
    }
}
