//! Whether the rows of a result are what it and its experiment say.

use matrix_frame::{FrameError, Reader};
use matrix_store::{Digest, GenericRecord, RowsRef, Store, StoreError};

use crate::WORKLOAD;
use crate::file::{Experiment, Source};

/// What is wrong with the result of a cell of an experiment whose rows are read as `reading` says: it is another workload's, or its rows
/// are not of the declared columns, or not as many as it says. Of rows that were read in another way nothing is known, and they give
/// no numbers.
///
/// # Errors
/// When the rows cannot be read.
pub fn wrong_rows(
    store: &Store,
    experiment: &Experiment,
    reading: Digest,
    record: &GenericRecord,
) -> Result<Option<String>, StoreError> {
    if record.workload != WORKLOAD {
        return Ok(Some(format!("its workload is {}, and {WORKLOAD} in its experiment", record.workload)));
    }
    if record.reading != reading {
        return Ok(None);
    }
    let is_declared = |name: &str| experiment.sources.iter().any(|source| source.name == name);
    if let Some(name) = record.rows.keys().find(|name| !is_declared(name)) {
        return Ok(Some(format!("it has rows of `{name}`, which is no source of its experiment")));
    }
    for source in &experiment.sources {
        let Some(rows) = record.rows.get(&source.name) else {
            return Ok(Some(format!("it has no rows of `{}`", source.name)));
        };
        if let Some(what) = wrong_source(store, source, rows)? {
            return Ok(Some(format!("its rows of `{}`, {}: {what}", source.name, rows.sha256.short())));
        }
    }
    Ok(None)
}

fn wrong_source(store: &Store, source: &Source, rows: &RowsRef) -> Result<Option<String>, StoreError> {
    let object = store.open_object(&rows.sha256)?.with_max_bytes(rows.bytes);
    let count = || {
        let mut reader = Reader::new(&source.fields(), |_| true, object)?;
        let mut count = 0;
        while let Some(block) = reader.next_block()? {
            count += block.rows as u64;
        }
        Ok(count)
    };
    match count() {
        Ok(count) if count == rows.rows => Ok(None),
        Ok(count) => Ok(Some(format!("it says that there are {}; there are {count}", rows.rows))),
        Err(FrameError::Read(error) | FrameError::Write(error)) => Err(StoreError::from_read(error)),
        Err(FrameError::Polars(_)) => Ok(Some("a value is not of its column's type".to_owned())),
        Err(error) => Ok(Some(error.to_string())),
    }
}
