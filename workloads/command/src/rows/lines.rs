//! Text: by regular expressions, or lines of names and values.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::Regex;

use super::{FrameError, PassedOver, TakeRow, did_you_mean};
use crate::file::{Column, Pick};

/// One row of what each column's expression finds, or a row for each match.
pub(super) fn regex(columns: &[Column], text: &str, rows: &mut dyn TakeRow) -> Result<Vec<String>, FrameError> {
    let mut found: Vec<Vec<&str>> = Vec::new();
    for column in columns {
        let pattern = column.pattern.as_deref().unwrap_or_default();
        let regex =
            Regex::new(pattern).map_err(|error| FrameError::Bad(format!("`match` of `{}`: {error}", column.name)))?;
        let group = |captures: regex_lite::Captures<'_>| captures.name(&column.name).map(|group| group.range());
        let matches: Vec<&str> = regex.captures_iter(text).filter_map(group).filter_map(|at| text.get(at)).collect();
        let name = &column.name;
        match (column.pick, matches.len()) {
            (_, 0) if column.optional => {}
            (_, 0) => return Err(FrameError::Bad(format!("`match` of column `{name}` finds nothing"))),
            (Pick::Only, count @ 2..) => {
                let help = "say `pick = \"last\"` or `every = true`, or make it narrower";
                return Err(FrameError::Bad(format!("`match` of column `{name}` finds {count} places; {help}")));
            }
            _ => {}
        }
        found.push(if column.pick == Pick::Last { matches.last().copied().into_iter().collect() } else { matches });
    }
    let every = columns.iter().any(|column| column.pick == Pick::Every);
    let count = if every { found.iter().map(Vec::len).max().unwrap_or(0) } else { 1 };
    if every && let Some((column, matches)) = columns.iter().zip(&found).find(|(_, matches)| matches.len() != count) {
        let what =
            format!("`match` of column `{}` finds {} places, that of another {count}", column.name, matches.len());
        return Err(FrameError::Bad(what));
    }
    for number in 0..count {
        let fields: Vec<Option<&str>> = found.iter().map(|matches| matches.get(number).copied()).collect();
        rows.row(&fields)?;
    }
    Ok(Vec::new())
}

/// One row of lines `name = value` or `name: value`; other lines are passed over.
pub(super) fn names_and_values(
    columns: &[Column],
    text: &str,
    rows: &mut dyn TakeRow,
) -> Result<Vec<String>, FrameError> {
    let mut found: BTreeMap<&str, &str> = BTreeMap::new();
    let mut twice: BTreeSet<&str> = BTreeSet::new();
    for line in text.lines() {
        let Some(at) = line.find(['=', ':']) else { continue };
        let (name, value) = (line[..at].trim(), line[at + 1..].trim());
        if found.insert(name, value).is_some() {
            twice.insert(name);
        }
    }
    let known: Vec<&str> = found.keys().copied().collect();
    let mut fields = Vec::new();
    for column in columns {
        let name = column.path.as_deref().unwrap_or(&column.name);
        if twice.contains(name) {
            return Err(FrameError::Bad(format!("`{name}` stands there twice")));
        }
        match found.get(name) {
            Some(value) => fields.push(Some(*value)),
            None if column.optional => fields.push(None),
            None => {
                return Err(FrameError::Bad(format!("there is no line for `{name}`{}", did_you_mean(name, &known))));
            }
        }
    }
    rows.row(&fields)?;
    let declared = |name: &&str| columns.iter().any(|column| column.path.as_deref().unwrap_or(&column.name) == *name);
    let mut unknown = PassedOver::default();
    known.iter().filter(|name| !declared(name)).for_each(|name| unknown.add(name));
    Ok(unknown.list())
}
