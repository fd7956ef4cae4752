//! Plans: the ordered cells of a run, each with its reason to run or not.

mod document;
#[cfg(test)]
mod tests;
mod warning;

pub use document::{Part, Plan, PlannedCell, SCHEMA, SCHEMA_WITH_SHARD};
pub use matrix_core::{CellState, Reason, Tally};
pub use warning::{Warning, warnings};
