//! `matrix export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use matrix_bundle::temporary;
use matrix_gather::{ExportOptions, Prepared, StoreSource};
use matrix_run::results;
use serde::Serialize;

use super::{FilterArgs, Format, FormatArgs, ReadArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::{output, program};

/// Export results: as folders that the original artifact's own scripts read, or all rows of a program as one CSV file
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The form
    #[arg(long = "as", value_enum)]
    form: Form,
    /// The folder to write into, or the file of `--as csv`
    #[arg(value_name = "PATH")]
    folder: PathBuf,
    /// Of several experiments in a store, the one of this run (`--as csv`)
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
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
    /// One tidy CSV file: the cell's axes beside every row.
    Csv,
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
    let store = args.read.open()?;
    if args.form == Form::Csv {
        let select = results::Select { file: None, run: args.run, origin: None };
        return match program::chosen(&store, &select)? {
            Some(chosen) => program::export(&store, &chosen, args.filter.filter.as_deref(), &args.folder),
            None => Err(Failure::usage(
                "not supported yet: --as csv of an experiment of schema 1",
                "`matrix show CELL --trace` prints one cell's trace as CSV",
            )),
        };
    }
    let regions = results::regions(&store)?;
    let filter = args.filter.parse(&regions)?;
    let source = StoreSource::new(&store, |record| {
        filter.as_ref().is_none_or(|filter| filter.matches(&record.inputs.axes, record.inputs.round))
    })?;
    temporary::list_file(&matrix_gather::partial(&args.folder));
    let prepared = matrix_gather::prepare(&source, &args.folder, &ExportOptions { regions });
    // What an interruption takes away meanwhile is no failure of the export's.
    let report = temporary::undisturbed(|| prepared.and_then(Prepared::publish))?;
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
