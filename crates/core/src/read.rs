//! Reading the tables of an experiment's file, above what [`crate::walk`] has for that.

use std::ops::Range;

use crate::Problem;
pub use crate::walk::{Table, Value, boolean, integer, number, slug, text, words, wrong_type};
use toml::de::{DeTable, DeValue};

/// The entries of a table in the order of the text: key, place of the key, value.
#[must_use]
pub fn entries<'a>(table: &'a DeTable<'a>) -> Vec<(&'a str, Range<usize>, &'a Value<'a>)> {
    let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value)).collect();
    entries.sort_by_key(|(_, span, _)| span.start);
    entries
}

/// The table in `value`, whatever its keys.
pub fn any_table<'a>(value: &'a Value<'a>, what: &str, problems: &mut Vec<Problem>) -> Option<&'a DeTable<'a>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        other => {
            problems.push(wrong_type(what, "a table", other, value.span()));
            None
        }
    }
}

/// The tables of `[[key]]`; none if the key is not there.
pub fn tables<'a>(
    root: &Table<'a>,
    key: &str,
    name: &'static str,
    keys: &'static [&'static str],
    problems: &mut Vec<Problem>,
) -> Vec<Table<'a>> {
    values(root, key, name, problems).into_iter().filter_map(|item| Table::open(item, name, keys, problems)).collect()
}

/// The values of `[[key]]`, whatever they are.
pub fn values<'a>(root: &Table<'a>, key: &str, name: &str, problems: &mut Vec<Problem>) -> Vec<&'a Value<'a>> {
    let Some(value) = root.get(key) else { return Vec::new() };
    match value.get_ref() {
        DeValue::Array(items) => items.iter().collect(),
        other => {
            let problem = wrong_type(&format!("`{key}`"), "a list of tables", other, value.span());
            problems.push(problem.help(format!("write each as {name}")));
            Vec::new()
        }
    }
}

/// The items of a list.
pub fn items<'a>(value: &'a Value<'a>, what: &str, problems: &mut Vec<Problem>) -> Option<Vec<&'a Value<'a>>> {
    match value.get_ref() {
        DeValue::Array(items) => Some(items.iter().collect()),
        other => {
            let problem = wrong_type(what, "a list", other, value.span());
            problems.push(problem.help("a list stands in brackets, even if it has one item"));
            None
        }
    }
}

/// A list of texts, each with its place.
pub fn texts(value: &Value<'_>, what: &str, problems: &mut Vec<Problem>) -> Option<Vec<(String, Range<usize>)>> {
    let items = items(value, what, problems)?;
    let read = |item: &&Value<'_>| {
        let words = text(item, &format!("an item of {what}"), problems)?;
        Some((words.to_owned(), item.span()))
    };
    items.iter().map(read).collect()
}

/// Whether a name is a small letter followed by small letters, digits and `_`: what an axis or a column may be called.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && name.len() <= 64
}

/// The problem of a name that nothing goes by.
#[must_use]
pub fn unknown(what: &str, name: &str, place: Range<usize>, known: &[&str]) -> Problem {
    Problem::new(format!("unknown {what} `{name}`")).at(place).unknown(name, "known", known)
}

/// Where inside a TOML string's place byte `offset` of its text is; the whole string where it has escapes.
#[must_use]
pub fn inside(source: &str, whole: &Range<usize>, text: &str, at: &Range<usize>) -> Range<usize> {
    for quotes in [1, 3] {
        let start = whole.start + quotes;
        if source.get(start..start + text.len()) == Some(text) {
            return start + at.start..start + at.end;
        }
    }
    whole.clone()
}

/// A problem within a TOML string, moved to its place in the file.
#[must_use]
pub fn moved(problem: Problem, source: &str, whole: &Range<usize>, text: &str) -> Problem {
    let place = problem.span.clone().map_or_else(|| whole.clone(), |at| inside(source, whole, text, &at));
    problem.at(place)
}
