//! Where cells stand.

use std::collections::BTreeMap;

use matrix_core::{CellKey, CellState};
use matrix_store::{JournalState, RunId, Store, StoreError};

/// The state of each cell, in the same order: done if `done` says so; else as its last attempt in `runs` ended, the newest of which is
/// last. An attempt that began and did not end was partial; of a cell that is done for a journal and not for `done`, `gone` says the
/// state.
///
/// # Errors
/// When a journal cannot be read.
pub fn states(
    store: &Store,
    runs: impl FnOnce() -> Result<Vec<RunId>, StoreError>,
    keys: &[CellKey],
    done: &[bool],
    gone: impl Fn(&CellKey) -> Result<CellState, StoreError>,
) -> Result<Vec<CellState>, StoreError> {
    let missing = keys.iter().zip(done).filter(|(_, done)| !**done);
    let mut last: BTreeMap<CellKey, Option<JournalState>> = missing.map(|(key, _)| (*key, None)).collect();
    let runs = if last.is_empty() { Vec::new() } else { runs()? };
    for id in runs {
        store.read_run(id.as_str(), |entry| {
            if let Some((key, state)) = entry.event.cell_state()
                && let Some(last) = last.get_mut(&key)
            {
                *last = Some(state);
            }
        })?;
    }
    let state = |key: &CellKey| match last.get(key) {
        None => Ok(CellState::Done),
        Some(None) => Ok(CellState::Pending),
        Some(Some(JournalState::Done)) => gone(key),
        Some(Some(JournalState::Failed)) => Ok(CellState::Failed),
        Some(Some(JournalState::Partial | JournalState::Started)) => Ok(CellState::Partial),
    };
    keys.iter().map(state).collect()
}
