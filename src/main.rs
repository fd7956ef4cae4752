//! `matrix`: a declarative experiment-matrix runner for geo-replication experiments.

mod badge;
mod cli;
mod costs;
mod derive;
mod diff;
mod endpoints;
mod exit;
mod input;
mod live;
mod meaning;
mod output;
mod pictures;
mod replay;
mod results;
mod runner;
mod source;
mod summary;

use std::process::ExitCode;

/// Clients of AWS take and give back memory hundreds of times for a call, on one thread and on another.
#[cfg(feature = "live")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    runner::signals::clean_up_when_interrupted();
    ExitCode::from(cli::main() as u8)
}
