//! What is left to do of a run.

use std::collections::BTreeSet;

use matrix_plan::plan::Reason;
use matrix_plan::{Cell, CellKey, Plan};
use matrix_store::{Run, Store, StoreError};

use crate::error::RunError;
use crate::input::Input;
use crate::results::plan_of;

/// The cells left to do of a run, which the experiment has to have, with the numbers of their blocks.
pub(super) fn cells_left(store: &Store, run: &Run, input: &Input) -> Result<Vec<(u32, Cell)>, RunError> {
    let left = left_of(store, run, &plan_of(run)?)?;
    let known: BTreeSet<CellKey> = input.cells.iter().map(|(_, cell)| cell.key).collect();
    if let Some(key) = left.iter().find(|key| !known.contains(key)) {
        return Err(RunError::usage(
            format!(
                "run {} planned cell {}, which its experiment no longer has in this version",
                run.id(),
                key.short()
            ),
            "another version of matrix planned the run: resume it with that one, or `matrix run` the experiment anew",
        ));
    }
    let left: BTreeSet<CellKey> = left.into_iter().collect();
    Ok(input.cells.iter().filter(|(_, cell)| left.contains(&cell.key)).cloned().collect())
}

/// The cells left to do of a run: those that it was to execute and that have no result yet.
pub fn left_of(store: &Store, run: &Run, plan: &Plan) -> Result<Vec<CellKey>, StoreError> {
    store.left_of(run, planned(plan))
}

/// The runs that were begun and not finished, and that have cells left to do: the oldest first.
pub fn interrupted_runs(store: &Store) -> Result<Vec<Run>, RunError> {
    matrix_session::interrupted(store, store.runs()?, |run| Ok(planned(&plan_of(run)?).collect()))
}

fn planned(plan: &Plan) -> impl Iterator<Item = (CellKey, Reason)> {
    plan.cells.iter().map(|cell| (cell.key, cell.reason))
}
