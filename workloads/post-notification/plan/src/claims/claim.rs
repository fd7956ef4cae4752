//! A claim as the experiment states it.

use crate::claims::Metric;
use crate::experiment::Selector;
use crate::point::Axes;

/// A statement about results.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its name.
    pub id: String,
    /// What it says, in words.
    pub says: String,
    /// Where the claim comes from, for example a publication.
    pub source: Option<String>,
    /// The cells that it is about.
    pub cells: Selector,
    /// What must hold.
    pub check: Check,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// Every row of every cell is a consistent read. One counterexample contradicts it.
    EveryRowConsistent,
    /// A metric keeps within a bound.
    Metric {
        /// The metric.
        metric: Metric,
        /// The bound.
        bound: Bound,
        /// Whether the rounds are judged as one, instead of cell by cell. Measured rounds always are: one alone has no
        /// interval.
        pool: bool,
    },
}

/// What a metric must keep within, in the metric's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// It is not above.
    AtMost(f64),
    /// It is not below.
    AtLeast(f64),
    /// It is within so many percent of a value, above or below.
    Within {
        /// The value.
        value: f64,
        /// Percent of it.
        percent: f64,
    },
}

impl Bound {
    /// The lowest and highest values that keep within the bound.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        match *self {
            Self::AtMost(most) => (f64::NEG_INFINITY, most),
            Self::AtLeast(least) => (least, f64::INFINITY),
            Self::Within { value, percent } => {
                let slack = value.abs() * percent / 100.0;
                (value - slack, value + slack)
            }
        }
    }
}

impl Claim {
    /// Whether the claim is about a cell with these axes.
    #[must_use]
    pub fn is_about(&self, axes: &Axes) -> bool {
        self.cells.matches(axes)
    }
}
