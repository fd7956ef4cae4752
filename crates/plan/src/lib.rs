//! The pure part: experiments, cells, keys, plans, claims and statistics. It reads no clock, file or environment.

pub mod axes;
pub mod cell;
pub mod key;

pub use axes::{NotificationStorage, Platform, PostStorage, Region, RegionPair};
pub use cell::{Arrival, Axes, Barrier, Cell, CellInputs, Combination, Fingerprint, Invocation};
pub use key::CellKey;
