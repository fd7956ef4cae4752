//! What each fuzz target does with any bytes. Besides not panicking, not hanging and keeping to their memory, parsers keep
//! promises: what was read is written as it was, what is refused leaves nothing behind, places of errors exist.
//!
//! Every function here is a target of its own; `scripts/fuzz` runs them.

mod amazon;
mod bundles;
// Without the package that it is part of: that one brings the SDKs of AWS along.
#[path = "../../lambdas/src/stomp/frames/mod.rs"]
pub mod frames;
mod gathered;
mod plans;
mod seal;
mod stomp;
mod stores;
mod wire;

pub use amazon::{connection, prices};
pub use bundles::{bundle, extract, verify};
pub use gathered::{gather, tags};
pub use plans::{experiment, filter, model};
pub use stomp::stomp;
pub use stores::{journal, record, rows};
pub use wire::event;

/// A directory in memory where there is one.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("there is room for a directory")
}
