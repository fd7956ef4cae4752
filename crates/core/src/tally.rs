//! How many cells stand in each state.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::state::CellState;

/// Counts of cells by state. They add up to the planned cells, because there is no other way to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Cells that are done.
    pub done: u64,
    /// Cells whose last attempt ended early.
    pub partial: u64,
    /// Cells whose last attempt broke.
    pub failed: u64,
    /// Cells that a filter left out.
    pub skipped: u64,
    /// Cells that nobody tried.
    pub pending: u64,
}

impl Tally {
    /// Counts one cell.
    pub fn add(&mut self, state: CellState) {
        *self.slot(state) += 1;
    }

    /// Moves one cell from one state to another, as when it gets done.
    pub fn change(&mut self, from: CellState, to: CellState) {
        if *self.slot(from) > 0 {
            *self.slot(from) -= 1;
            *self.slot(to) += 1;
        }
    }

    /// Cells in a state.
    #[must_use]
    pub fn count(mut self, state: CellState) -> u64 {
        *self.slot(state)
    }

    /// All cells.
    #[must_use]
    pub fn planned(&self) -> u64 {
        CellState::ALL.iter().map(|state| self.count(*state)).sum()
    }

    fn slot(&mut self, state: CellState) -> &mut u64 {
        match state {
            CellState::Done => &mut self.done,
            CellState::Failed => &mut self.failed,
            CellState::Skipped => &mut self.skipped,
            CellState::Partial => &mut self.partial,
            CellState::Pending => &mut self.pending,
        }
    }
}

/// As a sentence whose numbers add up: `3 cells = 1 done + 0 partial + ...`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = CellState::ALL.map(|state| format!("{} {state}", self.count(state)));
        write!(f, "{} cells = {}", self.planned(), counts.join(" + "))
    }
}

impl FromIterator<CellState> for Tally {
    fn from_iter<I: IntoIterator<Item = CellState>>(states: I) -> Self {
        let mut tally = Self::default();
        states.into_iter().for_each(|state| tally.add(state));
        tally
    }
}
