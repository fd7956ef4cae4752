//! A store open for writing.

use std::fs::File;
use std::io::Read;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::digest::Digest;
use crate::error::{Rejection, StoreError};
use crate::files::{AttemptFile, Filed, RecordFile};
use crate::fs::Filesystem;
use crate::layout::{self, Layout, parent};
use crate::object::ObjectReader;
use crate::place::prepare;
use crate::share::{self, Runner};
use crate::shared::Shared;
use crate::store::{self, Store};
use crate::trace::{self, ObjectSink};
use crate::{index, lock};

/// A store open for writing: the only one, until it and every [`ObjectSink`] and journal made from it is dropped; or, where it was
/// [joined](Self::join_with), one of several.
///
/// Opening an existing store changes nothing in it; the first write signs the lock and sweeps `tmp/`.
#[derive(Debug)]
pub struct WritableStore {
    store: Store,
    pub(crate) shared: Arc<Shared>,
}

impl Deref for WritableStore {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

impl WritableStore {
    /// Opens the store at `path` for writing, and makes it first if there is none. `holder` is what others are told when
    /// they find it locked.
    ///
    /// # Errors
    /// When the directory holds other things, a newer program or another process has the store, or it cannot be written.
    pub fn open_with(path: &Path, holder: &str, fs: Arc<dyn Filesystem>) -> Result<Self, StoreError> {
        let (layout, new) = prepare(path, fs.as_ref())?;
        let lock = lock::take(fs.as_ref(), &layout)?;
        lock::must_have_no_runner(&layout)?;
        Self::opened(layout, new, holder, fs, None, Some(lock))
    }

    /// Opens the store at `path` for running cells, while others do the same; makes it first if there is none. Others take this runner
    /// for dead when it has given no sign for `expires_after`; without a time, for as long as the file system needs.
    ///
    /// # Errors
    /// As for [`open_with`](Self::open_with), when somebody has the store alone.
    pub fn join_with(
        path: &Path,
        holder: &str,
        fs: Arc<dyn Filesystem>,
        expires_after: Option<Duration>,
    ) -> Result<Self, StoreError> {
        let (layout, new) = prepare(path, fs.as_ref())?;
        let lock = lock::take_shared(fs.as_ref(), &layout)?;
        let runner = Runner::new(path, expires_after);
        Self::opened(layout, new, holder, fs, Some(runner), lock)
    }

    fn opened(
        layout: Layout,
        new: bool,
        holder: &str,
        fs: Arc<dyn Filesystem>,
        runner: Option<Runner>,
        lock: Option<File>,
    ) -> Result<Self, StoreError> {
        let path = layout.root.clone();
        let shared = Shared::new(layout, holder, fs, runner, lock);
        // Another process may have made the store before the lock was ours.
        if new && store::schema_of(&shared.layout)?.is_none() {
            let text = layout::store_toml(layout::FIRST_SCHEMA);
            shared.write_file(&shared.layout.store_toml(), text.as_bytes())?;
        }
        Ok(Self { store: Store::open(&path)?, shared: Arc::new(shared) })
    }

    /// A sink for the rows of a cell with `planned` requests, below a line of heads.
    ///
    /// # Errors
    /// When its file cannot be made.
    pub fn sink(&self, planned: u64, heads: &str) -> Result<ObjectSink, StoreError> {
        ObjectSink::new(Arc::clone(&self.shared), planned, heads)
    }

    /// Writes an object from its uncompressed bytes, which must have the digest `expected`; returns how many they were.
    ///
    /// # Errors
    /// When they have another digest, cannot be read, or the object cannot be written.
    pub fn write_object(&self, expected: &Digest, bytes: &mut dyn Read) -> Result<u64, StoreError> {
        trace::write_object(&self.shared, expected, bytes)
    }

    /// Makes bytes an object, unless a sound one is there.
    ///
    /// # Errors
    /// When they have another digest, cannot be read, or the object cannot be written.
    pub fn keep_object(&self, digest: &Digest, bytes: &mut dyn Read) -> Result<(), StoreError> {
        let present = self.open_object(digest).and_then(ObjectReader::check).is_ok();
        if present { Ok(()) } else { self.write_object(digest, bytes).map(drop) }
    }

    /// Writes a record, in place of one of the same cell and origin. Where others run cells at the same time, a result that is there stays,
    /// unless the run that is executed here replaces it. Its objects come first.
    ///
    /// # Errors
    /// When an object is not in the store, or it cannot be written.
    pub fn write_record<R: RecordFile>(&self, record: &R) -> Result<(), StoreError> {
        self.write_record_of(record, self.shared.least.load(Ordering::Relaxed))
    }

    /// Writes a record in place of the one of the same cell and origin that was read. Of several runners that do so, the first one does.
    ///
    /// # Errors
    /// As for [`write_record`](Self::write_record).
    pub fn replace_record<R: RecordFile>(&self, record: &R) -> Result<(), StoreError> {
        let generation = self.generation(&record.key(), record.origin())?;
        self.write_record_of(record, generation.map_or(0, |generation| generation.saturating_add(1)))
    }

    fn write_record_of<R: RecordFile>(&self, record: &R, least: u32) -> Result<(), StoreError> {
        let filed = Filed::of(record);
        for object in record.objects() {
            if !self.shared.layout.object(&object.sha256).exists() {
                return Err(StoreError::Rejected(Rejection::NoObject { cell: filed.key }));
            }
        }
        let placed = self.shared.write_result(&record.to_bytes()?, |temp| {
            self.shared.ensure_dir(&self.shared.layout.cell(&filed.key))?;
            self.place_record(temp, &filed, least, false)
        })?;
        placed.map_or(Ok(()), |path| self.learn_record(&filed, &path))
    }

    /// Gives a file in `tmp/` the name of a cell's record, of this generation at least; the cell's folder is there, and where it is new it
    /// has no record yet. Where the file is now; nothing where another result stays.
    pub(crate) fn place_record(
        &self,
        temp: &Path,
        filed: &Filed,
        least: u32,
        is_new: bool,
    ) -> Result<Option<PathBuf>, StoreError> {
        let (shared, Filed { key, origin, .. }) = (self.shared.as_ref(), filed);
        if !self.is_joined() {
            let path = self.record_path(key, origin)?;
            return Ok(shared.place_result(temp, &path)?.then_some(path));
        }
        let generation = if is_new {
            least
        } else {
            let is_usable = |generation| self.is_usable(key, origin, generation);
            let target = share::target(shared, &shared.layout.cell(key), origin, least, is_usable)?;
            let Some(generation) = target else { return Ok(None) };
            generation
        };
        if generation > 0 {
            self.keep_generations()?;
        }
        let path = shared.layout.record_at(key, origin, generation);
        Ok(shared.place_result(temp, &path)?.then_some(path))
    }

    /// Makes the store one whose records may have generations, if it is not: programs that do not know them have to refuse it first.
    pub(crate) fn keep_generations(&self) -> Result<(), StoreError> {
        self.look_for_generations()?;
        if !self.has_generations() {
            self.upgrade()?;
        }
        Ok(())
    }

    /// Makes the store one of the newest schema. The schema that it had.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn upgrade(&self) -> Result<u32, StoreError> {
        let layout = &self.shared.layout;
        let before = store::schema_of(layout)?.unwrap_or(layout::FIRST_SCHEMA);
        if before < layout::SCHEMA {
            let text = share::store_toml(layout::SCHEMA, share::kept(layout)?.as_ref());
            self.shared.write_file(&layout.store_toml(), text.as_bytes())?;
        }
        self.look_for_generations()?;
        Ok(before)
    }

    /// Writes an attempt.
    ///
    /// # Errors
    /// When there is one of that name, or it cannot be written.
    pub fn write_attempt<A: AttemptFile>(&self, attempt: &A) -> Result<(), StoreError> {
        let path = self.shared.layout.attempt(attempt.id());
        if path.exists() {
            return Err(StoreError::Rejected(Rejection::AttemptExists(attempt.id().clone())));
        }
        let place = |temp: &Path| {
            self.shared.ensure_dir(parent(&path))?;
            Ok(self.shared.place_result(temp, &path)?.then(|| path.clone()))
        };
        match self.shared.write_result(&attempt.to_bytes()?, place)? {
            Some(_) => Ok(()),
            None => Err(StoreError::Rejected(Rejection::AttemptExists(attempt.id().clone()))),
        }
    }

    /// Removes what earlier writers left in `tmp/`, which the first write does too.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn sweep(&self) -> Result<(), StoreError> {
        self.shared.begin()
    }

    /// Ends a session. If it changed what the index should say, the index is written anew.
    ///
    /// # Errors
    /// When the index cannot be written; everything else is safe by then.
    pub fn close(self) -> Result<(), StoreError> {
        if self.shared.has_begun() && !self.store.learnt().is_empty() {
            let text = index::render(&self.store.merged_index());
            self.shared.write_file(&self.shared.layout.index(), text.as_bytes())?;
        }
        Ok(())
    }
}
