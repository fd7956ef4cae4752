//! Estimates with intervals.

/// An estimate and its 95 % interval. An end is infinite where the data cannot bound it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Observations behind the estimate.
    pub observations: u64,
    /// Number of independent observations that would tell as much: `observations` over the design effect.
    pub effective: f64,
    /// Batches behind the interval.
    pub batches: usize,
    /// Whether fewer than ten rounds stand behind it, so that the interval says little about how rounds differ.
    pub few_blocks: bool,
}

impl Interval {
    /// The same quantity in another unit, `factor` (above 0) to one of this.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { value: self.value * factor, low: self.low * factor, high: self.high * factor, ..self }
    }
}
