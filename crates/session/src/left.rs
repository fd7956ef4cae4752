//! Runs that were not brought to their end.

use matrix_core::{CellKey, Reason};
use matrix_store::{Run, RunDocuments, RunId, Store, StoreError};

/// Those of the runs that were begun and not finished, and that have cells left to do, in the same order. `planned` reads the cells of a
/// run's plan with their reasons; nothing if the run is another workload's.
///
/// # Errors
/// When the store or a plan cannot be read.
pub fn interrupted<E: From<StoreError>>(
    store: &Store,
    runs: Vec<RunId>,
    planned: impl Fn(&RunDocuments) -> Result<Option<Vec<(CellKey, Reason)>>, E>,
) -> Result<Vec<Run>, E> {
    let mut found = Vec::new();
    for id in runs {
        let run = store.run(id.as_str())?;
        if !run.journal().is_finished()
            && let Some(planned) = planned(&run)?
            && !store.left_of(&run, planned.into_iter())?.is_empty()
        {
            found.push(run);
        }
    }
    Ok(found)
}
