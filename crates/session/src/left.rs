//! Runs that were not brought to their end.

use matrix_core::{CellKey, Reason};
use matrix_store::{Run, RunDocuments, RunId, Store, StoreError};

/// Those of the runs that were begun and not finished, and that have cells left to do, in the same order. `planned` reads the cells of a
/// run's plan with their reasons; no cells if the run is another workload's.
///
/// # Errors
/// When the store or a plan cannot be read.
pub fn interrupted<E: From<StoreError>>(
    store: &Store,
    runs: Vec<RunId>,
    planned: impl Fn(&RunDocuments) -> Result<Vec<(CellKey, Reason)>, E>,
) -> Result<Vec<Run>, E> {
    let mut found = Vec::new();
    for id in runs {
        let run = store.run(id.as_str())?;
        if !run.journal().is_finished && !store.left_of(&run, planned(&run)?.into_iter())?.is_empty() {
            found.push(run);
        }
    }
    Ok(found)
}
