//! Attempts: when, where and with what a cell was executed, and how that ended, whatever workload it is of.

use std::collections::BTreeMap;
use std::sync::Arc;

use matrix_core::CellKey;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::names::{AttemptId, Origin, RunId};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// Every planned request has a row.
    Done,
    /// The execution broke.
    Failed,
    /// It ended early.
    Partial,
}

/// With what a cell was executed. No names of users, hosts, accounts or paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Commit of the runner's source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Model of the processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    /// Number of processors that the runner could use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// Whether the runner's source differed from that commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<bool>,
    /// Name and version of the operating system's kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// SHA-256 of the runner's `Cargo.lock`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_file: Option<Digest>,
    /// Version of the runner.
    pub matrix: String,
    /// Exact versions of the services, and whatever else their kind tells of them, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, String>,
    /// What the runner was built for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The compiler that built the runner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolchain: Option<String>,
}

/// What is known of an attempt whatever became of it.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Its name.
    pub id: AttemptId,
    /// The cell.
    pub key: CellKey,
    /// Who executed it.
    pub origin: Origin,
    /// The run that it belongs to.
    pub run: Option<RunId>,
    /// When it started, in UTC.
    pub started: String,
    /// When it ended, in UTC.
    pub ended: String,
    /// With what.
    pub provenance: Arc<Provenance>,
}

impl Execution {
    /// One that begins now and here; [`Self::end`] says when it ended.
    ///
    /// # Errors
    /// When it cannot be named.
    pub fn begin(key: CellKey, run: &RunId, provenance: Arc<Provenance>) -> Result<Self, StoreError> {
        let now = jiff::Timestamp::now();
        let id: AttemptId = format!("{}-{}", now.strftime("%Y%m%dT%H%M%S.%6fZ"), key.short()).parse()?;
        let (origin, run, ended) = (Origin::default(), Some(run.clone()), String::new());
        Ok(Self { id, key, origin, run, started: utc(now), ended, provenance })
    }

    /// The same, ended now.
    #[must_use]
    pub fn end(self) -> Self {
        Self { ended: utc(jiff::Timestamp::now()), ..self }
    }
}

/// An instant as attempts and journals write it.
pub(crate) fn utc(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
