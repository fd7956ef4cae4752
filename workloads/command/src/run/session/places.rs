//! Where the files of runs were on this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use matrix_store::{RunId, Store, StoreError, WritableStore};

/// Where the files of experiments were on this machine, by run: no part of any bundle.
pub(super) const PLACES: &str = "places.json";

/// The same of the files that `--site` named.
pub(super) const SITES: &str = "sites.json";

fn places(store: &Path, name: &str) -> BTreeMap<String, PathBuf> {
    // Without it, a run is resumed by naming its file.
    std::fs::read(store.join(name)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

pub(super) fn remember(store: &WritableStore, name: &str, run: &RunId, file: &Path) -> Result<(), StoreError> {
    let mut places = places(store.path(), name);
    places.insert(run.to_string(), file.canonicalize().unwrap_or_else(|_| file.to_owned()));
    let path = store.path().join(name);
    let bytes = serde_json::to_vec(&places)?;
    // Others may read it meanwhile.
    let temp = store.path().join(format!("{name}.{}", std::process::id()));
    std::fs::write(&temp, bytes)
        .and_then(|()| std::fs::rename(&temp, &path))
        .map_err(|error| StoreError::io("writing", &path, error))
}

/// Where the file of a run's experiment was.
#[must_use]
pub fn place_of(store: &Store, run: &RunId) -> Option<PathBuf> {
    places(store.path(), PLACES).get(run.as_str()).cloned()
}

/// The file that said what is this machine's when a run was begun, if one was named.
#[must_use]
pub fn site_of(store: &Store, run: &RunId) -> Option<PathBuf> {
    places(store.path(), SITES).get(run.as_str()).cloned()
}
