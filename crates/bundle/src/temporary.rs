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
    pub fn new() -> io::Result<Self> {
        Self::inside(&std::env::temp_dir(), ".matrix-")
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

/// Makes a temporary file without a name, which is gone as soon as nobody has it open.
///
/// # Errors
/// When it cannot be made.
pub fn unnamed() -> Result<File, BundleError> {
    tempfile::tempfile().map_err(BundleError::path("making a temporary file"))
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
