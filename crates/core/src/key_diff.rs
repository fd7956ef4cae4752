//! Which parts of what gives a cell its meaning differ from another cell's.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::key::CellKey;

/// A part of the inputs that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Where in the inputs, for example `command.run`.
    pub part: String,
    /// The done cell's value; none if it lacks the part.
    pub done: Option<Value>,
    /// The value of the cell at hand; none if it lacks the part.
    pub here: Option<Value>,
}

/// A JSON value as a flat list: the path of each value in it, and the value.
#[must_use]
pub fn flat(value: Value) -> BTreeMap<String, Value> {
    let mut parts = BTreeMap::new();
    flatten(String::new(), value, &mut parts);
    parts
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

/// The parts that differ, in order of their names.
pub fn differences(done: &BTreeMap<String, Value>, here: &BTreeMap<String, Value>) -> Vec<Difference> {
    let mut names: Vec<&String> = done.keys().chain(here.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| done.get(*name) != here.get(*name))
        .map(|name| Difference { part: name.clone(), done: done.get(name).cloned(), here: here.get(name).cloned() })
        .collect()
}

/// A part's value as a person reads it.
pub fn shown(value: Option<&Value>) -> String {
    value.map_or("-".to_owned(), Value::to_string)
}

/// Of done cells, each with its inputs as a flat list, the one that differs from the cell at hand in the fewest parts, and those
/// parts; of several such cells the first.
///
/// # Errors
/// The first error of the cells.
pub fn nearest<E>(
    done: impl Iterator<Item = Result<(CellKey, BTreeMap<String, Value>), E>>,
    here: &BTreeMap<String, Value>,
) -> Result<Option<(CellKey, Vec<Difference>)>, E> {
    let mut nearest: Option<(CellKey, Vec<Difference>)> = None;
    for cell in done {
        let (key, inputs) = cell?;
        let differs = differences(&inputs, here);
        if nearest.as_ref().is_none_or(|(_, fewest)| differs.len() < fewest.len()) {
            nearest = Some((key, differs));
        }
    }
    Ok(nearest)
}
