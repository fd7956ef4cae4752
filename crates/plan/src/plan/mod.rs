//! Plans: the ordered cells of a run, each with its reason to run or not.

mod document;
mod state;
mod tally;
#[cfg(test)]
mod tests;
mod warning;

pub use document::{Part, Plan, PlannedCell, SCHEMA, SCHEMA_WITH_SHARD};
pub use state::{CellState, Reason};
pub use tally::Tally;
pub use warning::{Warning, warnings};
