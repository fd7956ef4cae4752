//! Stores that are made of bundles.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use matrix_store::fs::{Filesystem, OutFile, RealFilesystem};
use matrix_store::{Digest, RunId, StoreError, WritableStore};

use crate::bag::PAYLOAD;
use crate::error::BundleError;
use crate::reader::BundleReader;

/// Opens a store that is made of bundles.
pub fn open(path: &Path) -> Result<WritableStore, BundleError> {
    Ok(WritableStore::open_with(path, "matrix bundle", Arc::new(Unsynced(RealFilesystem)))?)
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

/// A file system that does not wait for the disk.
#[derive(Debug)]
struct Unsynced(RealFilesystem);

struct UnsyncedFile(Box<dyn OutFile>);

impl io::Write for UnsyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl OutFile for UnsyncedFile {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Filesystem for Unsynced {
    fn create(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        Ok(Box::new(UnsyncedFile(self.0.create(path)?)))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        Ok(Box::new(UnsyncedFile(self.0.append(path)?)))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.0.truncate(path, length)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.create_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<bool> {
        self.0.link(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.0.remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.0.remove_dir_all(path)
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_below(&self, _directory: &Path, _paths: &[PathBuf]) -> io::Result<()> {
        Ok(())
    }
}
