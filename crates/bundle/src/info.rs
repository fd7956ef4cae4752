//! What a bundle is, in short.

use matrix_core::Tally;
use matrix_store::Digest;
use serde::Serialize;

/// What a bundle is, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleInfo {
    /// The SHA-256 of the bundle's file: the name of the results.
    pub sha256: Digest,
    /// Bytes of the file.
    pub bytes: u64,
    /// The folder that it unpacks to.
    pub folder: String,
    /// Files of the payload.
    pub files: u64,
    /// Bytes of the payload.
    pub payload_bytes: u64,
    /// Names of the experiments in it, in order.
    pub experiments: Vec<String>,
    /// Names of the origins in it, in order.
    pub origins: Vec<String>,
    /// Where its cells stand.
    pub cells: Tally,
    /// Records in it.
    pub records: u64,
    /// Attempts in it.
    pub attempts: u64,
    /// Objects in it.
    pub objects: u64,
}

impl BundleInfo {
    /// Whether every planned cell is done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.cells.done == self.cells.planned()
    }
}
