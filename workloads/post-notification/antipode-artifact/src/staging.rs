//! Writing a directory whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::ExportError;

/// What the name of a directory in the making begins with; the number of its process follows.
const PARTIAL: &str = ".partial-";

/// Where an export of this process into `dir` is, until it is whole: what has to go when the process is interrupted.
#[must_use]
pub fn partial(dir: &Path) -> PathBuf {
    dir.join(format!("{PARTIAL}{}", std::process::id()))
}

/// Whether this is what a killed process left of an export.
fn is_left(name: &std::ffi::OsStr) -> bool {
    let process = name.to_str().and_then(|name| name.strip_prefix(PARTIAL)?.parse::<u32>().ok());
    process.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists())
}

/// A hidden directory in the target whose entries move up at the end; dropped before that, nothing is left behind.
pub(crate) struct Staging {
    pub(crate) target: PathBuf,
    path: PathBuf,
    /// Whether the target was not there before.
    created: bool,
}

impl Staging {
    /// Takes a new or empty directory.
    pub(crate) fn new(dir: &Path) -> Result<Self, ExportError> {
        let fail = |source| ExportError::Write { path: dir.to_owned(), source };
        let mut created = false;
        match fs::read_dir(dir) {
            Ok(entries) => {
                let entries = entries.collect::<io::Result<Vec<_>>>().map_err(fail)?;
                if entries.iter().any(|entry| !is_left(&entry.file_name())) {
                    return Err(ExportError::NotEmpty(dir.to_owned()));
                }
                for entry in entries {
                    fs::remove_dir_all(entry.path()).map_err(fail)?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(dir).map_err(fail)?;
                created = true;
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(ExportError::NotEmpty(dir.to_owned()));
            }
            Err(error) => return Err(fail(error)),
        }
        // The real name: the target may be given as `.`.
        let target = dir.canonicalize().map_err(fail)?;
        let path = partial(&target);
        fs::create_dir(&path).map_err(fail)?;
        Ok(Self { target, path, created })
    }

    /// Writes a file, and the directories above it; not its own again, if somebody took that away.
    pub(crate) fn write(&self, relative: &Path, text: &str) -> Result<(), ExportError> {
        let mut folder = self.path.clone();
        let made = relative.parent().into_iter().flat_map(Path::components).try_for_each(|part| {
            folder.push(part);
            fs::create_dir(&folder).or_else(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Ok(()),
                _ => Err(error),
            })
        });
        let written = made.and_then(|()| fs::write(self.path.join(relative), text));
        written.map_err(|source| ExportError::Write { path: self.target.join(relative), source })
    }

    /// Moves what was written one level up: all of it, or nothing.
    pub(crate) fn publish(self) -> Result<(), ExportError> {
        let mut moved = Vec::new();
        let result = fs::read_dir(&self.path).and_then(|entries| {
            for entry in entries {
                let entry = entry?;
                let (from, to) = (entry.path(), self.target.join(entry.file_name()));
                fs::rename(&from, &to)?;
                moved.push((from, to));
            }
            Ok(())
        });
        result.map_err(|source| {
            for (from, to) in moved {
                // Back where the rest is, to be removed with it.
                let _ = fs::rename(to, from);
            }
            ExportError::Write { path: self.target.clone(), source }
        })
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed is hidden, and an import does not look at it.
        let _ = fs::remove_dir_all(&self.path);
        if self.created {
            // Stays where something is in it.
            let _ = fs::remove_dir(&self.target);
        }
    }
}
