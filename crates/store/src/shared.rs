//! What everything that writes a store has in common: how files appear in it, whole or not at all, and who this process is there.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::StoreError;
use crate::fs::Filesystem;
use crate::layout::{Layout, parent};
use crate::listing::list;
use crate::place::make_dirs;
use crate::share::{self, Board, Runner};
use crate::{lock, store};

/// What everything that writes has in common. The lock lives here, so that it outlives them all.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) layout: Layout,
    pub(crate) fs: Arc<dyn Filesystem>,
    holder: String,
    begun: Mutex<bool>,
    temps: AtomicU64,
    /// The generation of the results that the run makes which is executed here: above the first one, they replace those that are there.
    pub(crate) least: AtomicU32,
    /// This process, where others may write at the same time.
    pub(crate) runner: Option<Runner>,
    lock: Option<File>,
}

impl Shared {
    /// What the writers of a store have in common that was opened, with its lock; `holder` is what others are told.
    pub(crate) fn new(
        layout: Layout,
        holder: &str,
        fs: Arc<dyn Filesystem>,
        runner: Option<Runner>,
        lock: Option<File>,
    ) -> Self {
        let (begun, temps, least) = (Mutex::new(false), AtomicU64::new(0), AtomicU32::new(0));
        Self { layout, fs, holder: holder.to_owned(), begun, temps, least, runner, lock }
    }

    /// Whether something was changed.
    pub(crate) fn has_begun(&self) -> bool {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before the first change: signs the lock, and removes what earlier writers left in `tmp/`.
    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if *begun {
            return Ok(());
        }
        match &self.runner {
            None => {
                self.write_lock(&lock::signature(&self.holder)?)?;
                // A runner of another machine may have come since the store was opened.
                if let Err(error) = lock::must_have_no_runner(&self.layout) {
                    self.unsign();
                    return Err(error);
                }
                self.sweep()?;
            }
            Some(runner) => {
                runner.start(self, &self.holder)?;
                if let Some(holder) = runner.who_is_alone(self) {
                    runner.stop(self);
                    return Err(StoreError::Locked { path: self.layout.root.clone(), holder: Some(holder) });
                }
                self.ensure_dir(&self.folder_of_temps())?;
                share::sweep(self, &self.layout.tmp(), &self.layout.runners(), &runner.id)?;
            }
        }
        *begun = true;
        Ok(())
    }

    /// Takes the signature of the lock back. If that fails, the next writer overwrites it.
    fn unsign(&self) {
        let _ = self.write_lock(b"");
    }

    /// Writes into the file that is locked, whatever has its name by now.
    fn write_lock(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let Some(lock) = &self.lock else { return Ok(()) };
        self.fs.rewrite(lock, bytes).map_err(|error| StoreError::io("locking", &self.layout.lock(), error))
    }

    fn sweep(&self) -> Result<(), StoreError> {
        // Whoever opens a store alone has made sure that nobody has a sign that counts.
        for item in list(&self.layout.runners())? {
            Board::remove(self, &self.layout.runners().join(item.name))?;
        }
        let tmp = self.layout.tmp();
        let entries = match std::fs::read_dir(&tmp) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.ensure_dir(&tmp),
            Err(error) => return Err(StoreError::io("reading", &tmp, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| StoreError::io("reading", &tmp, error))?;
            let path = entry.path();
            let directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed = if directory { self.fs.remove_dir_all(&path) } else { self.fs.remove_file(&path) };
            removed.map_err(|error| StoreError::io("removing", &path, error))?;
        }
        Ok(())
    }

    /// A name under `tmp/` that nobody else uses.
    pub(crate) fn temp(&self) -> PathBuf {
        self.folder_of_temps().join(format!("{:06}", self.temps.fetch_add(1, Ordering::Relaxed)))
    }

    /// The folder in which only this process writes.
    fn folder_of_temps(&self) -> PathBuf {
        match &self.runner {
            None => self.layout.tmp(),
            Some(runner) => self.layout.tmp().join(&runner.id),
        }
    }

    /// The name of this runner; empty where it is alone.
    pub(crate) fn runner_id(&self) -> String {
        self.runner.as_ref().map(|runner| runner.id.clone()).unwrap_or_default()
    }

    /// Gives a file in `tmp/` the name of a result; of several runners that do so, the first one does. Whether it did.
    pub(crate) fn place_result(&self, temp: &Path, path: &Path) -> Result<bool, StoreError> {
        match &self.runner {
            None => {
                let renamed = self.fs.rename(temp, path);
                renamed.map(|()| true).map_err(|error| StoreError::io("writing", path, error))
            }
            Some(_) => share::publish(self, temp, path),
        }
    }

    /// Writes the file of a result, which `place` gives its name. Where it is now; nothing where another one stays: of several runners, the
    /// first one does it.
    pub(crate) fn write_result(
        &self,
        bytes: &[u8],
        place: impl FnOnce(&Path) -> Result<Option<PathBuf>, StoreError>,
    ) -> Result<Option<PathBuf>, StoreError> {
        self.begin()?;
        let temp = self.temp();
        let written = self.write_synced(&temp, bytes).map_err(|error| StoreError::io("writing", &temp, error));
        let placed = written.and_then(|()| place(&temp));
        if placed.is_err() || self.runner.is_some() {
            // What cannot be removed is swept later.
            let _ = self.fs.remove_file(&temp);
        }
        let placed = placed?;
        if let Some(path) = &placed {
            self.sync_dir(parent(path))?;
        }
        Ok(placed)
    }

    /// Writes a whole file: under `tmp/`, synced, renamed.
    pub(crate) fn write_file(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        self.make_file(path, |temp| {
            self.write_synced(temp, bytes).map_err(|error| StoreError::io("writing", path, error))
        })
    }

    /// Makes a file of what `write` writes and syncs under another name.
    pub(crate) fn make_file(
        &self,
        path: &Path,
        write: impl FnOnce(&Path) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.begin()?;
        let temp = self.temp();
        let written = write(&temp).and_then(|()| {
            self.ensure_dir(parent(path))?;
            self.fs.rename(&temp, path).map_err(|error| StoreError::io("writing", path, error))
        });
        if written.is_err() {
            // A full disk should not stay full because of us; what cannot be removed is swept later.
            let _ = self.fs.remove_file(&temp);
        }
        written?;
        self.sync_dir(parent(path))
    }

    pub(crate) fn write_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.fs.create(path)?;
        file.write_all(bytes)?;
        file.sync()
    }

    /// Makes a directory of the store, and those above it, unless it is there.
    pub(crate) fn ensure_dir(&self, path: &Path) -> Result<(), StoreError> {
        make_dirs(self.fs.as_ref(), path)
    }

    /// The same for a directory that a power cut may take. Whether it was made here.
    pub(crate) fn ensure_dir_unsynced(&self, path: &Path) -> Result<bool, StoreError> {
        if path.is_dir() {
            return Ok(false);
        }
        self.ensure_dir_unsynced(parent(path))?;
        match self.fs.create_dir(path) {
            Ok(()) => Ok(true),
            // Another thread was faster.
            Err(_) if path.is_dir() => Ok(false),
            Err(error) => {
                store::must_lead_somewhere(path)?;
                Err(StoreError::io("creating", path, error))
            }
        }
    }

    pub(crate) fn sync_dir(&self, path: &Path) -> Result<(), StoreError> {
        self.fs.sync_dir(path).map_err(|error| StoreError::io("syncing", path, error))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if *self.begun.get_mut().unwrap_or_else(PoisonError::into_inner) {
            if let Some(runner) = &self.runner {
                runner.stop(self);
                return;
            }
            self.unsign();
        }
    }
}
