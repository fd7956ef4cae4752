//! `matrix model`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use matrix_sim::FitError;
use matrix_sim::fit::{FitOptions, Progress};

use crate::exit::{Exit, Failure, Outcome, with_causes};
use crate::{input, output};

/// Calibrate the simulator's model, or see how well it is calibrated
#[derive(Debug, Args)]
pub(crate) struct ModelArgs {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    Fit(FitArgs),
}

/// Fit a model to its anchors, the published means that it names, by simulating their conditions
#[derive(Debug, Args)]
struct FitArgs {
    /// The model: a file, or builtin:NAME
    #[arg(value_name = "MODEL", default_value = "builtin:aws-2021")]
    model: String,
    /// Write the fitted model here; comments and sources stay as they are
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Fit nothing: only compare what the model simulates with its anchors
    #[arg(long, conflicts_with_all = ["out", "hold_out"])]
    evaluate: bool,
    /// A test of the model: fit on its reference pair alone, and compare what that predicts for the others
    #[arg(long, conflicts_with = "out")]
    hold_out: bool,
    /// Simulated requests behind every mean
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    requests: u64,
    /// Seed of all randomness
    #[arg(long, value_name = "N", default_value_t = FitOptions::default().seed)]
    seed: u64,
}

pub(crate) fn model(args: ModelArgs) -> Outcome {
    match args.command {
        ModelCommand::Fit(args) => fit(&args),
    }
}

fn fit(args: &FitArgs) -> Outcome {
    let (model, text) = input::read_model(&args.model, Path::new(""))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let options = FitOptions { requests_per_anchor: args.requests, threads, seed: args.seed, ..FitOptions::default() };
    let watch = |progress: Progress<'_>| {
        let Progress { anchor, simulated_ms, requests } = progress;
        output::note(format_args!("{anchor}: {simulated_ms:.2} ms over {requests} simulated requests"));
    };
    if args.evaluate {
        let results = matrix_sim::evaluate(&model, &options, &watch).map_err(failed)?;
        output::line(format_args!("{} (simulated)\n{results}", model.name))?;
    } else if args.hold_out {
        let held_out = matrix_sim::hold_out(&model, &options, &watch).map_err(failed)?;
        output::line(format_args!("{} (simulated)\n{held_out}", model.name))?;
    } else {
        let report = matrix_sim::fit(&model, &options, &watch).map_err(failed)?;
        output::line(format_args!("{} (simulated)\n{report}", model.name))?;
        if let Some(out) = &args.out {
            output::write_file(out, report.write(&text).map_err(failed)?.as_bytes())?;
            output::line(format_args!("wrote {}", out.display()))?;
        }
    }
    Ok(Exit::Ok)
}

fn failed(error: FitError) -> Failure {
    Failure::new(Exit::Usage, with_causes(&error))
}
