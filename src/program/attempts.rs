//! The attempts at a program's cells.

use std::collections::BTreeMap;

use matrix_command::Cell;
use matrix_plan::CellKey;
use matrix_store::{GenericAttempt, Store, StoreError};

/// The attempts at some cells, the oldest first.
pub(super) fn of_cells(store: &Store, cells: &[Cell]) -> Result<BTreeMap<CellKey, Vec<GenericAttempt>>, StoreError> {
    let mut found: BTreeMap<CellKey, Vec<GenericAttempt>> = cells.iter().map(|cell| (cell.key, Vec::new())).collect();
    for id in store.attempts()? {
        if let Some(attempt) = store.attempt::<GenericAttempt>(&id)?
            && let Some(of_cell) = found.get_mut(&attempt.key)
        {
            of_cell.push(attempt);
        }
    }
    for attempts in found.values_mut() {
        attempts.sort_by(|a, b| (&a.started, &a.id).cmp(&(&b.started, &b.id)));
    }
    Ok(found)
}
