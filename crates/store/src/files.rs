//! What the store has to know of records and attempts, whatever workload wrote them.
//!
//! A workload's own types implement [`RecordFile`] and [`AttemptFile`], so that the store can keep them. Where the store goes
//! through the files of all workloads, it reads the parts that all of them have.

use std::collections::BTreeMap;
use std::path::Path;

use matrix_core::CellKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::generic::{Outputs, RowsRef};
use crate::names::{AttemptId, Origin};
use crate::object::ObjectReader;
use crate::sealed::Sealed;

/// An object that a record names.
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

/// What an attempt gave to a cell's record: rows in the form of a trace, or whatever a program left.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gave {
    /// The trace.
    pub trace: Option<Digest>,
    /// What the program left.
    pub outputs: Outputs,
}

/// The result of a cell: `cells/<key>/<origin>.json`.
pub trait RecordFile: Sealed {
    /// The cell.
    fn key(&self) -> CellKey;
    /// Who measured.
    fn origin(&self) -> &Origin;
    /// Says that somebody else measured.
    fn set_origin(&mut self, origin: Origin);
    /// Every object that it names. The first stands for the record in the index.
    fn objects(&self) -> Vec<ObjectRef>;
    /// What its attempt gave.
    fn gave(&self) -> Gave;
    /// Its rows, as far as they are no trace.
    fn rows(&self) -> u64 {
        0
    }
    /// Whether anything was observed: without that, the cell has to be run again.
    fn is_observed(&self) -> bool {
        true
    }

    /// The same result, said to be measured by somebody else.
    ///
    /// # Errors
    /// When it has no JSON.
    fn with_origin(mut self, origin: Origin) -> Result<Self, StoreError> {
        self.set_origin(origin);
        self.sealed()
    }
}

/// One execution of a cell: `attempts/<id>.json`.
pub trait AttemptFile: Sealed {
    /// Its name.
    fn id(&self) -> &AttemptId;
    /// The cell.
    fn key(&self) -> CellKey;
    /// Who executed it.
    fn origin(&self) -> &Origin;
    /// Says that somebody else executed it.
    fn set_origin(&mut self, origin: Origin);
    /// What it gave.
    fn gave(&self) -> Gave;

    /// The same attempt, said to be executed by somebody else.
    ///
    /// # Errors
    /// When it has no JSON.
    fn with_origin(mut self, origin: Origin) -> Result<Self, StoreError> {
        self.set_origin(origin);
        self.sealed()
    }
}

/// What the index and a group have to know of a record.
#[derive(Debug)]
pub(crate) struct Filed {
    pub(crate) key: CellKey,
    pub(crate) origin: Origin,
    /// The object that stands for it.
    pub(crate) object: Option<Digest>,
    pub(crate) observed: bool,
}

impl Filed {
    pub(crate) fn of(record: &impl RecordFile) -> Self {
        let object = record.objects().first().map(|object| object.sha256);
        Self { key: record.key(), origin: record.origin().clone(), object, observed: record.is_observed() }
    }
}

/// A workload whose rows are traces: one object for each cell, of which its record says what the rows add up to.
pub trait Traces {
    /// Its records.
    type Record: RecordFile;
    /// Its attempts.
    type Attempt: AttemptFile;
    /// What rows add up to.
    type Sums: Copy + PartialEq;

    /// What a record says that its rows add up to.
    fn sums(record: &Self::Record) -> Self::Sums;

    /// Reads an object's rows; `path` is for messages.
    ///
    /// # Errors
    /// When it is no trace.
    fn read(path: &Path, object: ObjectReader) -> Result<TraceRead<Self::Sums>, StoreError>;
}

/// What a trace holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRead<S> {
    /// Uncompressed bytes.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
    /// What they add up to.
    pub sums: S,
}

/// The parts of a record that every workload's has.
#[derive(Debug, Deserialize)]
pub(crate) struct RecordHead {
    pub(crate) key: CellKey,
    pub(crate) origin: Origin,
    /// How many rows there are of each sort: `planned` is all of them.
    counts: Option<BTreeMap<String, u64>>,
    object: Option<ObjectRef>,
    #[serde(default)]
    rows: BTreeMap<String, RowsRef>,
    #[serde(default)]
    outputs: Outputs,
}

impl RecordHead {
    pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        parts(path, bytes)
    }

    /// Every object that it names, the one that stands for the record in the index first.
    pub(crate) fn objects(&self) -> impl Iterator<Item = Digest> + '_ {
        let rows = self.rows.values().map(|rows| rows.sha256);
        let outputs = self.outputs.values().map(|output| output.sha256);
        self.object.iter().map(|object| object.sha256).chain(rows).chain(outputs)
    }

    /// The trace, if its rows are one.
    pub(crate) fn trace(&self) -> Option<Digest> {
        self.object.map(|object| object.sha256)
    }

    /// Whether a row was observed to its end. Those are not that were lost or ended with an error.
    pub(crate) fn is_observed(&self) -> bool {
        let is_unobserved = |sort: &str| sort == "lost" || sort.ends_with("_error");
        self.counts.as_ref().is_none_or(|counts| {
            let unobserved = counts.iter().filter(|(sort, _)| is_unobserved(sort)).map(|(_, count)| *count);
            counts.get("planned").copied().unwrap_or_default() > unobserved.fold(0, u64::saturating_add)
        })
    }
}

/// The parts of an attempt that every workload's has.
#[derive(Debug, Deserialize)]
pub(crate) struct AttemptHead {
    pub(crate) id: AttemptId,
    pub(crate) key: CellKey,
    pub(crate) origin: Origin,
    /// The trace.
    pub(crate) object: Option<Digest>,
    #[serde(default)]
    pub(crate) outputs: Outputs,
}

impl AttemptHead {
    pub(crate) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        parts(path, bytes)
    }
}

#[derive(Deserialize)]
struct Seal {
    schema: u32,
    digest: Option<Digest>,
}

/// The newest schema of a record or an attempt of any workload: 3 is that of programs, the others are a workload's own.
const NEWEST: u32 = 4;

/// Reads some parts of a file, whose digest is compared: it is that of the file's text without the field `digest`.
fn parts<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, StoreError> {
    let damaged = |what: String| StoreError::damaged(path, what);
    let Seal { schema, digest } = serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
    if schema > NEWEST {
        return Err(StoreError::NewerSchema { path: path.to_owned(), found: schema, known: NEWEST });
    }
    let digest = digest.ok_or_else(|| damaged("it has no digest".to_owned()))?;
    let text = str::from_utf8(bytes).ok().and_then(|text| text.strip_suffix('\n'));
    let text = text.ok_or_else(|| damaged("it is not in canonical form".to_owned()))?;
    let computed = Digest::of(text.replacen(&format!("\"digest\":\"{digest}\","), "", 1).as_bytes());
    if computed != digest {
        let what = format!("its digest is {}, but its contents have {}", digest.short(), computed.short());
        return Err(damaged(what));
    }
    serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))
}
