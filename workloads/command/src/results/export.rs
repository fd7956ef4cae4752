//! All rows of an experiment as one tidy file for each source.

use std::io::Write;

use matrix_core::text::free_name;
use matrix_core::{Field, Kind, Value};
use matrix_frame::{Export, Form, FrameError, Reader};
use matrix_store::{Store, StoreError};

use super::Loaded;

/// Writes all rows of a source: the cell's axes, round, origin and key, then the source's columns. How many rows there are.
///
/// # Errors
/// When the store cannot be read, rows are not of these columns, or `out` fails.
pub fn export(
    store: &Store,
    loaded: &Loaded<'_>,
    source: usize,
    form: Form,
    out: impl Write,
) -> Result<u64, StoreError> {
    let Some(source) = loaded.experiment.sources.get(source) else { return Ok(0) };
    let rows = source.fields();
    let mut cell: Vec<Field> = matrix_core::claims::fields(&loaded.experiment.axes);
    let taken: Vec<String> = cell.iter().chain(&rows).map(|field| field.name.clone()).collect();
    let own = [("round", Kind::Whole), ("origin", Kind::Text), ("cell", Kind::Text)];
    cell.extend(own.map(|(name, kind)| Field { name: free_name("cell", name, &taken), kind }));
    let failed = |error: FrameError| match error {
        FrameError::Read(error) => StoreError::from_read(error),
        FrameError::Write(error) => StoreError::io("writing", std::path::Path::new("the export"), error),
        other => StoreError::io("exporting", std::path::Path::new("rows"), std::io::Error::other(other)),
    };
    let mut export = Export::new(form, cell, &rows, out).map_err(failed)?;
    let mut count = 0;
    for loaded in &loaded.cells {
        let Some(record) = &loaded.record else { continue };
        let Some(stored) = record.rows.get(&source.name) else { continue };
        let mut values: Vec<Option<Value>> = loaded.cell.point.iter().cloned().map(Some).collect();
        values.push(Some(Value::Whole(loaded.cell.round.into())));
        values.push(Some(Value::Text(record.origin.to_string())));
        values.push(Some(Value::Text(loaded.cell.key.to_string())));
        let object = store.open_object(&stored.sha256)?.with_max_bytes(stored.bytes);
        let mut reader = Reader::new(&rows, |_| true, object).map_err(failed)?;
        count += export.cell(&values, &mut reader).map_err(failed)?;
    }
    export.finish().map_err(failed)?;
    Ok(count)
}
