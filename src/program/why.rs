//! `matrix why` of a program's cell: which parts of its key differ from the nearest done cell's.

use matrix_command::Cell;
use matrix_command::run::Input;
use matrix_core::key_diff::{flat, nearest};
use matrix_core::read::Reading;
use matrix_run::Overrides;
use matrix_run::results::Select;
use matrix_store::{GenericRecord, Store};

use crate::cli::Answer;
use crate::exit::{CommandResult, Exit, Failure};

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
    let input = Input::from_file(file, text, None, Reading::Given)?;
    let matching: Vec<&Cell> = input.cells.iter().filter(|cell| cell.key.to_string().starts_with(prefix)).collect();
    let [cell] = matching[..] else {
        let what = if matching.is_empty() { "no cell's key begins" } else { "several cells' keys begin" };
        return Err(Failure::usage(format!("{what} with `{prefix}`"), "`matrix plan FILE --cells` lists the keys"));
    };
    explain(store, &input, cell, json).map(Some)
}

fn explain(store: &Store, input: &Input, cell: &Cell, json: bool) -> CommandResult {
    let done = store.done(&[cell.key])?.contains(&true);
    let near = match done {
        true => None,
        false => {
            let records = store.records::<GenericRecord>()?;
            let inputs = records.map(|record| record.map(|record| (record.key, flat(record.inputs))));
            nearest(inputs, &flat(cell.inputs.clone()))?
        }
    };
    let cell_text = format!("{} round {}", input.experiment.axes.show(&cell.point), cell.round);
    Answer::new(cell.key, done, near).print(json, cell_text)
}
