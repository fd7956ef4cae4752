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

/// Where a part of a TOML string's text stands in the source; the whole string where that is not found.
#[must_use]
pub fn inside(source: &str, whole: &Range<usize>, text: &str, at: &Range<usize>) -> Range<usize> {
    let found = source.get(whole.clone()).and_then(|written| written_at(written, text, at));
    found.map_or_else(|| whole.clone(), |found| whole.start + found.start..whole.start + found.end)
}

/// Where a part of a text stands in the TOML string that was `written` for it, which may have escapes.
fn written_at(written: &str, text: &str, at: &Range<usize>) -> Option<Range<usize>> {
    let quote = written.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    let is_long = written.starts_with(&[quote; 3].iter().collect::<String>()) && written.len() >= 6;
    let quotes = if is_long { 3 } else { 1 };
    let inner = written.get(quotes..written.len().checked_sub(quotes)?)?;
    // The first line end of a long string is none of its text.
    let trimmed = inner.strip_prefix("\r\n").or_else(|| inner.strip_prefix('\n')).filter(|_| is_long).unwrap_or(inner);
    let (mut place, mut read, mut start) = (quotes + inner.len() - trimmed.len(), 0, None);
    loop {
        if read == at.start {
            start = Some(place);
        }
        if read == at.end {
            return Some(start?..place);
        }
        let rest = written.get(place..written.len() - quotes)?;
        let letter = text.get(read..)?.chars().next()?;
        place += match rest.strip_prefix('\\').filter(|_| quote == '"').map(|escape| (escape, escape.chars().next())) {
            Some((_, Some('u'))) => 6,
            Some((_, Some('U'))) => 10,
            Some((_, Some('x'))) => 4,
            Some((escape, Some(blank))) if blank.is_ascii_whitespace() => {
                place += 1 + escape.len() - escape.trim_start().len();
                continue;
            }
            Some(_) => 2,
            None if letter == '\n' && rest.starts_with("\r\n") => 2,
            None => rest.strip_prefix(letter).map(|_| letter.len_utf8())?,
        };
        read += letter.len_utf8();
    }
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

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;

    #[test]
    fn a_part_of_a_text_is_found_in_every_form_of_string() {
        let part = "{\"v\": 1}";
        for written in [
            r#""\u00e9 '{\"v\": 1}'""#,
            r#""\U000000e9\t{\"v\": 1}""#,
            "'\u{e9} {\"v\": 1}'",
            "'''\n\u{e9}\n{\"v\": 1}'''",
            "\"\"\"\r\n\u{e9} \\\n   {\"v\": 1}\"\"\"",
        ] {
            let source = format!("# \u{e9}\nkey = {written}\n");
            let (document, errors) = DeTable::parse_recoverable(&source);
            assert!(errors.is_empty(), "{written}: {errors:?}");
            let value = document.get_ref().get("key").unwrap();
            let text = value.get_ref().as_str().unwrap();
            let at = text.find(part).unwrap();
            let found = inside(&source, &value.span(), text, &(at..at + part.len()));
            assert_eq!(source[found].replace("\\\"", "\""), part, "{written}");
            assert_eq!(inside(&source, &value.span(), "another text", &(1..4)), value.span());
        }
    }
}
