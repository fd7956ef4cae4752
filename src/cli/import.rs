//! `matrix import`.

use std::path::PathBuf;

use clap::Args;
use matrix_gather::ImportOptions;
use matrix_store::Store;

use super::ResultsArgs;
use super::plan::on_off;
use crate::exit::{Exit, Outcome};
use crate::output;

/// Import result folders of the original artifact (gather/) as records of origin `imported`
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The folder: gather/, one of its pairs, or one cell's folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    results: ResultsArgs,
}

pub(crate) fn import(args: ImportArgs) -> Outcome {
    let store = Store::create_or_open_for_writing(&args.results.results, "matrix import")?;
    let report = matrix_gather::import(&args.folder, &store, &ImportOptions::default())?;
    store.close()?;
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
