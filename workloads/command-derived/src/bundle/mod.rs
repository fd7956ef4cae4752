//! Bundles of programs' results: made, united, and checked.

mod create;
mod extras;
mod merge;
mod verify;

use std::path::Path;

use matrix_bundle::{BundleInfo, Limits};

pub use create::{Contents, CreateOptions, Selection};
pub use extras::{DERIVER_VERSION, extras};
pub use merge::merge;
pub use verify::{active_files_of, check};

/// A bundle that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// What is in it.
    pub info: BundleInfo,
    /// How many planned cells it leaves out.
    pub left_out: u64,
    /// The shards that are missing, in words.
    pub missing_shards: Option<String>,
}

/// Whether a path is a bundle of programs' results. What cannot be read, or is no bundle, is none.
#[must_use]
pub fn is_program_bundle(path: &Path, limits: Limits) -> bool {
    path.is_file() && matrix_bundle::is_generic_bundle(path, limits).unwrap_or(false)
}
