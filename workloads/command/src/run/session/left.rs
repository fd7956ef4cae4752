//! What is left to do of a run.

use std::collections::BTreeSet;

use matrix_core::CellKey;
use matrix_store::{Rejection, Run, Store, StoreError};

use crate::cells::Cell;
use crate::run::{Input, Part, PlanDocument};

/// The cells of `part` that are left to do of a run, whose experiment has to have them; and the blocks of those that are left and that no
/// runner can execute here, because something that they need is not prepared.
pub(super) fn left_cells(
    store: &Store,
    run: &Run,
    plan: &PlanDocument,
    input: &Input,
    part: &Part,
) -> Result<(Vec<Cell>, Vec<u32>), StoreError> {
    let left: BTreeSet<CellKey> = store.left_of(run, plan.planned())?.into_iter().collect();
    let is_left = |cell: &&Cell| left.contains(&cell.key) && part.has(cell);
    let cells: Vec<Cell> = input.cells.iter().filter(is_left).cloned().collect();
    if cells.len() == left.len() {
        return Ok((cells, Vec::new()));
    }
    // Without what is prepared for it, a cell has another key than it was planned with.
    let others: BTreeSet<_> = input.cells.iter().filter(|cell| !part.has(cell)).map(|cell| input.place(cell)).collect();
    let unprepared = plan.to_run().filter(|cell| left.contains(&cell.key) && others.contains(&cell.place()));
    let unprepared: Vec<u32> = unprepared.map(|cell| cell.block).collect();
    match left.len().saturating_sub(cells.len() + unprepared.len()) {
        0 => Ok((cells, unprepared)),
        cells => Err(StoreError::Rejected(Rejection::OtherCells { run: run.id().clone(), cells })),
    }
}

/// The runs of this workload that were begun and not finished, and that have cells left to do: the oldest first.
///
/// # Errors
/// When the store cannot be read.
pub fn interrupted(store: &Store) -> Result<Vec<Run>, StoreError> {
    let planned = |plan: PlanDocument| plan.planned().collect();
    matrix_session::interrupted(store, store.generic_runs()?, |run| {
        Ok(PlanDocument::of_run(run)?.map(planned).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use matrix_core::{Again, Value};
    use matrix_store::{ErrorKind, NewRun};

    use super::*;
    use crate::run::plan;

    #[test]
    fn what_is_not_prepared_here_is_left_and_does_not_keep_the_rest_from_going_on() {
        let text = "schema = 2\nname = \"n\"\nworkload = \"command\"\nrounds = 2\nseed = 1\n[site]\nprepared = \"made\"\n\
                    [axes]\nsize = [1, 2]\n[[prepare]]\nname = \"data\"\neach = [\"size\"]\nrun = [\"make\", \"{prepared}\"]\n\
                    [command]\nrun = [\"run\", \"{size}\", \"{prepared:data}\"]\nrows = \"csv:stdout\"\n\
                    [columns]\nx = { unit = \"1\", type = \"integer\" }\n";
        let input = Input::new("n.toml", text.to_owned(), Path::new("nowhere"), None).unwrap();
        let all = Part::of_cells(input.cells.iter());
        let is_small = |cell: &&Cell| cell.point[0] == Value::Whole(1);
        let mut planned = plan(None, &input, &all, &Again::None).unwrap();
        for (planned, _) in planned.cells.iter_mut().zip(&input.cells).filter(|(_, cell)| is_small(cell)) {
            // As it was when what it needs was there.
            planned.key = planned.key.to_string().chars().rev().collect::<String>().parse().unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open_for_writing(folder.path(), "the test").unwrap();
        let text = serde_json::to_vec(&planned).unwrap();
        let new = NewRun { time: "20261122T130000Z", name: "n", experiment: b"", model: None, plan: &text };
        let (run, _) = store.create_run(&new).unwrap();
        let here = Part::of_cells(input.cells.iter().filter(|cell| !is_small(cell)));
        let (cells, unprepared) = left_cells(&store, &run, &planned, &input, &here).unwrap();
        assert_eq!((cells.len(), unprepared.len()), (2, 2));
        assert!(!cells.iter().any(|cell| is_small(&cell)), "{cells:?}");
        let error = left_cells(&store, &run, &planned, &input, &all).unwrap_err();
        assert!(matches!(error, StoreError::Rejected(Rejection::OtherCells { cells: 2, .. })), "{error:?}");
    }

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
