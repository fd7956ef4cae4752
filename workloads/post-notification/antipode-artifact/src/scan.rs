//! Finding the folders.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use matrix_plan::Regions;

use crate::error::{ImportError, ParseError, Problem};
use crate::name::{FoundName, PairName};

/// A cell's folder.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    /// The storages, where the folder above is named after them.
    pub(crate) pair: Option<PairName>,
    pub(crate) name: FoundName,
}

/// The cells' folders in `path`, in order of their names. `path` may be the folder `gather`, one that holds it, one of
/// its folders, or a single cell's.
pub(crate) fn find(path: &Path, regions: &Regions) -> Result<Vec<Found>, ImportError> {
    let gather = path.join("gather");
    let root = if gather.is_dir() { &gather } else { path };
    if root.join("tags.yml").exists() || root.join("traces.csv").exists() {
        let root = root.canonicalize().map_err(|source| ImportError::Io { path: root.to_owned(), source })?;
        let pair = root.parent().and_then(|above| name_of(above).parse().ok());
        return Ok(vec![found(root, pair, regions)?]);
    }
    let mut all = Vec::new();
    if let Ok(pair) = real_name(root)?.parse::<PairName>() {
        cells(root, pair, regions, &mut all)?;
    } else {
        for directory in directories(root)? {
            let pair = name_of(&directory).parse().map_err(|error| bad_name(&directory, error))?;
            cells(&directory, pair, regions, &mut all)?;
        }
    }
    if all.is_empty() {
        return Err(ImportError::NotGather(path.to_owned()));
    }
    Ok(all)
}

fn cells(path: &Path, pair: PairName, regions: &Regions, all: &mut Vec<Found>) -> Result<(), ImportError> {
    for directory in directories(path)? {
        all.push(found(directory, Some(pair), regions)?);
    }
    Ok(())
}

fn found(path: PathBuf, pair: Option<PairName>, regions: &Regions) -> Result<Found, ImportError> {
    let name = FoundName::parse(&name_of(&path), regions).map_err(|error| bad_name(&path, error))?;
    Ok(Found { path, pair, name })
}

fn bad_name(path: &Path, error: ParseError) -> ImportError {
    ImportError::Parse { path: path.to_owned(), error }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The name of a folder that may be given as `.`.
fn real_name(path: &Path) -> Result<String, ImportError> {
    let real = path.canonicalize().map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ImportError::NotGather(path.to_owned()),
        _ => ImportError::Io { path: path.to_owned(), source },
    })?;
    Ok(name_of(&real))
}

/// The folders in a folder, in order of their names, but hidden ones. Files are not looked at.
fn directories(path: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let fail = |source| ImportError::Io { path: path.to_owned(), source };
    if !path.is_dir() {
        return Err(ImportError::NotGather(path.to_owned()));
    }
    let mut directories = Vec::new();
    for entry in fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_dir() {
            directories.push(entry.path());
        }
    }
    directories.sort();
    Ok(directories)
}

/// Reads a plain file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ImportError> {
    let fail = |source| ImportError::Io { path: path.to_owned(), source };
    // Looked at before it is opened: opening a pipe would wait for a writer.
    if !fs::metadata(path).map_err(fail)?.is_file() {
        return Err(ImportError::NotAFile(path.to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(fail)?.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > limit {
        let error = ParseError::new(1, 1, Problem::TooLarge { limit });
        return Err(ImportError::Parse { path: path.to_owned(), error });
    }
    Ok(bytes)
}
