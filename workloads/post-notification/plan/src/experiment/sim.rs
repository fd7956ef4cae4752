//! `[sim]`: settings of the simulator.

use crate::problem::Problem;
use matrix_core::walk::{Table, words};

/// Keys of the table.
pub(crate) const KEYS: &[&str] = &["model"];

/// Settings of the simulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sim {
    /// The model: a path relative to the experiment's file, or the name of a built-in one after `builtin:`.
    pub model: String,
}

impl Default for Sim {
    fn default() -> Self {
        Self { model: "builtin:aws-2021".to_owned() }
    }
}

/// Reads the table.
pub(crate) fn sim(root: &Table<'_>, problems: &mut Vec<Problem>) -> Sim {
    let table = root.get("sim").and_then(|value| Table::open(value, "[sim]", KEYS, problems));
    let model = table.and_then(|table| table.get("model")).and_then(|value| words(value, "`model`", problems));
    model.map_or_else(Sim::default, |model| Sim { model })
}
