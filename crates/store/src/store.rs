//! A store open for reading.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use matrix_core::CellKey;
use serde::Deserialize;

use crate::digest::Digest;
use crate::error::{Holder, StoreError};
use crate::files::{AttemptFile, AttemptHead, RecordFile, RecordHead};
use crate::folder::Folder;
use crate::fs::RealFilesystem;
use crate::generic::{self, is_generic};
use crate::index::{Entry, Index};
use crate::kept::Kept;
use crate::layout::{FIRST_SCHEMA, JOURNAL, Layout, PLAN, SCHEMA, SHARED_SCHEMA};
use crate::listing::{Item, is_dated, list};
use crate::names::{AttemptId, Origin, RunId};
use crate::object::ObjectReader;
use crate::pack::Pack;
use crate::parallel;
use crate::sealed::{MAX_LARGE_BYTES, Sealed, read_small, read_up_to};
use crate::writable::WritableStore;

/// A store open for reading. There may be any number of them, also while the store is being written.
#[derive(Debug)]
pub struct Store {
    pub(crate) layout: Layout,
    /// Whether records may have more than one generation.
    pub(crate) generations: AtomicBool,
    index: OnceLock<Index>,
    /// What was found out since: newer than the index.
    learnt: Mutex<BTreeMap<(CellKey, Origin), Entry>>,
    /// Objects that are not in the store's own folder.
    pack: Option<Pack>,
    /// Small objects that are read more than once.
    kept: Option<Kept>,
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
        let schema = schema_of(&layout)?;
        if schema.is_none() {
            must_lead_somewhere(path)?;
        }
        Ok(schema.map(|schema| {
            let generations = AtomicBool::new(schema >= SHARED_SCHEMA);
            Self { layout, generations, index: OnceLock::new(), learnt: Mutex::default(), pack: None, kept: None }
        }))
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

    /// Where its files are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether a writer is at work, or was killed and left something half-written in `tmp/`.
    #[must_use]
    pub fn has_leftovers(&self) -> bool {
        std::fs::read_dir(self.layout.tmp()).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Whether another process is writing the store just now.
    #[must_use]
    pub fn is_being_written(&self) -> bool {
        crate::lock::is_held(&self.layout) || crate::lock::runner(&self.layout).is_some()
    }

    /// Who is writing the store just now, if the lock tells.
    #[must_use]
    pub fn writer(&self) -> Option<Holder> {
        let alone = crate::lock::is_held(&self.layout).then(|| crate::lock::signed(&self.layout)).flatten();
        alone.or_else(|| crate::lock::runner(&self.layout))
    }

    /// The record of a cell, if there is one of this form. A file that has a record's name, is none, and by whose origin no
    /// attempt was made, is not ours.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    pub fn record<R: RecordFile>(&self, key: &CellKey, origin: &Origin) -> Result<Option<R>, StoreError> {
        let path = self.record_path(key, origin)?;
        let Some(bytes) = read_small(&path)?.filter(|bytes| may_be::<R>(bytes)) else { return Ok(None) };
        let read = R::from_bytes(&path, &bytes);
        let read =
            read.and_then(|record| must_be(&path, (record.key(), record.origin()), key, origin).map(|()| record));
        match read {
            Err(_) if !is_generic_form::<R>() && is_generic(&bytes) => Ok(None),
            Err(StoreError::Damaged { .. }) if self.is_foreign(key, origin) => Ok(None),
            read => read.map(Some),
        }
    }

    /// What every record has, of a cell's.
    pub(crate) fn record_head(&self, key: &CellKey, origin: &Origin) -> Result<Option<RecordHead>, StoreError> {
        let path = self.record_path(key, origin)?;
        self.record_head_at(&path, key, origin)
    }

    /// The same of one of its files.
    pub(crate) fn record_head_at(
        &self,
        path: &Path,
        key: &CellKey,
        origin: &Origin,
    ) -> Result<Option<RecordHead>, StoreError> {
        let Some(bytes) = read_small(path)? else { return Ok(None) };
        let read = RecordHead::from_bytes(path, &bytes);
        match read.and_then(|head| must_be(path, (head.key, &head.origin), key, origin).map(|()| head)) {
            Err(StoreError::Damaged { .. }) if self.is_foreign(key, origin) => Ok(None),
            read => read.map(Some),
        }
    }

    /// Whether nobody of this origin tried the cell: who measured what is here left an attempt.
    fn is_foreign(&self, key: &CellKey, origin: &Origin) -> bool {
        // Where attempts cannot be read, it may be anybody's.
        let tried = |ids: Vec<AttemptId>| {
            ids.iter().any(|id| match self.attempt_head(id) {
                Ok(attempt) => attempt.is_some_and(|attempt| attempt.key == *key && attempt.origin == *origin),
                Err(_) => true,
            })
        };
        !origin.is_local() && !self.attempts().map_or(true, tried)
    }

    /// The keys of all cells that have a record, in order, each with its origins in order.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn cells(&self) -> Result<Vec<(CellKey, Vec<Origin>)>, StoreError> {
        let (cells, items) = (Folder::open(self.layout.cells()), list(&self.layout.cells())?);
        let of_cell = |item: &Item| -> Result<Option<(CellKey, Vec<Origin>)>, StoreError> {
            let Some((name, key)) = item.folder().and_then(|name| Some((name, name.parse().ok()?))) else {
                return Ok(None);
            };
            let origins: Vec<Origin> = self.generations_of(&cells.list(name)?).into_keys().collect();
            Ok(Some((key, origins)).filter(|(_, origins)| !origins.is_empty()))
        };
        parallel::each(&items, of_cell).into_iter().filter_map(Result::transpose).collect()
    }

    /// The origins that have a record of a cell, in order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn origins(&self, key: &CellKey) -> Result<Vec<Origin>, StoreError> {
        Ok(self.generations(key)?.into_keys().collect())
    }

    /// All records of this form, in order of key and origin.
    ///
    /// # Errors
    /// When a directory cannot be read; each record comes with its own error.
    pub fn records<R: RecordFile>(
        &self,
    ) -> Result<impl Iterator<Item = Result<R, StoreError>> + use<'_, R>, StoreError> {
        let names = self.cells()?.into_iter().flat_map(|(key, origins)| origins.into_iter().map(move |o| (key, o)));
        Ok(names.filter_map(|(key, origin)| self.record(&key, &origin).transpose()))
    }

    /// The cell whose key begins with `prefix`, of those that have a record or an attempt.
    ///
    /// # Errors
    /// When no cell has such a key, or several do.
    pub fn find_cell(&self, prefix: &str) -> Result<CellKey, StoreError> {
        let mut candidates = Vec::new();
        for item in list(&self.layout.cells())? {
            if let Some(name) = item.folder()
                && let Ok(key) = name.parse::<CellKey>()
                && name.starts_with(prefix)
                && !self.origins(&key)?.is_empty()
            {
                candidates.push(key);
            }
        }
        // A cell that failed, or whose attempts ended early, has no record.
        for id in self.attempts()? {
            let key = self.attempt_head(&id)?.map(|attempt| attempt.key);
            candidates.extend(key.filter(|key| key.to_string().starts_with(prefix)));
        }
        candidates.sort();
        candidates.dedup();
        match candidates.as_slice() {
            [key] if !prefix.is_empty() => Ok(*key),
            [] => Err(StoreError::NoSuchCell { prefix: prefix.to_owned() }),
            _ => Err(StoreError::AmbiguousCell { prefix: prefix.to_owned(), candidates }),
        }
    }

    /// The store with the objects of a pack besides its own. Only [`open_object`](Self::open_object) knows them.
    #[must_use]
    pub fn with_pack(self, pack: Pack) -> Self {
        Self { pack: Some(pack), ..self }
    }

    /// The same store, which keeps small objects in memory between two readings, as long as these bytes are enough for what their files have.
    #[must_use]
    pub fn keeping_small_objects(self, bytes: usize) -> Self {
        Self { kept: Some(Kept::new(bytes)), ..self }
    }

    /// Opens an object for reading.
    ///
    /// # Errors
    /// When it is missing or does not begin like an object.
    pub fn open_object(&self, digest: &Digest) -> Result<ObjectReader, StoreError> {
        if let Some(bytes) = self.pack.as_ref().and_then(|pack| pack.bytes(digest)) {
            let path = self.layout.object(digest);
            let bytes = bytes.map_err(|error| StoreError::unreadable(&path, error))?;
            return Ok(ObjectReader::of_bytes(path, *digest, bytes));
        }
        ObjectReader::open_kept(&self.layout.object(digest), *digest, self.kept.as_ref())
    }

    /// An attempt, if there is one of this form. A file that is none, and whose name is not one of ours either, is not ours.
    ///
    /// # Errors
    /// When it is damaged or cannot be read.
    pub fn attempt<A: AttemptFile>(&self, id: &AttemptId) -> Result<Option<A>, StoreError> {
        let path = self.layout.attempt(id);
        let Some(bytes) = read_small(&path)?.filter(|bytes| may_be::<A>(bytes)) else { return Ok(None) };
        let attempt = match A::from_bytes(&path, &bytes) {
            Err(_) if !is_generic_form::<A>() && is_generic(&bytes) => return Ok(None),
            read => read,
        };
        its_own(&path, id, attempt, A::id)
    }

    /// What every attempt has, of one.
    pub(crate) fn attempt_head(&self, id: &AttemptId) -> Result<Option<AttemptHead>, StoreError> {
        let path = self.layout.attempt(id);
        let Some(bytes) = read_small(&path)? else { return Ok(None) };
        its_own(&path, id, AttemptHead::from_bytes(&path, &bytes), |head| &head.id)
    }

    /// The names of all attempts, in order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn attempts(&self) -> Result<Vec<AttemptId>, StoreError> {
        let items = list(&self.layout.attempts())?;
        Ok(items.iter().filter_map(|item| item.file()?.strip_suffix(".json")?.parse().ok()).collect())
    }

    /// The names of all runs of traces, the oldest first: without those of workloads that schema 1 knows nothing of.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn runs(&self) -> Result<Vec<RunId>, StoreError> {
        let mut runs = self.all_runs()?;
        runs.retain(|id| !self.is_generic_run(id));
        Ok(runs)
    }

    /// The names of all runs of programs, the oldest first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn generic_runs(&self) -> Result<Vec<RunId>, StoreError> {
        let mut runs = self.all_runs()?;
        runs.retain(|id| self.is_generic_run(id));
        Ok(runs)
    }

    fn is_generic_run(&self, id: &RunId) -> bool {
        crate::generic::is_generic_plan(&self.layout.run(id).join(PLAN))
    }

    /// The names of all runs, the oldest first.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn all_runs(&self) -> Result<Vec<RunId>, StoreError> {
        let runs = list(&self.layout.runs())?;
        let ids = runs.iter().filter_map(|item| item.folder()?.parse().ok());
        Ok(ids.filter(|id| self.is_run(id)).collect())
    }

    /// Whether a folder among the runs is one: it has a journal, or a name that says that it should have one.
    pub(crate) fn is_run(&self, id: &RunId) -> bool {
        let folder = self.layout.run(id);
        folder.is_dir() && (is_dated(id.as_str()) || folder.join(JOURNAL).is_file())
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

    pub(crate) fn merged_index(&self) -> BTreeMap<(CellKey, Origin), Entry> {
        // Others may have written it since it was read.
        let index = read_index(&self.layout).unwrap_or_default();
        let old = index.entries().iter().map(|entry| ((entry.key, entry.origin.clone()), entry.clone()));
        let mut merged: BTreeMap<_, _> = old.collect();
        merged.extend(self.learnt().iter().map(|(name, entry)| (name.clone(), entry.clone())));
        merged
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| read_index(&self.layout).unwrap_or_default())
    }

    pub(crate) fn learnt(&self) -> MutexGuard<'_, BTreeMap<(CellKey, Origin), Entry>> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether bytes may be of this form: those of schema 3 are of no other.
pub(crate) fn may_be<F: Sealed>(bytes: &[u8]) -> bool {
    !is_generic_form::<F>() || is_generic(bytes)
}

/// Whether a form is that of schema 3; files of that schema are not ones of another form, whatever the newest of that is.
fn is_generic_form<F: Sealed>() -> bool {
    F::SCHEMA == generic::SCHEMA
}

/// Checks that a record is where it should be.
pub(crate) fn must_be(
    path: &Path,
    found: (CellKey, &Origin),
    key: &CellKey,
    origin: &Origin,
) -> Result<(), StoreError> {
    if found == (*key, origin) {
        return Ok(());
    }
    Err(StoreError::damaged(path, format!("it is the record of cell {} from {}", found.0.short(), found.1)))
}

/// An attempt that was read, if it has its file's name; nothing where it is damaged and its name is not one of ours.
fn its_own<A>(
    path: &Path,
    id: &AttemptId,
    read: Result<A, StoreError>,
    of: impl FnOnce(&A) -> &AttemptId,
) -> Result<Option<A>, StoreError> {
    let attempt = match read {
        Err(StoreError::Damaged { .. }) if !is_dated(id.as_str()) => return Ok(None),
        read => read?,
    };
    let found = of(&attempt);
    if found != id {
        return Err(StoreError::damaged(path, format!("it is the attempt {found}")));
    }
    Ok(Some(attempt))
}

/// The index as it is on the disk. A cache that cannot be read is a cache that is not there.
pub(crate) fn read_index(layout: &Layout) -> Option<Index> {
    let bytes = read_up_to(&layout.index(), MAX_LARGE_BYTES).ok().flatten();
    bytes.and_then(|bytes| Index::parse(str::from_utf8(&bytes).ok()?))
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: u32,
}

/// The schema of the store, if there is one.
///
/// # Errors
/// When a newer program wrote it, or `store.toml` is damaged.
pub(crate) fn schema_of(layout: &Layout) -> Result<Option<u32>, StoreError> {
    let path = layout.store_toml();
    let bytes = match read_small(&path) {
        Err(StoreError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotADirectory => None,
        other => other?,
    };
    let Some(bytes) = bytes else { return Ok(None) };
    let damaged = |what: String| StoreError::damaged(&path, what);
    let text = str::from_utf8(&bytes).map_err(|error| damaged(error.to_string()))?;
    let SchemaOnly { schema } =
        toml::from_str(text).map_err(|error| damaged(format!("it does not tell its schema: {}", error.message())))?;
    match schema {
        0 => Err(damaged("there is no schema 0".to_owned())),
        FIRST_SCHEMA..=SCHEMA => Ok(Some(schema)),
        found => Err(StoreError::NewerSchema { path, found, known: SCHEMA }),
    }
}

/// Refuses a link that leads to nothing, which would otherwise look as if there was nothing.
pub(crate) fn must_lead_somewhere(path: &Path) -> Result<(), StoreError> {
    match std::fs::read_link(path) {
        Ok(target) if std::fs::metadata(path).is_err() => Err(StoreError::Dangling { path: path.to_owned(), target }),
        _ => Ok(()),
    }
}
