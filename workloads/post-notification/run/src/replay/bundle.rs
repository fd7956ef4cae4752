//! The results of replaying a bundle, cell by cell.

use std::num::NonZeroUsize;
use std::path::Path;

use matrix_antipode_artifact::Imported;
use matrix_archive::Restored;
use matrix_bundle::temporary::Folder;
use matrix_bundle::{BundleReader, Limits};
use matrix_plan::{Axes, CellKey};
use matrix_store::Store;
use matrix_traces::Record;
use serde::Serialize;

use super::measured;
use super::simulated::{self, Again};
use crate::error::RunError;
use crate::results;

/// The result of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Simulated: the trace is the same, byte for byte.
    Identical,
    /// Simulated: the trace is another one.
    Different,
    /// Simulated, but this version or this bundle lacks what it takes to run it again.
    Impossible,
    /// Measured: the intervals of every metric overlap with those of a fresh measurement.
    Overlaps,
    /// Measured: the intervals of some metric do not.
    Apart,
    /// Measured: what it was to be compared with is the very same measurement.
    SameMeasurement,
    /// Measured: there is no fresh measurement of this cell among the results to compare with.
    NotMeasuredAgain,
    /// Measured or imported, and nothing was given to compare it with.
    NotReplayed,
}

/// A cell of a bundle, replayed.
#[derive(Debug, Serialize)]
pub struct Cell {
    /// Its key.
    pub key: CellKey,
    /// Its axes.
    pub axes: Axes,
    /// Its round, from 1.
    pub round: u32,
    /// Who measured it.
    pub origin: String,
    /// How it compares.
    pub status: Status,
    /// What there is to say.
    pub what: String,
}

impl Cell {
    pub(super) fn new(record: &Record, status: Status, what: String) -> Self {
        let (axes, origin) = (record.inputs.axes.clone(), record.origin.to_string());
        Self { key: record.key, axes, round: record.inputs.round, origin, status, what }
    }
}

/// The result of a bundle.
#[derive(Debug, Serialize)]
pub struct Replay {
    /// The simulated cells.
    pub simulated: Vec<Cell>,
    /// The measured and the imported cells.
    pub measured: Vec<Cell>,
    /// The commands that measure cells again.
    pub to_measure_again: Vec<String>,
}

/// Runs the simulated cells of a bundle again, and compares the measured ones with `fresh`, a store or bundle, if there is
/// one.
pub fn replay(
    file: &Path,
    limits: Limits,
    jobs: Option<NonZeroUsize>,
    fresh: Option<&Path>,
) -> Result<Replay, RunError> {
    let fresh = fresh.map(|path| results::open_within(path, limits)).transpose()?;
    let folder = Folder::new()?;
    let place = folder.path().join("bundle");
    let Restored { inventory, .. } = matrix_archive::to_store(BundleReader::open(file, limits)?, &place)?;
    let models = inventory.models.values().map(|bytes| simulated::model(bytes)).collect::<Result<Vec<_>, _>>()?;
    // What was imported was not simulated here, even where a simulation was exported.
    let again = |record: &&Record| record.simulated && Imported::of(&record.inputs).is_none();
    let (again, measured): (Vec<&Record>, Vec<&Record>) = inventory.records.values().partition(again);
    let measured: Vec<Record> = measured.into_iter().cloned().collect();

    let store = Store::create_or_open_for_writing(&folder.path().join("replay"), "matrix bundle replay")?;
    let found = simulated::run(&store, &again, &models, jobs)?;
    let simulated = again.iter().zip(found).map(|(record, again)| compared(record, again)).collect();
    let to_measure_again = if fresh.is_some() { Vec::new() } else { measured::commands(file, &inventory, &measured) };
    let measured = match &fresh {
        Some(fresh) => measured::against(&Store::open(&place)?, measured, fresh)?,
        None => measured.iter().map(measured::not_replayed).collect(),
    };
    Ok(Replay { simulated, measured, to_measure_again })
}

fn compared(record: &Record, again: Again) -> Cell {
    match again {
        Again::Trace(digest) if digest == record.object.sha256 => {
            Cell::new(record, Status::Identical, "the same bytes".to_owned())
        }
        Again::Trace(digest) => {
            let what = format!("{} in the bundle, {} now", record.object.sha256.short(), digest.short());
            Cell::new(record, Status::Different, what)
        }
        Again::Impossible(why) => Cell::new(record, Status::Impossible, why),
    }
}
