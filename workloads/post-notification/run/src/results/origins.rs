//! Whose results are read, where several origins measured the same cells.

use std::collections::BTreeSet;

use matrix_plan::CellKey;
use matrix_store::{Lookup, Origin, Store, parallel};

use crate::error::RunError;
use crate::input::Input;
use crate::observer::Observer;

/// Whose results of an experiment are read.
pub struct Origins {
    /// The cells that have a result, each with the origin whose result is read.
    pub chosen: Vec<(CellKey, Origin)>,
    /// The origins that are left out of some cell.
    pub left_out: BTreeSet<Origin>,
}

impl Origins {
    /// Chooses for each cell: what `only` measured, if that is given; else what was measured here, or what the first of
    /// the other origins measured. A choice that nobody asked for and that leaves out results is told.
    pub fn of(store: &Store, input: &Input, only: Option<&Origin>, observer: &dyn Observer) -> Result<Self, RunError> {
        let (mut this, mut all) = (Self { chosen: Vec::new(), left_out: BTreeSet::new() }, BTreeSet::new());
        let (mut several, mut preferred) = (0, BTreeSet::new());
        let keys: Vec<CellKey> = input.cells.iter().map(|(_, cell)| cell.key).collect();
        let here = store.lookup(&keys, &Origin::default())?;
        let here: Vec<(CellKey, Lookup)> = keys.into_iter().zip(here).collect();
        let done = parallel::each(&here, |(key, here)| done_by(store, key, here.is_done()));
        for ((key, _), origins) in here.into_iter().zip(done) {
            let origins = origins?;
            let local = || origins.iter().find(|origin| origin.is_local()).or(origins.first());
            let read = only.map_or_else(local, |only| origins.iter().find(|origin| *origin == only)).cloned();
            this.left_out.extend(origins.iter().filter(|origin| read.as_ref() != Some(origin)).cloned());
            if origins.len() > 1 {
                several += 1;
                preferred.extend(read.clone());
            }
            this.chosen.extend(read.map(|read| (key, read)));
            all.extend(origins);
        }
        if let Some(only) = only.filter(|only| !all.contains(*only)) {
            return Err(RunError::usage(
                format!("{only} measured no cell of {}", input.experiment.name),
                format!("who did: {}", list(&all)),
            ));
        }
        if several > 0 && only.is_none() {
            observer.note(format_args!(
                "note: {several} cells have results of several origins; read: {}; left out: {} (--origin NAME reads another's)",
                list(&preferred),
                list(&this.left_out)
            ));
        }
        Ok(this)
    }

    /// The origins that are read.
    pub fn read(&self) -> BTreeSet<&Origin> {
        self.chosen.iter().map(|(_, origin)| origin).collect()
    }
}

/// The origins whose result of a cell is there: a record whose object is gone is none.
fn done_by(store: &Store, key: &CellKey, here: bool) -> Result<Vec<Origin>, RunError> {
    let mut done = Vec::new();
    for origin in store.origins(key)? {
        if origin.is_local() {
            done.extend(here.then_some(origin));
        } else if store.lookup(&[*key], &origin)?.iter().all(Lookup::is_done) {
            done.push(origin);
        }
    }
    Ok(done)
}

fn list(origins: &BTreeSet<Origin>) -> String {
    let names: Vec<&str> = origins.iter().map(Origin::as_str).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}
