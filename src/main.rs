//! `matrix`: a declarative experiment-matrix runner for geo-replication experiments.

mod cli;
mod exit;
mod input;
mod output;
mod results;
mod runner;
mod summary;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cli::main() as u8)
}
