//! Which line of a refused block is at fault, and why. Slow and plain: [`Row::parse_csv`] reads every line again.

use matrix_app::row::{HEADER, RowError};
use matrix_app::{Outcome, Row};
use matrix_frame::FrameError;

use super::query::PLAUSIBLE;
use crate::error::LoadErrorKind;

/// What is wrong with `block`, whose first line has number `line` and should be the row of request `first`.
pub(super) fn diagnose(block: &[u8], line: u64, first: u64, refused: FrameError) -> LoadErrorKind {
    let lines = block.strip_suffix(b"\n").unwrap_or(block).split(|&byte| byte == b'\n');
    for ((text, line), expected) in lines.zip(line..).zip(first..) {
        if let Err(kind) = check(text, line, expected) {
            return kind;
        }
    }
    let source = match refused {
        FrameError::Polars(error) => error,
        _ => polars::prelude::polars_err!(ComputeError: "a row was refused that seems to be in order"),
    };
    LoadErrorKind::Polars { line, source }
}

/// The row in a line, if it is that of request `expected` and every number in it is plausible.
pub(super) fn check(text: &[u8], line: u64, expected: u64) -> Result<Row, LoadErrorKind> {
    // What is no UTF-8 shows up as a replacement character in the column that holds it.
    let text = String::from_utf8_lossy(text);
    let bad = |source| LoadErrorKind::Row { line, source };
    let columns = text.split(',').count();
    if columns != HEADER.split(',').count() {
        return Err(bad(RowError::Columns(columns)));
    }
    let mut values = HEADER.split(',').zip(text.split(','));
    if let Some((column, value)) = values.find(|(_, value)| value.chars().any(|c| !c.is_ascii_graphic())) {
        return Err(bad(RowError::Value { column, value: value.escape_debug().to_string() }));
    }
    let row = Row::parse_csv(&text).map_err(bad)?;
    if row.i != expected {
        return Err(LoadErrorKind::Order { line, expected, found: row.i });
    }
    if row.outcome == Outcome::Ok && row.consistent_read.is_none() {
        return Err(LoadErrorKind::NoRead { line });
    }
    let numbers = [
        ("client_sent_us", row.client_sent_us.map(i128::from)),
        ("writer_start_us", row.writer_start_us.map(i128::from)),
        ("reply_us", row.reply_us.map(i128::from)),
        ("barrier_us", row.barrier_us.map(i128::from)),
        ("barrier_polls", row.barrier_polls.map(i128::from)),
        ("post_read_us", row.post_read_us.map(i128::from)),
        ("notification_bytes", row.notification_bytes.map(i128::from)),
        ("post_bytes", row.post_bytes.map(i128::from)),
    ];
    for (column, value) in numbers {
        if let Some(value) = value.filter(|value| value.abs() >= i128::from(PLAUSIBLE)) {
            return Err(LoadErrorKind::Implausible { line, column, value });
        }
    }
    Ok(row)
}
