//! States of a cell, and what a rerun does with each.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::key::CellKey;

/// Where a cell stands. The states exclude each other, and every planned cell has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellState {
    /// Every planned request has a row, the lost ones too.
    Done,
    /// Its last attempt broke.
    Failed,
    /// A filter left it out or it is another shard's, and it is not done.
    Skipped,
    /// Its last attempt ended early.
    Partial,
    /// Nothing was tried yet.
    Pending,
}

impl CellState {
    /// Every state, in the order of summaries.
    pub const ALL: [Self; 5] = [Self::Done, Self::Partial, Self::Failed, Self::Skipped, Self::Pending];

    /// The state's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Partial => "partial",
            Self::Pending => "pending",
        }
    }
}

impl std::fmt::Display for CellState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a run does a cell or leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Runs: nothing was tried yet.
    Pending,
    /// Runs: its last attempt broke.
    Failed,
    /// Runs: its last attempt ended early.
    Partial,
    /// Runs: it is done, but a fresh result was requested.
    Fresh,
    /// Does not run: it is done.
    Done,
    /// Does not run: the filter leaves it out.
    Filtered,
    /// Does not run: it is another shard's.
    OtherShard,
}

impl Reason {
    /// What a run does with a cell:
    ///
    /// | old state | selected  | selected, fresh | left out by the filter |
    /// |-----------|-----------|-----------------|------------------------|
    /// | done      | leaves it | runs it         | leaves it              |
    /// | failed    | runs it   | runs it         | leaves it              |
    /// | partial   | runs it   | runs it         | leaves it              |
    /// | pending   | runs it   | runs it         | leaves it              |
    /// | skipped   | runs it   | runs it         | leaves it              |
    ///
    /// A cell that an earlier run skipped was never tried: it is like a pending one.
    #[must_use]
    pub fn of(old: CellState, selected: bool, fresh: bool) -> Self {
        match (selected, old) {
            (false, _) => Self::Filtered,
            (true, CellState::Done) if fresh => Self::Fresh,
            (true, CellState::Done) => Self::Done,
            (true, CellState::Failed) => Self::Failed,
            (true, CellState::Partial) => Self::Partial,
            (true, CellState::Pending | CellState::Skipped) => Self::Pending,
        }
    }

    /// Whether the cell runs.
    #[must_use]
    pub fn runs(self) -> bool {
        match self {
            Self::Pending | Self::Failed | Self::Partial | Self::Fresh => true,
            Self::Done | Self::Filtered | Self::OtherShard => false,
        }
    }
}

/// Which done cells run again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// These.
    These(BTreeSet<CellKey>),
}

impl Again {
    /// All or none.
    #[must_use]
    pub fn all_if(fresh: bool) -> Self {
        if fresh { Self::All } else { Self::None }
    }

    /// Whether a cell runs again if it is done.
    #[must_use]
    pub fn has(&self, cell: &CellKey) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::These(keys) => keys.contains(cell),
        }
    }

    /// What was requested, whatever cells that is just now.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::These(keys) if !keys.is_empty() => "these",
            Self::None | Self::These(_) => "none",
        }
    }

    /// The same of a plan that was saved; `fresh`: cells that were done ran again, and `reasons` are those of its cells.
    #[must_use]
    pub fn name_in_plan(fresh: bool, mut reasons: impl Iterator<Item = Reason>) -> &'static str {
        match fresh {
            false => "none",
            true if reasons.any(|reason| reason == Reason::Done) => "these",
            true => "all",
        }
    }

    /// Whether none does.
    #[must_use]
    pub fn is_none(&self) -> bool {
        match self {
            Self::None => true,
            Self::All => false,
            Self::These(keys) => keys.is_empty(),
        }
    }
}

impl CellState {
    /// The state in which a cell stands as a run begins: a cell that is left out is skipped unless it is done.
    #[must_use]
    pub fn as_run_begins(self, selected: bool) -> Self {
        match (selected, self) {
            (_, Self::Done) => Self::Done,
            (false, _) => Self::Skipped,
            (true, Self::Skipped) => Self::Pending,
            (true, state) => state,
        }
    }
}
