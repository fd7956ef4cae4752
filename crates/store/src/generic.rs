//! Records and attempts of schema 3: of workloads that the store knows nothing of.
//!
//! They stand where those of schema 1 do, beside them: `cells/<key>/<origin>.json` and `attempts/<id>.json`. A record
//! holds what gives the cell its meaning as the workload wrote it, the rows that were read, and what the program left:
//! rows can be read again from that when it was the reading that was wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use matrix_core::CellKey;
use serde::{Deserialize, Serialize};

use crate::attempt::{AttemptStatus, Execution, Provenance};
use crate::digest::Digest;
use crate::error::StoreError;
use crate::files::{AttemptFile, Gave, ObjectRef, RecordFile, TraceRead, Traces};
use crate::names::{AttemptId, Origin, RunId};
use crate::object::ObjectReader;
use crate::plain::open_plain;
use crate::sealed::Sealed;

/// The schema of these files.
pub const SCHEMA: u32 = 3;

/// Most of any cost, rows or bytes: the largest whole number up to which all are exact in JSON.
const MOST: u64 = 1 << 53;

/// Rows of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsRef {
    /// Uncompressed bytes.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
    /// The SHA-256 of the uncompressed bytes.
    pub sha256: Digest,
}

/// Something that an attempt left: a file, or what a program printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputRef {
    /// Bytes that were kept.
    pub bytes: u64,
    /// Bytes that there were, where only the first ones were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// The SHA-256 of the kept bytes.
    pub sha256: Digest,
}

/// What an attempt left, by name: `stdout`, `stderr`, `service/NAME/stdout`, `out/PATH`.
pub type Outputs = BTreeMap<String, OutputRef>;

/// What a run cost, by name, for example `run.wall_us`.
pub type Costs = BTreeMap<String, i64>;

/// The result of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenericRecord {
    /// What its run cost.
    pub costs: Costs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    /// Everything that gives the cell its meaning.
    pub inputs: serde_json::Value,
    /// The SHA-256 of the inputs' canonical JSON.
    pub key: CellKey,
    /// Who measured.
    pub origin: Origin,
    /// What it left.
    pub outputs: Outputs,
    /// The digest of how rows were read; of another one, they are read again.
    pub reading: Digest,
    /// The rows, by source.
    pub rows: BTreeMap<String, RowsRef>,
    schema: u32,
    /// The workload.
    pub workload: String,
}

impl Sealed for GenericRecord {
    const SCHEMA: u32 = SCHEMA;
    crate::seal_fields!();
    fn check(&self, path: &Path) -> Result<(), StoreError> {
        must_have_key(path, &self.inputs, &self.key)?;
        self.must_be_possible(path)?;
        if self.rows.is_empty() { Err(StoreError::damaged(path, "it has no rows")) } else { Ok(()) }
    }
}

impl RecordFile for GenericRecord {
    crate::owner_fields!();
    fn objects(&self) -> Vec<ObjectRef> {
        let rows = self.rows.values().map(|rows| ObjectRef { bytes: rows.bytes, sha256: rows.sha256 });
        let outputs = self.outputs.values().map(|output| ObjectRef { bytes: output.bytes, sha256: output.sha256 });
        rows.chain(outputs).collect()
    }
    fn gave(&self) -> Gave {
        Gave { trace: None, outputs: self.outputs.clone() }
    }
    fn rows(&self) -> u64 {
        self.rows.values().fold(0, |all, rows| all.saturating_add(rows.rows))
    }
}

/// What a record says.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// The workload.
    pub workload: String,
    /// Everything that gives the cell its meaning.
    pub inputs: serde_json::Value,
    /// The cell.
    pub key: CellKey,
    /// What its run cost.
    pub costs: Costs,
    /// What it left.
    pub outputs: Outputs,
    /// The digest of how rows were read.
    pub reading: Digest,
    /// The rows, by source.
    pub rows: BTreeMap<String, RowsRef>,
}

impl GenericRecord {
    /// A record.
    ///
    /// # Errors
    /// When it has no JSON.
    pub fn new(new: NewRecord, origin: Origin) -> Result<Self, StoreError> {
        let NewRecord { workload, inputs, key, costs, outputs, reading, rows } = new;
        Self { costs, digest: None, inputs, key, origin, outputs, reading, rows, schema: SCHEMA, workload }.sealed()
    }

    /// The same result with other rows.
    ///
    /// # Errors
    /// When it has no JSON.
    pub fn with_rows(mut self, reading: Digest, rows: BTreeMap<String, RowsRef>) -> Result<Self, StoreError> {
        self.reading = reading;
        self.rows = rows;
        self.sealed()
    }

    /// Refuses numbers that nothing measures, which would overflow when they are added up.
    fn must_be_possible(&self, path: &Path) -> Result<(), StoreError> {
        for (name, cost) in &self.costs {
            // A program whose end is not known has the exit code -1.
            let least = if name.ends_with(".exit") { -1 } else { 0 };
            if !(least..=MOST as i64).contains(cost) {
                return Err(StoreError::damaged(path, format!("its cost `{name}` cannot be {cost}")));
            }
        }
        let rows = self.rows.values().flat_map(|rows| [rows.rows, rows.bytes]);
        let outputs = self.outputs.values().flat_map(|output| [output.bytes, output.of.unwrap_or_default()]);
        match rows.chain(outputs).find(|number| *number > MOST) {
            Some(number) => Err(StoreError::damaged(path, format!("nothing of it can have {number} rows or bytes"))),
            None => Ok(()),
        }
    }
}

fn must_have_key(path: &Path, inputs: &serde_json::Value, key: &CellKey) -> Result<(), StoreError> {
    let found = CellKey::of(&serde_json_canonicalizer::to_vec(inputs)?);
    if found == *key {
        return Ok(());
    }
    Err(StoreError::damaged(path, format!("its key is {}, but its inputs have {}", key.short(), found.short())))
}

/// One execution of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenericAttempt {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    /// When it ended, in UTC.
    pub ended: String,
    /// Why it has no result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its name.
    pub id: AttemptId,
    /// Everything that gives the cell its meaning, where the attempt has no result: a record has it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<serde_json::Value>,
    /// The cell.
    pub key: CellKey,
    /// What is worth knowing of it, by name: versions, what was passed over, whether the host was disturbed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
    /// Who executed it.
    pub origin: Origin,
    /// What it left.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: Outputs,
    /// With what.
    pub provenance: Provenance,
    /// The run that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    schema: u32,
    /// When it started, in UTC.
    pub started: String,
    /// How it ended.
    pub status: AttemptStatus,
}

impl Sealed for GenericAttempt {
    const SCHEMA: u32 = SCHEMA;
    crate::seal_fields!();
    fn check(&self, path: &Path) -> Result<(), StoreError> {
        let done = self.status == AttemptStatus::Done;
        if done == self.error.is_some() || done == self.inputs.is_some() {
            return Err(StoreError::damaged(path, "an attempt has either a result or an error"));
        }
        self.inputs.as_ref().map_or(Ok(()), |inputs| must_have_key(path, inputs, &self.key))
    }
}

impl AttemptFile for GenericAttempt {
    fn id(&self) -> &AttemptId {
        &self.id
    }
    crate::owner_fields!();
    fn gave(&self) -> Gave {
        Gave { trace: None, outputs: self.outputs.clone() }
    }
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum GenericEnd {
    /// With a result.
    Done,
    /// Without one.
    Without {
        /// It broke, or it ended early.
        status: AttemptStatus,
        /// Everything that gives the cell its meaning.
        inputs: serde_json::Value,
        /// Why.
        error: String,
    },
}

impl GenericAttempt {
    /// An attempt.
    ///
    /// # Errors
    /// When it has no JSON.
    pub fn new(
        execution: Execution,
        end: GenericEnd,
        outputs: Outputs,
        notes: BTreeMap<String, String>,
    ) -> Result<Self, StoreError> {
        let Execution { id, key, origin, run, started, ended, provenance } = execution;
        let (status, inputs, error) = match end {
            GenericEnd::Done => (AttemptStatus::Done, None, None),
            GenericEnd::Without { status, inputs, error } => (status, Some(inputs), Some(error)),
        };
        let attempt = Self {
            digest: None,
            ended,
            error,
            id,
            inputs,
            key,
            notes,
            origin,
            outputs,
            provenance: Arc::unwrap_or_clone(provenance),
            run,
            schema: SCHEMA,
            started,
            status,
        };
        attempt.sealed()
    }
}

/// Whether a run's plan is of schema 3: it begins with its schema. One that cannot be read is of neither, and reported by
/// whoever reads it.
pub(crate) fn is_generic_plan(path: &Path) -> bool {
    const START: &[u8] = b"{\"schema\":3,";
    let mut start = [0; START.len()];
    let opened = open_plain(path).ok().flatten();
    opened.is_some_and(|mut file| std::io::Read::read_exact(&mut file, &mut start).is_ok()) && start == START
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: u32,
}

/// Whether the bytes of a record or attempt are of schema 3.
#[must_use]
pub fn is_generic(bytes: &[u8]) -> bool {
    // Plans begin with it: of a large one no more is read.
    if let Some(rest) = bytes.strip_prefix(b"{\"schema\":") {
        let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        return str::from_utf8(&rest[..end]).is_ok_and(|number| number.parse() == Ok(SCHEMA));
    }
    serde_json::from_slice::<SchemaOnly>(bytes).is_ok_and(|found| found.schema == SCHEMA)
}

/// A store that has nothing but results of these workloads: no object is a trace.
#[derive(Clone, Copy, Debug)]
pub struct NoTraces;

impl Traces for NoTraces {
    type Record = GenericRecord;
    type Attempt = GenericAttempt;
    type Sums = ();

    fn sums(_: &GenericRecord) {}

    fn read(_: &Path, object: ObjectReader) -> Result<TraceRead<()>, StoreError> {
        Ok(TraceRead { bytes: object.check()?, rows: 0, sums: () })
    }
}
