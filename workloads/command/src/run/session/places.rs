//! Where the files of runs were on this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use matrix_store::{RunId, Store, StoreError, WritableStore};
use serde::{Deserialize, Serialize};

/// Where the files of a run were on this machine: no part of any bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Places {
    /// The experiment's; without it, a run is resumed by naming its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The file that `--site` named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<PathBuf>,
}

impl Places {
    /// Keeps where the files of a new run are, unless one of the paths is no text: then the run is resumed by naming its file.
    pub(super) fn keep(
        store: &WritableStore,
        run: &RunId,
        file: Option<&Path>,
        site: Option<&Path>,
    ) -> Result<(), StoreError> {
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let places = Self { file: file.map(whole), site: site.map(whole) };
        let is_text = [&places.file, &places.site].into_iter().flatten().all(|path| path.to_str().is_some());
        if places == Self::default() || !is_text {
            return Ok(());
        }
        store.keep_place(run, &places)
    }

    /// Where the files of a run were.
    ///
    /// # Errors
    /// When what was kept cannot be read.
    pub fn of(store: &Store, run: &RunId) -> Result<Self, StoreError> {
        let earlier = || Self { file: earlier(store, "places.json", run), site: earlier(store, "sites.json", run) };
        Ok(store.place(run)?.unwrap_or_else(earlier))
    }
}

/// The same as earlier versions kept it: one file for all runs.
fn earlier(store: &Store, name: &str, run: &RunId) -> Option<PathBuf> {
    let bytes = store.kept_beside(name).ok()??;
    let mut places: BTreeMap<String, PathBuf> = serde_json::from_slice(&bytes).ok()?;
    places.remove(run.as_str())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use matrix_store::fs::RealFilesystem;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_keeps_no_run_from_being_made() {
        let folder = tempfile::tempdir().unwrap();
        let path: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9/n.toml");
        let path = Path::new(path);
        let text = Path::new("n.toml");
        let store = Store::create_or_open_for_writing(folder.path(), "the test").unwrap();
        for (file, site) in [(path, text), (text, path)] {
            let run = "20261122T130000Z-n".parse().unwrap();
            Places::keep(&store, &run, Some(file), Some(site)).unwrap();
            // A run that is resumed without its site would run elsewhere.
            assert_eq!(Places::of(&store, &run).unwrap(), Places::default());
        }
    }

    #[test]
    fn runners_that_begin_runs_at_the_same_time_keep_the_places_of_all() {
        let folder = tempfile::tempdir().unwrap();
        let runs: Vec<RunId> = (0..40).map(|number| format!("20261122T130000Z-{number}").parse().unwrap()).collect();
        let root = folder.path();
        std::thread::scope(|scope| {
            for runs in runs.chunks(10) {
                scope.spawn(move || {
                    let fs = Arc::new(RealFilesystem);
                    let store = WritableStore::join_with(root, "the test", fs, None).unwrap();
                    for run in runs {
                        Places::keep(&store, run, Some(Path::new(run.as_str())), None).unwrap();
                    }
                });
            }
        });
        let store = Store::open(folder.path()).unwrap();
        for run in &runs {
            assert_eq!(Places::of(&store, run).unwrap().file.as_deref(), Some(Path::new(run.as_str())));
        }
        // What an earlier version kept is still found.
        let earlier = "20261122T120000Z-n".parse().unwrap();
        std::fs::write(folder.path().join("sites.json"), r#"{"20261122T120000Z-n":"/s.toml"}"#).unwrap();
        assert_eq!(Places::of(&store, &earlier).unwrap().site.as_deref(), Some(Path::new("/s.toml")));
    }
}
