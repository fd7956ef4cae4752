//! Unpacking a bundle.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::bag::TAG_FILES;
use crate::error::{BundleError, Refusal};
use crate::place::Place;
use crate::reader::BundleReader;

/// A directory in the making: beside its target, and renamed to it when it is whole. Dropped before, it is removed.
#[derive(Debug)]
pub(crate) struct NewDirectory {
    target: PathBuf,
    above: TempDir,
}

impl NewDirectory {
    /// Begins a directory. The target must not exist, or be an empty directory.
    pub(crate) fn begin(target: &Path) -> Result<Self, BundleError> {
        let exists = || BundleError::TargetExists(target.to_owned());
        match fs::symlink_metadata(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(BundleError::io(format!("reading {}", target.display()))(error)),
            Ok(metadata) if !metadata.is_dir() => return Err(exists()),
            Ok(_) => {
                let mut entries =
                    fs::read_dir(target).map_err(BundleError::io(format!("reading {}", target.display())))?;
                if entries.next().is_some() {
                    return Err(exists());
                }
            }
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let above = tempfile::Builder::new()
            .prefix(".bundle-")
            .tempdir_in(folder)
            .map_err(BundleError::io(format!("creating a directory in {}", folder.display())))?;
        let this = Self { target: target.to_owned(), above };
        fs::create_dir(this.path()).map_err(BundleError::io(format!("creating {}", this.path().display())))?;
        Ok(this)
    }

    /// Where it is made.
    pub(crate) fn path(&self) -> PathBuf {
        self.above.path().join("new")
    }

    /// Gives it its name.
    pub(crate) fn finish(self) -> Result<(), BundleError> {
        fs::rename(self.path(), &self.target)
            .map_err(BundleError::io(format!("renaming a directory to {}", self.target.display())))
    }
}

/// Unpacks a bundle: `target` becomes the bag. Nothing is written outside it, and if the bundle is refused, nothing at
/// all. Every digest has been compared when this returns.
///
/// # Errors
/// When `target` exists and is not an empty directory, the bundle is not what it should be, or a file cannot be written.
pub fn extract(mut reader: BundleReader, target: &Path) -> Result<(), BundleError> {
    let directory = NewDirectory::begin(target)?;
    let root = directory.path();
    for name in TAG_FILES {
        let bytes = reader.tags().get(name).cloned().unwrap_or_default();
        let mut file = create(&root.join(name))?;
        file.write_all(&bytes).map_err(BundleError::io(format!("writing {name}")))?;
    }
    while let Some(entry) = reader.next_entry()? {
        if Place::of(&entry.path).is_none() {
            return Err(BundleError::Refused { place: Some(entry.path), offset: 0, why: Refusal::UnknownPlace });
        }
        let mut file = create(&root.join(&entry.path))?;
        let doing = || BundleError::io(format!("writing {}", target.join(&entry.path).display()));
        reader.copy_entry(&mut |bytes| file.write_all(bytes).map_err(doing()))?;
    }
    directory.finish()
}

/// Creates a file that was not there, and the folders above it.
fn create(path: &Path) -> Result<File, BundleError> {
    let doing = || BundleError::io(format!("creating {}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(doing())?;
    }
    File::options().write(true).create_new(true).open(path).map_err(doing())
}
