//! How cells stand, as parts of a bar.

use matrix_core::{CellState, Tally};

use super::model::StateCount;

/// How cells stand, as parts of a bar.
#[must_use]
pub fn state_counts(tally: Tally) -> Vec<StateCount> {
    let planned = tally.planned().max(1) as f64;
    let mut left = 0.0;
    let count = |state: CellState| {
        let count = tally.count(state);
        let width = 1000.0 * count as f64 / planned;
        let part = StateCount { state: state.as_str(), count, width, left };
        left += width;
        part
    };
    CellState::ALL.into_iter().map(count).collect()
}
