//! Which cells have a result.

use matrix_core::CellKey;

use crate::digest::Digest;
use crate::error::{ErrorKind, StoreError};
use crate::folder::Folder;
use crate::index::{Entry, Stamp};
use crate::layout::Layout;
use crate::names::Origin;
use crate::object::has_its_size;
use crate::parallel;
use crate::store::Store;

/// What the store has of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A record and its object.
    Done {
        /// The object.
        object: Digest,
    },
    /// A record and its object, of an attempt in which every request failed or was lost: an earlier version made it, and
    /// the cell has to be run again.
    NothingObserved {
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
    /// When a record that had to be read is damaged.
    pub fn lookup(&self, keys: &[CellKey], origin: &Origin) -> Result<Vec<Lookup>, StoreError> {
        let folders = self.folders();
        parallel::each(keys, |key| self.lookup_one(&folders, key, origin)).into_iter().collect()
    }

    fn folders(&self) -> Folders {
        Folders { cells: Folder::open(self.layout.cells()), objects: Folder::open(self.layout.objects()) }
    }

    /// Whether the store has a result of each cell, in the same order, whoever measured it.
    ///
    /// # Errors
    /// As for [`Store::lookup`], and when a directory cannot be read.
    pub fn done(&self, keys: &[CellKey]) -> Result<Vec<bool>, StoreError> {
        let found = self.lookup(keys, &Origin::default())?.into_iter().zip(keys);
        found.map(|(found, key)| Ok(found.is_done() || self.done_elsewhere(key)?)).collect()
    }

    /// Whether another origin than `local` has a result of a cell.
    fn done_elsewhere(&self, key: &CellKey) -> Result<bool, StoreError> {
        for origin in self.origins(key)?.into_iter().filter(|origin| !origin.is_local()) {
            if self.lookup(&[*key], &origin)?.iter().all(Lookup::is_done) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same, of this generation at least and measured here; or, of the first one, measured by anybody.
    pub(crate) fn done_since(&self, keys: &[CellKey], least: u32) -> Result<Vec<bool>, StoreError> {
        if least == 0 {
            return self.done(keys);
        }
        let (folders, origin) = (self.folders(), Origin::default());
        let is_done = |key: &CellKey| match self.generation(key, &origin)?.filter(|generation| *generation >= least) {
            Some(generation) => Ok(self.lookup_at(&folders, key, &origin, generation)?.is_done()),
            None => Ok(false),
        };
        keys.iter().map(is_done).collect()
    }

    fn lookup_one(&self, folders: &Folders, key: &CellKey, origin: &Origin) -> Result<Lookup, StoreError> {
        let Some(generation) = self.generation(key, origin)? else { return Ok(Lookup::Missing) };
        self.lookup_at(folders, key, origin, generation)
    }

    /// Whether a record of this generation can be used: its object is there, and shows something.
    pub(crate) fn is_usable(&self, key: &CellKey, origin: &Origin, generation: u32) -> Result<bool, StoreError> {
        Ok(self.lookup_at(&self.folders(), key, origin, generation)?.is_done())
    }

    fn lookup_at(
        &self,
        folders: &Folders,
        key: &CellKey,
        origin: &Origin,
        generation: u32,
    ) -> Result<Lookup, StoreError> {
        let Some(stamp) = folders.cells.stamp(&Layout::record_in_cells(key, origin, generation))? else {
            return Ok(Lookup::Missing);
        };
        let known = self.known(key, origin).filter(|entry| entry.record == stamp);
        let (object, observed) = match &known {
            Some(entry) => (entry.object, entry.observed),
            None => match self.record_head_at(&self.layout.record_at(key, origin, generation), key, origin)? {
                Some(head) => match head.objects().next() {
                    Some(object) => (object, head.is_observed()),
                    None => return Ok(Lookup::Missing),
                },
                None => return Ok(Lookup::Missing),
            },
        };
        let Some(Stamp { size: compressed_bytes, .. }) = folders.objects.stamp(&Layout::object_in_objects(&object))?
        else {
            return Ok(Lookup::ObjectMissing { object });
        };
        let known_bytes = known.map(|entry| entry.compressed_bytes);
        if known_bytes != Some(compressed_bytes) {
            if !self.is_whole(&object, known_bytes.is_some())? {
                return Ok(Lookup::ObjectMissing { object });
            }
            self.learn(Entry { key: *key, origin: origin.clone(), record: stamp, object, compressed_bytes, observed });
        }
        Ok(if observed { Lookup::Done { object } } else { Lookup::NothingObserved { object } })
    }
}

impl Store {
    /// Whether an object's file is all there. One whose size changed is read; of one that the index does not know only the
    /// size is looked at, as reading every object of a large store takes its time.
    fn is_whole(&self, object: &Digest, changed: bool) -> Result<bool, StoreError> {
        let checked = if changed {
            self.open_object(object).and_then(|object| object.check()).map(|_| true)
        } else {
            has_its_size(&self.layout.object(object))
        };
        match checked {
            Err(error) if error.kind() == ErrorKind::Integrity => Ok(false),
            checked => checked,
        }
    }
}

struct Folders {
    cells: Folder,
    objects: Folder,
}
