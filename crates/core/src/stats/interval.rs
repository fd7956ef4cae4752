//! Estimates with intervals.

use serde::Serialize;

use super::rounds::MIN_ROUNDS;

/// What was repeated, so that it shows how large the error of an estimate is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Replicates {
    /// Stretches of consecutive requests (rounds, where there are ten or more). Right for simulated cells, whose rounds
    /// differ by their draws alone.
    #[default]
    Blocks,
    /// Rounds. Needed for measured cells: a machine or a network drifts from round to round, and no stretch of one round
    /// shows that.
    Rounds,
}

/// An estimate and its 95 % interval. An end is infinite where the data cannot bound it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate; NaN where nothing was observed and bounds are known all the same.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Observations behind the estimate.
    pub observations: u64,
    /// Number of independent observations that would tell as much: `observations` over the design effect.
    pub effective: f64,
    /// Batches behind the interval; rounds, where it comes from rounds.
    pub batches: usize,
    /// Whether fewer than ten rounds stand behind an interval from blocks, so that it says little about how rounds differ.
    pub few_blocks: bool,
    /// What the interval comes from.
    pub replicates: Replicates,
}

impl Interval {
    /// The same quantity in another unit, `factor` (above 0) to one of this.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        self.mapped(|number| number * factor)
    }

    /// The same of an increasing function of the quantity.
    pub(crate) fn mapped(self, map: impl Fn(f64) -> f64) -> Self {
        Self { value: map(self.value), low: map(self.low), high: map(self.high), ..self }
    }

    /// Whether there is an interval: fewer than three measured rounds give none.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.replicates == Replicates::Blocks || self.batches >= MIN_ROUNDS
    }
}
