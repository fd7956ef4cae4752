//! An experiment's file of schema 2: what it may say, and what is wrong with it.

mod columns;
mod command;
mod document;
mod host;
#[cfg(test)]
pub(crate) mod keys;
mod metrics;
mod prepare;
mod require;
mod service;
mod site;
mod sources;
mod strings;

pub use columns::{Column, ColumnType, Pick};
pub(crate) use command::seconds;
pub use command::{Command, PASSED};
pub use document::{Experiment, Subset, is_schema_2};
pub use host::Host;
pub use metrics::RUN;
pub use prepare::{Making, Prepare};
pub use require::Require;
pub(crate) use require::{bytes, processors};
pub use service::{Ready, Service, Stop};
pub use site::{Site, parse_site};
pub use sources::{Format, Source, TextLocation, UNNAMED};
