//! From values to places along an axis.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged};

/// One axis of a panel. A share of its length is a number from 0 (where it begins) to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// Equal steps are equal differences.
    Linear {
        /// Where the axis begins.
        low: f64,
        /// Where it ends.
        high: f64,
    },
    /// Equal steps are equal factors.
    Log {
        /// Where the axis begins; above 0.
        low: f64,
        /// Where it ends.
        high: f64,
    },
    /// A logarithmic axis with a piece for 0, which has no logarithm, broken off at its beginning.
    ZeroThenLog {
        /// Share of the axis that the piece takes.
        piece: f64,
        /// Where the logarithmic part begins; above 0.
        low: f64,
        /// Where it ends.
        high: f64,
    },
    /// An axis whose only value is 0.
    Zero,
}

impl Scale {
    /// A logarithmic scale around the given values, widened by the given share of its length at either end. Values
    /// that have no logarithm do not count.
    pub fn log_around(values: impl IntoIterator<Item = f64>, margins: (f64, f64)) -> Option<Self> {
        let (min, max) = extent(values.into_iter().filter(|value| *value > 0.0))?;
        // A single value still needs a piece of axis around it.
        let (min, max) = if max / min < 1.05 { (min / 1.5, max * 1.5) } else { (min, max) };
        let length = libm::log(max / min) / (1.0 - margins.0 - margins.1);
        Some(Self::Log { low: min * libm::exp(-length * margins.0), high: max * libm::exp(length * margins.1) })
    }

    /// Place of a value, as a share of the axis.
    pub fn share(&self, value: f64) -> f64 {
        match *self {
            Self::Linear { low, high } => (value - low) / (high - low),
            Self::Log { low, high } => libm::log(value / low) / libm::log(high / low),
            Self::ZeroThenLog { piece, .. } if value <= 0.0 => piece / 2.0,
            Self::ZeroThenLog { piece, low, high } => {
                piece + (1.0 - piece) * libm::log(value / low) / libm::log(high / low)
            }
            Self::Zero => 0.5,
        }
    }
}

/// Least and greatest of the values that are numbers.
pub fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|value| value.is_finite()).fold(None, |extent, value| {
        Some(extent.map_or((value, value), |(min, max): (f64, f64)| (min.min(value), max.max(value))))
    })
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let place = f64::from(limit.0) + f64::from(limit.1 - limit.0) * self.share(*value);
        place.round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        // Axes are drawn by the panel, whose ticks know the width of their labels.
        Vec::new()
    }

    fn range(&self) -> Range<f64> {
        match *self {
            Self::Linear { low, high } | Self::Log { low, high } => low..high,
            Self::ZeroThenLog { high, .. } => 0.0..high,
            Self::Zero => 0.0..0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_inside_and_in_order() {
        let values = [1.0, 375.0, 18_455.0, 1e6];
        let scale = Scale::log_around(values, (0.1, 0.2)).unwrap();
        let shares: Vec<f64> = values.iter().map(|value| scale.share(*value)).collect();
        assert!((shares[0] - 0.1).abs() < 1e-9 && (shares[3] - 0.8).abs() < 1e-9, "{shares:?}");
        assert!(shares.is_sorted());
    }

    #[test]
    fn zero_has_a_place_before_everything_else() {
        let scale = Scale::ZeroThenLog { piece: 0.2, low: 100.0, high: 1000.0 };
        assert!(scale.share(0.0) < scale.share(100.0));
        assert!((scale.share(1000.0) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn one_value_is_enough_and_none_is_not() {
        assert!((Scale::log_around([50.0], (0.0, 0.0)).unwrap().share(50.0) - 0.5).abs() < 1e-9);
        assert_eq!(Scale::log_around([0.0, f64::NAN], (0.0, 0.0)), None);
    }
}
