//! Reading the results of an experiment for commands that show them.

use std::collections::BTreeSet;

use matrix_command::Cell;
use matrix_command::results::{self, Loaded};
use matrix_store::{Origin, Store};

use super::choose::Chosen;
use super::in_text;
use crate::exit::Failure;
use crate::output;

/// Reads the results of some cells of an experiment for a command that shows their numbers.
///
/// # Errors
/// When there is none of this origin, or none whose rows were read as the experiment says.
pub(super) fn load<'e>(
    store: &Store,
    chosen: &'e Chosen,
    cells: &[Cell],
    origin: Option<&Origin>,
) -> Result<Loaded<'e>, Failure> {
    let loaded = results::load(store, &chosen.experiment, cells, origin)?;
    if let Some(origin) = origin.filter(|_| loaded.done() == 0) {
        let mut known = BTreeSet::new();
        for cell in &chosen.cells {
            known.extend(store.origins(&cell.key)?);
        }
        if !known.contains(origin) {
            let name = &chosen.experiment.name;
            return Err(Failure::usage(format!("{origin} measured no cell of {name}"), results_of(&known)));
        }
    }
    match loaded.read_otherwise() {
        0 => {}
        cells if cells == loaded.done() => return Err(read_otherwise()),
        _ => loaded.of_reading().iter().for_each(|text| output::note(format_args!("note: {text}"))),
    }
    Ok(loaded)
}

/// Who measured the cells of an experiment.
fn results_of(origins: &BTreeSet<Origin>) -> String {
    let names: Vec<&str> = origins.iter().map(Origin::as_str).collect();
    format!("who did: {}", if names.is_empty() { "nobody".to_owned() } else { names.join(", ") })
}

/// Refuses rows that were read in another way than the experiment says: they may have other units.
pub(super) fn read_otherwise() -> Failure {
    Failure::usage(
        "rows were read in another way than the experiment says",
        "`matrix run FILE` reads them again, and executes nothing; if FILE is the one by which they were read, name it here",
    )
}

/// The cells that a filter chooses.
pub(super) fn matching(chosen: &Chosen, filter: Option<&str>) -> Result<Vec<Cell>, Failure> {
    let Some(text) = filter else { return Ok(chosen.cells.clone()) };
    let filter = chosen.experiment.filter(text).map_err(|problem| in_text("--filter", text, problem.into()))?;
    Ok(chosen.cells.iter().filter(|cell| matrix_command::run::matches(&filter, cell)).cloned().collect())
}
