//! `[[require]]`: what cells need of the machine; where it is not there, they are skipped, with the reason.

use matrix_core::Filter;
use matrix_core::Problem;
use matrix_core::placeholder::Template;
use matrix_core::read::{self, Table};
use toml::de::DeValue;

use super::strings::Strings;

pub(super) const KEYS: &[&str] = &["where", "cpus", "memory", "disk", "run", "else"];

/// What some cells need of the machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Require {
    /// The points that need it; all without one.
    pub only: Option<Filter>,
    /// How many processors.
    pub cpus: Option<Template>,
    /// How much memory the machine has: `8 GiB`.
    pub memory: Option<Template>,
    /// How much room there is where scratch folders are made.
    pub disk: Option<Template>,
    /// A program that ends with 0 if the need is met.
    pub run: Option<Vec<Template>>,
    /// Why the cells are skipped otherwise.
    pub otherwise: String,
}

/// Reads every `[[require]]`.
pub(super) fn requires(root: &Table<'_>, strings: &Strings<'_>, problems: &mut Vec<Problem>) -> Vec<Require> {
    let tables = read::tables(root, "require", "[[require]]", KEYS, problems);
    tables.iter().filter_map(|table| require(table, strings, problems)).collect()
}

fn require(table: &Table<'_>, strings: &Strings<'_>, problems: &mut Vec<Problem>) -> Option<Require> {
    let only = table.get("where").map(|value| strings.filter(value, "`where`", problems));
    let mut amount = |key: &str| {
        table.get(key).map(|value| match value.get_ref() {
            DeValue::Integer(integer) => strings.parse(integer.as_str(), &value.span(), problems),
            _ => strings.template(value, &format!("`{key}`"), problems),
        })
    };
    let (cpus, memory, disk) = (amount("cpus"), amount("memory"), amount("disk"));
    let run = table.get("run").map(|value| strings.arguments(value, "`run`", problems));
    if cpus.is_none() && memory.is_none() && disk.is_none() && run.is_none() {
        let problem = Problem::new("a [[require]] requires nothing").at(table.span());
        problems.push(problem.label("write cpus, memory, disk or run"));
        return None;
    }
    let otherwise = table.require("else", "else = \"needs as many processors as threads\"", problems);
    let otherwise = otherwise.and_then(|value| read::words(value, "`else`", problems));
    Some(Require {
        only: only.map_or(Some(None), |only| only.map(Some))?,
        cpus: cpus.map_or(Some(None), |cpus| cpus.map(Some))?,
        memory: memory.map_or(Some(None), |memory| memory.map(Some))?,
        disk: disk.map_or(Some(None), |disk| disk.map(Some))?,
        run: run.map_or(Some(None), |run| run.map(Some))?,
        otherwise: otherwise?,
    })
}
