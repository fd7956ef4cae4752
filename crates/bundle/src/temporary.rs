//! What has to go when the process is interrupted: folders and files that are not yet, or never, anybody's results.
//!
//! Dropped, they are removed. A signal drops nothing: so they are listed here, and whoever hears of one calls
//! [`remove_all`] and ends the process.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use matrix_store::is_full;
use tempfile::TempDir;

use crate::error::BundleError;

static LISTED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Nothing that is listed is removed while this is held.
pub fn hold() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LISTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something that an interruption must not cut short: nothing is removed, and the process is not ended, meanwhile.
/// While everything is being removed it does nothing, and does not return.
pub fn undisturbed<T>(work: impl FnOnce() -> T) -> T {
    let _held = hold();
    work()
}

/// A temporary folder: removed when it is dropped, and when the process is interrupted.
#[derive(Debug)]
pub struct Folder(Option<TempDir>);

impl Folder {
    /// Makes one in the system's place for such folders.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> Result<Self, BundleError> {
        let place = place()?;
        Self::inside(&place, ".matrix-").map_err(|error| unusable(&place, error))
    }

    /// Makes one in a folder.
    pub fn inside(folder: &Path, prefix: &str) -> io::Result<Self> {
        // An absolute path, so that it is found wherever the process stands.
        let folder = std::path::absolute(folder)?;
        let mut listed = hold();
        let made = tempfile::Builder::new().prefix(prefix).tempdir_in(folder)?;
        listed.insert(made.path().to_owned());
        Ok(Self(Some(made)))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.as_ref().map_or(Path::new(""), TempDir::path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let Some(folder) = self.0.take() else { return };
        let path = folder.path().to_owned();
        // Not with the list held: it may take a while. What an interruption removes meanwhile is the same.
        drop(folder);
        hold().remove(&path);
    }
}

/// The system's place for temporary folders and files: what `TMPDIR` names.
///
/// # Errors
/// When there is no such folder.
pub fn place() -> Result<PathBuf, BundleError> {
    must_be_there(std::env::temp_dir())
}

fn must_be_there(place: PathBuf) -> Result<PathBuf, BundleError> {
    match fs::metadata(&place) {
        Ok(found) if found.is_dir() => Ok(place),
        Ok(_) => Err(unusable(&place, io::ErrorKind::NotADirectory.into())),
        Err(error) => Err(unusable(&place, error)),
    }
}

fn unusable(place: &Path, error: io::Error) -> BundleError {
    if is_full(&error) {
        return BundleError::Path { doing: format!("making a temporary file in {}", place.display()), source: error };
    }
    let why = match error.kind() {
        io::ErrorKind::NotFound => "which is not there".to_owned(),
        io::ErrorKind::NotADirectory => "which is no folder".to_owned(),
        _ => format!("where nothing can be made: {error}"),
    };
    BundleError::Temporary { place: place.to_owned(), why }
}

/// Makes a temporary file without a name, which is gone as soon as nobody has it open.
///
/// # Errors
/// When it cannot be made.
pub fn unnamed() -> Result<File, BundleError> {
    let place = place()?;
    tempfile::tempfile_in(&place).map_err(|error| unusable(&place, error))
}

/// Lists a temporary file. Its name is nobody else's afterwards either: so it may stay listed when it is gone.
pub fn list_file(path: &Path) {
    if let Ok(path) = std::path::absolute(path) {
        hold().insert(path);
    }
}

/// Creates a file that was not there, and the folders above it; not while everything is removed.
pub fn create(path: &Path) -> Result<File, BundleError> {
    let doing = || BundleError::io(format!("creating {}", path.display()));
    let _held = hold();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(doing())?;
    }
    File::options().write(true).create_new(true).open(path).map_err(doing())
}

/// Removes everything that is listed, then does `last` while nothing can be listed or created any more: to be called when
/// the process is about to end.
pub fn remove_all(last: impl FnOnce()) {
    let listed = hold();
    remove(listed.iter());
    last();
}

fn remove<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) {
    for path in paths {
        // Another thread may still be writing into it.
        for _ in 0..100 {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            match removed {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => break,
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_for_temporary_files_that_is_none_is_named_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let (absent, file) = (folder.path().join("absent"), folder.path().join("file"));
        fs::write(&file, "").unwrap();
        assert_eq!(must_be_there(folder.path().to_owned()).unwrap(), folder.path());
        for (place, why) in [(&absent, "which is not there"), (&file, "which is no folder")] {
            let error = must_be_there(place.clone()).unwrap_err();
            assert_eq!(error.to_string(), format!("TMPDIR names {}, {why}", place.display()));
            assert_eq!(error.kind(), crate::ErrorKind::Input);
            assert_eq!(error.help().unwrap(), "make it, or let TMPDIR name another place");
        }
        assert!(!absent.exists());
    }

    #[test]
    fn what_is_dropped_or_interrupted_is_removed() {
        let above = tempfile::tempdir().unwrap();
        let count = || fs::read_dir(above.path()).unwrap().count();
        let inside = || Folder::inside(above.path(), ".x-").unwrap();
        let dropped = inside();
        fs::write(dropped.path().join("a"), b"a").unwrap();
        drop(dropped);
        assert_eq!(count(), 0);
        // Tests of one process share the list: only these are removed.
        let (kept, file) = (inside(), above.path().join(".file"));
        fs::create_dir(kept.path().join("b")).unwrap();
        fs::write(kept.path().join("b/c"), b"c").unwrap();
        fs::write(&file, b"f").unwrap();
        list_file(&file);
        let listed = hold().clone();
        assert!(listed.contains(kept.path()) && listed.contains(&file));
        let gone = above.path().join("gone");
        remove([&kept.path().to_owned(), &file, &gone]);
        assert_eq!(count(), 0);
        drop(kept);
    }
}
