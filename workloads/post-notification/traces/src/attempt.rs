//! Attempts: when, where and with what a cell was executed, and how that ended.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use matrix_driver::Reasons;
use matrix_plan::{CellInputs, CellKey};
use matrix_store::{
    AttemptFile, AttemptId, AttemptStatus, Digest, Execution, Gave, Origin, Provenance, RunId, Sealed, StoreError,
};
use serde::{Deserialize, Serialize};

/// Why requests failed, in the words of what failed them, and how many: without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Requests that failed for it.
    pub count: u64,
    /// The reason.
    pub text: String,
}

/// Provenance as attempts share it: those of one process have the same.
mod shared {
    use std::cell::RefCell;
    use std::sync::Arc;

    use matrix_store::Provenance;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    thread_local! {
        /// The one that was read last.
        static LAST: RefCell<Arc<Provenance>> = RefCell::default();
    }

    pub(super) fn serialize<S: Serializer>(provenance: &Arc<Provenance>, serializer: S) -> Result<S::Ok, S::Error> {
        provenance.as_ref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Provenance>, D::Error> {
        let read = Provenance::deserialize(deserializer)?;
        Ok(LAST.with_borrow_mut(|last| {
            if **last != read {
                *last = Arc::new(read);
            }
            Arc::clone(last)
        }))
    }
}

/// One execution of a cell: `attempts/<id>.json`.
///
/// Schema 1 has neither `reasons` nor `host`. An attempt in which requests failed for known reasons is of schema 2, which
/// has at least one; one whose host was watched is of schema 4, which has `host` (3 is that of programs). Every other one is
/// of schema 1, which all versions read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Half a round trip of the clock probes, in microseconds, where clocks were probed: times of different regions
    /// compare no better than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_bound_us: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    /// When it ended, in UTC.
    pub ended: String,
    /// What the rows' times count from, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch_us: Option<i64>,
    /// Why it has no result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether other work disturbed the host meanwhile, where it was watched: `quiet`, `disturbed: ...` or why that is not
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its name.
    pub id: AttemptId,
    /// Everything that gives the cell its meaning, where the attempt has no result: a record has it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Box<CellInputs>>,
    /// The cell.
    pub key: CellKey,
    /// What happened on the way and how often, for example `throttled` or `duplicates`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, u64>,
    /// The rows, if it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Digest>,
    /// Who executed it.
    pub origin: Origin,
    /// With what.
    #[serde(with = "shared")]
    pub provenance: Arc<Provenance>,
    /// Why requests failed: the first distinct reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// The run that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    schema: u32,
    /// When it started, in UTC.
    pub started: String,
    /// How it ended.
    pub status: AttemptStatus,
}

impl Sealed for Attempt {
    const SCHEMA: u32 = 4;
    const OLDEST: u32 = 1;
    matrix_store::seal_fields!();
    fn check(&self, path: &Path) -> Result<(), StoreError> {
        let done = self.status == AttemptStatus::Done;
        if done != self.object.is_some() || done == self.error.is_some() {
            return Err(StoreError::damaged(path, "an attempt has either an object or an error"));
        }
        if self.schema != self.schema_of_form() {
            let what =
                "an attempt is of schema 4 if it has `host`, else of schema 2 if it has reasons, else of schema 1";
            return Err(StoreError::damaged(path, what));
        }
        if let Some(inputs) = &self.inputs {
            let key = inputs.key()?;
            if key != self.key {
                let what = format!("its cell is {}, but its inputs have {}", self.key.short(), key.short());
                return Err(StoreError::damaged(path, what));
            }
        }
        Ok(())
    }
}

impl AttemptFile for Attempt {
    fn id(&self) -> &AttemptId {
        &self.id
    }
    matrix_store::owner_fields!();
    fn gave(&self) -> Gave {
        Gave { trace: self.object, ..Gave::default() }
    }
}

impl Attempt {
    fn new(execution: Execution, status: AttemptStatus) -> Self {
        let Execution { id, key, origin, run, started, ended, provenance } = execution;
        Self {
            clock_bound_us: None,
            digest: None,
            ended,
            epoch_us: None,
            error: None,
            host: None,
            id,
            inputs: None,
            key,
            notes: BTreeMap::new(),
            object: None,
            origin,
            provenance,
            reasons: Vec::new(),
            run,
            schema: Self::OLDEST,
            started,
            status,
        }
    }

    /// An attempt that gave every planned request a row.
    ///
    /// # Errors
    /// When it has no JSON.
    pub fn done(
        execution: Execution,
        told: &matrix_driver::AttemptDetails,
        object: Digest,
    ) -> Result<Self, StoreError> {
        let mut attempt = Self::new(execution, AttemptStatus::Done);
        attempt.epoch_us = Some(told.epoch_us);
        attempt.clock_bound_us = told.clock_bound_us;
        attempt.notes = told.notes.clone();
        attempt.object = Some(object);
        attempt.host = told.host.clone();
        attempt.give(&told.reasons);
        attempt.sealed()
    }

    /// An attempt at a cell with these inputs that broke, or of whose requests none was observed to its end.
    ///
    /// # Errors
    /// When it has no JSON.
    pub fn failed(execution: Execution, inputs: &CellInputs, error: String) -> Result<Self, StoreError> {
        Self::without_result(execution, AttemptStatus::Failed, inputs, error)
    }

    /// An attempt at a cell with these inputs that ended early, for example because it was asked to.
    ///
    /// # Errors
    /// When it has no JSON.
    pub fn partial(execution: Execution, inputs: &CellInputs, why: String) -> Result<Self, StoreError> {
        Self::without_result(execution, AttemptStatus::Partial, inputs, why)
    }

    fn without_result(
        execution: Execution,
        status: AttemptStatus,
        inputs: &CellInputs,
        why: String,
    ) -> Result<Self, StoreError> {
        let mut attempt = Self::new(execution, status);
        attempt.error = Some(why);
        attempt.inputs = Some(Box::new(inputs.clone()));
        attempt.sealed()
    }

    /// The same attempt, with the reasons for which its requests failed.
    ///
    /// # Errors
    /// When it has no JSON.
    pub fn with_reasons(mut self, reasons: &Reasons) -> Result<Self, StoreError> {
        self.give(reasons);
        self.sealed()
    }

    fn give(&mut self, reasons: &Reasons) {
        let kept = |reason: &matrix_driver::Reason| Reason { count: reason.count, text: reason.text.clone() };
        self.reasons = reasons.as_slice().iter().map(kept).collect();
        self.schema = self.schema_of_form();
    }

    /// The schema that has what this has, and not more.
    fn schema_of_form(&self) -> u32 {
        match (&self.host, self.reasons.as_slice()) {
            (Some(_), _) => Self::SCHEMA,
            (None, [_, ..]) => 2,
            (None, []) => Self::OLDEST,
        }
    }
}
