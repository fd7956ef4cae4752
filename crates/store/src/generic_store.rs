//! Reading and writing records and attempts of schema 3.

use std::io::Read;

use matrix_core::CellKey;

use crate::digest::Digest;
use crate::error::{Rejection, StoreError};
use crate::generic::{GenericAttempt, GenericRecord, is_generic};
use crate::index::{Entry, Stamp};
use crate::names::{AttemptId, Origin};
use crate::sealed::read_small;
use crate::store::Store;
use crate::writable::WritableStore;

impl Store {
    /// The record of a cell, if there is one of schema 3.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    pub fn generic_record(&self, key: &CellKey, origin: &Origin) -> Result<Option<GenericRecord>, StoreError> {
        let path = self.layout.record(key, origin);
        let Some(bytes) = read_small(&path)?.filter(|bytes| is_generic(bytes)) else { return Ok(None) };
        let record = GenericRecord::from_bytes(&path, &bytes)?;
        if record.key != *key || record.origin != *origin {
            let what = format!("it is the record of cell {} from {}", record.key.short(), record.origin);
            return Err(StoreError::damaged(&path, what));
        }
        Ok(Some(record))
    }

    /// All records of schema 3, in order of key and origin.
    ///
    /// # Errors
    /// When a directory cannot be read, or a record is damaged.
    pub fn generic_records(&self) -> Result<Vec<GenericRecord>, StoreError> {
        let mut records = Vec::new();
        for (key, origins) in self.cells()? {
            for origin in origins {
                records.extend(self.generic_record(&key, &origin)?);
            }
        }
        Ok(records)
    }

    /// An attempt, if there is one of schema 3.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    pub fn generic_attempt(&self, id: &AttemptId) -> Result<Option<GenericAttempt>, StoreError> {
        let path = self.layout.attempt(id);
        let Some(bytes) = read_small(&path)?.filter(|bytes| is_generic(bytes)) else { return Ok(None) };
        let attempt = GenericAttempt::from_bytes(&path, &bytes)?;
        if attempt.id != *id {
            return Err(StoreError::damaged(&path, format!("it is the attempt {}", attempt.id)));
        }
        Ok(Some(attempt))
    }

    /// The object that a record of either schema stands for in the index, and whether anything was observed.
    pub(crate) fn object_of(&self, key: &CellKey, origin: &Origin) -> Result<Option<(Digest, bool)>, StoreError> {
        if let Some(record) = self.record(key, origin)? {
            return Ok(Some((record.object.sha256, record.counts.observed() > 0)));
        }
        Ok(self.generic_record(key, origin)?.and_then(|record| Some((record.object()?, true))))
    }
}

impl WritableStore {
    /// Writes a record of schema 3, in place of one of the same cell and origin. Its objects come first.
    ///
    /// # Errors
    /// When an object is not in the store, or it cannot be written.
    pub fn write_generic_record(&self, record: &GenericRecord) -> Result<(), StoreError> {
        let mut first = None;
        for (digest, _) in record.objects() {
            let Ok(metadata) = std::fs::metadata(self.shared.layout.object(&digest)) else {
                return Err(StoreError::Rejected(Rejection::NoObject { cell: record.key }));
            };
            first.get_or_insert((digest, metadata.len()));
        }
        let path = self.shared.layout.record(&record.key, &record.origin);
        self.shared.write_file(&path, &record.to_bytes()?)?;
        let stamp = std::fs::metadata(&path).map_err(|error| StoreError::io("reading", &path, error))?;
        if let Some((object, compressed_bytes)) = first {
            self.learn(Entry {
                key: record.key,
                origin: record.origin.clone(),
                record: Stamp::of(&stamp),
                object,
                compressed_bytes,
                observed: true,
            });
        }
        Ok(())
    }

    /// Writes an attempt of schema 3.
    ///
    /// # Errors
    /// When there is one of that name, or it cannot be written.
    pub fn write_generic_attempt(&self, attempt: &GenericAttempt) -> Result<(), StoreError> {
        let path = self.shared.layout.attempt(&attempt.id);
        if path.exists() {
            return Err(StoreError::Rejected(Rejection::AttemptExists(attempt.id.clone())));
        }
        self.shared.write_file(&path, &attempt.to_bytes()?)
    }

    /// Makes bytes an object, unless a sound one is there.
    ///
    /// # Errors
    /// When they have another digest, cannot be read, or the object cannot be written.
    pub fn keep_object(&self, digest: &Digest, bytes: &mut dyn Read) -> Result<(), StoreError> {
        let present = self.open_object(digest).and_then(crate::object::ObjectReader::check).is_ok();
        if present { Ok(()) } else { self.write_object(digest, bytes).map(drop) }
    }
}
