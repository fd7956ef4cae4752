//! Reading a trace row by row.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use matrix_app::Row;
use matrix_app::row::{HEADER, LONGEST_LINE};
use matrix_store::StoreError;

use crate::counts::{Counts, TraceTotals};

/// What a trace holds, and what its rows add up to.
pub type TraceRead = matrix_store::TraceRead<(Counts, TraceTotals)>;

/// Reads uncompressed rows to their end: every line must be a row in the one form that rows have, in order of `i` from
/// 0. `path` is for messages.
///
/// # Errors
/// When a line is no such row, or the reader fails (a [`StoreError`] inside its error comes out as it is).
pub fn read(path: &Path, object: impl Read) -> Result<TraceRead, StoreError> {
    let mut input = BufReader::with_capacity(64 << 10, object);
    let (mut bytes, mut counts, mut totals) = (0, Counts::default(), TraceTotals::default());
    let (mut line, mut canonical) = (Vec::new(), Vec::new());
    let mut number = 0u64;
    loop {
        line.clear();
        (&mut input).take(LONGEST_LINE as u64).read_until(b'\n', &mut line).map_err(StoreError::from_read)?;
        if line.is_empty() {
            break;
        }
        bytes += line.len() as u64;
        number += 1;
        let damaged = |what: String| StoreError::damaged(path, format!("line {number}: {what}"));
        let text = line.strip_suffix(b"\n").and_then(|line| str::from_utf8(line).ok());
        let text = text.ok_or_else(|| damaged("it is no line of text".to_owned()))?;
        if number == 1 {
            if text != HEADER {
                return Err(damaged("it is not the header of a trace".to_owned()));
            }
            continue;
        }
        let row = Row::parse_csv(text).map_err(|error| damaged(error.to_string()))?;
        if row.i != number - 2 {
            return Err(damaged(format!("the row of request {} where {} was expected", row.i, number - 2)));
        }
        canonical.clear();
        row.write_csv(&mut canonical);
        if canonical != line {
            return Err(damaged("the row has another form than rows have".to_owned()));
        }
        counts.add(&row);
        totals.add(&row);
    }
    if number == 0 {
        return Err(StoreError::damaged(path, "it is empty"));
    }
    Ok(TraceRead { bytes, rows: counts.planned, sums: (counts, totals) })
}
