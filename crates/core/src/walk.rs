//! Walking a parsed TOML document: reads values, and notes everything that is wrong with them instead of stopping at
//! the first.

use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problem::Problem;
use crate::spelling::nearest;

/// A name that nothing goes by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{text}`")]
pub struct UnknownName {
    /// What it should have named, for example `post storage`.
    pub what: &'static str,
    /// What was written.
    pub text: String,
    /// The spellings that would have been understood.
    pub known: &'static [&'static str],
}

/// A value and its place in the text.
pub type Value<'a> = Spanned<DeValue<'a>>;

/// What messages call the document as a whole.
pub const DOCUMENT: &str = "the experiment";

/// A table whose keys are known.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    entries: &'a DeTable<'a>,
    /// What the table is called in messages, for example `[site]`.
    name: &'static str,
    keys: &'static [&'static str],
    start: usize,
    end: usize,
}

impl<'a> Table<'a> {
    /// The table in `value`. Each key that is not in `keys` is a problem.
    pub fn open(
        value: &'a Value<'a>,
        name: &'static str,
        keys: &'static [&'static str],
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let entries = any_table(value, name, problems)?;
        Some(Self::of(entries, value.span(), name, keys, problems))
    }

    /// The given table. Each key that is not in `keys` is a problem.
    pub fn of(
        entries: &'a DeTable<'a>,
        span: Range<usize>,
        name: &'static str,
        keys: &'static [&'static str],
        problems: &mut Vec<Problem>,
    ) -> Self {
        for key in entries.keys() {
            let text: &str = key.get_ref();
            if !keys.contains(&text) {
                let problem = Problem::new(format!("unknown key `{text}` in {name}")).at(key.span());
                problems.push(problem.unknown(text, "known keys", keys));
            }
        }
        Self { entries, name, keys, start: span.start, end: span.end }
    }

    /// Where the table is.
    pub fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The value of a key, if it is there.
    pub fn get(&self, key: &str) -> Option<&'a Value<'a>> {
        self.entries.get(key)
    }

    /// Where the key itself is, if it is there.
    pub fn key_span(&self, key: &str) -> Option<Range<usize>> {
        self.entries.get_key_value(key).map(|(key, _)| key.span())
    }

    /// The value of a key; its absence is a problem, for which `example` is the remedy, unless the key is there but
    /// misspelt, which is noted already.
    pub fn require(&self, key: &str, example: &str, problems: &mut Vec<Problem>) -> Option<&'a Value<'a>> {
        let value = self.get(key);
        let misspelt = || {
            let unknown = self.entries.keys().filter(|key| !self.keys.contains(&&**key.get_ref()));
            unknown.into_iter().any(|other| nearest(other.get_ref(), self.keys) == Some(key))
        };
        if value.is_none() && !misspelt() {
            let problem = Problem::new(format!("{} lacks `{key}`", self.name)).help(format!("write `{example}`"));
            // The document as a whole is no place to point at.
            problems.push(if self.start == 0 && self.name == DOCUMENT {
                problem
            } else {
                problem.at(self.span()).label(format!("`{key}` is missing"))
            });
        }
        value
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The problem of a value of the wrong type.
pub fn wrong_type(what: &str, expected: &str, found: &DeValue<'_>, span: Range<usize>) -> Problem {
    let found = kind(found);
    Problem::new(format!("{what} must be {expected}, not {found}")).at(span).label(format!("expected {expected}"))
}

/// What `read` takes out of a value that is as expected.
fn of_type<'a, T>(
    value: &'a Value<'a>,
    what: &str,
    expected: &str,
    problems: &mut Vec<Problem>,
    read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
) -> Option<T> {
    let read = read(value.get_ref());
    if read.is_none() {
        problems.push(wrong_type(what, expected, value.get_ref(), value.span()));
    }
    read
}

/// A text.
pub fn text<'a>(value: &'a Value<'a>, what: &str, problems: &mut Vec<Problem>) -> Option<&'a str> {
    of_type(value, what, "a text", problems, DeValue::as_str)
}

/// A table, whatever its keys.
pub fn any_table<'a>(value: &'a Value<'a>, what: &str, problems: &mut Vec<Problem>) -> Option<&'a DeTable<'a>> {
    of_type(value, what, "a table", problems, DeValue::as_table)
}

/// The items of a list.
pub fn items<'a>(value: &'a Value<'a>, what: &str, problems: &mut Vec<Problem>) -> Option<&'a [Value<'a>]> {
    list_of(value, what, "a list", "a list stands in brackets, even if it has one item", problems)
}

pub(crate) fn list_of<'a>(
    value: &'a Value<'a>,
    what: &str,
    expected: &str,
    help: &str,
    problems: &mut Vec<Problem>,
) -> Option<&'a [Value<'a>]> {
    let DeValue::Array(items) = value.get_ref() else {
        problems.push(wrong_type(what, expected, value.get_ref(), value.span()).help(help));
        return None;
    };
    Some(items)
}

/// A text that says something.
pub fn words(value: &Value<'_>, what: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let text = text(value, what, problems)?;
    if text.trim().is_empty() {
        problems.push(Problem::new(format!("{what} is empty")).at(value.span()).label("expected words"));
        return None;
    }
    Some(text.to_owned())
}

/// A name that also serves as a file name: lower-case letters, digits, `_` and `-`.
pub fn slug(value: &Value<'_>, what: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let text = text(value, what, problems)?;
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let good = text.bytes().next().is_some_and(inner) && text.bytes().all(|b| inner(b) || matches!(b, b'_' | b'-'));
    if !good || text.len() > 100 {
        problems.push(Problem::new(format!("{what} `{text}` is no name")).at(value.span()).label("not a name").help(
            "a name has lower-case letters, digits, `_` and `-`, at most 100, and starts with a letter or digit",
        ));
        return None;
    }
    Some(text.to_owned())
}

/// A whole number within bounds.
pub fn integer(value: &Value<'_>, what: &str, range: RangeInclusive<u64>, problems: &mut Vec<Problem>) -> Option<u64> {
    let integer = of_type(value, what, "a whole number", problems, DeValue::as_integer)?;
    let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
    let fitting = number.and_then(|number| u64::try_from(number).ok()).filter(|number| range.contains(number));
    if fitting.is_none() {
        let message = match number {
            Some(number) if number < 0 => format!("{what} cannot be negative"),
            _ => format!("{what} cannot be {integer}"),
        };
        let label = if *range.end() == u64::MAX {
            format!("must be at least {}", range.start())
        } else {
            format!("must be between {} and {}", range.start(), range.end())
        };
        problems.push(Problem::new(message).at(value.span()).label(label));
    }
    fitting
}

/// A number, whole or not. `good` says what is accepted, `label` says so in words.
pub fn number(
    value: &Value<'_>,
    what: &str,
    good: impl Fn(f64) -> bool,
    label: &str,
    problems: &mut Vec<Problem>,
) -> Option<f64> {
    let number = match value.get_ref() {
        DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number as f64)
        }
        other => {
            problems.push(wrong_type(what, "a number", other, value.span()));
            return None;
        }
    };
    let fitting = number.filter(|number| number.is_finite() && good(*number));
    if fitting.is_none() {
        problems.push(Problem::new(format!("{what} is out of bounds")).at(value.span()).label(label));
    }
    fitting
}

/// `true` or `false`.
pub fn boolean(value: &Value<'_>, what: &str, problems: &mut Vec<Problem>) -> Option<bool> {
    of_type(value, what, "true or false", problems, DeValue::as_bool)
}

/// One of a fixed set of names.
pub fn name<T: FromStr<Err = UnknownName>>(value: &Value<'_>, what: &str, problems: &mut Vec<Problem>) -> Option<T> {
    let name = text(value, what, problems)?.parse();
    name.map_err(|unknown| problems.push(unknown_name(&unknown).at(value.span()))).ok()
}

/// The problem of an unknown name, without a place.
pub fn unknown_name(unknown: &UnknownName) -> Problem {
    Problem::new(unknown.to_string()).unknown(&unknown.text, "known", unknown.known)
}

/// A list that has at least one item and no item twice; in rising order.
pub fn list<T: Ord>(
    value: &Value<'_>,
    what: &str,
    problems: &mut Vec<Problem>,
    mut read: impl FnMut(&Value<'_>, &mut Vec<Problem>) -> Option<T>,
) -> Option<Vec<T>> {
    let items = items(value, what, problems)?;
    if items.is_empty() {
        problems.push(Problem::new(format!("{what} is empty")).at(value.span()).label("expected at least one value"));
        return None;
    }
    let before = problems.len();
    let mut seen = std::collections::BTreeSet::new();
    for item in items {
        if let Some(value) = read(item, problems)
            && !seen.insert(value)
        {
            let problem = Problem::new(format!("{what} names a value twice")).at(item.span());
            problems.push(problem.label("stands in the list already"));
        }
    }
    (problems.len() == before).then(|| seen.into_iter().collect())
}
