//! Reading rows again from what attempts left, where it is the reading that has changed.

use std::collections::BTreeMap;
use std::io::Cursor;

use matrix_store::{GenericRecord, RowsRef, StoreError, WritableStore};

use super::Input;
use super::execute::cost_fields;
use crate::attempt::name_of;
use crate::cells::{self, Cell};
use crate::file::Format;
use crate::rows;

/// Reads a cell's rows again, if they were read in another way than the experiment says now. Whether it did; an error in
/// words if what was left cannot be read so.
///
/// # Errors
/// When the store cannot be read or written.
pub fn reread(
    store: &WritableStore,
    input: &Input,
    cell: &Cell,
    record: &GenericRecord,
) -> Result<Result<bool, String>, StoreError> {
    let reading = cells::reading(&input.experiment)?;
    if record.reading == reading {
        return Ok(Ok(false));
    }
    let mut refs = BTreeMap::new();
    for source in &input.experiment.sources {
        let mut out = Vec::new();
        let written = if source.format == Format::Run {
            rows::costs_into(source, &cost_fields(source, &record.costs), &mut out)
        } else {
            let name = name_of(source, &cell.point);
            let Some(output) = record.outputs.get(&name) else {
                return Ok(Err(format!("rows: `{name}` was not kept: run the cell again with --fresh")));
            };
            if output.of.is_some() {
                return Ok(Err(format!("rows: only the start of `{name}` was kept: run the cell again with --fresh")));
            }
            let object = store.open_object(&output.sha256)?.with_max_bytes(output.bytes);
            rows::read_into(source, object, &mut out)
        };
        match written {
            Ok(written) => {
                store.keep_object(&written.sha256, &mut Cursor::new(&out))?;
                let rows = RowsRef { bytes: written.bytes, rows: written.rows, sha256: written.sha256 };
                refs.insert(source.name.clone(), rows);
            }
            Err(error) => return Ok(Err(format!("rows: {error}"))),
        }
    }
    store.replace_record(&record.clone().with_rows(reading, refs)?)?;
    Ok(Ok(true))
}
