//! `matrix export`.

mod files;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use matrix_analysis::{ExportError, Traces};
use matrix_antipode_artifact::{ExportOptions, Prepared, StoreSource};
use matrix_bundle::temporary;
use matrix_command_derived::compare::holds_programs;
use matrix_plan::Filter;
use matrix_run::results::{self, Opened, Results, Select, Traced};
use matrix_store::Origin;
use serde::Serialize;

pub(crate) use self::files::RowFiles;
use super::{FilterArgs, Format, FormatArgs, ReadArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::{output, program};

/// Export results: all rows as one tidy file, or folders that the original artifact's own scripts read
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The form
    #[arg(long = "as", value_enum)]
    form: Form,
    /// The folder to write into, or the file of `--as csv` and `--as parquet` (of a program with several sources, FILE-SOURCE
    /// for each)
    #[arg(value_name = "PATH")]
    folder: PathBuf,
    /// Of several experiments in a store, the one in this file (csv and parquet)
    #[arg(long, value_name = "FILE", conflicts_with = "run")]
    experiment: Option<PathBuf>,
    /// Of several experiments in a store, the one of this run (csv and parquet)
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Only what this origin measured (csv and parquet) [default: of each cell what was measured here, else what the first
    /// origin did]
    #[arg(long, value_name = "NAME")]
    origin: Option<Origin>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    read: ReadArgs,
}

/// Forms of exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The original artifact's `gather/` folders and plot configurations.
    Gather,
    /// One tidy CSV file: the cell's axes, round, origin and key beside every row.
    Csv,
    /// The same as Apache Parquet, if this program was built with the feature `parquet`.
    Parquet,
}

impl Form {
    /// The form of a file with all rows; none where it is folders.
    fn tidy(self) -> Result<Option<matrix_frame::Form>, Failure> {
        match self {
            Self::Gather => Ok(None),
            Self::Csv => Ok(Some(matrix_frame::Form::Csv)),
            #[cfg(feature = "parquet")]
            Self::Parquet => Ok(Some(matrix_frame::Form::Parquet)),
            #[cfg(not(feature = "parquet"))]
            Self::Parquet => {
                // Whoever builds it anew keeps the drivers of real services.
                let features = if cfg!(feature = "live") { "live,parquet" } else { "parquet" };
                Err(Failure::usage(
                    "this program was built without Parquet",
                    format!(
                        "build it with: cargo build --release --features {features}; `--as csv` writes the same rows"
                    ),
                ))
            }
        }
    }
}

#[derive(Serialize)]
struct ExportJson {
    #[serde(serialize_with = "output::lossy::path")]
    gather: PathBuf,
    #[serde(serialize_with = "output::lossy::paths")]
    folders: Vec<PathBuf>,
    #[serde(serialize_with = "output::lossy::paths")]
    configs: Vec<PathBuf>,
    without_results: Vec<String>,
    incomplete_rows: u64,
    without_epoch: Vec<String>,
}

pub(crate) fn export(args: ExportArgs) -> CommandResult {
    let form = args.form.tidy()?;
    let store = args.read.open()?;
    if let Some(form) = form {
        return tidy(&store, &args, form);
    }
    let regions = results::regions(&store)?;
    let filter = args.filter.parse(&regions)?;
    let source = StoreSource::new(&store, |record| {
        filter.as_ref().is_none_or(|filter| filter.matches(&record.inputs.axes, record.inputs.round))
    })?;
    temporary::list_file(&matrix_antipode_artifact::partial(&args.folder));
    let prepared = matrix_antipode_artifact::prepare(&source, &args.folder, &ExportOptions { regions });
    // What an interruption takes away meanwhile is no failure of the export's.
    let report = match temporary::undisturbed(|| prepared.and_then(Prepared::publish)) {
        Err(matrix_antipode_artifact::ExportError::Nothing) if holds_programs(&store)? => {
            return Err(Failure::usage(
                "`--as gather` is a form of post-notification's results, and the results here are programs'",
                "`--as csv` and `--as parquet` write all rows of any workload",
            ));
        }
        report => report?,
    };
    if args.format.format == Format::Json {
        output::json(&ExportJson {
            gather: report.gather,
            folders: report.folders,
            configs: report.configs,
            without_results: report.without_results,
            incomplete_rows: report.incomplete_rows,
            without_epoch: report.without_epoch,
        })?;
        return Ok(Exit::Ok);
    }
    output::line(format_args!("{} folders in {}", report.folders.len(), output::path(&report.gather)))?;
    for config in &report.configs {
        output::line(format_args!("plot configuration {}", output::path(config)))?;
    }
    if !report.without_results.is_empty() {
        output::note(format_args!(
            "cells without any result, which are in no plot configuration: {}",
            report.without_results.join(", ")
        ));
    }
    if report.incomplete_rows > 0 {
        output::note(format_args!(
            "{} rows count as missing, because the form cannot hold them",
            report.incomplete_rows
        ));
    }
    Ok(Exit::Ok)
}

/// Writes all rows of an experiment: into one file, or into one for each source of a program.
fn tidy(store: &Opened, args: &ExportArgs, form: matrix_frame::Form) -> CommandResult {
    let select = Select { file: args.experiment.clone(), run: args.run.clone(), origin: args.origin.clone() };
    let mut files = RowFiles::new(form, &args.folder, args.format.format);
    if let Some(chosen) = program::chosen(store, &select)? {
        program::export(store, &chosen, args.filter.filter.as_deref(), args.origin.as_ref(), &mut files)?;
    } else if let Some(records) = results::without_run(store, &select)? {
        let filter = args.filter.parse(&results::regions(store)?)?;
        traced(Traced::new(store, records)?, filter.as_ref(), &mut files)?;
    } else {
        let input = results::selected(store, &select, &output::Terminal)?;
        let filter = input.filter(args.filter.filter.as_deref())?;
        let results = Results::of_origin(store, &input, args.origin.as_ref(), &output::Terminal)?;
        traced(results.traced, filter.as_ref(), &mut files)?;
    }
    files.finish()
}

fn traced(mut traces: Traced<'_>, filter: Option<&Filter>, files: &mut RowFiles<'_>) -> Result<(), Failure> {
    if let Some(filter) = filter {
        traces.retain(|cell| filter.matches(&cell.inputs.axes, cell.inputs.round));
    }
    files.write(None, traces.cells().len(), |form, path, out| {
        matrix_analysis::export(&traces, form, out).map_err(|error| match error {
            ExportError::Trace(error) => results::unreadable(error).into(),
            ExportError::Write(error) => output::unwritable(path, &error),
        })
    })
}
