//! What is left to do of a run.

use std::collections::BTreeSet;

use matrix_core::CellKey;
use matrix_store::{Rejection, Run, Store, StoreError};

use crate::cells::Cell;
use crate::run::{Input, PlanDocument};

/// The cells left to do of a run.
fn left_of(store: &Store, run: &Run) -> Result<Vec<CellKey>, StoreError> {
    let Some(plan) = PlanDocument::of_run(run)? else { return Ok(Vec::new()) };
    store.left_of(run, plan.cells.iter().map(|cell| (cell.key, cell.reason)))
}

/// The same as cells of the experiment, which has to have them.
pub(super) fn left_cells(store: &Store, run: &Run, input: &Input) -> Result<Vec<Cell>, StoreError> {
    let left: BTreeSet<CellKey> = left_of(store, run)?.into_iter().collect();
    let cells: Vec<Cell> = input.cells.iter().filter(|cell| left.contains(&cell.key)).cloned().collect();
    if cells.len() < left.len() {
        let cells = left.len() - cells.len();
        return Err(StoreError::Rejected(Rejection::OtherCells { run: run.id().clone(), cells }));
    }
    Ok(cells)
}

/// The runs of this workload that were begun and not finished, and that have cells left to do: the oldest first.
///
/// # Errors
/// When the store cannot be read.
pub fn interrupted(store: &Store) -> Result<Vec<Run>, StoreError> {
    let mut found = Vec::new();
    for id in store.all_runs()? {
        let run = store.run(id.as_str())?;
        if !run.journal().is_finished() && !left_of(store, &run)?.is_empty() {
            found.push(run);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use matrix_store::{ErrorKind, NewRun};

    use super::*;

    #[test]
    fn a_plan_that_cannot_be_read_is_not_a_run_that_is_done() {
        let interrupted_with = |plan: &[u8]| {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::create_or_open_for_writing(folder.path(), "the test").unwrap();
            let new = NewRun { time: "20261122T130000Z", name: "n", experiment: b"", model: None, plan };
            drop(store.create_run(&new).unwrap());
            interrupted(&store).map(|runs| runs.len())
        };
        assert_eq!(interrupted_with(b"{\"schema\":1}").unwrap(), 0, "another workload's");
        let error = interrupted_with(b"{\"schema\":3,\"later\":true}").unwrap_err();
        assert!(error.kind() == ErrorKind::Integrity && error.help().is_some(), "{error:?}");
        assert!(error.to_string().contains("20261122T130000Z-n/plan.json"), "{error}");
    }
}
