//! `matrix`: a declarative experiment-matrix runner, for any program and for geo-replication experiments.

mod cli;
mod drawn;
mod endpoints;
mod exit;
mod live;
mod output;
mod program;
mod progress;
mod runner;
mod signals;
mod source;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

/// Clients of AWS take and give back memory hundreds of times for a call, on one thread and on another.
#[cfg(feature = "live")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything else: a supervisor is begun for every program that is run.
    if std::env::args_os().nth(1).is_some_and(|word| word == matrix_command::supervise::WORD) {
        return matrix_command::supervise::supervise();
    }
    signals::clean_up_when_interrupted();
    ExitCode::from(cli::main() as u8)
}
