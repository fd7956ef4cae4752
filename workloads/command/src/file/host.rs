//! `[host]`: what is asked of the machine that measures.

use matrix_core::Problem;
use matrix_core::read::{self, Table};
use toml::de::DeValue;

pub(super) const KEYS: &[&str] = &["idle", "mixed"];

/// What is asked of the machine that measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// Whether a cell waits until nothing else works on the machine.
    pub idle: bool,
    /// Whether results of unlike machines may be compared.
    pub mixed: bool,
}

/// Reads `[host]`.
pub(super) fn host(root: &Table<'_>, problems: &mut Vec<Problem>) -> Host {
    let Some(table) = root.get("host").and_then(|value| Table::open(value, "[host]", KEYS, problems)) else {
        return Host::default();
    };
    let mut flag = |key: &str| match table.get(key).map(|value| (value.get_ref(), value.span())) {
        None => false,
        Some((DeValue::Boolean(flag), _)) => *flag,
        Some((other, place)) => {
            problems.push(read::wrong_type(&format!("`{key}` of [host]"), "true or false", other, place));
            false
        }
    };
    Host { idle: flag("idle"), mixed: flag("mixed") }
}
