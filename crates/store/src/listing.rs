//! What is in a folder. Names need not be text, nor ours: whoever lists a folder of a store takes what has a name and a kind
//! of ours, and leaves the rest to [`Store::verify`](crate::Store::verify), which notes it.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::error::StoreError;

/// A file or folder in a folder.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    pub(crate) name: OsString,
    pub(crate) is_folder: bool,
}

impl Item {
    /// The name of a file, if it is text.
    pub(crate) fn file(&self) -> Option<&str> {
        self.name.to_str().filter(|_| !self.is_folder)
    }

    /// The name of a folder, if it is text.
    pub(crate) fn folder(&self) -> Option<&str> {
        self.name.to_str().filter(|_| self.is_folder)
    }
}

/// What is in a folder, in order of names; nothing if there is no such folder. Links are followed.
pub(crate) fn list(path: &Path) -> Result<Vec<Item>, StoreError> {
    let fail = |error| StoreError::io("reading", path, error);
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(fail(error)),
    };
    let mut items = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fail)?;
        // What is gone by now is no folder.
        let is_folder = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
            Ok(kind) => kind.is_dir(),
            Err(_) => false,
        };
        items.push(Item { name: entry.file_name(), is_folder });
    }
    items.sort_unstable();
    Ok(items)
}

/// Whether a name begins with a date, as all names of runs and attempts do.
pub(crate) fn is_dated(name: &str) -> bool {
    name.bytes().take(8).filter(u8::is_ascii_digit).count() == 8
}
