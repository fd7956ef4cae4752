//! `[columns]`: what is read of a source.

use std::ops::Range;

use matrix_core::Kind;
use matrix_core::Problem;
use matrix_core::axes::RESERVED;
use matrix_core::read::{self, Table, Value};
use toml::de::{DeTable, DeValue};

use super::sources::{self, Format, Source};
use super::strings::Strings;
use crate::rows::quantity;

pub(super) const KEYS: &[&str] = &["unit", "type", "optional", "path", "each", "match", "pick", "every", "weight"];

matrix_core::named! {
    /// The type of a column.
    pub enum ColumnType: name {
        /// Whole numbers.
        Integer = "integer",
        /// Numbers.
        Real = "real",
        /// `true`, `false`, `1` or `0`.
        Boolean = "boolean",
        /// Text.
        Text = "text",
        /// Numbers with a unit, `622.8ms`, converted to the column's.
        Quantity = "quantity",
    }
}

/// Which matches of a regular expression count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The only one; two are an error.
    Only,
    /// The last one.
    Last,
    /// Each is a row.
    Every,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: String,
    /// The type of its values.
    pub of: ColumnType,
    /// Whether a value may be missing.
    pub optional: bool,
    /// Where the value is in a JSON document or object, or the name in lines of names and values.
    pub path: Option<String>,
    /// Where the rows are in a JSON document.
    pub each: Option<String>,
    /// The regular expression that finds the value.
    pub pattern: Option<String>,
    /// Which of its matches count.
    pub pick: Pick,
    /// The column that says how often each value was there: rows are then buckets of a histogram.
    pub weight: Option<String>,
    /// Whether it says so of others: its values are then no less than 0.
    pub counts: bool,
}

impl Column {
    /// A column that is read by its name.
    #[must_use]
    pub fn plain(name: &str, unit: &str, of: ColumnType) -> Self {
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            of,
            optional: false,
            path: None,
            each: None,
            pattern: None,
            pick: Pick::Only,
            weight: None,
            counts: false,
        }
    }

    /// The type as filters and metrics see it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        sources::kind(self.of)
    }
}

/// Reads the columns of a source: of the only one, or of the one with that name.
pub(super) fn columns(
    root: &Table<'_>,
    name: Option<&str>,
    format: Format,
    strings: &Strings<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Column> {
    let example = name.map_or("[columns]".to_owned(), |name| format!("[columns.{name}]"));
    let Some(value) =
        root.require("columns", &format!("{example}\nlatency_us = {{ unit = \"us\", type = \"integer\" }}"), problems)
    else {
        return Vec::new();
    };
    let Some(mut table) = read::any_table(value, "[columns]", problems) else { return Vec::new() };
    if let Some(name) = name {
        table = match table.get(name).map(Value::get_ref) {
            Some(DeValue::Table(table)) => table,
            _ => {
                let problem = Problem::new(format!("source `{name}` has no columns")).at(value.span());
                problems.push(problem.label(format!("[columns.{name}] is missing")));
                return Vec::new();
            }
        };
    }
    let mut columns: Vec<Column> = Vec::new();
    for (name, place, value) in read::entries(table) {
        if RESERVED.contains(&name) || !read::is_identifier(name) {
            let problem = Problem::new(format!("a column cannot be called `{name}`")).at(place).label("not a name");
            problems.push(problem.help("a small letter, then small letters, digits and `_`; some words are reserved"));
            continue;
        }
        if strings.axes.position(name).is_some() {
            let problem = Problem::new(format!("`{name}` is an axis and a column")).at(place);
            problems.push(problem.label("taken by an axis"));
            continue;
        }
        columns.extend(column(name, value, format, problems));
    }
    if columns.is_empty() && problems.is_empty() {
        problems.push(Problem::new(format!("{example} is empty")).at(value.span()).label("expected a column"));
    }
    weigh(&mut columns, table, value.span(), problems);
    check(&columns, format, value, problems);
    columns
}

fn column(name: &str, value: &Value<'_>, format: Format, problems: &mut Vec<Problem>) -> Option<Column> {
    let table = Table::open(value, "a column", KEYS, problems)?;
    let weight = table.get("weight").map(|value| read::text(value, "`weight`", problems).map(str::to_owned));
    let of = table.require("type", "type = \"integer\"", problems)?;
    let text = read::text(of, "`type`", problems)?;
    let of = ColumnType::ALL[read::position(text, of.span(), "type", &ColumnType::NAMES, problems)?];
    let unit = match table.get("unit") {
        Some(value) => read::words(value, "`unit`", problems)?,
        None if matches!(of, ColumnType::Text | ColumnType::Boolean) => "1".to_owned(),
        None => {
            let problem = Problem::new(format!("column `{name}` lacks `unit`")).at(value.span());
            problems.push(problem.label("numbers need a unit").help("write unit = \"us\", or unit = \"1\" for none"));
            return None;
        }
    };
    if of == ColumnType::Quantity && quantity::scale(&unit).is_none() {
        let problem = Problem::new(format!("quantities cannot be converted to `{unit}`")).at(value.span());
        problems.push(problem.label("not a unit known here").help(format!("units: {}", quantity::UNITS.join(" "))));
        return None;
    }
    let optional = match table.get("optional") {
        Some(value) => read::boolean(value, "`optional`", problems)?,
        None => false,
    };
    let mut path =
        |key: &str| table.get(key).map(|value| read::text(value, &format!("`{key}`"), problems).map(str::to_owned));
    let (at, each) = (path("path").flatten(), path("each").flatten());
    for (key, json) in [
        ("path", format == Format::Json || format == Format::Jsonl || format == Format::Kv),
        ("each", format == Format::Json),
    ] {
        if let Some(place) = table.key_span(key).filter(|_| !json) {
            let problem = Problem::new(format!("`{key}` says nothing of {} rows", format.name())).at(place);
            problems.push(problem.label("not for this format"));
        }
    }
    let mut pick = Pick::Only;
    if let Some(value) = table.get("pick") {
        match read::text(value, "`pick`", problems)? {
            "last" => pick = Pick::Last,
            other => problems.push(read::unknown("pick", other, value.span(), &["last"])),
        }
    }
    if let Some(value) = table.get("every")
        && read::boolean(value, "`every`", problems)?
    {
        pick = Pick::Every;
    }
    let pattern = match table.get("match") {
        Some(value) if format == Format::Regex => {
            let pattern = read::text(value, "`match`", problems)?;
            if let Err(error) = regex_lite::Regex::new(pattern) {
                let problem = Problem::new(format!("`match` is no regular expression: {error}")).at(value.span());
                problems.push(problem.label("cannot be read"));
                return None;
            }
            if !pattern.contains(&format!("(?<{name}>")) && !pattern.contains(&format!("(?P<{name}>")) {
                let problem = Problem::new(format!("`match` has no group called `{name}`")).at(value.span());
                problems.push(problem.label(format!("write (?<{name}>...) around the value")));
                return None;
            }
            Some(pattern.to_owned())
        }
        Some(value) => {
            let problem = Problem::new(format!("`match` says nothing of {} rows", format.name())).at(value.span());
            problems.push(problem.label("not for this format"));
            None
        }
        None if format == Format::Regex => {
            let problem = Problem::new(format!("column `{name}` lacks `match`")).at(value.span());
            problems
                .push(problem.label("regex rows need one").help(format!("write match = 'ops/s: (?<{name}>[0-9.]+)'")));
            None
        }
        None => None,
    };
    let (name, weight) = (name.to_owned(), weight.flatten());
    Some(Column { name, unit, of, optional, path: at, each, pattern, pick, weight, counts: false })
}

/// Finds the columns that weigh others.
fn weigh(columns: &mut [Column], table: &DeTable<'_>, whole: Range<usize>, problems: &mut Vec<Problem>) {
    let wanted: Vec<(String, String)> =
        columns.iter().filter_map(|column| Some((column.name.clone(), column.weight.clone()?))).collect();
    for (name, weight) in wanted {
        let place = table.get(name.as_str()).map_or_else(|| whole.clone(), |column| column.span());
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let Some(found) = columns.iter_mut().find(|column| column.name == weight && column.name != name) else {
            let known: Vec<&str> = names.iter().filter(|known| **known != name).map(String::as_str).collect();
            problems.push(read::unknown("column", &weight, place, &known));
            continue;
        };
        found.counts = true;
        if found.of != ColumnType::Integer || found.optional || found.weight.is_some() {
            let problem = Problem::new(format!("`{weight}` cannot weigh `{name}`")).at(place);
            problems.push(problem.label("a weight is an integer in every row, and has no weight itself"));
        }
    }
}

fn check(columns: &[Column], format: Format, value: &Value<'_>, problems: &mut Vec<Problem>) {
    let mut each: Vec<&str> = columns.iter().filter_map(|column| column.each.as_deref()).collect();
    each.sort_unstable();
    each.dedup();
    if each.len() > 1 {
        let problem = Problem::new("columns of one source have several `each`").at(value.span());
        problems.push(problem.label("rows are the items of one list"));
    }
    let every = columns.iter().filter(|column| column.pick == Pick::Every).count();
    if format == Format::Regex && every > 0 && every < columns.len() {
        let problem = Problem::new("either every column of a source has `every = true`, or none").at(value.span());
        problems.push(problem.label("how many rows are there?"));
    }
}

/// Columns of sources that are not there.
pub(super) fn unknown_sources(root: &Table<'_>, sources: &[Source], problems: &mut Vec<Problem>) {
    let Some(DeValue::Table(table)) = root.get("columns").map(Value::get_ref) else { return };
    let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    for (name, place, _) in read::entries(table) {
        if !known.contains(&name) {
            problems.push(read::unknown("source", name, place, &known));
        }
    }
}
