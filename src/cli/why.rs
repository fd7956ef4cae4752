//! `matrix why`.

use std::collections::BTreeMap;

use clap::Args;
use matrix_plan::{Cell, CellInputs, CellKey};
use matrix_store::{Origin, Store};
use serde::Serialize;
use serde_json::Value;

use super::{Format, FormatArgs, ResultsArgs, SelectArgs};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::results;

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
    results: ResultsArgs,
}

#[derive(Serialize)]
struct WhyJson {
    cell: CellKey,
    done: bool,
    nearest: Option<CellKey>,
    differs: Vec<Difference>,
}

/// A part of the inputs that differs.
#[derive(Debug, PartialEq, Serialize)]
struct Difference {
    /// Where in the inputs, for example `barrier.max_ms`.
    part: String,
    /// The done cell's value; none if it lacks the part.
    done: Option<Value>,
    /// The value of the cell at hand; none if it lacks the part.
    here: Option<Value>,
}

pub(crate) fn why(args: WhyArgs) -> Outcome {
    let (store, input) = results::select(&args.results.results, &args.select)?;
    let cell = planned(&input.cells, &args.cell)?;
    let done = store.lookup(&[cell.key], &Origin::default())?.iter().all(matrix_store::Lookup::is_done);
    let nearest = if done { None } else { nearest(&store, cell)? };
    let (nearest, differs) = nearest.map_or((None, Vec::new()), |(key, differs)| (Some(key), differs));
    match args.format.format {
        Format::Json => output::json(&WhyJson { cell: cell.key, done, nearest, differs })?,
        Format::Table => {
            output::line(format_args!("{} {} round {}", cell.key.short(), cell.axes(), cell.inputs.round))?;
            match nearest {
                _ if done => output::line("is done: `matrix show` has its result")?,
                None => output::line("is not done, and no cell of this store is: `matrix run` executes it")?,
                Some(key) => {
                    output::line(format_args!(
                        "is not done. It differs from the nearest done cell, {}, in:",
                        key.short()
                    ))?;
                    let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
                    let mut table = output::table(&["part of the key", "done cell", "this cell"], &[]);
                    for difference in &differs {
                        table.add_row([difference.part.clone(), shown(&difference.done), shown(&difference.here)]);
                    }
                    output::line(table.trim_fmt())?;
                }
            }
        }
    }
    Ok(Exit::Ok)
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

/// The done cell that differs in the fewest parts.
fn nearest(store: &Store, cell: &Cell) -> Result<Option<(CellKey, Vec<Difference>)>, Failure> {
    let here = parts(&cell.inputs)?;
    let mut best: Option<(CellKey, Vec<Difference>)> = None;
    for record in store.records()? {
        let record = record?;
        let differs = differences(&parts(&record.inputs)?, &here);
        if best.as_ref().is_none_or(|(_, fewest)| differs.len() < fewest.len()) {
            best = Some((record.key, differs));
        }
    }
    Ok(best)
}

/// The inputs as a flat list: the path of each value, and the value.
fn parts(inputs: &CellInputs) -> Result<BTreeMap<String, Value>, Failure> {
    let json = |error: serde_json::Error| Failure::new(Exit::Internal, error.to_string());
    let value: Value = serde_json::from_str(&inputs.canonical().map_err(json)?).map_err(json)?;
    let mut parts = BTreeMap::new();
    flatten(String::new(), value, &mut parts);
    Ok(parts)
}

fn flatten(path: String, value: Value, parts: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name } else { format!("{path}.{name}") };
                flatten(path, value, parts);
            }
        }
        value => {
            parts.insert(path, value);
        }
    }
}

fn differences(done: &BTreeMap<String, Value>, here: &BTreeMap<String, Value>) -> Vec<Difference> {
    let mut names: Vec<&String> = done.keys().chain(here.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| done.get(*name) != here.get(*name))
        .map(|name| Difference { part: name.clone(), done: done.get(name).cloned(), here: here.get(name).cloned() })
        .collect()
}
