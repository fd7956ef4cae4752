//! A store open for reading.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use matrix_plan::CellKey;
use serde::Deserialize;

use crate::attempt::Attempt;
use crate::digest::Digest;
use crate::error::StoreError;
use crate::fs::RealFilesystem;
use crate::index::{Entry, Index};
use crate::layout::{Layout, SCHEMA};
use crate::names::{AttemptId, Origin, RunId};
use crate::object::ObjectReader;
use crate::record::Record;
use crate::sealed::read_small;
use crate::writable::WritableStore;

/// A store open for reading. There may be any number of them, also while the store is being written.
#[derive(Debug)]
pub struct Store {
    pub(crate) layout: Layout,
    index: OnceLock<Index>,
    /// What was found out since: newer than the index.
    learnt: Mutex<BTreeMap<(CellKey, Origin), Entry>>,
}

impl Store {
    /// Opens an existing store.
    ///
    /// # Errors
    /// When there is none, or a newer program wrote it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_if_present(path)?.ok_or_else(|| StoreError::Absent { path: path.to_owned() })
    }

    /// Opens a store, if there is one.
    ///
    /// # Errors
    /// When a newer program wrote it, or it cannot be read.
    pub fn open_if_present(path: &Path) -> Result<Option<Self>, StoreError> {
        let layout = Layout { root: path.to_owned() };
        let present = check_schema(&layout)?;
        Ok(present.then(|| Self { layout, index: OnceLock::new(), learnt: Mutex::default() }))
    }

    /// Opens a store for writing, and makes it first if there is none. `holder` is what others are told when they find it
    /// locked, for example the command line.
    ///
    /// # Errors
    /// When the directory holds other things, a newer program or another process has the store, or it cannot be written.
    pub fn create_or_open_for_writing(path: &Path, holder: &str) -> Result<WritableStore, StoreError> {
        WritableStore::open_with(path, holder, Arc::new(RealFilesystem))
    }

    /// Where the store is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.layout.root
    }

    /// Whether another process is writing the store just now.
    #[must_use]
    pub fn is_being_written(&self) -> bool {
        crate::lock::is_held(&self.layout)
    }

    /// The record of a cell.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    pub fn record(&self, key: &CellKey, origin: &Origin) -> Result<Option<Record>, StoreError> {
        let path = self.layout.record(key, origin);
        let Some(bytes) = read_small(&path)? else { return Ok(None) };
        let record = Record::from_bytes(&path, &bytes)?;
        record.must_be(key, origin, &path)?;
        Ok(Some(record))
    }

    /// The keys of all cells that have a record, in order, each with its origins in order.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn cells(&self) -> Result<Vec<(CellKey, Vec<Origin>)>, StoreError> {
        let mut cells = Vec::new();
        for name in list(&self.layout.cells())? {
            let Ok(key) = name.parse() else { continue };
            let origins = self.origins(&key)?;
            if !origins.is_empty() {
                cells.push((key, origins));
            }
        }
        Ok(cells)
    }

    /// The origins that have a record of a cell, in order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn origins(&self, key: &CellKey) -> Result<Vec<Origin>, StoreError> {
        let names = list(&self.layout.cell(key))?;
        let mut origins: Vec<Origin> =
            names.iter().filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect();
        origins.sort();
        Ok(origins)
    }

    /// All records, in order of key and origin.
    ///
    /// # Errors
    /// When a directory cannot be read; each record comes with its own error.
    pub fn records(&self) -> Result<impl Iterator<Item = Result<Record, StoreError>> + use<'_>, StoreError> {
        let names = self.cells()?.into_iter().flat_map(|(key, origins)| origins.into_iter().map(move |o| (key, o)));
        Ok(names.filter_map(|(key, origin)| self.record(&key, &origin).transpose()))
    }

    /// The cell whose key begins with `prefix`, of those that have a record or an attempt.
    ///
    /// # Errors
    /// When no cell has such a key, or several do.
    pub fn find_cell(&self, prefix: &str) -> Result<CellKey, StoreError> {
        let mut candidates = Vec::new();
        for name in list(&self.layout.cells())? {
            if let Ok(key) = name.parse::<CellKey>()
                && name.starts_with(prefix)
                && !self.origins(&key)?.is_empty()
            {
                candidates.push(key);
            }
        }
        // A cell that failed, or whose attempts ended early, has no record.
        for id in self.attempts()? {
            if let Some(attempt) = self.attempt(&id)?
                && attempt.key.to_string().starts_with(prefix)
            {
                candidates.push(attempt.key);
            }
        }
        candidates.sort();
        candidates.dedup();
        match candidates.as_slice() {
            [key] if !prefix.is_empty() => Ok(*key),
            [] => Err(StoreError::NoSuchCell { prefix: prefix.to_owned() }),
            _ => Err(StoreError::AmbiguousCell { prefix: prefix.to_owned(), candidates }),
        }
    }

    /// Opens an object for reading.
    ///
    /// # Errors
    /// When it is missing or does not begin like an object.
    pub fn open_object(&self, digest: &Digest) -> Result<ObjectReader, StoreError> {
        ObjectReader::open(&self.layout.object(digest), *digest)
    }

    /// An attempt.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    pub fn attempt(&self, id: &AttemptId) -> Result<Option<Attempt>, StoreError> {
        let path = self.layout.attempt(id);
        let Some(bytes) = read_small(&path)? else { return Ok(None) };
        let attempt = Attempt::from_bytes(&path, &bytes)?;
        if attempt.id != *id {
            return Err(StoreError::damaged(&path, format!("it is the attempt {}", attempt.id)));
        }
        Ok(Some(attempt))
    }

    /// The names of all attempts, in order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn attempts(&self) -> Result<Vec<AttemptId>, StoreError> {
        let names = list(&self.layout.attempts())?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect())
    }

    /// The names of all runs, the oldest first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        Ok(list(&self.layout.runs())?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// What is known of a record without reading it: its file, its object, and the size of the object's file.
    pub(crate) fn known(&self, key: &CellKey, origin: &Origin) -> Option<Entry> {
        let learnt = self.learnt();
        if !learnt.is_empty()
            && let Some(entry) = learnt.get(&(*key, origin.clone()))
        {
            return Some(entry.clone());
        }
        self.index().get(key, origin).cloned()
    }

    pub(crate) fn learn(&self, entry: Entry) {
        self.learnt().insert((entry.key, entry.origin.clone()), entry);
    }

    pub(crate) fn has_learnt(&self) -> bool {
        !self.learnt().is_empty()
    }

    pub(crate) fn merged_index(&self) -> BTreeMap<(CellKey, Origin), Entry> {
        let old = self.index().entries().iter().map(|entry| ((entry.key, entry.origin.clone()), entry.clone()));
        let mut merged: BTreeMap<_, _> = old.collect();
        merged.extend(self.learnt().iter().map(|(name, entry)| (name.clone(), entry.clone())));
        merged
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            // A cache that cannot be read is a cache that is not there.
            std::fs::read_to_string(self.layout.index()).map_or_else(|_| Index::default(), |text| Index::parse(&text))
        })
    }

    fn learnt(&self) -> MutexGuard<'_, BTreeMap<(CellKey, Origin), Entry>> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names in a directory, in order; none if it is not there.
pub(crate) fn list(path: &Path) -> Result<Vec<String>, StoreError> {
    let fail = |error| StoreError::io("reading", path, error);
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(fail)?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: u32,
}

/// Whether there is a store, of a schema that this program knows.
pub(crate) fn check_schema(layout: &Layout) -> Result<bool, StoreError> {
    let path = layout.store_toml();
    let bytes = match read_small(&path) {
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotADirectory => None,
        other => other?,
    };
    let Some(bytes) = bytes else { return Ok(false) };
    let damaged = |what: String| StoreError::damaged(&path, what);
    let text = str::from_utf8(&bytes).map_err(|error| damaged(error.to_string()))?;
    let SchemaOnly { schema } =
        toml::from_str(text).map_err(|error| damaged(format!("it does not tell its schema: {}", error.message())))?;
    match schema {
        0 => Err(damaged("there is no schema 0".to_owned())),
        1..=SCHEMA => Ok(true),
        found => Err(StoreError::NewerSchema { path, found, known: SCHEMA }),
    }
}
