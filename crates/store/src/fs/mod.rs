//! The operations that change a store, so that tests can make each of them fail.

mod faults;
mod real;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write};
use std::path::{Path, PathBuf};

pub use faults::{Fault, FaultyFilesystem, Loss};
use real::{RealFile, has_two_names};
pub use real::{RealFilesystem, UnsyncedFilesystem};

/// A file being written.
pub trait OutFile: Write + Send {
    /// Waits until everything written so far is on the disk.
    ///
    /// # Errors
    /// When the system cannot tell.
    fn sync(&mut self) -> io::Result<()>;
}

/// Everything that changes a store goes through here. What is read does not. Each operation is the operating system's, unless a file
/// system does it in another way.
pub trait Filesystem: fmt::Debug + Send + Sync {
    /// Creates a file, or empties it if it exists.
    ///
    /// # Errors
    /// What the system says; so for every operation here.
    fn create(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        Ok(Box::new(RealFile { file: File::create(path)?, syncs: true }))
    }

    /// Opens an existing file to write at its end.
    fn append(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        Ok(Box::new(RealFile { file: OpenOptions::new().append(true).open(path)?, syncs: true }))
    }

    /// Writes bytes in place of all that an open file holds.
    fn rewrite(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        // A file system over a network shows others what was written when a descriptor is closed.
        let mut file = file.try_clone()?;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(bytes)
    }

    /// Cuts a file to `length` bytes, and waits until that is on the disk.
    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(length)?;
        file.sync_all()
    }

    /// Creates a directory.
    ///
    /// # Errors
    /// What the system says, also when it exists.
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    /// Renames a file or directory, in place of a file of that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Gives a file a second name, unless there is something of that name. Whether it did. Over a network, the answer of a link
    /// that was made may be lost: the number of names decides.
    fn link(&self, from: &Path, to: &Path) -> io::Result<bool> {
        match fs::hard_link(from, to) {
            Ok(()) => Ok(true),
            Err(_) if has_two_names(from) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            // Not every server says why: SFTP has one code for all failures.
            Err(_) if fs::symlink_metadata(to).is_ok() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Removes a directory and what is in it.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    /// Waits until the names in a directory are on the disk.
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // Elsewhere a directory cannot be opened as a file, and the system keeps its names by itself.
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }

    /// Waits until everything below a directory is on the disk, bytes and names; `paths` are the files and directories that changed there, some
    /// of them more than once. One call for the whole file system costs less than one for each of many files.
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn sync_below(&self, directory: &Path, _paths: &[PathBuf]) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(directory)?)?)
    }

    /// The same, file by file.
    #[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
    fn sync_below(&self, _directory: &Path, paths: &[PathBuf]) -> io::Result<()> {
        let paths: std::collections::BTreeSet<&PathBuf> = paths.iter().collect();
        paths.iter().try_for_each(|path| if path.is_dir() { self.sync_dir(path) } else { File::open(path)?.sync_all() })
    }
}
