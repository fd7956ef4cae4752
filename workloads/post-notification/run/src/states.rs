//! Where each cell of an experiment stands: what the store has, and how the last attempt of the rest ended.

use std::collections::BTreeSet;

use matrix_plan::{Again, Cell, CellKey, CellState, Part, Plan, Tally};
use matrix_store::{Lookup, Origin, Store, StoreError};
use matrix_traces::Record;

use crate::input::Input;
use crate::results::Hosts;

/// How many cells stand in each state; pending ones of `skipped` were left out by a filter.
pub fn tally(
    store: &Store,
    cells: &[(u32, Cell)],
    origin: Option<&Origin>,
    skipped: &BTreeSet<CellKey>,
) -> Result<Tally, StoreError> {
    let stands = |(state, (_, cell)): (CellState, &(u32, Cell))| match state {
        CellState::Pending if skipped.contains(&cell.key) => CellState::Skipped,
        state => state,
    };
    Ok(states(Some(store), cells, origin)?.into_iter().zip(cells).map(stands).collect())
}

/// The cells that a plan's filter left out.
pub fn skipped(plan: &Plan) -> BTreeSet<CellKey> {
    plan.cells.iter().filter(|cell| cell.state == CellState::Skipped).map(|cell| cell.key).collect()
}

/// The state of each cell, in the same order.
///
/// A cell with a record and its object is done, whoever did it; or, with an origin, if that one did. What became of the
/// others is in the journals of runs, the newest of which counts; an attempt that began and did not end was partial, and one
/// whose result shows nothing (as earlier versions kept it) has failed.
fn states(store: Option<&Store>, cells: &[(u32, Cell)], origin: Option<&Origin>) -> Result<Vec<CellState>, StoreError> {
    let Some(store) = store else { return Ok(vec![CellState::Pending; cells.len()]) };
    let keys: Vec<CellKey> = cells.iter().map(|(_, cell)| cell.key).collect();
    let done: Vec<bool> = match origin {
        Some(origin) => store.lookup(&keys, origin)?.iter().map(Lookup::is_done).collect(),
        None => store.done(&keys)?,
    };
    // A result that is not there any more: as if nothing had been tried.
    let gone = |key: &CellKey| Ok(if is_there(store, key)? { CellState::Failed } else { CellState::Pending });
    matrix_session::states(store, || store.runs(), &keys, &done, gone)
}

/// The plan of a run: every cell with its state and whether it runs.
pub fn plan(store: Option<&Store>, input: &Input, part: &Part, again: &Again) -> Result<Plan, StoreError> {
    let mut states = states(store, &input.cells, None)?.into_iter();
    let cells = input.cells.iter().map(|(block, cell)| (*block, cell));
    // The plan asks for the states in the order of the cells.
    Ok(Plan::new(&input.experiment, part, again, cells, |_| states.next().unwrap_or(CellState::Pending)))
}

/// The cells whose results ran on a disturbed host, with the others of their blocks: what is compared has to run next to
/// each other.
///
/// # Errors
/// When the store cannot be read.
pub fn disturbed(store: Option<&Store>, input: &Input) -> Result<Again, StoreError> {
    let Some(store) = store else { return Ok(Again::None) };
    let mut records = Vec::new();
    for (_, cell) in &input.cells {
        records.extend(store.record::<Record>(&cell.key, &Origin::default())?);
    }
    let hosts = Hosts::of(store, &records)?;
    let disturbed: BTreeSet<CellKey> =
        records.iter().filter(|record| hosts.is_disturbed(record)).map(|record| record.key).collect();
    let blocks: BTreeSet<u32> =
        input.cells.iter().filter(|(_, cell)| disturbed.contains(&cell.key)).map(|(block, _)| *block).collect();
    let again = input.cells.iter().filter(|(block, _)| blocks.contains(block));
    Ok(Again::These(again.map(|(_, cell)| cell.key).collect()))
}

/// Whether there is a result in which nothing was observed.
fn is_there(store: &Store, key: &CellKey) -> Result<bool, StoreError> {
    let found = store.lookup(&[*key], &Origin::default())?;
    Ok(found.iter().any(|found| matches!(found, Lookup::NothingObserved { .. })))
}
