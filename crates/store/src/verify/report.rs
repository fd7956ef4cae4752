//! What a check found.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::error::StoreError;

/// How much was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Attempts.
    pub attempts: u64,
    /// Complete lines of journals.
    pub journal_lines: u64,
    /// Uncompressed bytes of objects.
    pub object_bytes: u64,
    /// Objects.
    pub objects: u64,
    /// Records.
    pub records: u64,
    /// Rows that were read.
    pub rows: u64,
    /// Runs.
    pub runs: u64,
}

/// A file that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The file, relative to the store.
    #[serde(serialize_with = "lossy_path")]
    pub file: PathBuf,
    /// What differs.
    pub what: String,
}

/// Something worth knowing that harms nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// The file, relative to the store.
    #[serde(serialize_with = "lossy_path")]
    pub file: PathBuf,
    /// What is said of it.
    pub what: String,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How much was checked.
    pub checked: Checked,
    /// Files that are not what they should be, in order.
    pub faults: Vec<Fault>,
    /// Things worth knowing that harm nobody, in order.
    pub notes: Vec<Note>,
}

impl Report {
    /// Whether no fault was found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn fault(&mut self, root: &Path, file: &Path, what: impl Into<String>) {
        self.faults.push(Fault { file: relative(root, file), what: what.into() });
    }

    pub(super) fn note(&mut self, root: &Path, file: &Path, what: impl Into<String>) {
        self.notes.push(Note { file: relative(root, file), what: what.into() });
    }

    /// Keeps what an operation gave, or its error as a fault of `file`.
    pub(super) fn keep<T>(&mut self, root: &Path, file: &Path, result: Result<T, StoreError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(StoreError::Damaged { path, what }) => {
                self.fault(root, &path, what);
                None
            }
            Err(error) => {
                let mut what = error.to_string();
                if let Some(source) = error.source() {
                    what = format!("{what}: {source}");
                }
                self.fault(root, file, what);
                None
            }
        }
    }
}

/// Writes a path into JSON. What is not UTF-8 in it is replaced, where the library would give up.
///
/// # Errors
/// Those of the serializer.
pub fn lossy_path<S: Serializer>(path: impl AsRef<Path>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.as_ref().to_string_lossy())
}

fn relative(root: &Path, file: &Path) -> PathBuf {
    file.strip_prefix(root).unwrap_or(file).to_owned()
}
