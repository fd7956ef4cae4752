//! What `matrix live run` keeps of cells until they are gathered.
//!
//! It is only good for the services that the requests were sent to, and is meant for one store: both are part of the
//! folder's path, `runs/local/INSTANCE/EXPERIMENT/STORE/CELL` or `runs/aws/EXPERIMENT/STORE/CELL` in the state directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use matrix_live::testbed::StateDir;
use matrix_plan::{Cell, CellInputs, CellKey};

use crate::exit::{Exit, Failure};

/// Versions by the name of what has them.
pub(super) type Versions = BTreeMap<String, String>;

/// What the client saw of a cell.
const CLIENT: &str = "client.jsonl";

/// File beside it with the versions of what the cell ran on.
const SERVICES: &str = "services.json";

/// File beside it with the inputs of the cell.
const CELL: &str = "cell.json";

/// A cell that was run, and what is kept of it.
pub(super) struct PendingCell {
    pub(super) cell: Cell,
    pub(super) folder: PathBuf,
}

impl PendingCell {
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join(CLIENT)
    }
}

/// Where what clients saw is kept: a folder for each cell.
pub(super) struct PendingSends {
    /// Of an experiment on the services that are there, whatever the store.
    experiment: PathBuf,
    /// Of a store.
    store: PathBuf,
}

impl PendingSends {
    /// What is kept of an experiment for the store at `results`. `instance` names the local testbed that runs; AWS has none.
    pub(super) fn new(state: &StateDir, instance: Option<&str>, experiment: &str, results: &Path) -> Self {
        let runs = state.path().join("runs");
        let services = instance.map_or_else(|| runs.join("aws"), |instance| runs.join("local").join(instance));
        let experiment = services.join(experiment);
        let digest = CellKey::of(real(results).as_os_str().as_encoded_bytes());
        Self { store: experiment.join(digest.short()), experiment }
    }

    pub(super) fn folder(&self, key: &CellKey) -> PathBuf {
        self.store.join(key.to_string())
    }

    pub(super) fn file(&self, key: &CellKey) -> PathBuf {
        self.folder(key).join(CLIENT)
    }

    /// Keeps what a cell is, and the versions of what it is about to run on: whoever gathers it may have others.
    pub(super) fn begin(&self, cell: &Cell, versions: &Versions) -> Result<(), Failure> {
        if self.file(&cell.key).is_file() {
            // It ran before, and is not run again.
            return Ok(());
        }
        let folder = self.folder(&cell.key);
        let write = |name: &str, json: serde_json::Result<String>| {
            let path = folder.join(name);
            let text = json.map_err(|error| unusable(&path, error))?;
            fs::write(&path, text).map_err(|error| unusable(&path, error))
        };
        fs::create_dir_all(&folder).map_err(|error| unusable(&folder, error))?;
        write(CELL, serde_json::to_string(&cell.inputs))?;
        write(SERVICES, serde_json::to_string(versions))
    }

    /// The versions that cells ran on. Where cells differ all are named.
    pub(super) fn services(&self, keys: &BTreeSet<CellKey>) -> Result<Versions, Failure> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for key in keys {
            let versions: Versions = read(&self.folder(key).join(SERVICES))?;
            for (name, version) in versions {
                all.entry(name).or_default().insert(version);
            }
        }
        Ok(all.into_iter().map(|(name, versions)| (name, Vec::from_iter(versions).join(" or "))).collect())
    }

    /// Every cell of the experiment that was run on these services and not gathered, for whatever store.
    pub(super) fn all(&self) -> Result<Vec<PendingCell>, Failure> {
        let mut pending = Vec::new();
        for store in folders(&self.experiment)? {
            for folder in folders(&store)? {
                if folder.join(CLIENT).is_file() {
                    let path = folder.join(CELL);
                    let inputs: CellInputs = read(&path)?;
                    let cell = Cell::new(inputs).map_err(|error| unusable(&path, error))?;
                    pending.push(PendingCell { cell, folder });
                }
            }
        }
        Ok(pending)
    }
}

/// Removes what was sent to local testbeds other than `instance`: nobody will ever answer. Says of how many cells.
pub(super) fn forget_gone(state: &StateDir, instance: Option<&str>) -> Result<usize, Failure> {
    let mut cells = 0;
    for gone in folders(&state.path().join("runs/local"))? {
        if gone.file_name().and_then(|name| name.to_str()) == instance {
            continue;
        }
        for experiment in folders(&gone)? {
            for store in folders(&experiment)? {
                cells += folders(&store)?.iter().filter(|folder| folder.join(CLIENT).is_file()).count();
            }
        }
        remove(&gone)?;
    }
    Ok(cells)
}

pub(super) fn remove(folder: &Path) -> Result<(), Failure> {
    fs::remove_dir_all(folder)
        .map_err(|error| Failure::new(Exit::Internal, format!("removing {}: {error}", folder.display())))
}

fn folders(within: &Path) -> Result<Vec<PathBuf>, Failure> {
    let list = || {
        let entries = match fs::read_dir(within) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    };
    let mut found = list().map_err(|error| unusable(within, error))?;
    found.retain(|path| path.is_dir());
    found.sort();
    Ok(found)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = fs::read_to_string(path).map_err(|error| unusable(path, error))?;
    serde_json::from_str(&text).map_err(|error| unusable(path, error))
}

fn unusable(path: &Path, error: impl std::fmt::Display) -> Failure {
    let fix = "remove the folder, and run the cell again with `matrix live run`";
    Failure::with_help(Exit::Internal, format!("{}: {error}", path.display()), fix)
}

/// The path without links and dots, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for there in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (there.canonicalize(), path.strip_prefix(there)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_name_whether_it_is_there_or_not() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("there")).unwrap();
        std::os::unix::fs::symlink(directory.path().join("there"), directory.path().join("link")).unwrap();
        let before = real(&directory.path().join("link/results"));
        std::fs::create_dir(directory.path().join("there/results")).unwrap();
        assert_eq!(before, real(&directory.path().join("there/results")));
        assert_eq!(before, real(&directory.path().join("link/results")));
    }

    #[test]
    fn what_was_sent_to_a_testbed_that_is_gone_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDir::at(directory.path()).unwrap();
        let key = CellKey::of(b"cell");
        for instance in ["old", "new"] {
            let pending = PendingSends::new(&state, Some(instance), "small", directory.path());
            std::fs::create_dir_all(pending.folder(&key)).unwrap();
            std::fs::write(pending.file(&key), "").unwrap();
        }
        assert_eq!(forget_gone(&state, Some("new")).unwrap(), 1);
        assert_eq!(forget_gone(&state, Some("new")).unwrap(), 0);
        assert!(PendingSends::new(&state, Some("new"), "small", directory.path()).file(&key).is_file());
        assert!(!PendingSends::new(&state, Some("new"), "small", &directory.path().join("other")).file(&key).exists());
        assert_eq!(forget_gone(&state, None).unwrap(), 1);
    }
}
