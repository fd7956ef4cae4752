//! A file system that fails at a chosen operation, as a full disk does, a killed process or a power cut.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Filesystem, OutFile, RealFilesystem};

/// What a crash takes with it. After a killed process the system still holds everything that was written; after a power
/// cut it may have lost whatever was not synced: bytes of files, and names in directories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing: the process was killed.
    Nothing,
    /// The bytes that were not synced; the names stay.
    Bytes,
    /// Half of the bytes that were not synced, and zeros follow the other half; the names stay.
    TornBytes,
    /// The names that were not synced; the bytes stay.
    Names,
    /// Both.
    Everything,
}

impl Loss {
    /// Every kind of loss.
    pub const ALL: [Self; 5] = [Self::Nothing, Self::Bytes, Self::TornBytes, Self::Names, Self::Everything];
}

/// How the chosen operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It and every later operation fails, and what [`Loss`] says is lost.
    Crash(Loss),
    /// It alone fails.
    Once(io::ErrorKind),
    /// It and every later operation fails that needs space; removing still works.
    From(io::ErrorKind),
}

/// A file system on top of the real one that counts the operations and fails at the chosen one. Copies share the count.
/// It keeps in memory what it needs to take back, so it is for tests only; syncs cost nothing.
#[derive(Clone, Debug, Default)]
pub struct FaultyFilesystem(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    operations: u64,
    fault: Option<(u64, Fault)>,
    crashed: bool,
    /// For each file with bytes that are not on the disk: how many of them are.
    synced: BTreeMap<PathBuf, u64>,
    /// Changes of names that are not on the disk, in order: the directory, and how to take the change back.
    unsynced: Vec<(PathBuf, Undo)>,
}

#[derive(Debug)]
enum Undo {
    Remove(PathBuf),
    RenameBack { from: PathBuf, to: PathBuf, replaced: Option<Vec<u8>> },
    Restore(PathBuf, Vec<u8>),
}

enum Verdict {
    Go,
    Fail(io::Error),
    /// Half of a write gets through.
    Half,
}

impl FaultyFilesystem {
    /// One that only counts.
    #[must_use]
    pub fn counting() -> Self {
        Self::default()
    }

    /// One whose `nth` operation, counted from 0, fails.
    #[must_use]
    pub fn failing(nth: u64, fault: Fault) -> Self {
        let this = Self::default();
        this.state().fault = Some((nth, fault));
        this
    }

    /// Operations so far, the failed ones too.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Whether the crash has happened.
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.state().crashed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a change under the count, unless it is the one to fail.
    fn change<T>(&self, frees_space: bool, run: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state();
        match state.next(frees_space) {
            Verdict::Go => run(&mut state),
            Verdict::Fail(error) => Err(error),
            Verdict::Half => {
                state.crash();
                Err(gone())
            }
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("injected crash")
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

fn replace(path: &mut PathBuf, from: &Path, to: &Path) {
    if let Ok(rest) = path.strip_prefix(from) {
        *path = to.join(rest);
    }
}

impl State {
    fn next(&mut self, frees_space: bool) -> Verdict {
        if self.crashed {
            return Verdict::Fail(gone());
        }
        let number = self.operations;
        self.operations += 1;
        match self.fault {
            Some((nth, Fault::Crash(_))) if number == nth => Verdict::Half,
            Some((nth, Fault::Once(kind))) if number == nth => Verdict::Fail(kind.into()),
            Some((nth, Fault::From(kind))) if number >= nth && !frees_space => Verdict::Fail(kind.into()),
            _ => Verdict::Go,
        }
    }

    /// Loses what the fault says. Errors are ignored: a file that is already gone cannot lose anything.
    fn crash(&mut self) {
        self.crashed = true;
        let Some((_, Fault::Crash(loss))) = self.fault else { return };
        if matches!(loss, Loss::Bytes | Loss::TornBytes | Loss::Everything) {
            for (path, &synced) in &self.synced {
                let Ok(mut bytes) = fs::read(path) else { continue };
                let synced = usize::try_from(synced).unwrap_or(usize::MAX).min(bytes.len());
                if loss == Loss::TornBytes {
                    let half = synced + (bytes.len() - synced) / 2;
                    bytes[half..].fill(0);
                } else {
                    bytes.truncate(synced);
                }
                let _ = fs::write(path, bytes);
            }
        }
        if matches!(loss, Loss::Names | Loss::Everything) {
            for (_, undo) in self.unsynced.drain(..).rev() {
                let _ = match undo {
                    Undo::Remove(path) if path.is_dir() => fs::remove_dir_all(path),
                    Undo::Remove(path) => fs::remove_file(path),
                    Undo::Restore(path, bytes) => fs::write(path, bytes),
                    Undo::RenameBack { from, to, replaced } => {
                        fs::rename(&to, &from).and_then(|()| replaced.map_or(Ok(()), |bytes| fs::write(&to, bytes)))
                    }
                };
            }
        }
    }

    /// The file, or what is in the directory, is called otherwise now.
    fn moved(&mut self, from: &Path, to: &Path) {
        let synced = std::mem::take(&mut self.synced);
        self.synced = synced
            .into_iter()
            .filter(|(path, _)| path != to)
            .map(|(path, length)| match path.strip_prefix(from) {
                Ok(rest) if rest.as_os_str().is_empty() => (to.to_owned(), length),
                Ok(rest) => (to.join(rest), length),
                Err(_) => (path, length),
            })
            .collect();
        // Names inside a moved directory are as unsynced as they were.
        for (directory, undo) in &mut self.unsynced {
            if directory.starts_with(from) {
                replace(directory, from, to);
                match undo {
                    Undo::Remove(path) | Undo::Restore(path, _) => replace(path, from, to),
                    Undo::RenameBack { from: old, to: new, .. } => {
                        replace(old, from, to);
                        replace(new, from, to);
                    }
                }
            }
        }
    }
}

struct FaultyFile {
    path: PathBuf,
    file: Box<dyn OutFile>,
    filesystem: FaultyFilesystem,
}

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.filesystem.state();
        match state.next(false) {
            Verdict::Go => self.file.write_all(bytes).map(|()| bytes.len()),
            Verdict::Fail(error) => Err(error),
            Verdict::Half => {
                let _ = self.file.write_all(&bytes[..bytes.len() / 2]);
                state.crash();
                Err(gone())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl OutFile for FaultyFile {
    fn sync(&mut self) -> io::Result<()> {
        let Self { path, filesystem, .. } = self;
        filesystem.change(false, |state| {
            state.synced.remove(path);
            Ok(())
        })
    }
}

impl Filesystem for FaultyFilesystem {
    fn create(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        self.change(false, |state| {
            let new = !path.exists();
            let file = RealFilesystem.create(path)?;
            state.synced.insert(path.to_owned(), 0);
            if new {
                state.unsynced.push((parent(path), Undo::Remove(path.to_owned())));
            }
            Ok(Box::new(FaultyFile { path: path.to_owned(), file, filesystem: self.clone() }) as Box<dyn OutFile>)
        })
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        self.change(false, |state| {
            let length = fs::metadata(path)?.len();
            let file = RealFilesystem.append(path)?;
            state.synced.entry(path.to_owned()).or_insert(length);
            Ok(Box::new(FaultyFile { path: path.to_owned(), file, filesystem: self.clone() }) as Box<dyn OutFile>)
        })
    }

    fn rewrite(&self, file: &fs::File, bytes: &[u8]) -> io::Result<()> {
        self.change(bytes.is_empty(), |_| RealFilesystem.rewrite(file, bytes))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.change(true, |state| {
            state.synced.remove(path);
            fs::OpenOptions::new().write(true).open(path)?.set_len(length)
        })
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.change(false, |state| {
            fs::create_dir(path)?;
            state.unsynced.push((parent(path), Undo::Remove(path.to_owned())));
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(false, |state| {
            let replaced = fs::read(to).ok();
            fs::rename(from, to)?;
            state.moved(from, to);
            let undo = Undo::RenameBack { from: from.to_owned(), to: to.to_owned(), replaced };
            state.unsynced.push((parent(to), undo));
            Ok(())
        })
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<bool> {
        self.change(false, |state| {
            let made = RealFilesystem.link(from, to)?;
            if made {
                if let Some(length) = state.synced.get(from).copied() {
                    state.synced.insert(to.to_owned(), length);
                }
                state.unsynced.push((parent(to), Undo::Remove(to.to_owned())));
            }
            Ok(made)
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.change(true, |state| {
            let bytes = fs::read(path)?;
            fs::remove_file(path)?;
            state.synced.remove(path);
            state.unsynced.push((parent(path), Undo::Restore(path.to_owned(), bytes)));
            Ok(())
        })
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.change(true, |state| {
            state.synced.retain(|file, _| !file.starts_with(path));
            fs::remove_dir_all(path)
        })
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.change(false, |state| {
            state.unsynced.retain(|(directory, _)| directory != path);
            Ok(())
        })
    }

    fn sync_below(&self, _: &Path, paths: &[PathBuf]) -> io::Result<()> {
        let paths: BTreeSet<&PathBuf> = paths.iter().collect();
        self.change(false, |state| {
            // No more than what was named: a path that was forgotten is lost here.
            state.synced.retain(|path, _| !paths.contains(path));
            state.unsynced.retain(|(directory, _)| !paths.contains(directory));
            Ok(())
        })
    }
}
