//! Records: what a cell's result is, and nothing about how it came to be.

use std::path::Path;

use matrix_plan::{Cell, CellInputs, CellKey, Platform};
use matrix_store::{Digest, Gave, ObjectRef, Origin, RecordFile, Rejection, Sealed, StoreError};
use serde::{Deserialize, Serialize};

use crate::counts::{Counts, TraceTotals};
use crate::sink::TraceInfo;

/// The result of a cell: `cells/<key>/<origin>.json`. It holds only what the result determines, so that the same result
/// is the same bytes wherever and whenever it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Whether somebody set the replication lag, instead of measuring one.
    pub configured_lag: bool,
    /// How many rows there are of each sort.
    pub counts: Counts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    /// Everything that gives the cell its meaning.
    pub inputs: CellInputs,
    /// The SHA-256 of the inputs' canonical JSON.
    pub key: CellKey,
    /// The rows.
    pub object: ObjectRef,
    /// Who measured.
    pub origin: Origin,
    /// What it was measured on.
    pub platform: Platform,
    schema: u32,
    /// Whether a simulator produced it.
    pub simulated: bool,
    /// What the rows add up to.
    pub totals: TraceTotals,
}

impl Sealed for Record {
    const SCHEMA: u32 = 1;
    matrix_store::seal_fields!();
    fn check(&self, path: &Path) -> Result<(), StoreError> {
        let damaged = |what: String| Err(StoreError::damaged(path, what));
        let key = self.inputs.key()?;
        if key != self.key {
            return damaged(format!("its key is {}, but its inputs have {}", self.key.short(), key.short()));
        }
        if self.platform != self.inputs.platform {
            return damaged(format!("it says platform {}, its inputs {}", self.platform, self.inputs.platform));
        }
        if self.simulated != (self.platform == Platform::Sim) {
            return damaged(format!("it says simulated {}, of platform {}", self.simulated, self.platform));
        }
        let counts = &self.counts;
        let sum = matrix_app::Outcome::ALL.iter().try_fold(0u64, |sum, &outcome| sum.checked_add(counts.of(outcome)));
        if sum != Some(counts.planned) || counts.planned != self.inputs.requests {
            return damaged("its counts do not add up to the planned requests".to_owned());
        }
        if counts.misses > counts.reads || counts.reads > counts.planned {
            return damaged("it counts more misses than reads, or more reads than requests".to_owned());
        }
        Ok(())
    }
}

impl RecordFile for Record {
    matrix_store::owner_fields!();
    fn objects(&self) -> Vec<ObjectRef> {
        vec![self.object]
    }
    fn gave(&self) -> Gave {
        Gave { trace: Some(self.object.sha256), ..Gave::default() }
    }
    fn is_observed(&self) -> bool {
        self.counts.observed() > 0
    }
}

impl Record {
    /// The record of a cell whose every planned request has a row in `object`.
    ///
    /// # Errors
    /// When the object holds another number of rows than the cell has requests.
    pub fn new(cell: &Cell, origin: Origin, object: &TraceInfo, configured_lag: bool) -> Result<Self, StoreError> {
        if object.counts.planned != cell.inputs.requests {
            let (requests, rows) = (cell.inputs.requests, object.counts.planned);
            return Err(StoreError::Rejected(Rejection::RowCount { cell: cell.key, requests, rows }));
        }
        let record = Self {
            configured_lag,
            counts: object.counts,
            digest: None,
            inputs: cell.inputs.clone(),
            key: cell.key,
            object: ObjectRef { bytes: object.bytes, sha256: object.digest },
            origin,
            platform: cell.inputs.platform,
            schema: Self::SCHEMA,
            simulated: cell.inputs.platform == Platform::Sim,
            totals: object.totals,
        };
        record.sealed()
    }

    /// The cell whose result it is.
    #[must_use]
    pub fn cell(&self) -> Cell {
        Cell { key: self.key, inputs: self.inputs.clone() }
    }
}
