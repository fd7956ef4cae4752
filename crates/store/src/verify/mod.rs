//! Checking a whole store: every object, record, attempt, run and journal against the digests that cover them.

mod report;
mod store;

pub use report::{Checked, Fault, Note, Report, lossy_path};

use crate::object::DEFAULT_MAX_BYTES;

/// What to check.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions {
    /// Whether to read every row too, and to compare what they add up to with the record. Without it, digests only.
    pub rows: bool,
    /// Most uncompressed bytes of an object, whatever its record says.
    pub max_bytes: u64,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self { rows: true, max_bytes: DEFAULT_MAX_BYTES }
    }
}
