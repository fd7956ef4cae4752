//! Checking a whole store: every object, record, attempt, run and journal against the digests that cover them.

mod report;
mod store;

pub use report::{Checked, Fault, Note, Report, lossy_path};

/// What to check of a store, or of a bundle.
#[derive(Clone, Copy, Debug)]
pub struct VerifyOptions {
    /// Whether to read every row too, and to compare what they add up to with the record. Without it, digests, keys and
    /// references only.
    pub rows: bool,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self { rows: true }
    }
}
