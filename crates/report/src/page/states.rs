//! How cells stand, as parts of a bar.

use std::collections::BTreeMap;

use matrix_core::{CellState, Tally};

use super::model::{Failed, StateCount};
use super::text::plain;

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

/// Cells that were not tried, a line for each reason: how many, and the first of them. Each cell comes in words, with its
/// reason.
#[must_use]
pub fn skipped(cells: impl Iterator<Item = (String, String)>) -> Vec<Failed> {
    let mut reasons: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (cell, why) in cells {
        reasons.entry(why).or_default().push(cell);
    }
    let line = |(why, mut cells): (String, Vec<String>)| {
        cells.sort();
        let first = cells.first().cloned().unwrap_or_default();
        let cell = if cells.len() == 1 { first } else { format!("{} cells, {first} for example", cells.len()) };
        Failed { key: String::new(), cell: plain(&cell), state: CellState::Skipped.as_str(), why: plain(&why) }
    };
    reasons.into_iter().map(line).collect()
}
