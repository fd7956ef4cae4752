//! `matrix import`.

use std::path::PathBuf;

use clap::Args;
use matrix_antipode_artifact::ImportOptions;
use matrix_plan::{Axes, CellKey, Platform};
use matrix_run::results;
use matrix_store::Store;
use serde::Serialize;

use super::plan::on_off;
use super::{Format, FormatArgs, ResultsArgs};
use crate::exit::{CommandResult, Exit};
use crate::output;

/// Import result folders of the original artifact (gather/) as records of origin `imported`
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The folder: gather/, one of its pairs, or one cell's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    results: ResultsArgs,
}

#[derive(Serialize)]
struct ImportJson {
    cells: Vec<CellJson>,
}

#[derive(Serialize)]
struct CellJson {
    #[serde(serialize_with = "output::lossy::path")]
    folder: PathBuf,
    key: CellKey,
    axes: Axes,
    platform: Platform,
    results: u64,
    lost: u64,
    contradictions: u64,
    already_there: bool,
}

pub(crate) fn import(args: ImportArgs) -> CommandResult {
    if Store::open(&args.results.results).is_err() {
        // No store is made for what cannot be imported.
        matrix_antipode_artifact::check(&args.folder, &ImportOptions::default())?;
    }
    let store = Store::create_or_open_for_writing(&args.results.results, "matrix import")?;
    let options = ImportOptions { regions: results::regions(&store)?, ..ImportOptions::default() };
    let report = matrix_antipode_artifact::import(&args.folder, &store, &options)?;
    store.close()?;
    if args.format.format == Format::Json {
        let cells = report.cells.into_iter().map(|cell| CellJson {
            folder: cell.folder,
            key: cell.key,
            axes: cell.axes,
            platform: cell.platform,
            results: cell.results,
            lost: cell.lost,
            contradictions: cell.contradictions,
            already_there: cell.already_there,
        });
        output::json(&ImportJson { cells: cells.collect() })?;
        return Ok(Exit::Ok);
    }
    let mut table = output::table(&["cell", "platform", "axes", "results", "lost", ""], &[3, 4]);
    for cell in &report.cells {
        table.add_row([
            cell.key.short(),
            cell.platform.to_string(),
            format!("{} {} ms {}", cell.axes.combination, cell.axes.delay_ms, on_off(cell.axes.antipode)),
            cell.results.to_string(),
            cell.lost.to_string(),
            if cell.already_there { "was there" } else { "imported" }.to_owned(),
        ]);
    }
    output::line(table.trim_fmt())?;
    Ok(Exit::Ok)
}
