//! The experiment's file: its keys, its problems, and the cells that it names.
//!
//! One file per table: a function reads the table from the spanned TOML document and notes every problem.

pub(crate) mod aws;
pub(crate) mod axis;
pub(crate) mod barrier;
pub(crate) mod declared;
pub(crate) mod document;
pub(crate) mod expand;
pub(crate) mod flags;
pub(crate) mod load;
pub(crate) mod local;
pub(crate) mod matrix;
#[cfg(test)]
mod oracle;
pub(crate) mod payload;
pub(crate) mod selector;
pub(crate) mod sim;
mod spec;
#[cfg(test)]
mod tests;

pub use document::{Experiment, KEYS_OF_WORKLOADS, SCHEMA};
pub use flags::cell_experiment;
pub use matrix::Matrix;
pub use payload::Payload;
pub use selector::Selector;
pub use sim::Sim;
pub use spec::CellSpec;
