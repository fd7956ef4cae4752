//! The pure part: experiments, cells, keys, plans, claims and statistics. It reads no clock, file or environment.

pub mod aws;
pub mod axes;
pub mod cell;
pub mod claims;
pub mod experiment;
pub mod filter;
pub mod key;
#[cfg(test)]
mod key_tests;
pub mod local;
pub mod order;
pub mod plan;
pub mod point;
pub mod printable;
pub mod problem;
pub mod regions;
pub mod schema;
pub mod shard;
mod spelling;
pub mod stats;

pub use aws::Aws;
pub use axes::{NotificationStorage, Platform, PostStorage, Region, RegionPair};
pub use cell::{Arrival, Barrier, Cell, CellInputs, Extrapolated, Fingerprint, Invocation};
pub use claims::{Claim, Verdict};
pub use experiment::{CellSpec, Experiment, Payload, cell_experiment};
pub use filter::Filter;
pub use key::CellKey;
pub use local::{ConfiguredLag, Local, LocalConfig};
pub use plan::{CellState, Part, Plan, Tally};
pub use point::{Axes, Combination};
pub use problem::{Problem, Problems};
pub use regions::Regions;
pub use schema::experiment_schema;
pub use shard::Shard;
pub use spelling::nearest;
pub use stats::Interval;
