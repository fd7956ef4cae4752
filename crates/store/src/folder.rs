//! Looking at many files of one folder.

use std::io;
use std::path::PathBuf;

use crate::error::StoreError;
use crate::index::Stamp;
use crate::listing::{Item, list};

/// A folder whose files are looked at one after the other. Where the system can look a name up from an open folder, the
/// way to the folder is gone only once: that is a third of the time of a look at each file by its whole path.
pub(crate) struct Folder {
    path: PathBuf,
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    open: Option<std::fs::File>,
}

impl Folder {
    /// A folder, which need not exist.
    pub(crate) fn open(path: PathBuf) -> Self {
        Self {
            #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
            open: open(&path),
            path,
        }
    }

    /// What a file in the folder is like, if it is there.
    pub(crate) fn stamp(&self, name: &str) -> Result<Option<Stamp>, StoreError> {
        match self.look(name) {
            Ok(stamp) => Ok(Some(stamp)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(StoreError::io("reading", &self.path.join(name), error)),
        }
    }

    /// The names of what is in a folder of this one, each with whether it is a folder, in order; nothing if there is no such folder.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<Item>, StoreError> {
        #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
        if let Some(items) = self.open.as_ref().and_then(|open| list_in(open, name)) {
            return Ok(items);
        }
        list(&self.path.join(name))
    }

    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn look(&self, name: &str) -> io::Result<Stamp> {
        let Some(open) = &self.open else { return self.look_by_path(name) };
        let stat = rustix::fs::statat(open, name, rustix::fs::AtFlags::empty())?;
        let changed_ns = i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec);
        Ok(Stamp {
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            changed_ns: u128::try_from(changed_ns).unwrap_or_default(),
            inode: stat.st_ino,
        })
    }

    #[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
    fn look(&self, name: &str) -> io::Result<Stamp> {
        self.look_by_path(name)
    }

    fn look_by_path(&self, name: &str) -> io::Result<Stamp> {
        std::fs::metadata(self.path.join(name)).map(|metadata| Stamp::of(&metadata))
    }
}

/// Opens a folder. What else has its name is left alone: a pipe would keep who opens it waiting.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn open(path: &std::path::Path) -> Option<std::fs::File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Some(rustix::fs::open(path, flags, Mode::empty()).ok()?.into())
}

/// What is in a folder of an open one. Nothing where something is unusual, a link for example: it has to be listed as others are.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
fn list_in(open: &std::fs::File, name: &str) -> Option<Vec<Item>> {
    use std::os::unix::ffi::OsStrExt as _;

    use rustix::fs::{FileType, Mode, OFlags, RawDir};
    let folder =
        rustix::fs::openat(open, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4 << 10];
    let mut entries = RawDir::new(folder, &mut buffer);
    let mut items = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry.ok()?;
        let name = std::ffi::OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        let is_folder = match entry.file_type() {
            FileType::RegularFile => false,
            FileType::Directory => true,
            _ => return None,
        };
        items.push(Item { name: name.to_owned(), is_folder });
    }
    items.sort_unstable();
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_see_the_same() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("a")).unwrap();
        std::fs::write(directory.path().join("a/file"), "twelve bytes").unwrap();
        let folder = Folder::open(directory.path().to_owned());
        assert_eq!(folder.stamp("a/file").unwrap(), Some(folder.look_by_path("a/file").unwrap()));
        assert_eq!(folder.stamp("a/file").unwrap().unwrap().size, 12);
        std::fs::create_dir(directory.path().join("a/b")).unwrap();
        assert_eq!(folder.list("a").unwrap(), list(&directory.path().join("a")).unwrap());
        assert_eq!(folder.list("a").unwrap().iter().map(|item| item.is_folder).collect::<Vec<_>>(), [true, false]);
        std::os::unix::fs::symlink("b", directory.path().join("a/c")).unwrap();
        assert_eq!(folder.list("a").unwrap(), list(&directory.path().join("a")).unwrap());
        assert_eq!(folder.list("a").unwrap().len(), 3);
        assert_eq!(folder.list("none").unwrap(), []);
        assert_eq!(folder.stamp("a/none").unwrap(), None);
        assert_eq!(Folder::open(directory.path().join("none")).stamp("file").unwrap(), None);
    }
}
