//! Bundles of format 3: results of workloads that a bundle knows nothing of.
//!
//! The bag is that of format 1. Its payload has besides: rows under `objects/`, what attempts left under `outputs/`, and
//! `tables/deriver.txt`, which says what derived tables, figures and README, as only its own version is compared byte for
//! byte.

mod check;
mod create;
mod merge;
mod metadata;
mod payload;
mod restore;

pub use check::check_generic;
pub use create::{GenericOptions, create_generic};
pub use merge::unite_generic;
pub use restore::{GenericRestored, extract_generic, is_generic_bundle, restore_generic};

/// The format of these bundles.
pub(crate) const FORMAT: &str = "3";
