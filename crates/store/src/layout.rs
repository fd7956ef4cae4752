//! Where things are in a store.

use std::path::{Path, PathBuf};

use matrix_core::CellKey;

use crate::digest::{Digest, push_hex};
use crate::names::{AttemptId, Origin, RunId};

/// The schema of stores that this program writes.
pub(crate) const SCHEMA: u32 = 1;

/// The bytes of `store.toml`.
pub(crate) const STORE_TOML: &str =
    "# A store of `matrix`: results by cell, and the objects that hold their rows.\nschema = 1\n";

/// Extension of objects.
pub(crate) const OBJECT_EXTENSION: &str = ".csv.zst";

/// Name of the list of what came with a bundle.
pub(crate) const RECEIVED: &str = "received.json";

/// Names of a run's files.
pub(crate) const EXPERIMENT: &str = "experiment.toml";
pub(crate) const MODEL: &str = "model.toml";
pub(crate) const PLAN: &str = "plan.json";
pub(crate) const JOURNAL: &str = "journal.jsonl";

/// Whether a file in a run's folder is the journal of a runner that joined the run.
pub(crate) fn is_joined_journal(name: &str) -> bool {
    name.strip_prefix("journal-").is_some_and(|rest| rest.ends_with(".jsonl"))
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
        let mut hex = String::with_capacity(64);
        digest.push_hex(&mut hex);
        format!("{}/{hex}{OBJECT_EXTENSION}", &hex[..2])
    }

    pub(crate) fn cells(&self) -> PathBuf {
        self.root.join("cells")
    }

    pub(crate) fn cell(&self, key: &CellKey) -> PathBuf {
        self.cells().join(key.to_string())
    }

    /// A record.
    #[must_use]
    pub fn record(&self, key: &CellKey, origin: &Origin) -> PathBuf {
        self.cells().join(Self::record_in_cells(key, origin))
    }

    /// `<key>/<origin>.json`.
    pub(crate) fn record_in_cells(key: &CellKey, origin: &Origin) -> String {
        let mut name = String::with_capacity(80);
        push_hex(key.as_bytes(), &mut name);
        name.push('/');
        name.push_str(origin.as_str());
        name.push_str(".json");
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
