//! `matrix`: a declarative experiment-matrix runner for geo-replication experiments.

mod cli;
mod derive;
mod exit;
mod input;
mod live;
mod output;
mod pictures;
mod replay;
mod results;
mod runner;
mod summary;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cli::main() as u8)
}
