//! The file system of the operating system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Filesystem, OutFile};

/// The file system of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFilesystem;

struct RealFile(File);

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

impl Filesystem for RealFilesystem {
    fn create(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        Ok(Box::new(RealFile(File::create(path)?)))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OutFile>> {
        Ok(Box::new(RealFile(OpenOptions::new().append(true).open(path)?)))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(length)?;
        file.sync_all()
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    /// Over a network, the answer of a link that was made may be lost: the number of names decides.
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

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // Elsewhere a directory cannot be opened as a file, and the system keeps its names by itself.
        if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
    }

    /// One call for the whole file system costs less than one for each of many files.
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn sync_below(&self, directory: &Path, _: &[PathBuf]) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(directory)?)?)
    }

    #[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
    fn sync_below(&self, _: &Path, paths: &[PathBuf]) -> io::Result<()> {
        let paths: std::collections::BTreeSet<&PathBuf> = paths.iter().collect();
        paths.iter().try_for_each(|path| if path.is_dir() { self.sync_dir(path) } else { File::open(path)?.sync_all() })
    }
}

#[cfg(unix)]
fn has_two_names(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| std::os::unix::fs::MetadataExt::nlink(&metadata) == 2)
}

#[cfg(not(unix))]
fn has_two_names(_: &Path) -> bool {
    false
}
