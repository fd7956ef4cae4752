//! Done cells with their traces, as the analysis reads them.

use std::borrow::Borrow;
use std::io::{self, Read};
use std::sync::Arc;

use matrix_analysis::{CellMeta, StatedBytes, Traces};
use matrix_antipode_artifact::Imported;
use matrix_app::Outcome;
use matrix_plan::Axes;
use matrix_store::{Digest, Origin, Store, StoreError};
use matrix_traces::Record;

use super::Hosts;

/// Done cells, in order of axes and rounds, and where their traces are.
pub struct Traced<'a> {
    store: &'a Store,
    cells: Vec<Arc<CellMeta>>,
    objects: Vec<Digest>,
}

impl<'a> Traced<'a> {
    /// The cells of these records.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(store: &'a Store, records: Vec<Record>) -> Result<Self, StoreError> {
        let hosts = Hosts::of(store, &records)?;
        Ok(Self::on_hosts(store, records, &hosts))
    }

    /// The cells of these records, measured on these hosts.
    #[must_use]
    pub fn on_hosts<R: Borrow<Record>>(store: &'a Store, mut records: Vec<R>, hosts: &Hosts) -> Self {
        fn order(record: &Record) -> (&Axes, u32, &Origin) {
            (&record.inputs.axes, record.inputs.round, &record.origin)
        }
        records.sort_by(|one, other| order(one.borrow()).cmp(&order(other.borrow())));
        Self::of(store, records, hosts)
    }

    /// The cells of these records, in their order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn in_order(store: &'a Store, records: Vec<Record>) -> Result<Self, StoreError> {
        let hosts = Hosts::of(store, &records)?;
        Ok(Self::of(store, records, &hosts))
    }

    fn of<R: Borrow<Record>>(store: &'a Store, records: Vec<R>, hosts: &Hosts) -> Self {
        let objects = records.iter().map(|record| record.borrow().object.sha256).collect();
        Self { store, cells: records.iter().map(|record| Arc::new(meta(record.borrow(), hosts))).collect(), objects }
    }

    /// Keeps the cells that are wanted.
    pub fn retain(&mut self, wanted: impl Fn(&CellMeta) -> bool) {
        let cells = std::mem::take(&mut self.cells).into_iter().zip(std::mem::take(&mut self.objects));
        (self.cells, self.objects) = cells.filter(|(cell, _)| wanted(cell)).unzip();
    }
}

impl Traces for Traced<'_> {
    fn cells(&self) -> &[Arc<CellMeta>] {
        &self.cells
    }

    fn open(&self, n: usize) -> io::Result<Box<dyn Read + Send + '_>> {
        let digest = self.objects.get(n).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(self.store.open_object(digest).map_err(io::Error::other)?))
    }
}

fn meta(record: &Record, hosts: &Hosts) -> CellMeta {
    let imported = Imported::of(&record.inputs);
    let stated = imported
        .map(|imported| StatedBytes { posts: imported.post_bytes(), notifications: imported.notification_bytes() });
    CellMeta {
        stated: stated.unwrap_or_default(),
        outcomes: Outcome::ALL.into_iter().map(|outcome| (outcome, record.counts.of(outcome))).collect(),
        disturbed: hosts.is_disturbed(record),
        key: record.key,
        origin: record.origin.to_string(),
        simulated: record.simulated,
        configured_lag: record.configured_lag,
        inputs: record.inputs.clone(),
    }
}
