//! `matrix why`.

use std::fmt::Display;

use clap::Args;
use matrix_core::key_diff::{self, Difference, shown};
use matrix_plan::{Cell, CellKey};
use matrix_run::key_diff::parts;
use matrix_store::{Lookup, Origin, Store};
use matrix_traces::Record;
use serde::Serialize;

use super::{Format, FormatArgs, ReadArgs, SelectArgs};
use crate::exit::{CommandResult, Exit, Failure};
use crate::output;
use crate::program;

/// Explain why a cell is not done: which part of its key differs from the nearest done cell
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The cell: any unique beginning of its key
    #[arg(value_name = "CELL")]
    cell: String,
    #[command(flatten)]
    select: SelectArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    read: ReadArgs,
}

/// Why a cell is not done, if it is not.
#[derive(Serialize)]
pub(crate) struct Answer {
    cell: CellKey,
    done: bool,
    nearest: Option<CellKey>,
    differs: Vec<Difference>,
}

impl Answer {
    /// `nearest` is the done cell that differs in the fewest parts of the key, and those parts.
    pub(crate) fn new(cell: CellKey, done: bool, nearest: Option<(CellKey, Vec<Difference>)>) -> Self {
        let (nearest, differs) = nearest.map_or((None, Vec::new()), |(key, differs)| (Some(key), differs));
        Self { cell, done, nearest, differs }
    }

    /// Prints it; as a table under a line that shows the cell.
    pub(crate) fn print(&self, json: bool, cell: impl Display) -> CommandResult {
        if json {
            output::json(self)?;
            return Ok(Exit::Ok);
        }
        output::line(format_args!("{} {cell}", self.cell.short()))?;
        match self.nearest {
            _ if self.done => output::line("is done: `matrix show` has its result")?,
            None => output::line("is not done, and no cell of this store is: `matrix run` executes it")?,
            Some(key) => {
                output::line(format_args!("is not done. It differs from the nearest done cell, {}, in:", key.short()))?;
                let mut table = output::table(&["part of the key", "done cell", "this cell"], &[]);
                for Difference { part, done, here } in &self.differs {
                    table.add_row([part.clone(), shown(done.as_ref()), shown(here.as_ref())]);
                }
                output::line(table.trim_fmt())?;
            }
        }
        Ok(Exit::Ok)
    }
}

pub(crate) fn why(args: WhyArgs) -> CommandResult {
    let store = args.read.open()?;
    let json = args.format.format == Format::Json;
    if let Some(exit) = program::why(&store, &args.select.options(), &args.cell, json)? {
        return Ok(exit);
    }
    let input = args.select.of(&store)?;
    let cell = planned(&input.cells, &args.cell)?;
    let done = match &args.select.origin {
        Some(origin) => store.lookup(&[cell.key], origin)?.iter().all(Lookup::is_done),
        None => store.done(&[cell.key])?.contains(&true),
    };
    let nearest = if done { None } else { nearest(&store, cell, args.select.origin.as_ref())? };
    let cell_text = format!("{} round {}", cell.axes(), cell.inputs.round);
    Answer::new(cell.key, done, nearest).print(json, cell_text)
}

/// The planned cell whose key begins so.
pub(crate) fn planned<'a>(cells: &'a [(u32, Cell)], prefix: &str) -> Result<&'a Cell, Failure> {
    let matching: Vec<&Cell> =
        cells.iter().map(|(_, cell)| cell).filter(|cell| cell.key.to_string().starts_with(prefix)).collect();
    match matching.as_slice() {
        [cell] => Ok(cell),
        [] => Err(Failure::usage(
            format!("no cell of the experiment has a key that begins with `{prefix}`"),
            "`matrix plan FILE --cells` lists the keys",
        )),
        several => Err(Failure::usage(
            format!("{} cells have keys that begin with `{prefix}`", several.len()),
            "give more characters of the key",
        )),
    }
}

/// The done cell that differs in the fewest parts; of those that one origin measured, if it is given.
fn nearest(store: &Store, cell: &Cell, only: Option<&Origin>) -> Result<Option<(CellKey, Vec<Difference>)>, Failure> {
    let records = store.records::<Record>()?.filter(|record| {
        let is_wanted = |record: &Record| only.is_none_or(|only| record.origin == *only);
        record.as_ref().map_or(true, |record| record.counts.observed() > 0 && is_wanted(record))
    });
    let inputs = records.map(|record| {
        let record = record?;
        Ok::<_, Failure>((record.key, parts(&record.inputs)?))
    });
    key_diff::nearest(inputs, &parts(&cell.inputs)?)
}
