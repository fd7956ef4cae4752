//! A directory that appears whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::BundleError;
use crate::temporary::{self, Folder};

/// A directory in the making: beside its target, and renamed to it when it is whole. Dropped before, it is removed.
#[derive(Debug)]
pub struct NewDirectory {
    target: PathBuf,
    above: Folder,
    /// Whether the target stays the folder that it is, and what is made is moved into it.
    stays: bool,
}

impl NewDirectory {
    /// Begins a directory. The target must not exist, or be an empty directory.
    pub fn begin(target: &Path) -> Result<Self, BundleError> {
        let exists = || BundleError::TargetExists(target.to_owned());
        let reading = || BundleError::path(format!("reading {}", target.display()));
        let mut stays = false;
        match fs::symlink_metadata(target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(reading()(error)),
            Ok(metadata) if !metadata.is_dir() => return Err(exists()),
            Ok(_) => {
                if fs::read_dir(target).map_err(reading())?.next().is_some() {
                    return Err(exists());
                }
                stays = must_stay(target).map_err(reading())?;
            }
        }
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = if stays { target } else { folder };
        fs::create_dir_all(folder).map_err(BundleError::path(format!("creating {}", folder.display())))?;
        let above = Folder::inside(folder, ".bundle-")
            .map_err(BundleError::path(format!("creating a directory in {}", folder.display())))?;
        let this = Self { target: target.to_owned(), above, stays };
        fs::create_dir(this.path()).map_err(BundleError::io(format!("creating {}", this.path().display())))?;
        Ok(this)
    }

    /// Where it is made.
    pub fn path(&self) -> PathBuf {
        self.above.path().join("new")
    }

    /// Gives it its name.
    pub fn finish(self) -> Result<(), BundleError> {
        let failed = BundleError::path(format!("renaming a directory to {}", self.target.display()));
        // An interruption comes before or after.
        let held = temporary::hold();
        let renamed = if self.stays { self.move_entries() } else { fs::rename(self.path(), &self.target) };
        drop(held);
        renamed.map_err(failed)
    }

    /// Moves everything that was made into the target: all or nothing.
    fn move_entries(&self) -> io::Result<()> {
        let mut moved = Vec::new();
        let mut move_all = || {
            for entry in fs::read_dir(self.path())?.collect::<io::Result<Vec<_>>>()? {
                let place = self.target.join(entry.file_name());
                fs::rename(entry.path(), &place)?;
                moved.push((entry.path(), place));
            }
            Ok(())
        };
        let result = move_all();
        if result.is_err() {
            for (from, place) in moved {
                // The first failure is the one that is told.
                let _ = fs::rename(place, from);
            }
        }
        result
    }
}

/// Whether a folder cannot, or should not, be replaced by another one of its name: because somebody stands in it, or
/// another file system begins there.
fn must_stay(folder: &Path) -> io::Result<bool> {
    let place = folder.canonicalize()?;
    let is_current = std::env::current_dir().and_then(|current| current.canonicalize()).is_ok_and(|it| it == place);
    #[cfg(unix)]
    if let Some(above) = place.parent() {
        use std::os::unix::fs::MetadataExt as _;
        return Ok(is_current || fs::metadata(above)?.dev() != fs::metadata(&place)?.dev());
    }
    Ok(is_current || place.parent().is_none())
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    fn begun(target: &Path) -> NewDirectory {
        let above = Folder::inside(target, ".bundle-").unwrap();
        let this = NewDirectory { target: target.to_owned(), above, stays: true };
        fs::create_dir(this.path()).unwrap();
        fs::create_dir(this.path().join("data")).unwrap();
        fs::write(this.path().join("data/a"), b"a").unwrap();
        fs::write(this.path().join("bagit.txt"), b"b").unwrap();
        this
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_that_stays_gets_everything_or_nothing() {
        let directory = tempdir().unwrap();
        begun(directory.path()).finish().unwrap();
        assert_eq!(names(directory.path()), ["bagit.txt", "data"]);
        assert_eq!(fs::read(directory.path().join("data/a")).unwrap(), b"a");

        // Somebody puts a folder with something in it where a file has to go.
        let directory = tempdir().unwrap();
        let made = begun(directory.path());
        fs::create_dir_all(directory.path().join("bagit.txt/x")).unwrap();
        assert_eq!(made.finish().unwrap_err().kind(), crate::ErrorKind::Input);
        assert_eq!(names(directory.path()), ["bagit.txt"]);
        drop(begun(tempdir().unwrap().path()));
    }

    #[test]
    fn the_folder_that_one_stands_in_stays() {
        assert!(must_stay(Path::new(".")).unwrap());
        assert!(must_stay(&std::env::current_dir().unwrap()).unwrap());
        assert!(!must_stay(tempdir().unwrap().path()).unwrap());
    }
}
