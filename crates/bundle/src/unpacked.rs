//! An unpacked bundle read as if it was still packed: the files of a bag, put into an archive again, the way that bundles
//! are made. So whatever reads bundles reads unpacked ones, and checks as much of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use serde::Deserialize;

use crate::bag::{BAGIT, TAG_FILES};
use crate::compress::{compressor, finish};
use crate::error::{BundleError, Refusal};
use crate::folder::folder_name;
use crate::limits::Limits;
use crate::tar::TarWriter;

/// Whether a folder is an unpacked bundle, or another bag.
#[must_use]
pub fn is_unpacked(folder: &Path) -> bool {
    folder.join(BAGIT).is_file()
}

/// An unpacked bundle as the stream that it was unpacked from.
#[derive(Debug)]
pub struct Unpacked {
    pipe: PipeReader,
    packing: Option<JoinHandle<Result<(), BundleError>>>,
    /// Files beside the bag's own, which are not part of it.
    pub others: Vec<PathBuf>,
}

impl Unpacked {
    /// Begins to read a folder, of which nobody knows whether it is within the limits.
    ///
    /// # Errors
    /// When it cannot be listed, has more files or a larger plan than it may, links or devices among the payload, or names that no
    /// bundle has.
    pub fn open(folder: &Path, limits: Limits) -> Result<Self, BundleError> {
        let mut files: Vec<(String, PathBuf)> =
            TAG_FILES.iter().map(|name| ((*name).to_owned(), folder.join(name))).collect();
        files.retain(|(_, path)| path.is_file());
        let mut payload = Vec::new();
        walk(&folder.join("data"), "data", limits.max_entries, &mut payload)?;
        payload.sort();
        let name = folder_name(&experiments(&payload, limits.max_plan())?);
        files.extend(payload);
        let known = |name: &std::ffi::OsStr| name == "data" || TAG_FILES.iter().any(|tag| name == *tag);
        let mut others = Vec::new();
        for entry in fs::read_dir(folder).map_err(reading(folder))? {
            let name = entry.map_err(reading(folder))?.file_name();
            others.extend((!known(&name)).then(|| name.into()));
        }
        others.sort();
        let (pipe, out) = io::pipe().map_err(BundleError::io("opening a pipe"))?;
        let packing = std::thread::spawn(move || pack(&name, &files, out));
        Ok(Self { pipe, packing: Some(packing), others })
    }
}

/// Errors hold a [`BundleError`], see [`BundleError::from_read`].
impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.pipe.read(buffer)?;
        if count == 0
            && !buffer.is_empty()
            && let Some(packing) = self.packing.take()
        {
            match packing.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(io::Error::other(error)),
                Err(_) => return Err(io::Error::other("packing the folder broke off")),
            }
        }
        Ok(count)
    }
}

fn reading(path: &Path) -> impl FnOnce(io::Error) -> BundleError + use<> {
    BundleError::path(format!("reading {}", path.display()))
}

fn refused(place: String, why: Refusal) -> BundleError {
    BundleError::Refused { place: Some(place), offset: 0, why }
}

/// The files below a folder of the payload, `max` at most, each by its path in the bag.
fn walk(folder: &Path, name: &str, max: u64, files: &mut Vec<(String, PathBuf)>) -> Result<(), BundleError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(reading(folder)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(reading(folder))?;
        let Ok(part) = entry.file_name().into_string() else {
            return Err(refused(format!("{name}/{}", entry.file_name().to_string_lossy()), Refusal::NotUtf8));
        };
        let (inner, kind) = (format!("{name}/{part}"), entry.file_type().map_err(reading(&entry.path()))?);
        if kind.is_dir() {
            walk(&entry.path(), &inner, max, files)?;
        } else if kind.is_file() {
            if files.len() as u64 >= max {
                return Err(refused(name.to_owned(), Refusal::TooManyEntries { max }));
            }
            files.push((inner, entry.path()));
        } else {
            let what = if kind.is_symlink() { "a symbolic link" } else { "a device or a pipe" };
            return Err(refused(inner, Refusal::NotAFile(what)));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct PlanName {
    experiment: String,
}

/// The names of the experiments that the bag has plans of, each of `max` bytes at most: its folder is named by them. What is no plan is
/// found out by who reads the archive.
fn experiments(files: &[(String, PathBuf)], max: u64) -> Result<BTreeSet<String>, BundleError> {
    let mut names = BTreeSet::new();
    for (inner, path) in files.iter().filter(|(inner, _)| inner.starts_with("data/plans/")) {
        let file = File::open(path).map_err(reading(path))?;
        let bytes = file.metadata().map_err(reading(path))?.len();
        if bytes > max {
            return Err(refused(inner.clone(), Refusal::FileTooLarge { bytes, max }));
        }
        let mut plan = Vec::new();
        file.take(max).read_to_end(&mut plan).map_err(reading(path))?;
        names.extend(serde_json::from_slice(&plan).ok().map(|plan: PlanName| plan.experiment));
    }
    Ok(names)
}

fn pack(name: &str, files: &[(String, PathBuf)], out: PipeWriter) -> Result<(), BundleError> {
    let packing = || BundleError::io("packing the folder");
    let mut tar = TarWriter::new(compressor(out, 1)?);
    for (inner, path) in files {
        let file = File::open(path).map_err(reading(path))?;
        let size = file.metadata().map_err(reading(path))?.len();
        tar.append(&format!("{name}/{inner}"), size, file).map_err(|error| match error {
            BundleError::Unfit { why, .. } => refused(inner.clone(), why),
            other => other,
        })?;
    }
    finish(tar.finish().map_err(packing())?).map_err(packing())?.0.flush().map_err(packing())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_too_many_files_or_too_large_a_plan_is_refused_before_that_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let plans = folder.path().join("data/plans");
        fs::create_dir_all(&plans).unwrap();
        fs::write(plans.join("a.json"), b"{\"experiment\":\"a\"}").unwrap();
        // It takes no room on the disk.
        File::create(plans.join("b.json")).unwrap().set_len(1 << 40).unwrap();
        let told = |limits: Limits| Unpacked::open(folder.path(), limits).map(drop).unwrap_err().to_string();
        let limits = Limits::default();
        assert_eq!(told(limits), "data/plans/b.json: 1099511627776 bytes, where at most 67108864 are allowed");
        assert_eq!(told(Limits { max_entries: 1, ..limits }), "data/plans: it has more than 1 entries");
    }
}
