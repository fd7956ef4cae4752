//! Where things are in a store.

use std::path::{Path, PathBuf};

use matrix_core::CellKey;

use crate::digest::{Digest, push_hex};
use crate::generation;
use crate::names::{AttemptId, Origin, RunId};

/// The newest schema of stores. A store is of the oldest one that its contents allow: see `SHARED_SCHEMA`.
pub const SCHEMA: u32 = SHARED_SCHEMA;

/// The schema of a store as it begins.
pub(crate) const FIRST_SCHEMA: u32 = 1;

/// The schema of a store that several runners shared: a run may have several journals, and a record several generations. Programs that know
/// [`FIRST_SCHEMA`] only would overlook both.
pub(crate) const SHARED_SCHEMA: u32 = 2;

/// The bytes of `store.toml`, but for what a check found.
pub(crate) fn store_toml(schema: u32) -> String {
    format!("# A store of `matrix`: results by cell, and the objects that hold their rows.\nschema = {schema}\n")
}

/// Extension of objects.
pub(crate) const OBJECT_EXTENSION: &str = ".csv.zst";

/// Name of the list of what came with a bundle.
pub(crate) const RECEIVED: &str = "received.json";

/// Name of the folder of what this machine alone knows of runs.
pub(crate) const PLACES: &str = "places";

/// Names of a run's files.
pub(crate) const EXPERIMENT: &str = "experiment.toml";
pub(crate) const MODEL: &str = "model.toml";
pub(crate) const PLAN: &str = "plan.json";
pub(crate) const JOURNAL: &str = "journal.jsonl";
/// Only where the run replaces results: the generation of those that it makes.
pub(crate) const GENERATION: &str = "generation";

/// Whether a file in a run's folder is the journal of a runner that joined the run.
pub(crate) fn is_joined_journal(name: &str) -> bool {
    runner_of_journal(name).is_some()
}

/// The runner whose journal of a run that it joined a file is.
pub(crate) fn runner_of_journal(name: &str) -> Option<&str> {
    name.strip_prefix("journal-")?.strip_suffix(".jsonl")
}

/// The journal of a runner that joined a run, in the run's folder.
pub(crate) fn joined_journal(runner: &str) -> String {
    format!("journal-{runner}.jsonl")
}

/// The paths of a store.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(crate) root: PathBuf,
}

impl Layout {
    pub(crate) fn store_toml(&self) -> PathBuf {
        self.root.join("store.toml")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Signs of life.
    pub(crate) fn runners(&self) -> PathBuf {
        self.root.join("runners")
    }

    /// What runners of one store divide their work by.
    pub(crate) fn claims(&self) -> PathBuf {
        self.root.join("claims")
    }

    pub(crate) fn claims_of(&self, run: &RunId) -> PathBuf {
        self.claims().join(run.as_str())
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.root.join("index")
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// An object.
    #[must_use]
    pub fn object(&self, digest: &Digest) -> PathBuf {
        self.objects().join(Self::object_in_objects(digest))
    }

    /// `ab/<sha256>.csv.zst`.
    pub(crate) fn object_in_objects(digest: &Digest) -> String {
        let mut name = String::with_capacity(3 + 64 + OBJECT_EXTENSION.len());
        push_hex(&digest.as_bytes()[..1], &mut name);
        name.push('/');
        digest.push_hex(&mut name);
        name.push_str(OBJECT_EXTENSION);
        name
    }

    pub(crate) fn cells(&self) -> PathBuf {
        self.root.join("cells")
    }

    pub(crate) fn cell(&self, key: &CellKey) -> PathBuf {
        self.cells().join(key.to_string())
    }

    /// A record of the first generation.
    #[must_use]
    pub fn record(&self, key: &CellKey, origin: &Origin) -> PathBuf {
        self.record_at(key, origin, 0)
    }

    /// A record.
    pub(crate) fn record_at(&self, key: &CellKey, origin: &Origin, generation: u32) -> PathBuf {
        self.cells().join(Self::record_in_cells(key, origin, generation))
    }

    /// `<key>/<origin>.json`, or `<key>/<origin>.<generation>.json`.
    pub(crate) fn record_in_cells(key: &CellKey, origin: &Origin, generation: u32) -> String {
        let mut name = String::with_capacity(80);
        push_hex(key.as_bytes(), &mut name);
        name.push('/');
        generation::push_file_name(origin.as_str(), generation, &mut name);
        name
    }

    pub(crate) fn attempts(&self) -> PathBuf {
        self.root.join("attempts")
    }

    /// An attempt.
    #[must_use]
    pub fn attempt(&self, id: &AttemptId) -> PathBuf {
        self.attempts().join(format!("{id}.json"))
    }

    pub(crate) fn received(&self) -> PathBuf {
        self.root.join(RECEIVED)
    }

    /// What this machine alone knows of a run.
    pub(crate) fn place(&self, run: &RunId) -> PathBuf {
        self.root.join(PLACES).join(format!("{run}.json"))
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    pub(crate) fn run(&self, id: &RunId) -> PathBuf {
        self.runs().join(id.as_str())
    }
}

/// Whether a file of this name may lie in a store's directory without being part of it: bundles, their signatures, and a
/// text about them. A checkout has such in `results/`, and people put theirs there.
pub(crate) fn may_lie_beside(name: &str) -> bool {
    name == "README.md" || name.ends_with(".tar.zst") || name.ends_with(".tar.zst.sig")
}

/// The directory that a path of ours is in.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}
