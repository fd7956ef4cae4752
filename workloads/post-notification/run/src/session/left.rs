//! What is left to do of a run.

use std::collections::BTreeSet;

use matrix_plan::{Cell, CellKey, Plan};
use matrix_store::{Run, Store, StoreError};

use crate::error::RunError;
use crate::input::Input;
use crate::results::plan_of;

/// The cells left to do of a run, which the experiment has to have.
pub(super) fn cells_left(store: &Store, run: &Run, input: &Input) -> Result<Vec<Cell>, RunError> {
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
    Ok(input.cells.iter().filter(|(_, cell)| left.contains(&cell.key)).map(|(_, cell)| cell.clone()).collect())
}

/// The cells left to do of a run: those that it was to execute and that have no result yet.
pub fn left_of(store: &Store, run: &Run, plan: &Plan) -> Result<Vec<CellKey>, StoreError> {
    store.left_of(run, plan.cells.iter().map(|cell| (cell.key, cell.reason)))
}

/// The runs that were begun and not finished, and that have cells left to do: the oldest first.
pub fn interrupted_runs(store: &Store) -> Result<Vec<Run>, RunError> {
    let mut found = Vec::new();
    for id in store.runs()? {
        let run = store.run(id.as_str())?;
        if !run.journal().is_finished() && !left_of(store, &run, &plan_of(&run)?)?.is_empty() {
            found.push(run);
        }
    }
    Ok(found)
}
