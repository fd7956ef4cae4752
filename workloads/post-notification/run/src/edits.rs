//! After an edit: in what the cells that are not done differ from done ones.

use matrix_traces::Record;
use std::collections::{BTreeMap, BTreeSet};

use matrix_core::key_diff::{Difference, differences, shown};
use matrix_plan::{Axes, Cell, CellInputs};
use matrix_store::Store;
use serde::Serialize;
use serde_json::Value;

use crate::error::RunError;
use crate::key_diff::parts;

/// Most kinds of differences that are named.
const KINDS: usize = 3;
/// Most parts of the key that are named of one kind.
const PARTS: usize = 3;

/// Cells without a result that differ from done ones of the same axes in the same way.
#[derive(Debug, PartialEq, Serialize)]
pub struct Edit {
    /// How many there are.
    pub cells: usize,
    /// The parts of the key that differ: the done cell's value, and the one here.
    pub differs: Vec<Difference>,
}

impl Edit {
    /// The parts of the key that differ, with both values.
    pub fn parts(&self) -> String {
        let part =
            |part: &Difference| format!("{} {} -> {}", part.part, shown(part.done.as_ref()), shown(part.here.as_ref()));
        let mut named: Vec<String> = self.differs.iter().take(PARTS).map(part).collect();
        if self.differs.len() > PARTS {
            named.push(format!(
                "and {} more parts of the key (`matrix why CELL` lists them)",
                self.differs.len() - PARTS
            ));
        }
        named.join(", ")
    }
}

/// In what cells without a result differ from the nearest result of the same axes and round, the most frequent difference
/// first. Cells whose axes were never measured are not counted: nothing was edited there.
pub fn edits(store: &Store, not_done: &[&Cell]) -> Result<Vec<Edit>, RunError> {
    let wanted: BTreeSet<Point> = not_done.iter().map(|cell| point(&cell.inputs)).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut done = Vec::new();
    for record in store.records::<Record>()? {
        let inputs = record?.inputs;
        if wanted.contains(&point(&inputs)) {
            done.push(inputs);
        }
    }
    compare(&done.iter().collect::<Vec<_>>(), &not_done.iter().map(|cell| &cell.inputs).collect::<Vec<_>>())
}

/// One value of every axis, and the round.
type Point = (Axes, u32);

fn point(inputs: &CellInputs) -> Point {
    (inputs.axes.clone(), inputs.round)
}

/// In what cells differ from the nearest of others that have the same axes and round, the most frequent difference first.
pub fn compare(others: &[&CellInputs], cells: &[&CellInputs]) -> Result<Vec<Edit>, RunError> {
    let mut done: BTreeMap<Point, Vec<BTreeMap<String, Value>>> = BTreeMap::new();
    for inputs in others {
        done.entry(point(inputs)).or_default().push(parts(inputs)?);
    }
    let mut found: Vec<Edit> = Vec::new();
    for cell in cells {
        let Some(candidates) = done.get(&point(cell)) else { continue };
        let here = parts(cell)?;
        let nearest = candidates.iter().map(|done| differences(done, &here)).min_by_key(Vec::len);
        let Some(differs) = nearest.filter(|differs| !differs.is_empty()) else { continue };
        match found.iter_mut().find(|edit| edit.differs == differs) {
            Some(edit) => edit.cells += 1,
            None => found.push(Edit { cells: 1, differs }),
        }
    }
    found.sort_by_key(|edit| std::cmp::Reverse(edit.cells));
    Ok(found)
}

/// The edits as lines for a person; nothing without any.
pub fn describe(edits: &[Edit]) -> Vec<String> {
    let line = |edit: &Edit| {
        let (cells, differ) = match edit.cells {
            1 => ("1 cell".to_owned(), "differs"),
            several => (format!("{several} cells"), "differ"),
        };
        let only = if edit.differs.len() > PARTS { "" } else { " only" };
        format!("{cells} {differ} from done ones{only} in {}", edit.parts())
    };
    let mut lines: Vec<String> = edits.iter().take(KINDS).map(line).collect();
    if edits.len() > KINDS {
        let rest: usize = edits.iter().skip(KINDS).map(|edit| edit.cells).sum();
        lines.push(format!("{rest} more cells differ in other ways"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edit(cells: usize, parts: usize) -> Edit {
        let part = |n: usize| Difference { part: format!("part{n}"), done: Some(json!(n)), here: Some(json!(n + 1)) };
        Edit { cells, differs: (0..parts).map(part).collect() }
    }

    #[test]
    fn edits_are_named_shortly() {
        let edits = [edit(320, 1), edit(12, 5), edit(1, 2), edit(4, 1), edit(3, 1)];
        let lines = describe(&edits);
        assert_eq!(
            lines,
            [
                "320 cells differ from done ones only in part0 0 -> 1",
                "12 cells differ from done ones in part0 0 -> 1, part1 1 -> 2, part2 2 -> 3, and 2 more parts of the key \
                 (`matrix why CELL` lists them)",
                "1 cell differs from done ones only in part0 0 -> 1, part1 1 -> 2",
                "7 more cells differ in other ways",
            ]
        );
        assert!(describe(&[]).is_empty());
    }
}
