//! Stores that are made of bundles.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use matrix_store::fs::UnsyncedFilesystem;
use matrix_store::{Digest, RunId, StoreError, WritableStore};

use crate::bag::PAYLOAD;
use crate::error::BundleError;
use crate::reader::BundleReader;

/// Opens a store that is made of bundles.
pub fn open(path: &Path) -> Result<WritableStore, BundleError> {
    Ok(WritableStore::open_with(path, "matrix bundle", Arc::new(UnsyncedFilesystem))?)
}

/// Reads an object into a store.
pub fn keep_object(reader: &mut BundleReader, digest: Digest, store: &WritableStore) -> Result<(), BundleError> {
    // Another bundle may have brought it.
    if store.open_object(&digest).is_ok() {
        return reader.finish_entry();
    }
    let Err(error) = store.write_object(&digest, reader) else { return Ok(()) };
    match error {
        StoreError::Io { source, .. } => Err(BundleError::from_read(source)),
        error => {
            // Bytes that the manifest does not have either are told by the manifest's name.
            reader.finish_entry()?;
            Err(BundleError::of_file(&format!("{PAYLOAD}objects/{digest}.csv"), error))
        }
    }
}

/// A name that no run has yet, of one whose own name is taken.
///
/// # Errors
/// When there is none.
pub fn another_name(run: &RunId, taken: &mut BTreeSet<RunId>) -> Result<RunId, StoreError> {
    let mut number = 2u64;
    loop {
        let name: RunId = format!("{run}-{number}").parse()?;
        if taken.insert(name.clone()) {
            return Ok(name);
        }
        number += 1;
    }
}
