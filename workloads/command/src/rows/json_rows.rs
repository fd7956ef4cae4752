//! JSON: an object a line, or one document read by pointers (RFC 6901).

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

use serde_json::Value;

use super::strict_json::Strict;
use super::{FrameError, PassedOver, TakeRow, did_you_mean};
use crate::file::Column;

/// Longest line.
const MAX_LINE: u64 = 16 << 20;

/// The text of a scalar; an error for lists and objects.
fn scalar(value: &Value) -> Result<Option<Cow<'_, str>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(Cow::Borrowed(if *flag { "true" } else { "false" }))),
        Value::Number(number) => Ok(Some(Cow::Owned(number.to_string()))),
        Value::String(text) => Ok(Some(Cow::Borrowed(text))),
        Value::Array(_) => Err("is a list, not one value".to_owned()),
        Value::Object(_) => Err("is an object, not one value".to_owned()),
    }
}

fn field<'v>(column: &Column, value: &'v Value) -> Result<Option<Cow<'v, str>>, FrameError> {
    let found = match &column.path {
        Some(path) => value.pointer(path),
        None => value.get(&column.name),
    };
    match found {
        Some(found) => {
            scalar(found).map_err(|what| FrameError::Bad(format!("what column `{}` names {what}", column.name)))
        }
        None if column.optional => Ok(None),
        None => {
            let what = column.path.as_deref().unwrap_or(&column.name);
            let known: Vec<&str> =
                value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default();
            Err(FrameError::Bad(format!(
                "there is no `{what}` for column `{}`{}",
                column.name,
                did_you_mean(what, &known)
            )))
        }
    }
}

fn row<'v>(
    columns: &[Column],
    value_of: &dyn Fn(&Column) -> &'v Value,
    rows: &mut dyn TakeRow,
) -> Result<(), FrameError> {
    let fields = columns.iter().map(|column| field(column, value_of(column))).collect::<Result<Vec<_>, _>>()?;
    rows.row(&fields.iter().map(Option::as_deref).collect::<Vec<_>>())
}

/// An object a line; empty lines are passed over.
pub(super) fn lines(columns: &[Column], input: impl Read, rows: &mut dyn TakeRow) -> Result<Vec<String>, FrameError> {
    let mut reader = BufReader::with_capacity(256 << 10, input);
    let mut unknown = PassedOver::default();
    let mut line = Vec::new();
    for number in 1u64.. {
        line.clear();
        (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line).map_err(FrameError::Read)?;
        if line.is_empty() {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let bad = |what: String| FrameError::Bad(format!("line {number}: {what}"));
        let Strict(value) = serde_json::from_slice(&line).map_err(|error| bad(error.to_string()))?;
        let Some(object) = value.as_object() else { return Err(bad("it is not an object".to_owned())) };
        for name in object.keys() {
            if !columns.iter().any(|column| column.name == *name || column.path.is_some()) {
                unknown.add(name);
            }
        }
        row(columns, &|_| &value, rows).map_err(|error| match error {
            FrameError::Bad(what) => bad(what),
            other => other,
        })?;
    }
    Ok(unknown.list())
}

/// One document: a row, or one for each item of `each`.
pub(super) fn document(columns: &[Column], text: &str, rows: &mut dyn TakeRow) -> Result<Vec<String>, FrameError> {
    // Programs print warnings before their JSON, which is theirs to keep out of it: that is told, not guessed at.
    let Strict(value) =
        serde_json::from_str(text).map_err(|error| FrameError::Bad(format!("it is no JSON: {error}")))?;
    let Some(each) = columns.iter().find_map(|column| column.each.as_deref()) else {
        row(columns, &|_| &value, rows)?;
        return Ok(Vec::new());
    };
    let Some(Value::Array(items)) = value.pointer(each) else {
        return Err(FrameError::Bad(format!("`{each}` is no list in it")));
    };
    for item in items {
        row(columns, &|column| if column.each.is_some() { item } else { &value }, rows)?;
    }
    Ok(Vec::new())
}
