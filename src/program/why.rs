//! `matrix why` of a program's cell: which parts of its key differ from the nearest done cell's.

use matrix_command::Cell;
use matrix_command::run::{Input, InputFailure};
use matrix_core::CellKey;
use matrix_run::Overrides;
use matrix_run::key_diff::{Difference, differences, flat, shown};
use matrix_run::results::Select;
use matrix_store::GenericRecord;
use matrix_store::Store;
use serde::Serialize;

use crate::exit::{CommandResult, Exit, Failure};
use crate::output;

#[derive(Serialize)]
struct WhyJson {
    cell: CellKey,
    done: bool,
    nearest: Option<CellKey>,
    differs: Vec<Difference>,
}

/// Says why a cell of the experiment in a file is not done, if the file's is an experiment of schema 2.
pub(crate) fn why(store: &Store, select: &Select, prefix: &str, json: bool) -> Result<Option<Exit>, Failure> {
    let Some(file) = &select.file else {
        return match super::chosen(store, select)? {
            Some(_) => Err(Failure::usage(
                "name the experiment's file: what a cell's key is made of stands there, and in the files that it names",
                "matrix why CELL FILE",
            )),
            None => Ok(None),
        };
    };
    let Some(text) = super::text_of(file, &Overrides::default())? else { return Ok(None) };
    let input = Input::from_file(file, text, None).map_err(|failure: InputFailure| Failure::from(failure))?;
    let matching: Vec<&Cell> = input.cells.iter().filter(|cell| cell.key.to_string().starts_with(prefix)).collect();
    let [cell] = matching[..] else {
        let what = if matching.is_empty() { "no cell's key begins" } else { "several cells' keys begin" };
        return Err(Failure::usage(format!("{what} with `{prefix}`"), "`matrix plan FILE --cells` lists the keys"));
    };
    explain(store, &input, cell, json).map(Some)
}

fn explain(store: &Store, input: &Input, cell: &Cell, json: bool) -> CommandResult {
    let done = store.done(&[cell.key])?.contains(&true);
    let here = flat(cell.inputs.clone());
    let mut nearest: Option<(CellKey, Vec<Difference>)> = None;
    if !done {
        for record in store.records::<GenericRecord>()? {
            let record = record?;
            let differs = differences(&flat(record.inputs), &here);
            if nearest.as_ref().is_none_or(|(_, least)| differs.len() < least.len()) {
                nearest = Some((record.key, differs));
            }
        }
    }
    let (nearest, differs) = nearest.map_or((None, Vec::new()), |(key, differs)| (Some(key), differs));
    if json {
        output::json(&WhyJson { cell: cell.key, done, nearest, differs })?;
        return Ok(Exit::Ok);
    }
    let point = input.experiment.axes.show(&cell.point);
    output::line(format_args!("{} {point} round {}", cell.key.short(), cell.round))?;
    match nearest {
        _ if done => output::line("is done: `matrix show` has its result")?,
        None => output::line("is not done, and no cell of this store is: `matrix run` executes it")?,
        Some(key) => {
            output::line(format_args!("is not done. It differs from the nearest done cell, {}, in:", key.short()))?;
            let mut table = output::table(&["part of the key", "done cell", "this cell"], &[]);
            for difference in &differs {
                table.add_row([
                    difference.part.clone(),
                    shown(difference.done.as_ref()),
                    shown(difference.here.as_ref()),
                ]);
            }
            output::line(table.trim_fmt())?;
        }
    }
    Ok(Exit::Ok)
}
