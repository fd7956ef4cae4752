//! Axes: what an experiment varies, and the values that each may have.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::Problem;
use toml::de::DeValue;

use crate::read::{self, Table};
use crate::value::{Kind, Value};

/// Names that axes and columns may not have: they mean something else in placeholders, matrices and filters.
pub const RESERVED: [&str; 13] = [
    "name",
    "exclude",
    "include",
    "round",
    "seed",
    "out",
    "scratch",
    "prepared",
    "port",
    "addr",
    "site",
    "experiment",
    "run",
];

/// Most values of one axis.
const MAX_VALUES: usize = 100_000;

/// One value of every axis of a set, by position.
pub type Point = Vec<Value>;

/// Arguments by the canonical text of a value, each with its place.
pub type Args = BTreeMap<String, Vec<(String, Range<usize>)>>;

/// What an experiment varies.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: Kind,
    /// Its values, in the order of the file, none twice.
    pub values: Vec<Value>,
    /// The value that a matrix has that does not name the axis; without one, all values.
    pub default: Option<Value>,
    /// What figures and tables call values, by their canonical text.
    pub labels: BTreeMap<String, String>,
    /// Arguments that `{axis:args}` stands for, by the value's canonical text.
    pub args: Option<Args>,
    /// Where its name stands.
    pub place: Range<usize>,
}

impl Axis {
    /// An axis of these values, without labels and arguments.
    #[must_use]
    pub fn plain(name: &str, kind: Kind, values: Vec<Value>) -> Self {
        let name = name.to_owned();
        Self { name, kind, values, default: None, labels: BTreeMap::new(), args: None, place: 0..0 }
    }

    /// What figures and tables call a value.
    #[must_use]
    pub fn label(&self, value: &Value) -> String {
        let text = value.to_string();
        self.labels.get(&text).cloned().unwrap_or(text)
    }

    /// The place of a value among the axis's values.
    #[must_use]
    pub fn rank(&self, value: &Value) -> Option<usize> {
        self.values.iter().position(|known| known == value)
    }

    /// Reads one value of the axis; that it is none is a problem.
    pub fn value(&self, value: &read::Value<'_>, problems: &mut Vec<Problem>) -> Option<Value> {
        let found = Value::of_toml(value.get_ref()).and_then(|value| value.into_kind(self.kind));
        let Some(found) = found else {
            let what = format!("a value of `{}`", self.name);
            problems.push(read::wrong_type(&what, self.kind.name(), value.get_ref(), value.span()));
            return None;
        };
        if self.rank(&found).is_none() {
            problems.push(self.unknown_value(&found.to_string(), value.span()));
            return None;
        }
        Some(found)
    }

    /// The problem of a value that the axis does not have.
    #[must_use]
    pub fn unknown_value(&self, text: &str, place: Range<usize>) -> Problem {
        let known: Vec<String> = self.values.iter().map(ToString::to_string).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).take(50).collect();
        Problem::new(format!("axis `{}` has no value `{text}`", self.name)).at(place).unknown(text, "values", &known)
    }
}

/// The axes of an experiment, in the order of its file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AxisSet {
    /// The axes.
    pub axes: Vec<Axis>,
}

impl AxisSet {
    /// The position of an axis.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.axes.iter().position(|axis| axis.name == name)
    }

    /// The names, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.axes.iter().map(|axis| axis.name.as_str()).collect()
    }

    /// A point as people read it: `engine=lmdb threads=8`.
    #[must_use]
    pub fn show(&self, point: &[Value]) -> String {
        let parts = self.axes.iter().zip(point).map(|(axis, value)| format!("{}={value}", axis.name));
        parts.collect::<Vec<_>>().join(" ")
    }

    /// A point as JSON: its values by the names of axes.
    #[must_use]
    pub fn to_json(&self, point: &[Value]) -> serde_json::Map<String, serde_json::Value> {
        self.axes.iter().zip(point).map(|(axis, value)| (axis.name.clone(), value.to_json())).collect()
    }

    /// The order of points: by the places of their values in the file.
    #[must_use]
    pub fn ranks(&self, point: &[Value]) -> Vec<usize> {
        self.axes.iter().zip(point).map(|(axis, value)| axis.rank(value).unwrap_or(usize::MAX)).collect()
    }

    /// Reads `[axes]`.
    pub fn parse(root: &Table<'_>, problems: &mut Vec<Problem>) -> Self {
        let Some(value) = root.require("axes", "[axes]\nthreads = [1, 2, 4]", problems) else {
            return Self::default();
        };
        let Some(table) = read::any_table(value, "[axes]", problems) else { return Self::default() };
        let axes = read::entries(table).into_iter().filter_map(|(name, place, value)| {
            if RESERVED.contains(&name) {
                let problem = Problem::new(format!("an axis cannot be called `{name}`")).at(place);
                problems.push(problem.label("reserved").help(format!("reserved: {}", RESERVED.join(", "))));
                return None;
            }
            if !read::is_identifier(name) {
                let problem = Problem::new(format!("`{name}` is no name of an axis")).at(place).label("not a name");
                problems.push(problem.help("a small letter, then small letters, digits and `_`"));
                return None;
            }
            axis(name, place, value, problems)
        });
        Self { axes: axes.collect() }
    }
}

/// Largest whole number, and smallest with a minus sign, that an axis may have: canonical JSON (RFC 8785) rounds larger ones.
const MAX_WHOLE: u64 = 1 << 53;

/// Keys of an axis that is a table.
pub const KEYS: &[&str] = &["values", "from", "to", "step", "factor", "default", "labels", "args"];

fn axis(name: &str, place: Range<usize>, value: &read::Value<'_>, problems: &mut Vec<Problem>) -> Option<Axis> {
    let (values, table) = match value.get_ref() {
        DeValue::Array(_) => (listed(value, name, problems)?, None),
        DeValue::Table(_) => {
            let table = Table::open(value, "an axis", KEYS, problems)?;
            let values = match table.get("values") {
                Some(list) => {
                    if let Some(key) = ["from", "to", "step", "factor"].into_iter().find_map(|key| table.key_span(key))
                    {
                        let problem = Problem::new(format!("axis `{name}` has both values and a range")).at(key);
                        problems.push(problem.label("one of them is too many"));
                    }
                    listed(list, name, problems)?
                }
                None => range(&table, name, problems)?,
            };
            (values, Some(table))
        }
        other => {
            let what = format!("axis `{name}`");
            let problem = read::wrong_type(&what, "a list of values, a range or a table", other, value.span());
            problems.push(problem.help(format!("write `{name} = [...]`")));
            return None;
        }
    };
    let inexact = |value: &&Value| matches!(value, Value::Whole(number) if number.unsigned_abs() > MAX_WHOLE);
    if let Some(number) = values.iter().find(inexact) {
        let problem = Problem::new(format!("axis `{name}` has the whole number {number}, which is beyond 2^53"));
        let help =
            "keys are computed of JSON, whose numbers beyond 2^53 are not told apart: write it as a text, in quotes";
        problems.push(problem.at(value.span()).label("too large").help(help));
        return None;
    }
    let kind = values.first()?.kind();
    let mut axis =
        Axis { name: name.to_owned(), kind, values, default: None, labels: BTreeMap::new(), args: None, place };
    if let Some(table) = table {
        axis.default = table.get("default").and_then(|value| axis.value(value, problems));
        if let Some(labels) = by_value(&table, "labels", &axis, problems) {
            let read = labels.into_iter().filter_map(|(key, value)| {
                read::text(value, "a label", problems).map(|label| (key.to_owned(), label.to_owned()))
            });
            axis.labels = read.collect();
        }
        axis.args = args(&table, &axis, problems);
    }
    Some(axis)
}

/// A list of values: of one type, but for whole numbers among real ones; none twice.
fn listed(value: &read::Value<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<Vec<Value>> {
    let what = format!("axis `{name}`");
    let items = read::items(value, &what, problems)?;
    if items.is_empty() {
        problems.push(Problem::new(format!("{what} is empty")).at(value.span()).label("expected at least one value"));
        return None;
    }
    let mut values = Vec::new();
    for item in items {
        let Some(read) = Value::of_toml(item.get_ref()) else {
            let what = format!("a value of {what}");
            problems.push(read::wrong_type(&what, "a text, a number, true or false", item.get_ref(), item.span()));
            return None;
        };
        values.push(read);
    }
    let real = values.iter().any(|value| value.kind() == Kind::Real);
    let kind = if real { Kind::Real } else { values.first()?.kind() };
    let mut found: Vec<Value> = Vec::new();
    for (value, item) in values.into_iter().zip(items) {
        let Some(value) = value.into_kind(kind) else {
            let problem = Problem::new(format!("{what} mixes types")).at(item.span());
            problems.push(problem.label(format!("the others are {}", plural(kind))));
            return None;
        };
        if let Value::Text(text) = &value
            && (text.is_empty() || text.chars().any(char::is_control))
        {
            let problem = Problem::new(format!("a value of {what} is empty or has control characters"));
            problems.push(problem.at(item.span()).label("not a value"));
            return None;
        }
        if found.contains(&value) {
            let problem = Problem::new(format!("{what} names a value twice")).at(item.span());
            problems.push(problem.label("stands in the list already"));
            return None;
        }
        found.push(value);
    }
    Some(found)
}

fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "true or false",
        Kind::Whole => "whole numbers",
        Kind::Real => "numbers",
        Kind::Text => "texts",
    }
}

/// A range: `from` and `to`, which is included if it is hit, by `step` or `factor`.
fn range(table: &Table<'_>, name: &str, problems: &mut Vec<Problem>) -> Option<Vec<Value>> {
    let mut bound = |key: &str, example: &str| {
        let value = table.require(key, example, problems)?;
        let read = Value::of_toml(value.get_ref()).filter(|value| value.kind().is_number());
        if read.is_none() {
            problems.push(read::wrong_type(&format!("`{key}`"), "a number", value.get_ref(), value.span()));
        }
        read
    };
    let (from, to) = (bound("from", "from = 1")?, bound("to", "to = 8")?);
    let (key, by) = match (table.get("step"), table.get("factor")) {
        (Some(step), None) => ("step", step),
        (None, Some(factor)) => ("factor", factor),
        (None, None) => {
            let problem = Problem::new(format!("axis `{name}` lacks `step` or `factor`")).at(table.span());
            problems.push(problem.label("how far is it from one value to the next?"));
            return None;
        }
        (Some(_), Some(factor)) => {
            let problem = Problem::new(format!("axis `{name}` has both `step` and `factor`")).at(factor.span());
            problems.push(problem.label("one of them is too many"));
            return None;
        }
    };
    let least = if key == "step" { 0.0 } else { 1.0 };
    let stride = Value::of_toml(by.get_ref()).filter(|stride| stride.number().is_some_and(|number| number > least));
    let Some(stride) = stride else {
        let problem = Problem::new(format!("`{key}` is out of bounds")).at(by.span());
        problems.push(problem.label(format!("must be a number above {least}")));
        return None;
    };
    let (first, last, stride_number) = (from.number()?, to.number()?, stride.number()?);
    if last < first || (key == "factor" && first <= 0.0) {
        let problem = Problem::new(format!("the range of axis `{name}` is empty or has no end")).at(table.span());
        problems.push(problem.label("`to` must not be below `from`, and `factor` needs `from` above 0"));
        return None;
    }
    let whole = [&from, &to, &stride].iter().all(|value| value.kind() == Kind::Whole);
    let mut values = Vec::new();
    let mut product = first;
    for n in 0u32.. {
        let number = if key == "step" { first + f64::from(n) * stride_number } else { product };
        // A real step of 0.1 is to hit its end in spite of rounding.
        if number > last + if whole { 0.0 } else { last.abs() * 1e-12 } {
            break;
        }
        if values.len() >= MAX_VALUES {
            let problem = Problem::new(format!("axis `{name}` has more than {MAX_VALUES} values")).at(table.span());
            problems.push(problem.label("too many"));
            return None;
        }
        values.push(if whole { Value::Whole(number as i64) } else { Value::real(rounded(number))? });
        product *= stride_number;
    }
    Some(values)
}

/// The number without the last digits that adding steps leaves wrong.
fn rounded(number: f64) -> f64 {
    format!("{number:.12e}").parse().unwrap_or(number)
}

/// A table whose keys are values of the axis, in their canonical text.
fn by_value<'a>(
    table: &Table<'a>,
    key: &str,
    axis: &Axis,
    problems: &mut Vec<Problem>,
) -> Option<Vec<(&'a str, &'a read::Value<'a>)>> {
    let value = table.get(key)?;
    let entries = read::any_table(value, &format!("`{key}`"), problems)?;
    let mut found = Vec::new();
    for (text, place, value) in read::entries(entries) {
        if axis.values.iter().any(|known| known.to_string() == text) {
            found.push((text, value));
        } else {
            problems.push(axis.unknown_value(text, place));
        }
    }
    Some(found)
}

fn args(table: &Table<'_>, axis: &Axis, problems: &mut Vec<Problem>) -> Option<Args> {
    let listed = by_value(table, "args", axis, problems)?;
    let mut args = BTreeMap::new();
    for (text, value) in listed {
        args.insert(text.to_owned(), read::texts(value, "`args`", problems)?);
    }
    let missing = axis.values.iter().map(ToString::to_string).find(|value| !args.contains_key(value));
    if let (Some(missing), Some(place)) = (missing, table.key_span("args")) {
        let problem = Problem::new(format!("`args` of axis `{}` lacks the value `{missing}`", axis.name)).at(place);
        problems.push(problem.label("each value needs its arguments").help(format!("write `{missing} = []` for none")));
    }
    Some(args)
}
