//! Opening what results are in: a store, a bundle, or a bundle that was unpacked.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::Path;

use matrix_bundle::temporary::Folder;
use matrix_bundle::{BundleReader, Limits, Unpacked};
use matrix_store::{Store, StoreError};

use crate::error::RunError;
use crate::wording;

/// A store open for reading: a directory, or what a bundle holds.
pub struct Opened {
    store: Store,
    /// Where a bundle was unpacked; removed at the end.
    pub(super) unpacked: Option<Folder>,
}

impl Deref for Opened {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

/// Opens a store, or a bundle as if it were one.
pub fn open(results: &Path) -> Result<Opened, RunError> {
    open_within(results, Limits::default())
}

/// Whether a path leads to a file or a pipe: a bundle, if it is anything of ours.
pub fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_dir())
}

/// Whether a path leads to an unpacked bundle.
pub fn is_unpacked(path: &Path) -> bool {
    matrix_bundle::is_unpacked(path) && !is_store(path)
}

fn is_store(path: &Path) -> bool {
    path.join("store.toml").is_file()
}

/// Opens the store in a folder. Where there is none, the message names what there is instead.
pub fn store_at(path: &Path) -> Result<Store, RunError> {
    let error = match Store::open(path) {
        Ok(store) => return Ok(store),
        Err(error) => error,
    };
    if !matches!(error, StoreError::Absent { .. }) {
        return Err(error.into());
    }
    let name = wording::path(path);
    if !path.exists() {
        let help = "`matrix run FILE` makes a store; `--results PATH` names another, or a bundle";
        return Err(RunError::usage(format!("there is no store at {name}: there is no such file or folder"), help));
    }
    let Ok(entries) = std::fs::read_dir(path) else { return Err(error.into()) };
    let is_ours = |path: &Path| {
        is_store(path) || matrix_bundle::is_unpacked(path) || path.to_string_lossy().ends_with(".tar.zst")
    };
    let found: BTreeSet<_> = entries.flatten().map(|entry| entry.path()).filter(|path| is_ours(path)).collect();
    let found: Vec<String> = found.iter().take(5).map(|path| wording::word(path)).collect();
    if found.is_empty() {
        return Err(error.into());
    }
    Err(RunError::usage(
        format!("{name} is a folder, and no store or unpacked bundle"),
        format!("did you mean {}?", found.join(" or ")),
    ))
}

/// Opens a store or a bundle, if there is one.
pub fn open_if_present(results: &Path, limits: Limits) -> Result<Option<Opened>, RunError> {
    if is_file(results) || is_unpacked(results) {
        return open_within(results, limits).map(Some);
    }
    Ok(Store::open_if_present(results)?.map(|store| Opened { store, unpacked: None }))
}

/// Opens a store, or a bundle that unpacks to no more than it may.
pub fn open_within(results: &Path, limits: Limits) -> Result<Opened, RunError> {
    let reader = if is_file(results) {
        BundleReader::open(results, limits)
    } else if is_unpacked(results) {
        Unpacked::open(results, limits).and_then(|folder| BundleReader::new(folder, limits))
    } else {
        return Ok(Opened { store: store_at(results)?, unpacked: None });
    };
    let folder = Folder::new()?;
    let place = folder.path().join("store");
    let read = reader.and_then(|reader| match reader.is_generic() {
        true => matrix_bundle::restore_generic(reader, &place).map(drop),
        false => matrix_archive::to_store(reader, &place).map(drop),
    });
    read.map_err(|error| RunError::of_bundle(&wording::path(results), error))?;
    Ok(Opened { store: Store::open(&place)?, unpacked: Some(folder) })
}
