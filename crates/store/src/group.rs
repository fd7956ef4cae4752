//! Results that become durable together.
//!
//! A sync takes longer than a small simulated cell. The files of a group are written first, and then synced together: objects and attempts
//! before a record is visible, and records before the journal says that a cell is done. A crash loses what a group holds, and nothing else.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::digest::Digest;
use crate::error::{Rejection, StoreError};
use crate::files::{AttemptFile, Filed, RecordFile};
use crate::index::{Entry, Stamp};
use crate::journal::{Event, Journal};
use crate::layout::parent;
use crate::names::AttemptId;
use crate::object::ObjectReader;
use crate::shared::Shared;
use crate::trace;
use crate::writable::WritableStore;

/// Results that are written, and not in the store yet. Dropped, it removes their files.
#[derive(Debug)]
pub struct Group {
    shared: Arc<Shared>,
    objects: Vec<(PathBuf, Digest)>,
    attempts: Vec<(PathBuf, PathBuf, AttemptId)>,
    records: Vec<(PathBuf, Filed)>,
    /// The generation of the results that the run makes.
    least: u32,
    events: Vec<Event>,
}

impl Group {
    /// How many cells it has results of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Takes over what another group of the same store holds.
    pub fn absorb(&mut self, mut other: Self) {
        self.objects.append(&mut other.objects);
        self.attempts.append(&mut other.attempts);
        self.records.append(&mut other.records);
        self.events.append(&mut other.events);
    }

    /// The trace whose bytes are in `temp`.
    pub(crate) fn add_object(&mut self, temp: PathBuf, digest: &Digest) {
        self.objects.push((temp, *digest));
    }

    fn has(&self, digest: &Digest) -> bool {
        self.objects.iter().any(|(_, known)| known == digest)
    }

    /// Makes bytes an object that is part of this group, unless a sound one is in the store.
    ///
    /// # Errors
    /// When they have another digest, cannot be read, or the object cannot be written.
    pub fn keep_object(&mut self, digest: &Digest, bytes: &mut dyn Read) -> Result<(), StoreError> {
        let place = self.shared.layout.object(digest);
        let is_there = || ObjectReader::open(&place, *digest).and_then(ObjectReader::check).is_ok();
        if !self.has(digest) && !is_there() {
            self.add_object(trace::write_unsynced(&self.shared, digest, bytes)?, digest);
        }
        Ok(())
    }

    /// The attempt and the record of a cell whose objects are in this group or in the store, and what the journal is to say of them.
    ///
    /// # Errors
    /// When there is an attempt of that name, when one of the record's objects is nowhere, or when a file cannot be written.
    pub fn add(
        &mut self,
        attempt: &impl AttemptFile,
        record: &impl RecordFile,
        event: Event,
    ) -> Result<(), StoreError> {
        let place = self.shared.layout.attempt(attempt.id());
        if place.exists() {
            return Err(StoreError::Rejected(Rejection::AttemptExists(attempt.id().clone())));
        }
        let filed = Filed::of(record);
        let is_here = |digest: &Digest| self.has(digest) || self.shared.layout.object(digest).exists();
        if !record.objects().iter().all(|object| is_here(&object.sha256)) {
            return Err(StoreError::Rejected(Rejection::NoObject { cell: filed.key }));
        }
        let temp = self.write(&attempt.to_bytes()?)?;
        self.attempts.push((temp, place, attempt.id().clone()));
        let temp = self.write(&record.to_bytes()?)?;
        self.records.push((temp, filed));
        self.events.push(event);
        Ok(())
    }

    /// Writes a file under `tmp/`, and does not wait for the disk.
    fn write(&self, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let temp = self.shared.temp();
        let written = self.shared.fs.create(&temp).and_then(|mut file| file.write_all(bytes));
        match written {
            Ok(()) => Ok(temp),
            Err(error) => {
                // What cannot be removed is swept later.
                let _ = self.shared.fs.remove_file(&temp);
                Err(StoreError::io("writing", &temp, error))
            }
        }
    }

    /// Its files under `tmp/`, without those that were renamed.
    fn temps(&self) -> impl Iterator<Item = &PathBuf> {
        let objects = self.objects.iter().map(|(temp, _)| temp);
        let attempts = self.attempts.iter().map(|(temp, _, _)| temp);
        let all = objects.chain(attempts).chain(self.records.iter().map(|(temp, _)| temp));
        all.filter(|temp| !temp.as_os_str().is_empty())
    }

    fn sync(&self, paths: &[PathBuf]) -> Result<(), StoreError> {
        let root = &self.shared.layout.root;
        self.shared.fs.sync_below(root, paths).map_err(|error| StoreError::io("syncing", root, error))
    }

    /// Gives objects and attempts their names. The directories that changed, or that somebody else may have changed just now.
    fn place_objects_and_attempts(&mut self) -> Result<Vec<PathBuf>, StoreError> {
        let layout = &self.shared.layout;
        let mut changed = vec![layout.objects(), layout.attempts()];
        for (temp, digest) in &mut self.objects {
            let place = layout.object(digest);
            changed.push(parent(&place).to_owned());
            // A sound object of that name stays; the file is removed with the group.
            if !place.exists() || ObjectReader::open(&place, *digest).and_then(ObjectReader::check).is_err() {
                self.shared.ensure_dir_unsynced(parent(&place))?;
                self.shared.fs.rename(temp, &place).map_err(|error| StoreError::io("writing", &place, error))?;
                temp.clear();
            }
        }
        for (temp, place, id) in &mut self.attempts {
            if !self.shared.place_result(temp, place)? {
                return Err(StoreError::Rejected(Rejection::AttemptExists(id.clone())));
            }
            if self.shared.runner.is_none() {
                temp.clear();
            }
        }
        Ok(changed)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for temp in self.temps() {
            // What cannot be removed now is swept by the next writer.
            let _ = self.shared.fs.remove_file(temp);
        }
    }
}

impl WritableStore {
    /// An empty group.
    #[must_use]
    pub fn group(&self) -> Group {
        let shared = Arc::clone(&self.shared);
        let least = shared.least.load(Ordering::Relaxed);
        Group { shared, objects: Vec::new(), attempts: Vec::new(), records: Vec::new(), least, events: Vec::new() }
    }

    /// Puts the results of a group into the store, and says so in the journal.
    ///
    /// # Errors
    /// When something cannot be written. Cells of the group are then done or not, as if a process had been killed here.
    pub fn commit(&self, mut group: Group, journal: &Journal) -> Result<(), StoreError> {
        if group.is_empty() {
            return Ok(());
        }
        let layout = &self.shared.layout;
        for folder in [layout.objects(), layout.attempts(), layout.cells()] {
            self.shared.ensure_dir(&folder)?;
        }
        group.sync(&group.temps().cloned().collect::<Vec<_>>())?;
        let changed = group.place_objects_and_attempts()?;
        group.sync(&changed)?;
        let (mut changed, mut placed) = (vec![layout.cells()], Vec::new());
        for (temp, record) in &group.records {
            let folder = layout.cell(&record.key);
            let is_new = self.shared.ensure_dir_unsynced(&folder)?;
            changed.push(folder);
            if let Some(path) = self.place_record(temp, record, group.least, is_new)? {
                placed.push((record, path));
            }
        }
        group.sync(&changed)?;
        for (record, path) in placed {
            self.learn_record(record, &path)?;
        }
        if self.shared.runner.is_none() {
            group.records.clear();
        }
        journal.append_all(&std::mem::take(&mut group.events))
    }

    /// Takes a record that was written into the index.
    pub(crate) fn learn_record(&self, filed: &Filed, path: &Path) -> Result<(), StoreError> {
        let Filed { key, origin, object, observed } = filed;
        let Some(object) = *object else { return Ok(()) };
        let stat = |path: &Path| std::fs::metadata(path).map_err(|error| StoreError::io("reading", path, error));
        let compressed_bytes = stat(&self.shared.layout.object(&object))?.len();
        let record = Stamp::of(&stat(path)?);
        self.learn(Entry { key: *key, origin: origin.clone(), record, object, compressed_bytes, observed: *observed });
        Ok(())
    }
}
