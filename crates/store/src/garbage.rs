//! Garbage: what nothing in a store needs any more.
//!
//! An object is needed by the records that name it. An attempt is needed by the journals that name it, and by the record
//! whose object it made: that is how an imported result, which no run made, keeps the account of where it comes from.
//! What is in `tmp/` is needed by nobody once its writer is gone.
//!
//! Whoever collects garbage has the store alone: nothing can be about to be named, so that no age is needed. Runners that others may not see,
//! and who else has the store alone on another machine, count for a day after their last sign.
//!
//! What cannot be read could need anything, so nothing is taken for garbage in a store with a damaged record, attempt or
//! journal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use matrix_core::CellKey;
use serde::Serialize;

use crate::digest::Digest;
use crate::error::StoreError;
use crate::files::AttemptHead;
use crate::layout::{OBJECT_EXTENSION, parent};
use crate::listing::list;
use crate::lock;
use crate::names::{AttemptId, Origin};
use crate::share::Board;
use crate::store::Store;
use crate::writable::WritableStore;

/// A file that nothing needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct GarbageFile {
    /// The file, or a directory of `tmp/`, relative to the store.
    #[serde(serialize_with = "crate::verify::lossy_path")]
    pub file: PathBuf,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// Everything that nothing in a store needs, each list in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Garbage {
    /// Attempts that no run names and no record comes from.
    pub attempts: Vec<GarbageFile>,
    /// Records that later ones have replaced.
    pub records: Vec<GarbageFile>,
    /// Objects that no record names.
    pub objects: Vec<GarbageFile>,
    /// What writers left: in `tmp/`, claims and signs of life.
    pub temporary: Vec<GarbageFile>,
}

impl Garbage {
    /// All files, in the order in which they are removed.
    pub fn files(&self) -> impl Iterator<Item = &GarbageFile> {
        self.attempts.iter().chain(&self.records).chain(&self.objects).chain(&self.temporary)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files().next().is_none()
    }
}

impl Store {
    /// What nothing in the store needs. While another process writes the store this is not known: what it has begun looks
    /// like garbage until it is done.
    ///
    /// # Errors
    /// When another process writes the store or may do so, or a record, attempt or journal is damaged or cannot be read.
    pub fn garbage(&self) -> Result<Garbage, StoreError> {
        if lock::is_held(&self.layout) {
            return Err(lock::held(&self.layout));
        }
        lock::must_be_nobodys_elsewhere(&self.layout)?;
        self.find_garbage()
    }

    fn find_garbage(&self) -> Result<Garbage, StoreError> {
        let (mut objects, mut results): (BTreeSet<Digest>, BTreeSet<(CellKey, Origin, Digest)>) = Default::default();
        let mut superseded = Vec::new();
        for (key, origins) in self.cells()? {
            let all = if self.has_generations() { self.generations(&key)? } else { BTreeMap::new() };
            for (origin, generations) in all {
                let Some((_, older)) = generations.split_last() else { continue };
                for generation in older {
                    superseded.push(self.file(&self.layout.record_at(&key, &origin, *generation))?);
                }
            }
            for origin in origins {
                let Some(head) = self.record_head(&key, &origin)? else { continue };
                objects.extend(head.objects());
                results.extend(head.trace().map(|trace| (key, origin, trace)));
            }
        }
        let named = self.named_attempts()?;
        let mut garbage = Garbage { temporary: self.temporary()?, records: superseded, ..Garbage::default() };
        for id in self.attempts()? {
            let Some(attempt) = self.attempt_head(&id)? else { continue };
            let AttemptHead { key, origin, object, outputs, .. } = attempt;
            if named.contains(&id) {
                // What failed attempts left is looked at: it stays as long as they do.
                objects.extend(outputs.values().map(|output| output.sha256));
            } else if !object.is_some_and(|trace| results.contains(&(key, origin, trace))) {
                garbage.attempts.push(self.file(&self.layout.attempt(&id))?);
            }
        }
        for digest in self.objects()? {
            if !objects.contains(&digest) {
                garbage.objects.push(self.file(&self.layout.object(&digest))?);
            }
        }
        Ok(garbage)
    }

    /// The attempts that the journals of runs name.
    fn named_attempts(&self) -> Result<BTreeSet<AttemptId>, StoreError> {
        let mut named = BTreeSet::new();
        for id in self.all_runs()? {
            self.read_run(id.as_str(), |entry| named.extend(entry.event.attempt().map(|(id, _)| id.clone())))?;
        }
        Ok(named)
    }

    /// The objects that are there, in order.
    pub(crate) fn objects(&self) -> Result<Vec<Digest>, StoreError> {
        let directory = self.layout.objects();
        let mut found = Vec::new();
        for shard in list(&directory)?.into_iter().filter(|item| item.is_folder) {
            let shard = directory.join(shard.name);
            for item in list(&shard)? {
                let stem = item.file().and_then(|name| name.strip_suffix(OBJECT_EXTENSION));
                let digest = stem.and_then(|stem| stem.parse::<Digest>().ok());
                found.extend(digest.filter(|digest| self.layout.object(digest) == shard.join(&item.name)));
            }
        }
        Ok(found)
    }

    fn temporary(&self) -> Result<Vec<GarbageFile>, StoreError> {
        let mut found = Vec::new();
        for folder in [self.layout.tmp(), self.layout.claims(), self.layout.runners()] {
            for item in list(&folder)? {
                found.push(self.file(&folder.join(item.name))?);
            }
        }
        Ok(found)
    }

    /// A file, or a directory with all that is in it.
    fn file(&self, path: &Path) -> Result<GarbageFile, StoreError> {
        let file = path.strip_prefix(self.path()).unwrap_or(path).to_owned();
        Ok(GarbageFile { file, bytes: bytes_below(path)? })
    }
}

fn bytes_below(path: &Path) -> Result<u64, StoreError> {
    let metadata = std::fs::symlink_metadata(path).map_err(|error| StoreError::io("reading", path, error))?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    list(path)?.into_iter().map(|item| bytes_below(&path.join(item.name))).sum()
}

impl WritableStore {
    /// Removes what nothing in the store needs, and tells what that was. Where there is nothing, nothing is written.
    ///
    /// What is removed is found under the lock, so that nothing that a writer has begun is taken for garbage. Interrupted at
    /// any moment, this leaves a sound store with less garbage in it.
    ///
    /// # Errors
    /// When a record, attempt or journal is damaged or cannot be read (then nothing is removed), or removing fails.
    pub fn collect_garbage(&self) -> Result<Garbage, StoreError> {
        lock::must_be_nobodys_elsewhere(&self.shared.layout)?;
        let garbage = self.find_garbage()?;
        if garbage.is_empty() {
            return Ok(garbage);
        }
        // Sweeps `tmp/` and signs of life, too.
        let temporary = garbage.temporary;
        self.shared.begin()?;
        // A runner of another machine may have ended just before this one said that it is here.
        let garbage = Garbage { temporary, ..self.find_garbage()? };
        // Who else has the store alone by now, where locks are not seen, signed in place of this one before it wrote anything.
        lock::must_be_nobodys_elsewhere(&self.shared.layout)?;
        for item in list(&self.shared.layout.claims())? {
            Board::remove(self.shared.as_ref(), &self.shared.layout.claims().join(item.name))?;
        }
        let mut directories = BTreeSet::new();
        for GarbageFile { file, .. } in garbage.attempts.iter().chain(&garbage.records).chain(&garbage.objects) {
            let path = self.path().join(file);
            self.shared.fs.remove_file(&path).map_err(|error| StoreError::io("removing", &path, error))?;
            directories.insert(parent(&path).to_owned());
        }
        for directory in directories {
            self.shared.sync_dir(&directory)?;
        }
        Ok(garbage)
    }
}
