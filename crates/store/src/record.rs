//! Records: what a cell's result is, and nothing about how it came to be.

use std::path::Path;

use matrix_plan::{Cell, CellInputs, CellKey, Platform};
use serde::{Deserialize, Serialize};

use crate::counts::{Counts, TraceTotals};
use crate::digest::Digest;
use crate::error::{Rejection, StoreError};
use crate::names::Origin;
use crate::sealed::{self, Sealed};
use crate::trace::ObjectInfo;

/// The object that holds a cell's rows.
///
/// Its compressed size is left out: it depends on the version of zstd, and the bytes that count are the uncompressed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRef {
    /// Uncompressed bytes.
    pub bytes: u64,
    /// The SHA-256 of the uncompressed bytes.
    pub sha256: Digest,
}

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
    fn schema(&self) -> u32 {
        self.schema
    }
    fn digest(&self) -> Option<Digest> {
        self.digest
    }
    fn set_digest(&mut self, digest: Option<Digest>) {
        self.digest = digest;
    }
}

impl Record {
    /// The record of a cell whose every planned request has a row in `object`.
    ///
    /// # Errors
    /// When the object holds another number of rows than the cell has requests.
    pub fn new(cell: &Cell, origin: Origin, object: &ObjectInfo, configured_lag: bool) -> Result<Self, StoreError> {
        if object.counts.planned != cell.inputs.requests {
            let (requests, rows) = (cell.inputs.requests, object.counts.planned);
            return Err(StoreError::Rejected(Rejection::RowCount { cell: cell.key, requests, rows }));
        }
        let mut record = Self {
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
        sealed::seal(&mut record)?;
        Ok(record)
    }

    /// The bytes of the record's file.
    ///
    /// # Errors
    /// When a number of the inputs is not finite.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        sealed::bytes_of(self)
    }

    /// Reads the bytes of a record's file; `path` is for messages.
    ///
    /// # Errors
    /// When it is damaged: not of this form, of another digest, or with a key that its inputs do not have.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        let record: Self = sealed::unseal(path, bytes)?;
        let damaged = |what: String| Err(StoreError::damaged(path, what));
        let key = CellKey::of(record.inputs.canonical()?.as_bytes());
        if key != record.key {
            return damaged(format!("its key is {}, but its inputs have {}", record.key.short(), key.short()));
        }
        if record.platform != record.inputs.platform {
            return damaged(format!("it says platform {}, its inputs {}", record.platform, record.inputs.platform));
        }
        if record.simulated != (record.platform == Platform::Sim) {
            return damaged(format!("it says simulated {}, of platform {}", record.simulated, record.platform));
        }
        let counts = &record.counts;
        let sum = matrix_app::Outcome::ALL.iter().try_fold(0u64, |sum, &outcome| sum.checked_add(counts.of(outcome)));
        if sum != Some(counts.planned) || counts.planned != record.inputs.requests {
            return damaged("its counts do not add up to the planned requests".to_owned());
        }
        if counts.misses > counts.reads || counts.reads > counts.planned {
            return damaged("it counts more misses than reads, or more reads than requests".to_owned());
        }
        Ok(record)
    }

    /// The same result, said to be measured by somebody else.
    ///
    /// # Errors
    /// When it has no JSON.
    pub fn with_origin(mut self, origin: Origin) -> Result<Self, StoreError> {
        self.origin = origin;
        sealed::seal(&mut self)?;
        Ok(self)
    }

    /// The digest of the record itself.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The cell whose result it is.
    #[must_use]
    pub fn cell(&self) -> Cell {
        Cell { key: self.key, inputs: self.inputs.clone() }
    }
}
