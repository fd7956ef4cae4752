//! The workload `command`: a user's own program is run for each cell, and what it writes becomes the cell's rows.
//!
//! - [`mod@file`] reads an experiment of schema 2.
//! - [`cells`] gives each point its key; [`inputs`] digests the files that are part of it.
//! - [`prepare`] makes what cells share before they run.
//! - [`remote`] runs services on other machines, which [`slurm`] may have given to the job.
//! - [`supervise`] runs a program so that nothing of it is left; [`attempt`] is one execution of a cell.
//! - [`rows`] reads what a program wrote.
//! - [`run`] plans and executes; [`results`] turns rows into metrics, verdicts and tables.

pub mod attempt;
pub mod cells;
pub mod file;
pub mod inputs;
pub mod prepare;
mod probe;
pub mod remote;
pub mod results;
pub mod root;
pub mod rows;
pub mod run;
pub mod schema;
pub mod slurm;
pub mod supervise;

pub use cells::Cell;
pub use file::Experiment;

/// Version of what this workload means by a file: part of every key.
pub const WORKLOAD_VERSION: u32 = 1;

/// The workload's name in an experiment's file.
pub const WORKLOAD: &str = "command";
