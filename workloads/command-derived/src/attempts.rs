//! The attempts at a program's cells.

use std::collections::BTreeMap;
use std::io::Read as _;

use matrix_command::Cell;
use matrix_core::CellKey;
use matrix_store::attempt::AttemptStatus;
use matrix_store::{GenericAttempt, Store, StoreError};

/// Most lines of what a program printed that are shown of a failed attempt.
const MOST_LINES: usize = 12;

/// Most bytes of them.
const TAIL: usize = 64 << 10;

/// Attempts by cell, of each the oldest first.
pub(crate) type Tried = BTreeMap<CellKey, Vec<GenericAttempt>>;

/// The attempts at some cells.
pub(crate) fn of_cells(store: &Store, cells: &[Cell]) -> Result<Tried, StoreError> {
    let mut found: Tried = cells.iter().map(|cell| (cell.key, Vec::new())).collect();
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

/// Why an attempt has no result: its error, and the last lines that it printed to standard error. Empty where it has one.
pub(crate) fn why(store: &Store, attempt: &GenericAttempt) -> Result<String, StoreError> {
    if attempt.status == AttemptStatus::Done {
        return Ok(String::new());
    }
    let error = attempt.error.clone().unwrap_or_default();
    let printed = stderr(store, attempt)?;
    // Failures of the program itself name these lines already.
    Ok(if printed.is_empty() || error.contains(printed.trim_end()) {
        error
    } else {
        format!("{error}\nstandard error:\n{printed}")
    })
}

/// The last lines of what an attempt printed to standard error.
fn stderr(store: &Store, attempt: &GenericAttempt) -> Result<String, StoreError> {
    let Some(kept) = attempt.outputs.get("stderr") else { return Ok(String::new()) };
    let mut object = store.open_object(&kept.sha256)?.with_max_bytes(kept.bytes);
    // Of what may be long only the end is held.
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; TAIL]);
    loop {
        let count = object.read(&mut buffer).map_err(StoreError::from_read)?;
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..count]);
        bytes.drain(..bytes.len().saturating_sub(TAIL));
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(MOST_LINES)..].join("\n"))
}
