//! Where exported cells come from.

use matrix_traces::Attempt;
use std::collections::BTreeMap;
use std::io::{self, Read};

use matrix_plan::{CellInputs, CellKey};
use matrix_store::{AttemptStatus, Digest, Store, StoreError};
use matrix_traces::Record;

/// A done cell.
#[derive(Clone, Debug)]
pub struct ExportCell {
    /// Everything that gives it its meaning.
    pub inputs: CellInputs,
    /// Whether somebody set the replication lag.
    pub configured_lag: bool,
    /// What its rows' times count from, in microseconds since 1970, if that is known.
    pub epoch_us: Option<i64>,
}

/// Done cells and their traces: a store, a bundle or memory.
pub trait Source {
    /// The cells.
    fn cells(&self) -> &[ExportCell];

    /// Opens the trace of cell number `n` of [`Self::cells`]: the bytes of its CSV, not compressed.
    ///
    /// # Errors
    /// When the trace is not there or cannot be read.
    fn open(&self, n: usize) -> io::Result<Box<dyn Read + '_>>;
}

/// Cells of a store.
#[derive(Debug)]
pub struct StoreSource<'a> {
    store: &'a Store,
    cells: Vec<ExportCell>,
    objects: Vec<Digest>,
}

impl<'a> StoreSource<'a> {
    /// The cells of a store whose records are wanted, of every origin. What their times count from is taken from their
    /// attempts.
    ///
    /// # Errors
    /// When a record or an attempt cannot be read.
    pub fn new(store: &'a Store, wanted: impl Fn(&Record) -> bool) -> Result<Self, StoreError> {
        let mut epochs: BTreeMap<(CellKey, Digest), i64> = BTreeMap::new();
        for id in store.attempts()? {
            let Some(attempt) = store.attempt::<Attempt>(&id)? else { continue };
            if let (AttemptStatus::Done, Some(object), Some(epoch)) = (attempt.status, attempt.object, attempt.epoch_us)
            {
                epochs.insert((attempt.key, object), epoch);
            }
        }
        let (mut cells, mut objects) = (Vec::new(), Vec::new());
        for record in store.records::<Record>()? {
            let record = record?;
            if !wanted(&record) {
                continue;
            }
            let epoch_us = epochs.get(&(record.key, record.object.sha256)).copied();
            objects.push(record.object.sha256);
            cells.push(ExportCell { inputs: record.inputs, configured_lag: record.configured_lag, epoch_us });
        }
        Ok(Self { store, cells, objects })
    }
}

impl Source for StoreSource<'_> {
    fn cells(&self) -> &[ExportCell] {
        &self.cells
    }

    fn open(&self, n: usize) -> io::Result<Box<dyn Read + '_>> {
        let digest = self.objects.get(n).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(self.store.open_object(digest).map_err(io::Error::other)?))
    }
}
