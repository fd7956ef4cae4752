//! The pure part: experiments, cells, keys, plans, claims and statistics. It reads no clock, file or environment.

pub mod aws;
pub mod axes;
pub mod cell;
pub mod claims;
pub mod experiment;
pub mod filter;
#[cfg(test)]
mod key_tests;
pub mod local;
pub mod order;
pub mod plan;
pub mod point;
pub mod regions;
#[cfg(test)]
mod rendered;
pub mod schema;

pub use matrix_core::{
    Again, CellKey, CellState, Interval, Problem, Problems, Shard, Tally, key, named, nearest, printable, problem,
    stats,
};

pub use aws::Aws;
pub use axes::{NotificationStorage, Platform, PostStorage, Region, RegionPair};
pub use cell::{Arrival, Barrier, Cell, CellInputs, Extrapolated, Fingerprint, Invocation};
pub use claims::{Claim, Verdict};
pub use experiment::{CellSpec, Experiment, Payload, cell_experiment};
pub use filter::Filter;
pub use local::{ConfiguredLag, Local, LocalConfig};
pub use plan::{Part, Plan};
pub use point::{Axes, Combination};
pub use regions::Regions;
pub use schema::experiment_schema;
