//! Reading the tables of an experiment's file, above what [`crate::walk`] has for that.

use std::ops::Range;

use crate::Problem;
use crate::walk::list_of;
pub use crate::walk::{Table, Value, any_table, boolean, integer, items, number, slug, text, words, wrong_type};
use toml::de::DeTable;

/// Whether rules hold that are later than the schema of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// They do: a person gives the file.
    #[default]
    Given,
    /// They do not: a run saved the text, and what was allowed then stays readable.
    Saved,
}

/// The entries of a table in the order of the text: key, place of the key, value.
#[must_use]
pub fn entries<'a>(table: &'a DeTable<'a>) -> Vec<(&'a str, Range<usize>, &'a Value<'a>)> {
    let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value)).collect();
    entries.sort_by_key(|(_, span, _)| span.start);
    entries
}

/// The tables of `[[key]]`; none if the key is not there.
pub fn tables<'a>(
    root: &Table<'a>,
    key: &str,
    name: &'static str,
    keys: &'static [&'static str],
    problems: &mut Vec<Problem>,
) -> Vec<Table<'a>> {
    let values = values(root, key, &format!("write each as {name}"), problems);
    values.iter().filter_map(|item| Table::open(item, name, keys, problems)).collect()
}

/// The values of `[[key]]`, whatever they are; `help` says how a list of them is written.
pub fn values<'a>(root: &Table<'a>, key: &str, help: &str, problems: &mut Vec<Problem>) -> &'a [Value<'a>] {
    let value = root.get(key);
    value.and_then(|value| list_of(value, &format!("`{key}`"), "a list of tables", help, problems)).unwrap_or_default()
}

/// A list of texts, each with its place.
pub fn texts(value: &Value<'_>, what: &str, problems: &mut Vec<Problem>) -> Option<Vec<(String, Range<usize>)>> {
    let items = items(value, what, problems)?;
    let read = |item: &Value<'_>| {
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

/// The position of a name among those that are known. Any other one is a problem.
pub fn position(
    name: &str,
    place: Range<usize>,
    what: &str,
    known: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<usize> {
    let found = known.iter().position(|known| *known == name);
    if found.is_none() {
        problems.push(unknown(what, name, place, known));
    }
    found
}

/// The word of those that are known that a text is. Any other one is a problem.
pub fn one_of<'k>(
    value: &Value<'_>,
    key: &str,
    what: &str,
    known: &[&'k str],
    problems: &mut Vec<Problem>,
) -> Option<&'k str> {
    let word = text(value, key, problems)?;
    known.get(position(word, value.span(), what, known, problems)?).copied()
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

/// What the text of a TOML string was read as; a problem with it is noted at its place in the file.
pub fn noted<T>(
    read: Result<T, Problem>,
    text: &str,
    source: &str,
    whole: &Range<usize>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let note = |problem: Problem| {
        let place = problem.span.clone().map_or_else(|| whole.clone(), |at| inside(source, whole, text, &at));
        problems.push(problem.at(place));
    };
    read.map_err(note).ok()
}
