//! Bundles of formats 1 and 2: results of post-notification, with what follows from them.
//!
//! What a bundle is whatever it holds is in [`matrix_bundle`]. The payload has objects, records, attempts, runs with their
//! experiments, plans and models, and what is derived: `cells.csv`, tables, figures, the README and the metadata, which
//! whoever reads a bundle derives again.

pub mod create;
pub mod deriver;
pub mod extract;
pub mod inventory;
pub mod merge;
pub mod parse;
pub mod restore;
pub mod verify;

mod cells;
mod check;
mod contents;
mod metadata;
mod rows;

#[cfg(test)]
mod tests;

pub use create::{CreateOptions, Created, create, create_file, create_gathered};
pub use deriver::DERIVER_VERSION;
pub use extract::extract;
pub use inventory::{Inventory, Selection, States};
pub use matrix_store::VerifyOptions;
pub use merge::{MergeOptions, merge};
pub use restore::{Restored, to_store};
pub use verify::{BundleReport, verify, verify_input, verify_opened, verify_to_store};
