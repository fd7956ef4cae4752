//! The file system of the operating system, with and without waiting for the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Filesystem, OutFile};

/// The file system of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFilesystem;

impl Filesystem for RealFilesystem {}

/// The same, but nothing waits for the disk: for what may be made again.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnsyncedFilesystem;

impl Filesystem for UnsyncedFilesystem {
    fn create(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        Ok(Box::new(RealFile { file: File::create(path)?, syncs: false }))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        Ok(Box::new(RealFile { file: OpenOptions::new().append(true).open(path)?, syncs: false }))
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_below(&self, _: &Path, _: &[PathBuf]) -> io::Result<()> {
        Ok(())
    }
}

pub(super) struct RealFile {
    pub(super) file: File,
    /// Whether [`OutFile::sync`] waits for the disk.
    pub(super) syncs: bool,
}

impl Write for RealFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl OutFile for RealFile {
    fn sync(&mut self) -> io::Result<()> {
        if self.syncs { self.file.sync_data() } else { Ok(()) }
    }
}

#[cfg(unix)]
pub(super) fn has_two_names(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| std::os::unix::fs::MetadataExt::nlink(&metadata) == 2)
}

#[cfg(not(unix))]
pub(super) fn has_two_names(_: &Path) -> bool {
    false
}
