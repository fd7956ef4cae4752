//! Where traces come from: a store, a bundle or memory, each behind [`Traces`].

use std::io::{self, Read};
use std::sync::Arc;

use matrix_app::Outcome;
use matrix_plan::{CellInputs, CellKey};

/// What is known of a done cell before its trace is read.
#[derive(Clone, Debug, PartialEq)]
pub struct CellMeta {
    /// The cell's key; errors name it.
    pub key: CellKey,
    /// What gives the cell its meaning.
    pub inputs: CellInputs,
    /// Who measured it.
    pub origin: String,
    /// Whether the cell was simulated.
    pub simulated: bool,
    /// Whether the replication lag of its post storage was configured, not native.
    pub configured_lag: bool,
    /// Whether other work disturbed the host while it was measured.
    pub disturbed: bool,
    /// The record's counts of requests.
    pub outcomes: Outcomes,
    /// Sizes that stand beside the trace, of a cell that was imported.
    pub stated: StatedBytes,
}

/// How many requests ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes([u64; Outcome::ALL.len()]);

impl Outcomes {
    /// Requests that ended in this way.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize]
    }

    /// Adds requests that ended in this way.
    pub fn add(&mut self, outcome: Outcome, requests: u64) {
        self.0[outcome as usize] += requests;
    }
}

impl FromIterator<(Outcome, u64)> for Outcomes {
    fn from_iter<I: IntoIterator<Item = (Outcome, u64)>>(counts: I) -> Self {
        let mut outcomes = Self::default();
        counts.into_iter().for_each(|(outcome, requests)| outcomes.add(outcome, requests));
        outcomes
    }
}

/// Logical bytes of all objects of a cell, where they are stated beside the trace and not in its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatedBytes {
    /// Of all posts.
    pub posts: Option<u64>,
    /// Of all notifications.
    pub notifications: Option<u64>,
}

impl CellMeta {
    /// The cell as errors name it: the start of its key, its axes and its round.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} ({}, round {})", self.key.short(), self.inputs.axes, self.inputs.round)
    }
}

/// The traces of done cells.
///
/// Tables come out in orders of their own, and floating-point sums run in the order of `cells`: the same cells in the
/// same order give the same tables, to the byte.
pub trait Traces: Sync {
    /// The cells.
    fn cells(&self) -> &[Arc<CellMeta>];

    /// Opens the trace of cell number `n` of [`Self::cells`]: the bytes of its CSV, not compressed.
    ///
    /// # Errors
    /// When the trace is not there or cannot be read.
    fn open(&self, n: usize) -> io::Result<Box<dyn Read + Send + '_>>;
}
