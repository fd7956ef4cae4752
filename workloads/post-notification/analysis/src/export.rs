//! All rows of traces as one tidy file.

use std::io::Write;

use matrix_app::row::HEADER;
use matrix_core::{Field, Kind, Value};
use matrix_frame::{Export, Form, FrameError, Reader};

use crate::error::{ExportError, LoadError, LoadErrorKind};
use crate::traces::{CellMeta, Traces};

/// What is known of a cell: its axes, and where its numbers come from.
const CELL: [(&str, Kind); 10] = [
    ("post_storage", Kind::Text),
    ("notification_storage", Kind::Text),
    ("regions", Kind::Text),
    ("delay_ms", Kind::Whole),
    ("antipode", Kind::Boolean),
    ("round", Kind::Whole),
    ("origin", Kind::Text),
    ("cell", Kind::Text),
    ("simulated", Kind::Boolean),
    ("configured_lag", Kind::Boolean),
];

/// Columns of rows that are no whole numbers.
const TEXTS: [&str; 2] = ["key", "outcome"];

fn values(meta: &CellMeta) -> [Option<Value>; 10] {
    let axes = &meta.inputs.axes;
    let combination = &axes.combination;
    let text = |text: String| Value::Text(text);
    [
        text(combination.post_storage.to_string()),
        text(combination.notification_storage.to_string()),
        text(combination.regions.to_string()),
        Value::Whole(i64::try_from(axes.delay_ms).unwrap_or(i64::MAX)),
        Value::Boolean(axes.antipode),
        Value::Whole(meta.inputs.round.into()),
        text(meta.origin.clone()),
        text(meta.key.to_string()),
        Value::Boolean(meta.simulated),
        Value::Boolean(meta.configured_lag),
    ]
    .map(Some)
}

/// Writes all rows: the cell's axes, round, origin, key, and whether its numbers were simulated or its lag was configured,
/// then what the trace has. How many rows there are.
///
/// # Errors
/// When a trace cannot be read, or `out` fails.
pub fn export<T: Traces + ?Sized>(traces: &T, form: Form, out: impl Write) -> Result<u64, ExportError> {
    let field = |(name, kind): (&str, Kind)| Field { name: name.to_owned(), kind };
    let kind = |name: &str| if TEXTS.contains(&name) { Kind::Text } else { Kind::Whole };
    let rows: Vec<Field> = HEADER.split(',').map(|name| field((name, kind(name)))).collect();
    let of_file = |error| failed("the export".to_owned(), error);
    let mut export = Export::new(form, CELL.map(field).to_vec(), &rows, out).map_err(of_file)?;
    let mut count = 0;
    for (n, meta) in traces.cells().iter().enumerate() {
        let of_cell = |error| failed(meta.name(), error);
        let trace = traces.open(n).map_err(|error| of_cell(FrameError::Read(error)))?;
        let mut reader = Reader::new(&rows, |_| true, trace).map_err(of_cell)?;
        count += export.cell(&values(meta), &mut reader).map_err(of_cell)?;
    }
    export.finish().map_err(of_file)?;
    Ok(count)
}

fn failed(cell: String, error: FrameError) -> ExportError {
    let kind = match error {
        FrameError::Write(error) => return ExportError::Write(error),
        FrameError::Read(error) => LoadErrorKind::Open(error),
        other => LoadErrorKind::Frame(other),
    };
    ExportError::Trace(LoadError { cell, kind })
}
