//! Which cells have a result.

use std::fs::Metadata;
use std::io;
use std::path::Path;

use matrix_plan::CellKey;

use crate::digest::Digest;
use crate::error::StoreError;
use crate::index::{Entry, Stamp};
use crate::names::Origin;
use crate::object::ObjectReader;
use crate::record::Record;
use crate::sealed::read_small;
use crate::store::Store;

/// What the store has of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A record and its object.
    Done {
        /// The object.
        object: Digest,
    },
    /// A record whose object is gone: the cell has to be run again.
    ObjectMissing {
        /// The object.
        object: Digest,
    },
    /// No record.
    Missing,
}

impl Lookup {
    /// Whether there is a result.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}

impl Store {
    /// What the store has of each cell, in the same order. The index saves reading the records that have not changed since
    /// it was written; whether they and their objects are there is looked at every time.
    ///
    /// # Errors
    /// When a record that had to be read, or an object whose file has another size than it had, is damaged.
    pub fn lookup(&self, keys: &[CellKey], origin: &Origin) -> Result<Vec<Lookup>, StoreError> {
        keys.iter().map(|key| self.lookup_one(key, origin)).collect()
    }

    fn lookup_one(&self, key: &CellKey, origin: &Origin) -> Result<Lookup, StoreError> {
        let path = self.layout.record(key, origin);
        let Some(metadata) = metadata(&path)? else { return Ok(Lookup::Missing) };
        let stamp = Stamp::of(&metadata);
        let known = self.known(key, origin).filter(|entry| entry.record == stamp);
        let object = match &known {
            Some(entry) => entry.object,
            None => match read_small(&path)? {
                Some(bytes) => {
                    let record = Record::from_bytes(&path, &bytes)?;
                    record.must_be(key, origin, &path)?;
                    record.object.sha256
                }
                None => return Ok(Lookup::Missing),
            },
        };
        let object_path = self.layout.object(&object);
        let Some(object_metadata) = crate::lookup::metadata(&object_path)? else {
            return Ok(Lookup::ObjectMissing { object });
        };
        let compressed_bytes = object_metadata.len();
        if known.as_ref().is_some_and(|entry| entry.compressed_bytes != compressed_bytes) {
            ObjectReader::open(&object_path, object)?.check()?;
        }
        if known.is_none_or(|entry| entry.compressed_bytes != compressed_bytes) {
            self.learn(Entry { key: *key, origin: origin.clone(), record: stamp, object, compressed_bytes });
        }
        Ok(Lookup::Done { object })
    }
}

impl Record {
    /// Checks that the record is where it should be.
    pub(crate) fn must_be(&self, key: &CellKey, origin: &Origin, path: &Path) -> Result<(), StoreError> {
        if self.key == *key && self.origin == *origin {
            return Ok(());
        }
        let what = format!("it is the record of cell {} from {}", self.key.short(), self.origin);
        Err(StoreError::damaged(path, what))
    }
}

fn metadata(path: &Path) -> Result<Option<Metadata>, StoreError> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("reading", path, error)),
    }
}
