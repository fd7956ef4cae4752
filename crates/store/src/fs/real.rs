//! The file system of the operating system, with and without waiting for the disk.

use std::fs::{self, File};
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
        Ok(Box::new(UnsyncedFile(RealFilesystem.create(path)?)))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        Ok(Box::new(UnsyncedFile(RealFilesystem.append(path)?)))
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_below(&self, _: &Path, _: &[PathBuf]) -> io::Result<()> {
        Ok(())
    }
}

pub(super) struct RealFile(pub(super) File);

impl Write for RealFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl OutFile for RealFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

struct UnsyncedFile(Box<dyn OutFile>);

impl Write for UnsyncedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl OutFile for UnsyncedFile {
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
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
