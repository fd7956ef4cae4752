//! Tables as CSV, and numbers of things in sentences.

use crate::value::canonical_number;

/// A number with all of its digits, or nothing where there is none.
#[must_use]
pub fn exact(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map(canonical_number).unwrap_or_default()
}

/// A head and lines as CSV (RFC 4180, with bare line ends).
#[must_use]
pub fn csv(head: &[String], lines: &[Vec<String>]) -> String {
    let quoted = |text: &String| {
        if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.clone() }
    };
    let line = |fields: &[String]| fields.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n";
    std::iter::once(line(head)).chain(lines.iter().map(|fields| line(fields))).collect()
}

/// The name of a column of ours beside columns that people named: with `prefix` before it where they took it.
#[must_use]
pub fn free_name(prefix: &str, name: &str, taken: &[impl AsRef<str>]) -> String {
    let mut name = name.to_owned();
    while taken.iter().any(|other| other.as_ref() == name) {
        name = format!("{prefix}_{name}");
    }
    name
}

/// How many of something, whose name without an `s` is that of one: `1 cell`, `2 cells`.
#[must_use]
pub fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
