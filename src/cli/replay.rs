//! `matrix bundle replay`.

use std::path::PathBuf;

use clap::Args;
use matrix_plan::printable::one_line;
use matrix_run::replay::{self, Cell, Replay, Status};

use super::run::JobsArgs;
use super::{Format, FormatArgs, SizeArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::program;

/// Run a bundle again: simulated cells and compare their traces, or a program's and compare its metrics
///
/// Traces of simulated cells are compared byte for byte. Ends with 5 when a simulated cell is not the same. Cells that were measured on real services cannot be replayed; with
/// --against they are compared with a fresh measurement of the same cells by whether the 95 % intervals of every metric
/// overlap, which is no error if they do not.
///
/// Cells that ran a program are run again with the programs in --dir, after asking, and every metric is compared with the
/// bundle's by the 95 % interval of the ratio. What differs is no error; cells that fail end with 3.
#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// The bundle
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A store or bundle with fresh measurements to compare the measured cells with
    #[arg(long, value_name = "RESULTS")]
    against: Option<PathBuf>,
    /// Where the programs are that the bundle's experiment runs
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Only these cells of a program, for example 'threads = 1'
    #[arg(long, value_name = "E")]
    filter: Option<String>,
    /// A part of a program's experiment that its file names under `[subset]`
    #[arg(long, value_name = "NAME")]
    subset: Option<String>,
    /// What is this machine's, over the experiment's `[site]`
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// Keep what a program's cells give in this store, to go on with [default: it is removed]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    /// Say which metrics are not within so many per cent of the bundle's
    #[arg(long, value_name = "PERCENT")]
    tolerance: Option<f64>,
    /// Run what the bundle says without being asked
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    size: SizeArgs,
    #[command(flatten)]
    jobs: JobsArgs,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn replay(args: &ReplayArgs) -> CommandResult {
    if matrix_command_derived::bundle::is_program_bundle(&args.file, args.size.limits()) {
        return program::replay(&program::ReplayOptions {
            bundle: &args.file,
            limits: args.size.limits(),
            dir: &args.dir,
            filter: args.filter.as_deref(),
            subset: args.subset.as_deref(),
            site: args.site.as_deref(),
            results: args.results.as_deref(),
            against: args.against.as_deref(),
            jobs: args.jobs.jobs,
            comparing: program::Comparing { metrics: &[], all: true, one_sided: false, tolerance: args.tolerance },
            yes: args.yes,
            json: args.format.format == Format::Json,
        });
    }
    let given = [
        (args.filter.is_some(), "--filter"),
        (args.subset.is_some(), "--subset"),
        (args.site.is_some(), "--site"),
        (args.results.is_some(), "--results"),
        (args.tolerance.is_some(), "--tolerance"),
    ];
    if let Some((_, flag)) = given.iter().find(|(given, _)| *given) {
        return Err(Failure::usage(format!("{flag} is for bundles of programs' results"), "see docs/command.md"));
    }
    let replay = replay::replay(&args.file, args.size.limits(), args.jobs.jobs, args.against.as_deref())?;
    match args.format.format {
        Format::Json => output::json(&replay)?,
        Format::Table => table(&replay, args.against.is_some())?,
    }
    let same = replay.simulated.iter().all(|cell| cell.status == Status::Identical);
    Ok(if same { Exit::Ok } else { Exit::Integrity })
}

fn table(replay: &Replay, compared: bool) -> Result<(), Failure> {
    let Replay { simulated, measured, to_measure_again } = replay;
    let count = |cells: &[Cell], status| cells.iter().filter(|cell| cell.status == status).count();
    for cell in simulated.iter().filter(|cell| cell.status != Status::Identical).chain(measured) {
        let Cell { key, axes, round, origin, status, what } = cell;
        let kind = if origin == "imported" { "imported" } else { "measured" };
        let status = match status {
            Status::Identical => "identical".to_owned(),
            Status::Different => "different".to_owned(),
            Status::Impossible => "not replayed".to_owned(),
            Status::Overlaps => format!("{kind}: overlaps"),
            Status::Apart => format!("{kind}: apart"),
            Status::SameMeasurement => format!("{kind}: the same measurement"),
            Status::NotMeasuredAgain => format!("{kind}: not measured again"),
            Status::NotReplayed => format!("{kind}: not replayed"),
        };
        output::line(format_args!("{status}: {} {axes} round {round}: {}", key.short(), one_line(what)))?;
    }
    let same = count(simulated, Status::Identical);
    let (all, others) = (simulated.len(), simulated.len() - same);
    output::line(format_args!("{same} of {all} simulated cells are identical, {others} are not"))?;
    if measured.is_empty() {
        return Ok(());
    }
    let all = measured.len();
    if compared {
        let (overlap, apart) = (count(measured, Status::Overlaps), count(measured, Status::Apart));
        output::line(format_args!(
            "{all} measured or imported cells, compared statistically: in {overlap} every metric's 95 % intervals overlap, in {apart} some do not, \
             {} were not compared;\noverlap shows no difference, which is not that there is none",
            all - overlap - apart
        ))?;
    } else {
        output::line(format_args!("{all} cells were measured or imported: a measurement cannot be replayed"))?;
    }
    if !to_measure_again.is_empty() {
        output::line(format_args!("to measure them again and compare:\n  {}", to_measure_again.join("\n  ")))?;
    }
    Ok(())
}
