//! `[[require]]`: what cells need of the machine; where it is not there, they are skipped, with the reason.

use std::num::ParseIntError;

use matrix_core::Filter;
use matrix_core::Problem;
use matrix_core::placeholder::Template;
use matrix_core::read::{self, Table};
use toml::de::DeValue;

use super::strings::{Amount, Strings};
use crate::rows::quantity::{self, QuantityError};

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

/// A number of processors.
pub(crate) fn processors(text: &str) -> Result<usize, ParseIntError> {
    text.trim().parse()
}

/// An amount in bytes, or with a unit.
pub(crate) fn bytes(text: &str) -> Result<f64, QuantityError> {
    text.trim().parse::<f64>().or_else(|_| quantity::convert(text, "B"))
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
    let only_some = only.as_ref().and_then(Option::as_ref);
    let is_count: fn(&str) -> bool = |text| processors(text).is_ok();
    let is_size: fn(&str) -> bool = |text| bytes(text).is_ok();
    let (count, size) = ("write a whole number: cpus = 4", "write an amount with its unit: memory = \"8 GiB\"");
    for (key, what, template, is_one, help) in [
        ("cpus", "`cpus` of a [[require]]", &cpus, is_count, count),
        ("memory", "`memory` of a [[require]]", &memory, is_size, size),
        ("disk", "`disk` of a [[require]]", &disk, is_size, size),
    ] {
        if let Some((value, template)) = table.get(key).zip(template.as_ref().and_then(Option::as_ref)) {
            strings.check(template, value.span(), &Amount { what, is_one, help, only: only_some }, problems);
        }
    }
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
