//! What makes an imported cell a cell of its own.
//!
//! A folder does not contain everything that gives a cell its meaning. What it lacks is written as nothing: the barrier's
//! times, the payload, the seed and the workload's version are 0, which no measured cell has. Concurrency is 8 and the
//! client waits for answers, as the original did by default. The fingerprint is `{"imported": …}`, [`Imported`]: it tells
//! which gathering it was, so that an imported cell never has the key of a measured one, nor two gatherings the same.
//!
//! It also keeps what rows have no column for, so that an export writes it again: all other tags under their own names.
//! `TOTAL_` and `AVG_NOTIFICATION_SIZE_BYTES` are among them because the original measured a Python object in memory there:
//! they never become `notification_bytes`.

use std::collections::BTreeMap;

use matrix_plan::{Arrival, Axes, Barrier, CellInputs, Fingerprint, Invocation, Platform};
use matrix_store::{Origin, StoreError};
use serde::{Deserialize, Serialize};

use crate::name::is_label;
use crate::row::Beside;
use crate::stamp::Stamp;
use crate::tags::{self, Scalar};
use crate::traces::Latency;

/// The fingerprint of an imported cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// What wrote the folder, and so what its sizes mean.
    pub by: WrittenBy,
    /// The folder's time stamp.
    gathered: String,
    /// What stands before the time stamp in the folder's name, where that has not the usual form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The requests in the folder's name, where they are fewer than those in its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_in_name: Option<u64>,
    /// The tags that nothing else holds, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Scalar>,
    /// Whether the traces lacked the column of the time in the barrier, with antipode on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_antipode_column: bool,
    /// `writer_latency_ms` of the rows, by place, whose latencies contradict each other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub writer_latency_ms: BTreeMap<u64, i64>,
    /// Latencies that rows lack and that follow from their instants all the same: the rows of each, by place, from
    /// the first to the last of every run of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_told: BTreeMap<Latency, Vec<(u64, u64)>>,
}

/// What wrote a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WrittenBy {
    /// The original artifact.
    #[serde(rename = "antipode-post-notification")]
    Original,
    /// This program, for the original's scripts.
    #[serde(rename = "matrix")]
    Matrix,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    imported: Imported,
}

/// Instant that the rows of imported cells count from: 1970.
pub const EPOCH_US: i64 = 0;

/// The origin of what was imported.
///
/// # Errors
/// Never: the name is good.
pub fn origin() -> Result<Origin, StoreError> {
    "imported".parse()
}

impl Imported {
    /// What is known of a folder that was gathered at the given time, so far.
    #[must_use]
    pub fn new(by: WrittenBy, gathered: Stamp) -> Self {
        Self {
            by,
            gathered: gathered.to_string(),
            label: None,
            requests_in_name: None,
            tags: BTreeMap::new(),
            without_antipode_column: false,
            writer_latency_ms: BTreeMap::new(),
            not_told: BTreeMap::new(),
        }
    }

    /// Keeps what the row at a place cannot hold. Rows come in their order.
    pub fn keep(&mut self, place: u64, beside: Beside) {
        self.writer_latency_ms.extend(beside.writer_latency_ms.map(|ms| (place, ms)));
        for latency in beside.not_told {
            let runs = self.not_told.entry(latency).or_default();
            match runs.last_mut().filter(|(_, last)| last.checked_add(1) == Some(place)) {
                Some((_, last)) => *last = place,
                None => runs.push((place, place)),
            }
        }
    }

    /// How many notes it keeps of single rows.
    #[must_use]
    pub fn notes(&self) -> u64 {
        self.writer_latency_ms.len() as u64 + self.not_told.values().map(|runs| runs.len() as u64).sum::<u64>()
    }

    /// What an imported cell keeps of its folder; `None` for a cell that was not imported.
    #[must_use]
    pub fn of(inputs: &CellInputs) -> Option<Self> {
        // Most cells were not imported, and a fingerprint takes long to read.
        let fingerprint = Some(inputs.fingerprint.as_str()).filter(|text| text.contains("\"imported\":"))?;
        let Wire { imported } = serde_json::from_str(fingerprint).ok()?;
        // Whoever wrote the record may have written anything: a label becomes a part of a path.
        let good = imported.gathered.parse::<Stamp>().is_ok() && imported.label.as_deref().is_none_or(is_label);
        good.then_some(imported)
    }

    /// Bytes of all posts, as the folder's tags say: the original asked the storage.
    #[must_use]
    pub fn post_bytes(&self) -> Option<u64> {
        self.total(tags::POST_BYTES)
    }

    /// Bytes of all notifications, as the folder's tags say; `None` in the original's folders, which state the size of a
    /// Python object in memory.
    #[must_use]
    pub fn notification_bytes(&self) -> Option<u64> {
        (self.by == WrittenBy::Matrix).then(|| self.total(tags::NOTIFICATION_BYTES)).flatten()
    }

    fn total(&self, [total, _]: [&str; 2]) -> Option<u64> {
        let bytes = self.tags.get(total)?.as_number()?.round();
        // Beyond, a whole number is not exact.
        (0.0..=9e15).contains(&bytes).then_some(bytes as u64)
    }

    /// The folder's time stamp.
    #[must_use]
    pub fn gathered(&self) -> Option<Stamp> {
        self.gathered.parse().ok()
    }

    /// The inputs of the imported cell.
    ///
    /// # Errors
    /// When they have no canonical JSON.
    pub fn inputs(self, axes: Axes, platform: Platform, requests: u64, round: u32) -> Result<CellInputs, StoreError> {
        Ok(CellInputs {
            axes,
            arrival: Arrival::Concurrency(8),
            barrier: Barrier { deadline_ms: 0, max_ms: 0, min_ms: 0 },
            fingerprint: Fingerprint::new(&Wire { imported: self })?,
            invocation: Invocation::RequestResponse,
            payload_bytes: 0,
            platform,
            requests,
            round,
            seed: 0,
            workload_version: 0,
        })
    }
}
