//! The operations that change a store, so that tests can make each of them fail.

mod faults;
mod real;

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use faults::{Fault, FaultyFilesystem, Loss};
pub use real::RealFilesystem;

/// A file being written.
pub trait OutFile: Write + Send {
    /// Waits until everything written so far is on the disk.
    ///
    /// # Errors
    /// When the system cannot tell.
    fn sync(&mut self) -> io::Result<()>;
}

/// Everything that changes a store goes through here. What is read does not.
pub trait Filesystem: fmt::Debug + Send + Sync {
    /// Creates a file, or empties it if it exists.
    ///
    /// # Errors
    /// What the system says; so for every operation here.
    fn create(&self, path: &Path) -> io::Result<Box<dyn OutFile>>;
    /// Opens an existing file to write at its end.
    ///
    /// # Errors
    /// What the system says.
    fn append(&self, path: &Path) -> io::Result<Box<dyn OutFile>>;
    /// Cuts a file to `length` bytes, and waits until that is on the disk.
    ///
    /// # Errors
    /// What the system says.
    fn truncate(&self, path: &Path, length: u64) -> io::Result<()>;
    /// Creates a directory.
    ///
    /// # Errors
    /// What the system says, also when it exists.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Renames a file or directory, in place of a file of that name.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives a file a second name, unless there is something of that name. Whether it did.
    ///
    /// # Errors
    /// What the system says.
    fn link(&self, from: &Path, to: &Path) -> io::Result<bool>;
    /// Removes a file.
    ///
    /// # Errors
    /// What the system says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and what is in it.
    ///
    /// # Errors
    /// What the system says.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Waits until the names in a directory are on the disk.
    ///
    /// # Errors
    /// What the system says.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Waits until everything below a directory is on the disk, bytes and names; `paths` are the files and directories that changed there, some
    /// of them more than once.
    ///
    /// # Errors
    /// What the system says.
    fn sync_below(&self, directory: &Path, paths: &[PathBuf]) -> io::Result<()>;
}
