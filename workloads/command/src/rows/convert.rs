//! One value: from the text that a program wrote to its canonical text.

use matrix_core::value::canonical_number;

use super::quantity;
use crate::file::{Column, ColumnType};

/// Appends the canonical text of a value to `out`.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn convert(column: &Column, text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let trimmed = text.trim();
    if trimmed.is_empty() && column.of != ColumnType::Text || text.is_empty() {
        if column.optional {
            return Ok(());
        }
        return Err(format!("column `{}` is empty; if it may be, say `optional = true`", column.name));
    }
    let not = |what: &str| Err(format!("column `{}`: `{}` is not {what}", column.name, shown(text)));
    match column.of {
        ColumnType::Integer => match trimmed.parse::<i64>() {
            Ok(number) if column.counts && number < 0 => return not("a count: it is less than 0"),
            Ok(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Err(_) => return not("a whole number"),
        },
        ColumnType::Real => match trimmed.parse::<f64>() {
            Ok(number) if number.is_finite() => real(number, out),
            Ok(_) => return not("a finite number"),
            Err(_) => return not("a number"),
        },
        ColumnType::Quantity => match quantity::convert(trimmed, &column.unit) {
            Ok(number) => real(number, out),
            Err(why) => return Err(format!("column `{}`: `{}`: {why}", column.name, shown(text))),
        },
        ColumnType::Boolean => match trimmed {
            "true" | "1" => out.extend_from_slice(b"true"),
            "false" | "0" => out.extend_from_slice(b"false"),
            _ => return not("true, false, 1 or 0"),
        },
        ColumnType::Text => push_text(text, out),
    }
    Ok(())
}

fn real(number: f64, out: &mut Vec<u8>) {
    // Adding zero turns -0 into 0.
    out.extend_from_slice(canonical_number(number + 0.0).as_bytes());
}

/// A text as CSV has it: in quotes where it has to be.
fn push_text(text: &str, out: &mut Vec<u8>) {
    if !text.contains([',', '"', '\n', '\r']) && text.trim() == text {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

/// The start of a text, for a message that may reach a terminal.
fn shown(text: &str) -> String {
    let clean: String = text.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().count() > 40 { format!("{clean}...") } else { clean }
}
