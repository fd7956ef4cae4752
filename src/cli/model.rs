//! `matrix model`.

use matrix_traces::Record;
use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use matrix_app::Row;
use matrix_plan::axes::BadRegionPair;
use matrix_plan::{Platform, RegionPair};
use matrix_run::results;
use matrix_run::with_causes;
use matrix_sim::FitError;
use matrix_sim::fit::traces::{Measured, TraceOptions};
use matrix_sim::fit::{FitOptions, Progress};
use matrix_store::{Digest, Store, StoreError};

use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

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
    #[arg(value_name = "MODEL", default_value = "builtin:aws-2021", conflicts_with = "from")]
    model: OsString,
    /// Fit a whole model to the traces in this store or bundle instead, to those without an artificial delay
    #[arg(long, value_name = "RESULTS", conflicts_with_all = ["evaluate", "hold_out"])]
    from: Option<PathBuf>,
    /// With --from: the pair whose laws are fitted; the others get a factor on its lag
    #[arg(long, value_name = "PAIR", default_value = "eu->us", requires = "from")]
    regions: String,
    /// With --from: the platform whose traces are used
    #[arg(long, value_name = "P", default_value = "local", requires = "from")]
    platform: Platform,
    /// With --from: the new model's name
    #[arg(long, value_name = "NAME", default_value = "fitted", requires = "from")]
    name: String,
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

pub(crate) fn model(args: ModelArgs) -> CommandResult {
    match args.command {
        ModelCommand::Fit(args) => match &args.from {
            Some(results) => fit_traces(&args, results),
            None => fit(&args),
        },
    }
}

fn fit(args: &FitArgs) -> CommandResult {
    let (model, text) = matrix_run::read_model(&args.model, Path::new(""))?;
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
            output::line(format_args!("wrote {}", output::path(out)))?;
        }
    }
    Ok(Exit::Ok)
}

/// Fits a model to measured traces.
fn fit_traces(args: &FitArgs, results: &Path) -> CommandResult {
    let reference = args.regions.parse::<RegionPair>();
    let reference = reference.map_err(|error| {
        let help = if error.was_cut_by_the_shell() { BadRegionPair::QUOTE } else { "for example 'eu->us'" };
        Failure::usage(format!("--regions: {error}"), help)
    })?;
    let slug = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    if args.name.is_empty() || !args.name.bytes().all(slug) {
        let advice = "a model's name has lower-case letters, digits, `_` and `-`";
        return Err(Failure::usage(format!("--name {}: not a name", args.name), advice));
    }
    let store = results::open(results)?;
    let records = store.records::<Record>()?.collect::<Result<Vec<_>, _>>()?;
    let (delayed, records): (Vec<_>, Vec<_>) = records
        .into_iter()
        .filter(|record| record.platform == args.platform)
        .partition(|record| record.inputs.axes.delay_ms > 0);
    let mut cells = Vec::new();
    for record in records {
        let rows = rows_of(&store, &record.object.sha256)?;
        cells.push(Measured { inputs: record.inputs, rows });
    }
    let source = format!("traces of platform {}, {reference}, delay 0", args.platform);
    let options = TraceOptions { name: args.name.clone(), reference, source };
    let fit = matrix_sim::fit::traces::fit_traces(&cells, &options).map_err(|error| {
        let platform = args.platform;
        Failure::usage(
            format!("{}: {error}", output::path(results)),
            format!("--platform ({platform}) and --regions choose the cells"),
        )
    })?;
    output::line(format_args!(
        "{}: fitted to {} cells without an artificial delay; {} cells with one are held out",
        args.name,
        fit.cells,
        delayed.len()
    ))?;
    let mut table = output::table(&["law", "rows", "mean ms", "p5", "p50", "p95", "how"], &[1, 2, 3, 4, 5]);
    for fitted in &fit.laws {
        let ms = |ms: f64| format!("{ms:.2}");
        let quantile = |p| ms(fitted.quantile_ms(p));
        table.add_row([
            fitted.name.clone(),
            fitted.rows.to_string(),
            ms(fitted.mean_ms),
            quantile(0.05),
            quantile(0.5),
            quantile(0.95),
            fitted.how.to_owned(),
        ]);
    }
    output::line(table)?;
    if let Some(out) = &args.out {
        output::write_file(out, fit.text.as_bytes())?;
        output::line(format_args!("wrote {}", output::path(out)))?;
    }
    Ok(Exit::Ok)
}

/// The rows of an object.
fn rows_of(store: &Store, digest: &Digest) -> Result<Vec<Row>, Failure> {
    let damaged = |why: String| Failure::new(Exit::Integrity, format!("object {}: {why}", digest.short()));
    let mut text = String::new();
    store.open_object(digest)?.read_to_string(&mut text).map_err(StoreError::from_read)?;
    let lines = text.lines().skip(1);
    lines.map(|line| Row::parse_csv(line).map_err(|error| damaged(error.to_string()))).collect()
}

fn failed(error: FitError) -> Failure {
    Failure::new(Exit::Usage, with_causes(&error))
}
