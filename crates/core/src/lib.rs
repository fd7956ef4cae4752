//! The parts of an experiment that no workload is special to: axes and their values, points, filters, placeholders,
//! order, metrics, claims and figures. Pure: it reads no clock, file or environment.
//!
//! A *point* is a list of values by position in an [`AxisSet`]. A workload turns a point into whatever it executes; here
//! only names, values and numbers are known.

pub mod axes;
pub mod claims;
pub mod expand;
pub mod figure;
pub mod filter;
pub mod json_schema;
pub mod judge;
pub mod key;
pub mod key_diff;
#[cfg(test)]
mod laws;
pub mod metric;
mod named;
pub mod order;
pub mod parsed;
pub mod placeholder;
pub mod printable;
pub mod problem;
pub mod read;
pub mod relation;
pub mod series;
pub mod shard;
mod spelling;
pub mod state;
pub mod stats;
pub mod tally;
pub mod text;
pub mod value;
pub mod walk;

pub use axes::{Axis, AxisSet, Point};
pub use claims::Claim;
pub use figure::FigureSpec;
pub use filter::{Field, Filter};
pub use key::CellKey;
pub use metric::Metric;
pub use parsed::parsed;
pub use placeholder::Template;
pub use problem::{Problem, Problems};
pub use series::Series;
pub use shard::Shard;
pub use spelling::nearest;
pub use state::{Again, CellState, Reason};
pub use stats::Interval;
pub use tally::Tally;
pub use value::{Kind, Value};
